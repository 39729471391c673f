"""A real import process that reads a pipe and is killed with rows in its transaction."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import VETLLA

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def kill_while_reading(folder: Path, words: tuple[str, str], lines: Iterable[str], *options: object) -> None:
    """Start an import (``words``), write lines into its file, which does not end, and kill it."""
    feed = folder / "feed.csv"
    feed.symlink_to("/dev/stdin")
    command = [VETLLA, *words, str(feed), *map(str, options)]
    importer = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    assert importer.stdin
    try:
        importer.stdin.writelines(f"{line}\n" for line in lines)
        importer.stdin.flush()
        importer.send_signal(signal.SIGKILL)
    except BrokenPipeError:
        pytest.fail(f"the import ended by itself: {importer.wait(20)}")
    finally:
        importer.kill()
        importer.wait(20)
        importer.stdin.close()
    assert importer.returncode == -signal.SIGKILL

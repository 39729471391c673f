"""Folders on a disk. Tests usually keep their files in memory, and checks of a machine warn of that."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DISK = Path("/var/tmp")
"""Its files outlive a start of the machine, so that no machine keeps it in memory."""


@contextmanager
def folder_on_disk() -> Iterator[Path]:
    """Make a folder on a disk for the block."""
    with tempfile.TemporaryDirectory(dir=DISK) as folder:
        yield Path(folder)

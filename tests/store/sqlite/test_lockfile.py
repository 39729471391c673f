"""A lock file that another process holds is waited for, as long as the caller has patience."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.errors import StoreError
from vetlla.store.sqlite.lockfile import exclusive

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = (
    "import sys\nfrom pathlib import Path\nfrom vetlla.store.sqlite.lockfile import exclusive\n"
    "with exclusive(Path(sys.argv[1])):\n    print(flush=True)\n    sys.stdin.read()\n"
)


def test_a_held_lock_is_waited_for_and_refused_without_patience(tmp_path: Path) -> None:
    path, begun = tmp_path / "some.lock", Event()

    def wait() -> bool:
        begun.set()
        with exclusive(path, patience_s=60):
            return True

    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdout.readline()
        for patience_s in (0, 0.05):
            with pytest.raises(StoreError, match="is writing"), exclusive(path, patience_s=patience_s):
                pass
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(wait)
            begun.wait()
            holder.stdin.close()
            assert waiting.result()

"""What a command shows on a terminal, read from the terminal's other end."""

from __future__ import annotations

import os
import select

PATIENCE_S = 30


def screen(master: int, *, until: bytes = b"") -> bytes:
    """Return what a terminal shows until some text comes, or until its last process is gone."""
    shown = b""
    while not until or until not in shown:
        ready, _, _ = select.select([master], [], [], PATIENCE_S)
        assert ready, shown
        try:
            shown += os.read(master, 1024)
        except OSError:  # nobody has the other end open any more
            break
    return shown

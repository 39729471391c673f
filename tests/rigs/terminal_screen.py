"""Reads the output of a command on a terminal, from the terminal's other end."""

from __future__ import annotations

import os
import select

PATIENCE_S = 30


def screen(master: int, *, until: bytes = b"") -> bytes:
    """Return the output of a terminal until a text comes, or until its last process has ended."""
    shown = b""
    while not until or until not in shown:
        ready, _, _ = select.select([master], [], [], PATIENCE_S)
        assert ready, shown
        try:
            shown += os.read(master, 1024)
        except OSError:  # no process has the other end open
            break
    return shown

"""A table on a narrow terminal loses no letter of a code and no digit of an amount; in a pipe it keeps its columns."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

from tests.rigs.terminal_screen import screen

PROGRAM = """
from vetlla.cli.kit.output import print_rows
rows = [{"day": "2026-03-31", "about": "documents-in-a-long-code " * 3, "led to by": "S06 " * 30,
         "ceiling": "2007954.28", "actions": ""}]
print_rows(rows, ("day", "about", "led to by", "ceiling", "actions"), as_json=False)
"""


def on_a_terminal(columns: int) -> str:
    """Return what a person sees on a terminal of a width."""
    master, slave = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color"}
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=slave, env=environment) as process:
        os.close(slave)
        text = screen(master).decode()
        process.wait(60)
    os.close(master)
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_nothing_is_cut_off_on_a_narrow_terminal() -> None:
    for columns in (60, 80, 120):
        shown = on_a_terminal(columns)
        assert "…" not in shown
        assert {"2026-03-31", "2007954.28"} <= set(shown.split()), shown
        assert shown.count("S06") == 30
        assert all(len(line) <= columns for line in shown.splitlines())


def test_a_column_without_a_value_is_left_out_on_a_terminal_alone() -> None:
    """What a script reads from a pipe has the same columns whatever the rows say."""
    assert "actions" not in on_a_terminal(80)
    piped = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
    assert piped.splitlines()[0].split() == ["day", "about", "led", "to", "by", "ceiling", "actions"]
    assert len(piped.splitlines()) == 2

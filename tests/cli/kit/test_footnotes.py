"""A person at a terminal sees the assumptions of a report, in one line; a cron job does not."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

from tests.rigs.daemon import VETLLA
from tests.rigs.terminal_screen import screen

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def test_assumed_values_are_one_line_on_a_terminal(stocked: Vetlla, state_dir: Path) -> None:
    """The line counts them and names the command that lists them; the answer itself is the same."""
    assert stocked("renewals", "forecast").talk == ""
    ours, theirs = pty.openpty()
    command = [VETLLA, "renewals", "forecast", "--state-dir", str(state_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True) as forecast:
        os.close(theirs)
        told = screen(ours).decode()
        assert forecast.stdout is not None
        assert forecast.stdout.read() == stocked("renewals", "forecast").out
    os.close(ours)
    assert "* rests on 17 assumed values (digital, life): vetlla" in " ".join(told.split())
    assert told.count("assumed") == 2


def test_the_values_in_force_are_listed(stocked: Vetlla) -> None:
    """All values are listed, or those that no document confirms, with their basis."""
    everything, assumed = (stocked("inventory", "parameters", "--json", *more).json for more in ([], ["--assumed"]))
    assert {row["basis"] for row in everything} == {"assumed", "contract", "tender"}
    assert [row for row in everything if row["basis"] == "assumed"] == assumed
    (gas,) = [row for row in assumed if row["name"] == "life.gas"]
    assert (gas["value"], gas["unit"], gas["from"]) == ("60", "months", "2024-04-01")
    table = stocked("inventory", "parameters", "--assumed").out.splitlines()
    assert len(table) == len(assumed) + 1, "rows of a table in a pipe are not folded"
    assert max(map(len, table)) > 160

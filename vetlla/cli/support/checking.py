"""``vetlla support check``: whether a clock ran out or is about to, for monitoring."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from vetlla.cli.kit.findings import print_check, read_or_unknown
from vetlla.cli.kit.options import AsJson
from vetlla.cli.reminders.database import database, now
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.cli.support.rows import LevelsFile
from vetlla.service.support.checking import check
from vetlla.tasks.support import desk
from vetlla.tasks.support.levels import load_levels

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.findings import Finding


def check_clocks(
    *, levels: LevelsFile = None, state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False
) -> None:
    """Check the clocks of the open tickets, as a monitoring plug-in. It prints numbers of tickets and no texts.

    How little may be left is in the file of service levels (warning.answer, warning.solve).

    Exit status: 0 all clocks have time, 1 one is about to run out, 2 one has run out, 3 unknown, because the tickets or
    the levels cannot be read.

    Example: vetlla support check
    """
    found, tickets = read_or_unknown("tickets", "the tickets cannot be read", lambda: _findings(levels, state_dir))
    counts = Counter(one.level.name for one in found)
    told = "".join(f", {count} {name}" for name, count in counts.items())
    print_check("SUPPORT", found, f"{tickets}{told}", as_json=as_json)


def _findings(levels: Path | None, state_dir: Path) -> tuple[list[Finding], str]:
    service_levels = load_levels(levels)
    with database(state_dir) as db:
        standings = list(desk.open_standings(db, service_levels, now()))
    return check(standings, service_levels), f"{len(standings)} open tickets"

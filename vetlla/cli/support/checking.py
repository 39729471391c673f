"""``vetlla support check``: whether a clock ran out or is about to, for monitoring."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.findings import fields
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.reminders.database import database, now
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.cli.support.rows import LevelsFile
from vetlla.domain.errors import AccessError, ConfigError, StoreError, UsageError
from vetlla.domain.findings import Finding, Level, of_error, worst
from vetlla.service.support.checking import check
from vetlla.tasks.support import desk
from vetlla.tasks.support.levels import load_levels

if TYPE_CHECKING:
    from pathlib import Path


def check_clocks(
    *, levels: LevelsFile = None, state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False
) -> None:
    """Check the clocks of the open tickets, as a monitoring plug-in. It prints numbers of tickets and no texts.

    How little may be left is in the file of service levels (warning.answer, warning.solve).

    Exit status: 0 all clocks have time, 1 one is about to run out, 2 one has run out, 3 unknown, because the tickets or
    the levels cannot be read.

    Example: vetlla support check
    """
    found, tickets = _findings(levels, state_dir)
    level = worst(found)
    with verdict(level):
        if as_json:
            for one in found:
                print_json(fields(one))
            return
        out = console()
        counts = Counter(one.level.name for one in found)
        told = "".join(f", {count} {name}" for name, count in counts.items())
        out.print(f"SUPPORT {level.name}: {tickets}{told}", soft_wrap=True)
        for one in found:
            out.print(f"{one.level.name} {one.text} -> {one.remedy}", soft_wrap=True)


def _findings(levels: Path | None, state_dir: Path) -> tuple[list[Finding], str]:
    try:
        service_levels = load_levels(levels)
        with database(state_dir) as db:
            standings = list(desk.open_standings(db, service_levels, now()))
    except (StoreError, ConfigError, AccessError, UsageError, PermissionError) as error:
        return [_unknown(of_error("tickets", error))], "the tickets cannot be read"
    return check(standings, service_levels), f"{len(standings)} open tickets"


def _unknown(found: Finding) -> Finding:
    """Return the finding as UNKNOWN: what cannot be read says nothing about the clocks."""
    return Finding(check=found.check, level=Level.UNKNOWN, text=found.text, remedy=found.remedy)

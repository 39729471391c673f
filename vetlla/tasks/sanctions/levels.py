"""The verdicts of the service levels by month: computed from the record, or read from what ``sla report`` wrote."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from vetlla.domain.duties import DutyVerdict
from vetlla.domain.errors import UsageError
from vetlla.domain.sanctions import Arrivals
from vetlla.service.duties.terms import DutyRules  # noqa: TC001 - the alias of a function
from vetlla.service.sanctions.fields import level_month, level_of_fields
from vetlla.service.sla.levels import NUMBERS
from vetlla.tasks.sla.from_duties import counted
from vetlla.tasks.sla.month import month_record
from vetlla.tasks.sla.sources import figures

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.sanctions import LevelMonth
    from vetlla.tasks.sla.month import MonthRecord

ARRIVALS: Final = (11, 12)
FILE_MAX: Final = 256 << 20
"""Most bytes of a file of levels: five years with all of their listed breaches are less."""


def computed(
    state_dir: Path,
    clock: Clock,
    rules: DutyRules,
    months: Iterable[date],
    known_us: int | None = None,
    *,
    with_arrivals: bool = False,
) -> dict[date, dict[int, LevelMonth]]:
    """Return the levels of months as the record gives them; ``with_arrivals`` adds the sums for an average."""
    found: dict[date, dict[int, LevelMonth]] = {}
    for month in months:
        with month_record(state_dir, clock, rules, month, known_us) as record:
            levels = {one.ans: level_month(one) for one in figures(record, NUMBERS)}
            if with_arrivals:
                levels |= {ans: levels[ans]._replace(arrivals=_arrivals(record, ans)) for ans in ARRIVALS}
        found[month] = levels
    return found


def read(file: Path) -> dict[date, dict[int, LevelMonth]]:
    """Return the levels of a file with the lines of ``vetlla sla report --json``, as closed months keep them.

    Raises UsageError for a line that is none, or a level that comes twice in a month.
    """
    found: dict[date, dict[int, LevelMonth]] = {}
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        try:
            month, ans, level = level_of_fields(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{file}: line {number} is no row of a report of service levels",
                remedy="make it with vetlla sla report --month 2026-01..2026-12 --json",
            ) from error
        if ans not in NUMBERS or ans in found.setdefault(month, {}):
            raise UsageError(f"{file}: line {number}: ANS {ans} of {month:%Y-%m} is unknown or comes twice")
        found[month][ans] = level
    return found


def _lines(file: Path) -> list[str]:
    try:
        if file.stat().st_size > FILE_MAX:
            raise UsageError(f"{file}: is larger than {FILE_MAX >> 20} MiB", remedy="give fewer months")
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: cannot be read as text: {error}", remedy="name an existing file") from error


def _arrivals(record: MonthRecord, ans: int) -> Arrivals | None:
    """Return the sum of the times of the emergencies of a month whose unit got in."""
    cases = total_us = limit_us = 0
    for _, one in counted(record, ans):
        if one.judging is not None and one.verdict in {DutyVerdict.KEPT, DutyVerdict.BREACHED}:
            cases += 1
            total_us += one.elapsed_us
            limit_us = one.terms.limit_us or 0
    return Arrivals(cases, total_us, limit_us) if cases else None

"""The levels by month: of closed months, computed from the record, or read from what ``sla report`` wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date  # noqa: TC003 - NamedTuple
from pathlib import Path  # noqa: TC003 - NamedTuple
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import Clock  # noqa: TC001 - NamedTuple
from vetlla.domain.closing import SERVICE_LEVELS
from vetlla.domain.duties import DutyVerdict
from vetlla.domain.errors import StoreError, UsageError
from vetlla.domain.sanctions import Arrivals, LevelMonth
from vetlla.service.duties.terms import DutyRules  # noqa: TC001 - NamedTuple
from vetlla.service.sanctions.fields import level_month, level_of_fields
from vetlla.service.sla.levels import NUMBERS
from vetlla.store.months import closings
from vetlla.tasks.sla.from_duties import counted
from vetlla.tasks.sla.month import month_record, month_records
from vetlla.tasks.sla.sources import figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.domain.closing import Closing
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.tasks.sla.month import MonthRecord

ARRIVALS: Final = (11, 12)
FILE_MAX: Final = 256 << 20
"""Most bytes of a file of levels: five years with all of their listed breaches are less."""


class LastMonth(NamedTuple):
    """A month that is being closed or verified, with the figures that were computed for that."""

    month: date
    figures: Sequence[LevelFigure]
    ledger_days: frozenset[str] | None
    """The days of the ledger of supervision that count, also in the months before it; None: all that were over."""


class LevelsAsked(NamedTuple):
    """Whose levels are asked for, and how they are found."""

    state_dir: Path
    clock: Clock
    rules: DutyRules
    known_us: int | None = None
    """As known at this time; None for now."""
    with_arrivals: bool = False
    """Whether the sums of arrivals are needed for an average."""
    from_record: bool = False
    """Whether closed months are computed again, too."""
    last: LastMonth | None = None
    """A month that the caller has computed already."""


class GatheredLevels(NamedTuple):
    """The levels of months."""

    months: dict[date, dict[int, LevelMonth]]
    closed: dict[date, int]
    """The months that were taken from a closed month -> its version."""


def gathered(asked: LevelsAsked, months: Iterable[date]) -> GatheredLevels:
    """Return the levels of months: of a closed one those of its last version, of any other what the record gives.

    A closed month is the official figure. Its versions are only ever added to, so the same time gives the same answer.
    Raises StoreError if the kept figures of one were changed.
    """
    found: dict[date, dict[int, LevelMonth]] = {}
    versions: dict[date, int] = {}
    with month_records(asked.state_dir, asked.clock, asked.rules, asked.known_us) as record_of:
        for record in map(record_of, months):
            closing = _closing(asked, record)
            levels = _kept(asked, record, closing) if closing else None
            if closing and levels:
                versions[record.month] = closing.version
            found[record.month] = levels or _computed(asked, record)
    return GatheredLevels(found, versions)


def _closing(asked: LevelsAsked, record: MonthRecord) -> Closing | None:
    """Return the last version of a closed month; None if it must be computed."""
    if asked.from_record or (asked.last and asked.last.month == record.month):
        return None
    versions = closings.closings(record.connection, record.month)
    return versions[-1] if versions else None


def _kept(asked: LevelsAsked, record: MonthRecord, closing: Closing) -> dict[int, LevelMonth] | None:
    """Return the levels that a closed month keeps; None if it keeps no figures."""
    file = closings.result(record.connection, closing, SERVICE_LEVELS)
    if file is None:
        return None
    if not file.is_intact:
        raise StoreError(
            f"the service levels of the closed month {closing.label} were changed",
            remedy=f"vetlla month verify {closing.label}; with --from-record all months are computed again",
        )
    levels = {ans: level for _, ans, level in map(level_of_fields, json.loads(file.content))}
    if not asked.with_arrivals:
        return levels
    with month_record(asked.state_dir, asked.clock, asked.rules, closing.month, closing.known_us) as then:
        return _with_arrivals(levels, then)


def _computed(asked: LevelsAsked, of: MonthRecord) -> dict[int, LevelMonth]:
    last = asked.last
    record = replace(of, ledger_days=last.ledger_days) if last else of
    found = last.figures if last and last.month == record.month else figures(record, NUMBERS)
    levels = {one.ans: level_month(one) for one in found}
    return _with_arrivals(levels, record) if asked.with_arrivals else levels


def _with_arrivals(levels: dict[int, LevelMonth], record: MonthRecord) -> dict[int, LevelMonth]:
    return levels | {ans: levels[ans]._replace(arrivals=_arrivals(record, ans)) for ans in ARRIVALS}


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

"""Says which part of a month the journal does not have, and keeps a level from being kept by what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.service_levels import LevelNote
from vetlla.service.sla.comparing import incomplete, noted
from vetlla.store.journal.extent import extent

if TYPE_CHECKING:
    from datetime import date

    from vetlla.domain.service_levels import LevelFigure
    from vetlla.tasks.sla.month import MonthRecord

START: Final = "contract.start"
"""Parameter: the first day of the service."""


class Coverage(NamedTuple):
    """What the journal has of a month."""

    is_whole: bool
    """False if signals of the month are missing, or may be."""
    notes: tuple[LevelNote, ...] = ()


def first_day(record: MonthRecord) -> date:
    """Return the day on which the service of a month begins: its first day, or in the first month that of the contract.

    Raises ConfigError.
    """
    return max(record.month, record.reading().the_date(START))


def coverage(record: MonthRecord) -> Coverage:
    """Return what the journal has of the signals of a month. Raises StoreError and ConfigError.

    A journal that begins on the first day of the service, after midnight, is whole, and a note says it.
    """
    if record.archive is None:
        return Coverage(is_whole=False, notes=(LevelNote.NO_JOURNAL,))
    has, notes, is_whole = extent(record.archive), list[LevelNote](), True
    if has.removed_us is not None and has.removed_us >= record.begin_us:
        notes.append(LevelNote.JOURNAL_REMOVED)
        is_whole = False
    first, calendar = first_day(record), record.rules.calendar
    if has.began_us is None or has.began_us > calendar.begin_of(first.toordinal()):
        notes.append(LevelNote.JOURNAL_LATER)
        is_whole = is_whole and has.began_us is not None and calendar.date_of(has.began_us) <= first
    if any(one.begin_us <= record.end_us and one.end_us >= record.begin_us for one in has.lost):
        notes.append(LevelNote.JOURNAL_RESTORED)
        is_whole = False
    return Coverage(is_whole, tuple(notes))


def by_signals(record: MonthRecord, found: LevelFigure) -> LevelFigure:
    """Return figures that rest on the signals of the journal: they are not kept if signals are missing."""
    has = record.once(coverage)
    return noted(found if has.is_whole else incomplete(found), *has.notes)

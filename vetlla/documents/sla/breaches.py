"""The breaches of a level: how many by reason, at which hours of the day, and one by one."""

from __future__ import annotations

from collections import Counter
from datetime import time
from typing import TYPE_CHECKING, Final

from vetlla.documents.charts.columns import Series, columns
from vetlla.documents.page import Paragraph, TableBlock
from vetlla.documents.sla.texts import duration
from vetlla.domain.clock import to_datetime
from vetlla.domain.figures import FigureColumn, FigureTable, Form

if TYPE_CHECKING:
    from datetime import tzinfo

    from vetlla.documents.page import Block
    from vetlla.documents.words import Words
    from vetlla.domain.service_levels import LevelBreach, LevelFigure

LISTED: Final = 60
"""Breaches that the page lists; the files of rows have all. A month in which everything fails has one cause."""
_OF_STRETCHES: Final = frozenset({18, 21})
"""Levels whose cases are stretches of time, which have a chart of days."""
HOURS_FROM: Final = 5
"""Breaches from which their hours are drawn: fewer are read faster in the table."""
_COLUMNS: Final = (
    FigureColumn("case", Form.NAME),
    FigureColumn("home", Form.NAME),
    FigureColumn("begun", Form.NAME),
    FigureColumn("due", Form.NAME),
    FigureColumn("at", Form.NAME),
    FigureColumn("measured", Form.NAME),
    FigureColumn("reason", Form.NAME),
)


def reasons_text(one: LevelFigure, words: Words) -> str:
    """Return how many breaches have each reason, the most frequent first."""
    counts = Counter(breach.reason for breach in one.breaches)
    found = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{words.word('reason', reason.value)} ({words.number(count)})" for reason, count in found)


def hours_chart(one: LevelFigure, zone: tzinfo, words: Words) -> list[Block]:
    """Return a chart of the breaches by the hour of the day in which they began; nothing for a few.

    One that began exactly when its day did has a day and no hour, such as a planned call or a day without a check.
    """
    begun = [to_datetime(at_us).astimezone(zone) for breach in one.breaches if (at_us := breach.begun_us) is not None]
    hours = Counter(at.hour for at in begun if at.time() != time.min)
    if sum(hours.values()) < HOURS_FROM or one.ans in _OF_STRETCHES:
        return []
    counts = [hours[hour] for hour in range(24)]
    title = words.text("chart_hours", ans=str(one.ans))
    return [columns(title, [str(hour) for hour in range(24)], [Series(words.text("breaches"), counts)], words.number)]


def breach_table(one: LevelFigure, zone: tzinfo, words: Words) -> list[Block]:
    """Return the first breaches one by one, and how many there are beside them."""
    if not one.breaches:
        return []
    rows = [_row(breach, zone, words) for breach in one.breaches[:LISTED]]
    # A column is left out if no case has a value for it: a component has no home, and a call no term.
    places = [place for place in range(len(_COLUMNS)) if any(row[place] is not None for row in rows)]
    table = FigureTable(
        name="breaches",
        columns=tuple(_COLUMNS[place] for place in places),
        rows=tuple(tuple(row[place] for place in places) for row in rows),
    )
    blocks: list[Block] = [TableBlock(table=table)]
    if one.breach_count > len(rows):
        shown, every = words.number(len(rows)), words.number(one.breach_count)
        blocks.append(Paragraph(words.text("more_rows", shown=shown, all=every)))
    return blocks


def _row(breach: LevelBreach, zone: tzinfo, words: Words) -> tuple[str | None, ...]:
    name = f"{words.word('what', breach.what)} {breach.number}".strip()
    reason = words.word("reason", breach.reason.value)
    return (
        f"{name}: {_subject(breach.subject, words)}" if breach.subject else name,
        breach.home or None,
        _moment(breach.begun_us, zone, words),
        _moment(breach.due_us, zone, words),
        _moment(breach.at_us, zone, words),
        duration(breach.measured_us, words, up=True),
        words.text("grave", reason=reason) if breach.is_worse else reason,
    )


def _subject(subject: str, words: Words) -> str:
    """Return what a case is about; of a device, TYPE:SERIAL, the type in words."""
    kind, _, serial = subject.partition(":")
    device = words.data["words"]["device"].get(kind) if serial else None
    return f"{device} {serial}" if device else subject


def _moment(at_us: int | None, zone: tzinfo, words: Words) -> str | None:
    if at_us is None:
        return None
    return words.moment(to_datetime(at_us).astimezone(zone))

"""What came in and went out in a month: signals of the terminals by priority, and telephone calls by outcome."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import SECOND_US
from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.signals import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.communications import Communication
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.calls.report import CallFigures

_SIGNALS: Final = (
    FigureColumn("priority", Form.WORD),
    FigureColumn("received"),
    FigureColumn("to_operator"),
    FigureColumn("on_test"),
)
_CALLS: Final = (FigureColumn("call", Form.WORD), FigureColumn("number"))
_HOURS: Final = (FigureColumn("hour"), FigureColumn("calls"))
_DURATIONS: Final = (
    FigureColumn("ans"),
    FigureColumn("source", Form.WORD),
    FigureColumn("cases"),
    FigureColumn("p90_s"),
    FigureColumn("longest_s"),
)


def signals(found: Iterable[Communication]) -> FigureTable:
    """Return the signals of terminals by priority: all, those for an operator, and those of terminals on test."""
    counts: Counter[tuple[str, str]] = Counter()
    for one in found:
        for priority in (one.priority, "total"):
            counts[priority, "received"] += 1
            counts[priority, "to_operator"] += not one.is_routine
            counts[priority, "on_test"] += one.on_test
    order = [*(one.name.lower() for one in Priority), "total"]
    rows = tuple(
        (name, counts[name, "received"], counts[name, "to_operator"], counts[name, "on_test"])
        for name in order
        if counts[name, "received"]
    )
    return FigureTable(name="signals", columns=_SIGNALS, rows=rows)


def calls(found: CallFigures) -> FigureTable:
    """Return the calls by what became of them; those that came in are the sum of the four below them."""
    if not found.all:
        return FigureTable(name="calls", columns=_CALLS)
    rows = (
        ("in", found.incoming),
        ("answered", found.answered),
        ("abandoned", found.abandoned),
        ("lost", found.lost),
        ("undecided", found.undecided),
        ("out", found.outgoing),
        ("out_answered", found.out_answered),
        ("recorded", found.recorded),
    )
    return FigureTable(name="calls", columns=_CALLS, rows=rows)


def call_hours(found: CallFigures) -> FigureTable:
    """Return the calls in by the hour of the day in which they came; nothing without calls in."""
    rows = tuple(enumerate(found.hours)) if found.incoming else ()
    return FigureTable(name="call_hours", columns=_HOURS, rows=rows)


def durations(figures: Iterable[LevelFigure]) -> FigureTable:
    """Return number, 90th percentile and maximum of each duration that a level measures, in whole seconds, upwards."""
    rows = tuple(
        (one.ans, spread.name, spread.cases, _seconds(spread.p90_us), _seconds(spread.longest_us))
        for one in figures
        for spread in one.spreads
    )
    return FigureTable(name="durations", columns=_DURATIONS, rows=rows)


def _seconds(duration_us: int | None) -> int | None:
    return None if duration_us is None else -(-duration_us // SECOND_US)

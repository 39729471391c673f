"""The work of a month: duties by kind, calls of the agenda, complaints, and keys in custody."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from vetlla.domain.duties import DutyVerdict
from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.service.agenda.summary import OUTCOMES
from vetlla.service.custody.chain import KeyAct, KeyState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.figures import CellValue
    from vetlla.service.complaints.report import MonthFigures
    from vetlla.service.custody.chain import CustodyKey
    from vetlla.service.duties.standing import Standing

_DUTIES: Final = (
    FigureColumn("kind", Form.WORD),
    FigureColumn("counted"),
    FigureColumn("kept"),
    FigureColumn("breached"),
    FigureColumn("open"),
    FigureColumn("cancelled"),
)
_AGENDA: Final = (
    FigureColumn("kind", Form.WORD),
    FigureColumn("planned"),
    *(FigureColumn(outcome) for outcome in OUTCOMES),
    FigureColumn("breached"),
)
_COMPLAINTS: Final = (
    FigureColumn("by", Form.WORD),
    FigureColumn("name", Form.WORD),
    FigureColumn("received"),
    FigureColumn("in_time"),
    FigureColumn("late"),
    FigureColumn("open"),
    FigureColumn("pertinent"),
)
_KEYS: Final = (FigureColumn("key_state", Form.WORD), FigureColumn("number"))
_ACTS: Final = (FigureColumn("key_act", Form.WORD), FigureColumn("number"))


def duties(found: Iterable[Standing], kinds: Iterable[str]) -> FigureTable:
    """Return the duties that count in the month by kind, in the order of the kinds, and by their verdict."""
    counts: Counter[tuple[str, DutyVerdict]] = Counter((one.duty.kind, one.verdict) for one in found)
    order = (DutyVerdict.KEPT, DutyVerdict.BREACHED, DutyVerdict.OPEN, DutyVerdict.CANCELLED)
    rows: list[tuple[CellValue, ...]] = []
    for kind in kinds:
        numbers = [counts[kind, verdict] for verdict in order]
        if any(numbers):
            rows.append((kind, sum(numbers), *numbers))
    return FigureTable(name="duties", columns=_DUTIES, rows=tuple(rows))


def agenda(found: Iterable[Standing]) -> FigureTable:
    """Return what became of the planned calls that count in the month, by kind, and all of them."""
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in found:
        outcome = one.ended.told.event if one.ended else "open"
        for kind in (one.duty.kind, "total"):
            sums[kind]["planned"] += 1
            sums[kind][outcome] += 1
            sums[kind]["breached"] += one.verdict is DutyVerdict.BREACHED
    order = sorted(sums, key=lambda kind: (kind == "total", kind))
    rows: list[tuple[CellValue, ...]] = [(kind, *(sums[kind][column.name] for column in _AGENDA[1:])) for kind in order]
    return FigureTable(name="agenda", columns=_AGENDA, rows=tuple(rows))


def complaints(found: MonthFigures) -> FigureTable:
    """Return the complaints, claims and suggestions of a month by kind, topic and district, and all of them.

    Of each kind only the received ones are known.
    """
    received = sum(found.received.values())
    if not received and not found.pertinent:
        return FigureTable(name="complaints", columns=_COMPLAINTS)
    rows: list[tuple[str | int | None, ...]] = [
        ("kind", kind, number, None, None, None, None) for kind, number in sorted(found.received.items())
    ]
    rows += [tuple(group) for group in sorted(found.groups, key=lambda one: (one.by != "topic", one.name))]
    rows.append(("total", None, received, found.in_time, len(found.late), found.open, len(found.pertinent)))
    return FigureTable(name="complaints", columns=_COMPLAINTS, rows=tuple(rows))


def keys(found: Iterable[CustodyKey]) -> FigureTable:
    """Return where the keys are that are in custody."""
    counts = Counter(key.state for key in found if key.in_custody)
    order = (KeyState.IN_PLACE, KeyState.OUT, KeyState.LOST)
    rows = [(state.value, counts[state]) for state in order if counts[state]]
    if rows:
        rows.append(("total", sum(counts.values())))
    return FigureTable(name="keys", columns=_KEYS, rows=tuple(rows))


def key_acts(found: Iterable[CustodyKey], begin_us: int, end_us: int) -> FigureTable:
    """Return what happened to keys in a time, both ends included, without acts that were not possible."""
    counts: Counter[KeyAct] = Counter()
    for key in found:
        impossible = {one.event.id for one in key.impossible}
        for event in key.duty.events:
            told = event.told
            if begin_us <= told.at_us <= end_us and event.id not in impossible and told.event in set(KeyAct):
                counts[KeyAct(told.event)] += 1
    rows = tuple((act.value, counts[act]) for act in KeyAct if counts[act])
    return FigureTable(name="key_acts", columns=_ACTS, rows=rows)

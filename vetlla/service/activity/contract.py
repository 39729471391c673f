"""What a month means for the contract: levels, their twelve months, faults, corrective actions, units."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.service.sanctions.corrective import ActionState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vetlla.domain.service_levels import LevelFigure, LevelVerdict
    from vetlla.service.sanctions.corrective import Action

_LEVELS: Final = (
    FigureColumn("ans"),
    FigureColumn("part", Form.WORD),
    FigureColumn("numerator"),
    FigureColumn("denominator"),
    FigureColumn("value"),
    FigureColumn("required"),
    FigureColumn("unit", Form.NAME),
    FigureColumn("verdict", Form.WORD),
    FigureColumn("breaches"),
    FigureColumn("undecided"),
    FigureColumn("unmeasured"),
    FigureColumn("assumed", Form.NAME),
)
_YEAR: Final = (
    FigureColumn("month", Form.DAY),
    FigureColumn("ans"),
    FigureColumn("verdict", Form.WORD),
    FigureColumn("breaches"),
    FigureColumn("closed_version"),
)
_FAULTS: Final = (
    FigureColumn("fault", Form.NAME),
    FigureColumn("fault_class", Form.WORD),
    FigureColumn("clause", Form.NAME),
    FigureColumn("about", Form.WORD),
    FigureColumn("reached", Form.DAY),
    FigureColumn("ceiling", Form.EUR),
    FigureColumn("against"),
)
_ACTIONS: Final = (
    FigureColumn("action"),
    FigureColumn("about", Form.WORD),
    FigureColumn("what", Form.NAME),
    FigureColumn("due", Form.DAY),
    FigureColumn("action_state", Form.WORD),
)
_UNITS: Final = (FigureColumn("concept", Form.WORD), FigureColumn("units"))


def levels(figures: Iterable[LevelFigure]) -> FigureTable:
    """Return each part of each level; a level that nothing measured has one row without numbers."""
    rows: list[tuple[str | int | Decimal | None, ...]] = []
    for one in figures:
        counts = (one.breach_count, one.undecided, one.unmeasured, ", ".join(one.assumed))
        rows += [
            (
                one.ans,
                part.name.value,
                part.numerator,
                part.denominator,
                part.value,
                part.threshold,
                part.unit,
                part.verdict.value,
                *counts,
            )
            for part in one.parts
        ]
        if not one.parts:
            rows.append((one.ans, "", None, None, None, None, "", one.verdict.value, *counts))
    return FigureTable(name="levels", columns=_LEVELS, rows=tuple(rows))


def year(months: Mapping[date, Mapping[int, tuple[LevelVerdict, int]]], closed: Mapping[date, int]) -> FigureTable:
    """Return verdict and number of breaches of each level in each month; ``closed`` has the versions of closed ones."""
    rows = tuple(
        (month, ans, verdict.value, breaches, closed.get(month))
        for month, found in sorted(months.items())
        for ans, (verdict, breaches) in sorted(found.items())
    )
    return FigureTable(name="year", columns=_YEAR, rows=rows)


def faults(rows: Iterable[Mapping[str, Any]], first: date, last: date) -> FigureTable:
    """Return the faults of the ledger that were reached in a month; ``rows`` are as ``fault_fields`` makes them.

    ``against`` counts the corrective actions against a fault.
    """
    found = tuple(
        (
            row["fault"],
            row["class"],
            row["clause"],
            row["about"],
            date.fromisoformat(row["day"]),
            None if row["ceiling"] is None else Decimal(row["ceiling"]),
            len(row["actions"]),
        )
        for row in rows
        if first <= date.fromisoformat(row["day"]) <= last
    )
    return FigureTable(name="faults", columns=_FAULTS, rows=found)


def corrective(found: Iterable[Action], begin_us: int) -> FigureTable:
    """Return the corrective actions that are open at the end of the month, or ended since its begin."""
    open_ones = {ActionState.OPEN, ActionState.OVERDUE}
    rows = tuple(
        (one.planned.id, one.planned.about, one.planned.what, one.planned.due, one.state.value)
        for one in found
        if one.state in open_ones or (one.ended is not None and one.ended.at_us >= begin_us)
    )
    return FigureTable(name="actions", columns=_ACTIONS, rows=rows)


def units(counted: Mapping[str, Decimal]) -> FigureTable:
    """Return the units of the services of the invoice, by concept."""
    return FigureTable(name="units", columns=_UNITS, rows=tuple(counted.items()))

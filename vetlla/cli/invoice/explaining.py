"""``vetlla invoice explain``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.invoice.options import Month, counted
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.known import Known
from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import talk
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.domain.clock import to_us
from vetlla.domain.errors import UsageError
from vetlla.service.invoice.concepts import COUNTED, DEDUCTION, ESSENTIAL, unit_of
from vetlla.tasks.invoice.deducted import recorded_deductions
from vetlla.tasks.invoice.making import must_be_over
from vetlla.tasks.invoice.units import home_table, unit_table

if TYPE_CHECKING:
    from vetlla.tasks.invoice.counts import InvoiceCounts


_LINES: Final = (*COUNTED, DEDUCTION)
_TIMES: Final = ("answered", "begun", "sent")
"""Columns with moments; all other ones have days."""


@with_option_groups
def explain(
    line: Annotated[str, typer.Argument(metavar="LINE", help="A concept of the invoice, such as rent.smoke.")],
    month: Month,
    home: Annotated[str, typer.Option("--home", metavar="CODE", help="Why this home counts as it does.")] = "",
    known: Known = "",
    limit: Limit = None,
    *,
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show the units behind a line of the invoice; with --home what counts there and what does not, with the reason.

    Example: vetlla invoice explain essential --month 2026-11 --home H000123
    """
    if line not in _LINES:
        raise UsageError(f"the invoice counts no {line!r}", remedy=f"one of {', '.join(_LINES)}")
    if home and line == DEDUCTION:
        raise UsageError("a deduction is of no home", remedy="leave --home out")
    with counted(state_dir, options.rules(), month, known) as counts:
        must_be_over(counts.record)
        table = home_table(counts, line, home) if home else unit_table(counts, line)
        rows = (dict(zip(table.columns, map(_cell, row), strict=True)) for row in table.rows)
        print_some(rows if as_json else map(_on_the_clock, rows), table.columns, limit, as_json=as_json)
        if not as_json:
            talk().print(f"{line}: {_sum(counts, line, home)}", soft_wrap=True)


def _cell(value: object) -> Any:  # noqa: ANN401 - what JSON and tables hold
    return value if value is None or isinstance(value, (str, int)) else str(value)


def _on_the_clock(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row for people, with times of the service's zone."""
    return row | {name: to_the_second(to_us(datetime.fromisoformat(row[name]))) for name in _TIMES if row.get(name)}


def _sum(counts: InvoiceCounts, line: str, home: str) -> str:
    if line == DEDUCTION:
        found = recorded_deductions(counts.record)
        return f"{len(found)} recorded deductions of {sum(one.amount for one in found):,.2f} EUR"
    if home and line == ESSENTIAL:
        days = counts.attendance.days[ESSENTIAL].get(home, 0).bit_count()
        return f"home {home} counts on {days} of {counts.span.length} days"
    units = counts.units(line).normalize()
    return f"{units:,f} {unit_of(line)} in all homes" if home else f"{units:,f} {unit_of(line)}"

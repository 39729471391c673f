"""``vetlla invoice check``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.invoice.options import Month, ReductionOptions, counted, tell_notes
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.known import Known
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_rows, talk
from vetlla.service.invoice.comparing import compared, compared_sums
from vetlla.tasks.invoice.making import invoice_of
from vetlla.tasks.invoice.received import received

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from vetlla.service.invoice.comparing import ComparedConcept
    from vetlla.service.invoice.lines import MonthInvoice
    from vetlla.tasks.invoice.received import Received

DIFFERENT: Final = 1
COLUMNS: Final = ("concept", "what", "ours", "theirs", "difference")


@with_option_groups
def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Facturae (.xml, .xsig), or lines as CSV, XLSX, JSON or NDJSON.")
    ],
    month: Month,
    known: Known = "",
    *,
    reductions: ReductionOptions,
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Compare a received invoice with our counts, line by line, and print each difference.

    Faults in the form, the sums and the signature of a Facturae are said on standard error.

    Exit status: 0 all figures are equal, 1 a figure differs or the file has a fault.

    Example: vetlla invoice check november.xsig --month 2026-11
    """
    rules, deductions = options.rules(), reductions.deductions()
    theirs = received(file, month)
    with counted(state_dir, rules, month, known) as counts:
        made = invoice_of(counts, deductions)
    rows = [*_differences(compared((one.line for one in made.lines), theirs.lines)), *_sums(made, theirs)]
    with verdict(DIFFERENT if rows or theirs.faults else 0):
        print_rows(rows, COLUMNS, as_json=as_json)
        for fault in theirs.faults:
            talk().print(f"{file}: {fault}", soft_wrap=True)
        if not as_json:
            tell_notes(made)
            talk().print(f"{len(made.lines)} lines compared, {len(rows)} differences", soft_wrap=True)


def _differences(found: Sequence[ComparedConcept]) -> Iterator[dict[str, Any]]:
    for one in found:
        for what in one.differs:
            if what == "concept":
                yield _row(one.concept, what, "", "unknown", "")
            elif what in {"units", "amount"}:
                ours, theirs = getattr(one.ours, what), getattr(one.theirs, what)
                yield _row(one.concept, what, _plain(ours), _plain(theirs), _plain(theirs - ours))
            else:
                name = "prices" if what == "price" else "rates"
                ours, theirs = getattr(one.ours, name), getattr(one.theirs, name)
                yield _row(one.concept, what, ", ".join(map(_plain, ours)), ", ".join(map(_plain, theirs)), "")


def _sums(made: MonthInvoice, theirs: Received) -> Iterator[dict[str, Any]]:
    if theirs.whole is not None:
        whole = theirs.whole
        for name, one, other in compared_sums((made.vat, made.net, made.total), (whole.vat, whole.net, whole.total)):
            yield _row(name, "amount", _plain(one), _plain(other), _plain(other - one))


def _row(*values: str) -> dict[str, Any]:
    return dict(zip(COLUMNS, values, strict=True))


def _plain(value: Decimal) -> str:
    return f"{value:f}"

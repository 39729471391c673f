"""``vetlla sanctions ledger``, ``explain`` and ``forecast``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.moments import as_month
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import console, counted, print_json, print_rows
from vetlla.cli.kit.parameters import footnote_names, footnotes
from vetlla.cli.kit.row_files import ExportFormat
from vetlla.cli.sanctions.asking import LedgerOptions
from vetlla.cli.sanctions.picture import picture
from vetlla.domain.sanctions import FaultClass
from vetlla.service.sanctions.catalogue import fault_kind
from vetlla.service.sanctions.fields import COLUMNS, fault_fields, file_row, outlook_fields
from vetlla.service.sanctions.ledger import outlook
from vetlla.tables.target import write
from vetlla.tasks.sanctions.gathering import fault_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from vetlla.tasks.sanctions.gathering import LedgerInput

FOUND: Final = 1
"""Exit status of a ledger with faults."""
SHOWN: Final = ("day", "fault", "class", "about", "led to by", "ceiling", "actions")
"""Columns for a person. The clause follows from the fault, and ``explain`` and --json say it."""
AHEAD: Final = ("about", "verdict", "missed", "one more would be")
LED_TO_SHOWN: Final = 6
"""Most months, cases or faults of a row that a person is shown; ``explain`` and --json show all."""

Month = Annotated[
    date | None,
    typer.Option(
        "--month", parser=as_month, metavar="YYYY-MM", help="Last month that counts. Default: the last whole one."
    ),
]
Year = Annotated[int | None, typer.Option("--year", min=2000, max=2100, help="Only faults reached in this year.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE|-", help="Write to .csv, .xlsx, .json or .ndjson.")]


@with_option_groups
def show_ledger(
    year: Year = None, month: Month = None, out: Out = None, form: ExportFormat = None, *, options: LedgerOptions
) -> None:
    """List the faults of the contract: class, clause, the months and cases that led to each, and its ceiling.

    The picture above shows each service level over twelve months. A month that was not measured never counts as kept.

    Exit status: 0 there is no fault, 1 there are faults, deductions or causes of termination.

    Example: vetlla sanctions ledger --year 2026
    """
    found = options.gather(month, year=year)
    rows = [row for row in fault_rows(found) if year is None or row["day"].startswith(f"{year}-")]
    with verdict(FOUND if rows else 0):
        if out:
            write(out, COLUMNS, map(file_row, rows), "sanctions", kind=form)
        elif options.as_json:
            for row in rows:
                print_json(row)
        else:
            _tell(found, rows)


@with_option_groups
def explain(
    fault: Annotated[str, typer.Argument(metavar="FAULT", help="Number of the fault, such as S29, R5 or 20.2.d.")],
    year: Year = None,
    month: Month = None,
    *,
    options: LedgerOptions,
) -> None:
    """Explain each entry of a fault: all months, cases and faults that led to it, and the parameters behind it.

    Exit status: 0 it does not stand in the ledger, 1 it does.

    Example: vetlla sanctions explain S29
    """
    kind = fault_kind(fault)
    found = options.gather(month, year=year)
    rows = [
        row
        for row in fault_rows(found)
        if row["fault"] == kind.fault and (year is None or row["day"].startswith(f"{year}-"))
    ]
    with verdict(FOUND if rows else 0):
        if options.as_json:
            for row in rows:
                print_json(row)
            return
        out = console()
        out.print(
            f"{kind.fault} ({class_words(kind.fault_class.value)}, clause {kind.clause}): {kind.words}", soft_wrap=True
        )
        if not rows:
            out.print("it is not in the ledger", soft_wrap=True)
        for row in rows:
            _explain(row)


@with_option_groups
def forecast(month: Month = None, *, options: LedgerOptions) -> None:
    """Show what one more breach of each service level in the running month would mean, and one missed obligation.

    The faults are those that are reached by it and not without it. A level that is not kept already adds none.

    Example: vetlla sanctions forecast
    """
    found = options.gather(month, running=True)
    ahead = outlook(found.facts, found.terms, found.today)
    if options.as_json:
        for one in ahead:
            print_json(outlook_fields(one))
        return
    rows = (
        outlook_fields(one)
        | {
            "verdict": class_words(one.verdict.value) if one.verdict else "",
            "one more would be": "; ".join(
                f"{fault.fault} {class_words(fault.fault_class.value)}{_money(fault.ceiling)}"
                for fault in one.would_add
            ),
        }
        for one in ahead
    )
    print_rows(rows, AHEAD, as_json=False, title=f"one more breach in {found.facts.last:%Y-%m}")
    footnote_names(name for one in ahead for fault in one.would_add for name in fault_fields(fault)["assumed"])
    _footnote_closed(found)


def _tell(found: LedgerInput, rows: Sequence[dict[str, Any]]) -> None:
    out = console()
    for line in picture(found.facts):
        out.print(line, soft_wrap=True)
    print_rows(map(_shown, rows), SHOWN, as_json=False, title="faults")
    for one in FaultClass:
        number = sum(row["class"] == one.value for row in rows)
        if number:
            ceiling = found.terms.ceilings.get(one)
            out.print(f"{class_words(one.value)}: {number}{_money(ceiling)}", soft_wrap=True)
    if not rows:
        out.print("no fault", soft_wrap=True)
    footnote_names(name for row in rows for name in row["assumed"])
    _footnote_closed(found)


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    led = row["faults"] or row["months"] or [f"{case['what']} {case['number']}" for case in row["cases"]]
    more = [f"and {len(led) - LED_TO_SHOWN} more"] if len(led) > LED_TO_SHOWN else []
    states = " ".join(f"{one['action']}:{one['state']}" for one in row["actions"])
    is_growing = row["class"] == FaultClass.PENALTY.value
    return row | {
        "class": class_words(row["class"]),
        "ceiling": f"{row['amount']} of {row['ceiling']}" if is_growing else row["ceiling"],
        "led to by": ", ".join([*led[:LED_TO_SHOWN], *more]),
        "actions": states,
    }


def _explain(row: dict[str, Any]) -> None:
    out = console()
    so_far = f", {row['amount']} EUR so far" if row["class"] == FaultClass.PENALTY.value else ""
    out.print(f"{row['day']} {row['about']}{so_far}{_money(row['ceiling'])}".rstrip(), soft_wrap=True)
    if row["months"]:
        out.print(f"  months: {', '.join(row['months'])}", soft_wrap=True)
    for case in row["cases"]:
        level = f", judged by ANS {case['ans']}" if case["ans"] else ""
        told = " ".join(filter(None, (case["what"], case["number"], case["subject"], case["note"])))
        out.print(f"  case: {case['day']} {told}{level}", soft_wrap=True)
    if row["closed"]:
        told = ", ".join(f"{month} version {version}" for month, version in row["closed"].items())
        out.print(f"  of closed months: {told}", soft_wrap=True)
    for one in row["faults"]:
        out.print(f"  fault: {one}", soft_wrap=True)
    for one in row["actions"]:
        out.print(f"  action {one['action']}, {one['state']}: {one['what']} ({one['who']})", soft_wrap=True)
    if row["assumed"]:
        out.print(f"  no contract says: {', '.join(row['assumed'])}", soft_wrap=True)


def _footnote_closed(found: LedgerInput) -> None:
    """Say which months were taken from closed months, and which of them in a restated version."""
    if not found.closed:
        return
    months = sorted(found.closed)
    restated = [f"{month:%Y-%m} version {found.closed[month]}" for month in months if found.closed[month] > 1]
    told = f"levels of {counted(len(months), 'month')} from {months[0]:%Y-%m} on are those of closed months"
    restated_text = f" (restated: {', '.join(restated)})" if restated else ""
    footnotes([f"{told}{restated_text}; --from-record computes them again"])


def class_words(word: str) -> str:
    """Return a class or verdict as words."""
    return word.replace("_", " ")


def _money(ceiling: str | Decimal | None) -> str:
    return "" if ceiling is None else f", up to {ceiling} EUR"

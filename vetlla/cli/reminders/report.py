"""``vetlla reminders report`` and ``arms``: the figures of a period, and what reminders change."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.figures import show_figures, signed_points
from vetlla.cli.kit.moments import as_day
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.registry import working
from vetlla.cli.reminders.database import database_to_read, now
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.documents.words import Language
from vetlla.domain.errors import UsageError
from vetlla.service.reminders.rates import RateCard
from vetlla.tables.figures import records
from vetlla.tasks.reminders import report as tasks
from vetlla.tasks.reminders.report_files import ReportKind, fields, kind_of, write_report
from vetlla.tasks.reminders.rows import load_rates

if TYPE_CHECKING:
    from vetlla.service.reminders.report.experiment import ArmsResult
    from vetlla.service.reminders.report.intervals import Difference

MOST_POINTS = 50


class ReportLanguage(StrEnum):
    """The languages of the city that the reminders serve; the words of the report are in these."""

    CA = Language.CA
    ES = Language.ES


SHOWN = ("key", "groups", "compared", "answers", "freed", "channels", "replies", "costs", "not_known")
"""The tables that a terminal shows; --json and files have all of them."""


def as_points(text: str | Decimal) -> Decimal:
    """Return the percentage points that an option gives; typer reports a wrong number."""
    if isinstance(text, Decimal):
        return text  # the default
    try:
        found = Decimal(text.replace(",", "."))
    except InvalidOperation as error:
        raise typer.BadParameter("write a number such as 5 or 2.5") from error
    if not found.is_finite() or not 0 < found <= MOST_POINTS:
        raise typer.BadParameter(f"give a number above 0 and at most {MOST_POINTS}")
    return found


First = Annotated[date, typer.Option("--from", parser=as_day, metavar="YYYY-MM-DD", help="First day.")]
Last = Annotated[date, typer.Option("--to", parser=as_day, metavar="YYYY-MM-DD", help="Last day, included.")]
OfOffice = Annotated[str, typer.Option("--office", metavar="ID", help="Only this office.")]
Unmarked = Annotated[
    bool,
    typer.Option(
        "--count-unmarked",
        help="Count appointments that are still booked after their end as no-shows. Default: not known.",
    ),
]


def report(
    *,
    first: First,
    last: Last,
    office: OfOffice = "",
    compare_first: Annotated[
        date | None,
        typer.Option("--compare-from", parser=as_day, metavar="YYYY-MM-DD", help="First day of an earlier period."),
    ] = None,
    compare_last: Annotated[
        date | None,
        typer.Option("--compare-to", parser=as_day, metavar="YYYY-MM-DD", help="Last day of the earlier period."),
    ] = None,
    rates: Annotated[
        Path | None,
        typer.Option("--rates", metavar="FILE", readable=False, help="Rate card: from, channel, category, eur."),
    ] = None,
    unmarked: Unmarked = False,
    out: Annotated[
        list[Path] | None,
        typer.Option("--out", metavar="FILE|-", help="Write to .csv, .xlsx, .json, .html or .pdf; repeatable."),
    ] = None,
    form: Annotated[
        ReportKind | None,
        typer.Option(
            "--format",
            case_sensitive=False,
            metavar="KIND",
            help="csv, xlsx, json, html, pdf. Default: as the name ends.",
        ),
    ] = None,
    language: Annotated[ReportLanguage, typer.Option("--language", help="Language of a page.")] = ReportLanguage.CA,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Report a period: messages, conversations, answers, places freed, no-shows, costs, replies.

    docs/reminders-report.md defines each figure. Without --out the most
    important tables are printed.

    Example: vetlla reminders report --from 2026-11-01 --to 2026-11-30 --out november.html --out november.xlsx
    """
    if (compare_first is None) != (compare_last is None):
        raise UsageError("a period has two ends", remedy="give both --compare-from and --compare-to")
    period = tasks.period_of(first, last, office)
    before = None
    if compare_first is not None and compare_last is not None:
        before = tasks.period_of(compare_first, compare_last, office)
    files = [(path, kind_of(path, form)) for path in out or []]
    card = load_rates(rates) if rates else RateCard()
    with working("counting"), database_to_read(state_dir) as db:
        made = tasks.report(db, period, card, now(), before=before, unmarked=unmarked)
    for path, kind in files:
        write_report(path, kind, made, Language(language))
    if as_json:
        print_json(fields(made))
    elif not files:
        known = {table.name: table for table in made.tables}
        for name in SHOWN:
            if name in known:
                show_figures(known[name])


def arms(
    *,
    first: First,
    last: Last,
    office: OfOffice = "",
    points: Annotated[
        Decimal,
        typer.Option("--points", parser=as_points, metavar="N", help="Difference to be seen, in percentage points."),
    ] = Decimal(5),
    unmarked: Unmarked = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Compare the appointments that chance held back with those that were to be reminded of.

    The groups are those of the draw, whatever was sent in the end. "effect" is
    the difference of their no-shows with its 95 % interval, below 0 if
    reminders help.

    Example: vetlla reminders arms --from 2026-11-01 --to 2026-11-30 --points 3
    """
    with working("counting"), database_to_read(state_dir) as db:
        found = tasks.arms(db, tasks.period_of(first, last, office), points, now(), unmarked=unmarked)
    if as_json:
        print_json(_arms(found))
    elif found is None:
        talk().print("no appointment of this period was held back, so there is nothing to compare")
    else:
        _show_arms(found)


def _arms(found: ArmsResult | None) -> dict[str, Any]:
    if found is None:
        return {"measured_from": None, "measured_to": None, "arms": []}
    return {
        "measured_from": str(found.period.first),
        "measured_to": str(found.period.last),
        "arms": records(found.table()),
        "effect": _difference(found.effect),
        "effect_on_kept": _difference(found.effect_on_kept),
        "points": str(found.points),
        "power": "0.8",
        "needed": found.needed,
        "missing": found.missing,
    }


def _difference(one: Difference) -> dict[str, str | None]:
    return {name: None if value is None else str(value) for name, value in one._asdict().items()}


def _show_arms(found: ArmsResult) -> None:
    out = console()
    out.print(f"drawn by chance from {found.period.first} to {found.period.last}")
    show_figures(found.table())
    for name, one in (("effect", found.effect), ("effect on kept appointments", found.effect_on_kept)):
        out.print(
            f"{name}: {signed_points(one.value)} points ({signed_points(one.low)} to {signed_points(one.high)})",
            soft_wrap=True,
        )
    if found.needed is None:
        out.print(f"how many are needed to see {found.points} points cannot be said yet")
    else:
        out.print(
            f"to see {found.points} points with a power of 80 %: {found.needed:,} appointments with a known end,"
            f" {found.missing:,} more than now",
            soft_wrap=True,
        )

"""``vetlla supervision report`` proves for a month that every terminal and UCR was checked at its period (ANS 13)."""

from __future__ import annotations

import sys
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.moments import as_month
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir, configured
from vetlla.cli.kit.output import console, json_line, print_json, print_rows, talk
from vetlla.cli.kit.progress import progress
from vetlla.cli.signals.csv import cell
from vetlla.cli.supervision.figures import (
    DAY_COLUMNS,
    DEVICE_COLUMNS,
    KIND_COLUMNS,
    device_row,
    kind_row,
    reason_rows,
)
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import UsageError
from vetlla.service.supervision.report import NOTES, Sums, Verdict, total
from vetlla.settings.supervision import SupervisionSettings
from vetlla.store.journal.archive import Archive
from vetlla.tables.delimited import write
from vetlla.tasks.supervision.month import KINDS, NAMELESS, counted, judged_days, ledger_month

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vetlla.cli.kit.progress import Tell
    from vetlla.tasks.supervision.month import LedgerMonth


NOT_KEPT = 1
"""Exit status if the month does not prove that the standard was kept."""


def report(
    month: Annotated[
        date,
        typer.Option("--month", parser=as_month, metavar="YYYY-MM", help="Month of days in the service's time zone."),
    ],
    days: Annotated[
        bool, typer.Option("--days", help="Print one line for each day, terminals and UCRs apart.")
    ] = False,
    devices: Annotated[bool, typer.Option("--devices", help="Print one line for each device and day.")] = False,
    breaches: Annotated[
        bool, typer.Option("--breaches", help="Print only those device days with too long a silence.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table with a header.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Prove, from the day-by-day ledger, that every terminal and UCR was checked automatically at its period (ANS 13).

    It works with or without a running receiver. The lines of --days add up to the report, those of --devices to the
    days.

    Exit status: 0 the standard was kept, 1 it was not, or nothing was supervised that could show it.

    Example: vetlla supervision report --month 2026-11 --devices --csv > november.csv
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", remedy="choose one")
    if days and (devices or breaches):
        raise UsageError("--days and --devices are two reports", remedy="choose one")
    with Archive(state_dir) as archive, progress("counting") as tell:
        asked = _month(archive, month)
        if not asked.recorded:
            raise UsageError(
                f"the ledger has no day of {month:%Y-%m}",
                remedy="a day is written when it has ended, and kept for supervision.ledger_months",
            )
        if devices or breaches:
            everything = Sums()
            rows = _device_rows(archive, asked, tell, everything, breaches=breaches)
            _stream(rows, DEVICE_COLUMNS, as_csv=as_csv)
            _tell_notes()
            raise typer.Exit(_status(asked, everything))
        sums = counted(archive, asked, tell)
    with verdict(_status(asked, total(sums.values()))):
        if days:
            _tell_days(asked, sums, as_csv=as_csv, as_json=as_json)
        else:
            _tell_month(asked, sums, as_csv=as_csv, as_json=as_json)


# --- counting ---------------------------------------------------------------------------------------------------------


def _month(archive: Archive, first: date) -> LedgerMonth:
    settings = configured()
    zone = ZoneInfo((settings.supervision if settings else SupervisionSettings()).timezone)
    return ledger_month(archive, first, zone, SystemClock().now().utc_us)


def _device_rows(
    archive: Archive, month: LedgerMonth, tell: Tell, everything: Sums, *, breaches: bool
) -> Iterator[dict[str, Any]]:
    """Yield a row for each device and day, and add each to ``everything``."""
    for one in judged_days(archive, month, tell):
        everything.add(one.of, one.found)
        if not breaches or one.found.verdict is Verdict.BREACH:
            yield device_row(one)


# --- telling ----------------------------------------------------------------------------------------------------------


def _stream(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_csv: bool) -> None:
    out = sys.stdout
    if as_csv:
        write(out, columns, ([cell(row[column]) for column in columns] for row in rows))
    else:
        out.writelines(map(json_line, rows))
    out.flush()


def _tell_days(month: LedgerMonth, sums: Mapping[tuple[str, str], Sums], *, as_csv: bool, as_json: bool) -> None:
    recorded = {one.day: one for one in month.recorded}
    rows: list[dict[str, Any]] = []
    for day in sorted({*recorded, *month.missing}):
        if day not in recorded:
            rows.append({"day": day, "recorded": False} | kind_row("", Sums()) | {"no_receiver_s": None})
            continue
        for kind in KINDS:
            if found := sums.get((day, kind)):
                whole = {"no_receiver_s": recorded[day].down_s}
                rows.append({"day": day, "recorded": True} | kind_row(kind, found) | whole)
    if as_csv or as_json:
        _stream(rows, DAY_COLUMNS, as_csv=as_csv)
    else:
        print_rows(
            (row | {"not_supervised": _listed(row["not_supervised"])} for row in rows), DAY_COLUMNS, as_json=False
        )
    _tell_notes()


def _listed(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {why}" for why, count in reasons.items())


def _tell_month(month: LedgerMonth, sums: Mapping[tuple[str, str], Sums], *, as_csv: bool, as_json: bool) -> None:
    by_kind = {kind: total(found for (_, of), found in sums.items() if of == kind) for kind in KINDS}
    by_kind = {kind: found for kind, found in by_kind.items() if found.device_days or kind != NAMELESS}
    rows = [kind_row(kind, found) for kind, found in by_kind.items()]
    if as_csv:
        _stream(rows, KIND_COLUMNS, as_csv=True)
    elif as_json:
        print_json(_document(month, rows, total(by_kind.values())))
    else:
        _show(month, by_kind, rows)
    if not as_json:
        _tell_notes()


def _kept(month: LedgerMonth, everything: Sums) -> bool | None:
    return everything.kept and not month.missing


def _status(month: LedgerMonth, everything: Sums) -> int:
    return 0 if _kept(month, everything) else NOT_KEPT


def _document(month: LedgerMonth, rows: list[dict[str, Any]], everything: Sums) -> dict[str, Any]:
    return {
        "month": f"{month.first:%Y-%m}",
        "timezone": month.zone.key,
        "standard": "ANS 13",
        "kept": _kept(month, everything),
        "checked": everything.checked,
        "supervised": everything.supervised,
        "share": everything.share,
        "days_recorded": len(month.recorded),
        "days_without_record": month.missing,
        "days_to_come": month.to_come,
        "no_receiver_s": {one.day: one.down_s for one in month.recorded if one.down_s},
        "kinds": rows,
        "notes": list(NOTES),
    }


def _show(month: LedgerMonth, by_kind: Mapping[str, Sums], rows: list[dict[str, Any]]) -> None:
    out, everything = console(), total(by_kind.values())
    shown = [name for name in KIND_COLUMNS if name not in {"not_supervised", "partial_s"}]
    print_rows(rows, shown, as_json=False, title=f"supervision in {month.first:%Y-%m} ({month.zone.key})")
    reasons = list(chain.from_iterable(reason_rows(kind, found) for kind, found in by_kind.items()))
    print_rows(reasons, ("kind", "not_supervised", "whole_days", "hours_of_other_days"), as_json=False)
    for kind, found in by_kind.items():
        for period, number in sorted(found.periods.items()):
            out.print(
                f"{kind}: expected every {period.interval_s} s, lost after {period.allowed_misses} misses:"
                f" {number} device-days",
            )
    away = {one.day: one.down_s for one in month.recorded if one.down_s}
    out.print(
        f"days: {len(month.recorded)} recorded, {len(month.missing)} over without a record, {month.to_come} to come",
    )
    if month.missing:
        out.print(f"without a record (the receiver did not run): {', '.join(month.missing)}")
    if away:
        seconds_by_day = ", ".join(f"{day} {seconds} s" for day, seconds in away.items())
        out.print(f"without a receiver, so that no device was supervised: {seconds_by_day}", soft_wrap=True)
    kept = {True: "KEPT", False: "NOT KEPT", None: "NOTHING WAS SUPERVISED"}[_kept(month, everything)]
    share = f" ({everything.share} %)" if everything.share else ""
    out.print(f"ANS 13 {kept}: {everything.checked} of {everything.supervised} device-days checked in time{share}")


def _tell_notes() -> None:
    for note in NOTES:
        talk().print(f"* {note}", style="dim", soft_wrap=True)

"""Writes a report to a file: rows for programs and spreadsheets, or a page for people."""

from __future__ import annotations

import json
from datetime import date
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from vetlla.documents.html import html
from vetlla.documents.pdf import pdf
from vetlla.documents.reminders.report import ReportContent, report_page
from vetlla.domain.clock import iso, to_us
from vetlla.domain.errors import UsageError
from vetlla.service.reminders.quiet import CITY_ZONE, zone_of
from vetlla.tables import delimited
from vetlla.tables.figures import plain, records
from vetlla.tables.source import STANDARD
from vetlla.tables.target import finished, letters
from vetlla.tables.xlsx import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path
    from typing import IO

    from vetlla.documents.page import Page
    from vetlla.documents.words import Language
    from vetlla.domain.figures import CellValue, FigureTable
    from vetlla.domain.reminder_counts import ReportPeriod
    from vetlla.service.reminders.report.report import PeriodReport


class ReportKind(StrEnum):
    """Kinds of file to which a report is written."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    HTML = "html"
    PDF = "pdf"


CSV_COLUMNS: Final = ("table", "row", "of", "figure", "value")
"""One figure a line: ``row`` counts the rows of a table, and ``of`` says in words what the row is about."""


def kind_of(path: Path, given: ReportKind | None) -> ReportKind:
    """Return the kind of a report's file, by its name or as given. Raises UsageError."""
    if given is not None:
        return given
    try:
        return ReportKind(path.suffix.lower().removeprefix("."))
    except ValueError:
        named = ", ".join(f".{one}" for one in ReportKind)
        remedy = "give --format" if path == STANDARD else f"end its name in {named}, or give --format"
        raise UsageError(f"{path}: what kind of report is it?", remedy=remedy) from None


def write_report(path: Path, kind: ReportKind, made: PeriodReport, language: Language) -> None:
    """Write a report; ``language`` is that of a page. Raises UsageError, and StoreError if the disk fails."""
    content = _WRITERS[kind](made, language)  # before the file is touched: PDF may need what is not installed
    with finished(path) as out:
        out.write(content) if isinstance(content, bytes) else content(out)


def fields(made: PeriodReport) -> dict[str, Any]:
    """Return a report as JSON fields. Shares and amounts are texts, so that no digit is lost."""
    return {
        "from": str(made.period.first),
        "to": str(made.period.last),
        "office": made.period.office or None,
        "compared_with": _days(made.compared_with),
        "made": iso(to_us(made.made_at)),
        "unmarked_is_no_show": made.unmarked_is_no_show,
        "tables": {table.name: records(table) for table in made.tables},
    }


def _days(period: ReportPeriod | None) -> dict[str, str] | None:
    return None if period is None else {"from": str(period.first), "to": str(period.last)}


# --- one function for each kind ---------------------------------------------------------------------------------------


def _json(made: PeriodReport, _: Language) -> bytes:
    return f"{json.dumps(fields(made), ensure_ascii=False, indent=1)}\n".encode()


def _csv(made: PeriodReport, _: Language) -> Callable[[IO[bytes]], None]:
    def write(out: IO[bytes]) -> None:
        with letters(out) as text:
            delimited.write(text, CSV_COLUMNS, chain.from_iterable(map(_lines, made.tables)))

    return write


def _lines(table: FigureTable) -> Iterator[tuple[object, ...]]:
    """Yield the figures of a table one by one."""
    names = [column.name for column in table.columns]
    for number, row in enumerate(table.rows, 1):
        told = {name: value for name, value in zip(names, row, strict=True) if _names(value)}
        of = " / ".join(str(value) for value in told.values() if value not in {"", None})
        for name, value in zip(names, row, strict=True):
            if name not in told:
                yield table.name, number, of, name, "" if value is None else plain(value)


def _names(value: CellValue) -> bool:
    """Return True for a cell that says what its row is about."""
    return isinstance(value, str | date)


def _xlsx(made: PeriodReport, _: Language) -> Callable[[IO[bytes]], None]:
    sheets = {table.name: ([column.name for column in table.columns], table.rows) for table in made.tables}
    period: list[tuple[CellValue, ...]] = [("report", made.period.first, made.period.last, made.period.office)]
    if made.compared_with is not None:
        period.append(("compared_with", made.compared_with.first, made.compared_with.last, made.compared_with.office))
    named: Mapping[str, Any] = {"period": (("period", "from", "to", "office"), period), **sheets}
    return lambda out: writing.write(out, named)


def _page(made: PeriodReport, language: Language) -> Page:
    content = ReportContent(
        period=made.period,
        compared_with=made.compared_with,
        made_at=_local(made),
        unmarked_is_no_show=made.unmarked_is_no_show,
        tables={table.name: table for table in made.tables},
    )
    return report_page(content, language)


def _local(made: PeriodReport) -> datetime:
    return made.made_at.astimezone(zone_of(CITY_ZONE))


def _html(made: PeriodReport, language: Language) -> bytes:
    return html(_page(made, language)).encode()


def _pdf(made: PeriodReport, language: Language) -> bytes:
    return pdf(_page(made, language), _local(made).date())


_WRITERS: Final[Mapping[ReportKind, Callable[[PeriodReport, Language], Any]]] = {
    ReportKind.CSV: _csv,
    ReportKind.XLSX: _xlsx,
    ReportKind.JSON: _json,
    ReportKind.HTML: _html,
    ReportKind.PDF: _pdf,
}

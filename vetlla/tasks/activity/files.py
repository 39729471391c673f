"""Writes the monthly report to a file: a page for people, or every table for programs and spreadsheets."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.clock import iso
from vetlla.domain.errors import UsageError
from vetlla.tables.figures import records, sheet
from vetlla.tables.target import finished
from vetlla.tables.xlsx import writing

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.documents.words import Language
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.activity.gathering import MonthActivity


class ActivityKind(StrEnum):
    """Kinds of file to which the report is written."""

    PDF = "pdf"
    HTML = "html"
    XLSX = "xlsx"
    JSON = "json"


class ReportFile(NamedTuple):
    """A file that is to be written."""

    path: Path
    kind: ActivityKind


def report_file(path: Path) -> ReportFile:
    """Return a file with its kind, by its name. Raises UsageError for another ending."""
    try:
        return ReportFile(path, ActivityKind(path.suffix.lower().removeprefix(".")))
    except ValueError:
        named = ", ".join(f".{one}" for one in ActivityKind)
        raise UsageError(f"{path}: what kind of report is it?", remedy=f"end its name in {named}") from None


def fields(made: MonthActivity) -> dict[str, Any]:
    """Return a report as JSON fields: every table with all of its rows."""
    return {
        "month": f"{made.month:%Y-%m}",
        "known": iso(made.known_us),
        "tables": {name: records(table) for name, table in made.tables.items()},
        "assumed": sorted(made.assumed),
    }


def write_report(file: ReportFile, made: MonthActivity, rules: DutyRules, language: Language) -> None:
    """Write a report; ``language`` is that of a page. Raises UsageError, and StoreError if the disk fails."""
    if file.kind is ActivityKind.XLSX:
        with finished(file.path) as out:
            writing.write(out, {name: sheet(table) for name, table in made.tables.items()})
        return
    content = _json(made) if file.kind is ActivityKind.JSON else _page(file.kind, made, rules, language)
    with finished(file.path) as out:
        out.write(content)


def _json(made: MonthActivity) -> bytes:
    return f"{json.dumps(fields(made), ensure_ascii=False, indent=1)}\n".encode()


def _page(kind: ActivityKind, made: MonthActivity, rules: DutyRules, language: Language) -> bytes:
    from vetlla.documents.html import html  # noqa: PLC0415 - rows need no page
    from vetlla.documents.pdf import pdf  # noqa: PLC0415
    from vetlla.tasks.activity.pages import made_on, page_of_activity  # noqa: PLC0415

    page = page_of_activity(made, rules, language)
    return pdf(page, made_on(made, rules)) if kind is ActivityKind.PDF else html(page).encode()

"""Writes the service levels to a file: a page for people, or rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.service.sla.fields import fields
from vetlla.tables import target
from vetlla.tables.source import FileKind
from vetlla.tables.xlsx import writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from vetlla.documents.words import Language
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.duties.terms import DutyRules

PAGES: Final = (".pdf", ".html")
ROWS: Final = (".csv", ".xlsx", ".json", ".ndjson")
LEVELS: Final = (
    "month", "ans", "clause", "subject", "part", "numerator", "denominator", "value", "threshold", "unit", "verdict",
    "level_verdict", "breaches", "undecided", "unmeasured", "assumed",
)  # fmt: skip
BREACHES: Final = (
    "month", "ans", "what", "number", "home", "subject", "reason", "grave", "begun", "due", "at", "limit_s",
    "measured_s",
)  # fmt: skip
GROUPS: Final = ("month", "ans", "by", "name", "numerator", "denominator")
SPREADS: Final = ("month", "ans", "name", "cases", "p90_s", "longest_s")


class Written(NamedTuple):
    """What a file needs beside the figures."""

    rules: DutyRules
    seen_us: int
    """The moment as of which the figures are known: the date of a page."""
    language: Language


def must_be_known(out: Path) -> None:
    """Raise UsageError if the ending of a file says no kind of it."""
    if out.suffix.lower() not in (*PAGES, *ROWS):
        raise UsageError(f"{out}: what kind of file is it?", remedy=f"end its name in {', '.join((*PAGES, *ROWS))}")


def write(out: Path, found: Sequence[LevelFigure], given: Written) -> None:
    """Write figures: a page, one row for each part, or a workbook that also has breaches, groups and durations."""
    if out.suffix.lower() in PAGES:
        made = _page(out, found, given)
        with target.finished(out) as file:
            file.write(made)
        return
    rows = [fields(one) for one in found]
    kind = target.kind_of(out)
    if kind is not FileKind.XLSX:
        target.write(out, LEVELS, _cells(_parts(rows), LEVELS), "levels", kind=kind)
        return
    with target.finished(out) as file:
        writing.write(
            file,
            {
                "levels": (LEVELS, _cells(_parts(rows), LEVELS)),
                "breaches": (BREACHES, _cells(_beside(rows, "breached"), BREACHES)),
                "groups": (GROUPS, _cells(_beside(rows, "groups"), GROUPS)),
                "durations": (SPREADS, _cells(_beside(rows, "spreads"), SPREADS)),
            },
        )


def _page(out: Path, found: Sequence[LevelFigure], given: Written) -> bytes:
    from vetlla.documents.html import html  # noqa: PLC0415 - most reports make no page
    from vetlla.documents.pdf import pdf  # noqa: PLC0415
    from vetlla.tasks.sla.pages import page_of  # noqa: PLC0415

    made = given.rules.calendar.date_of(given.seen_us)
    page = page_of(found, given.rules, made, given.language)
    return pdf(page, made) if out.suffix.lower() == ".pdf" else html(page).encode()


def _parts(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        shared = row | {"level_verdict": row["verdict"], "assumed": ", ".join(row["assumed"])}
        for part in row["parts"] or [{"name": ""}]:
            yield shared | part | {"part": part["name"]}


def _beside(rows: Iterable[dict[str, Any]], name: str) -> Iterator[dict[str, Any]]:
    for row in rows:
        for one in row[name]:
            yield {"month": row["month"], "ans": row["ans"]} | one


def _cells(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> Iterator[list[object]]:
    return ([row.get(column) for column in columns] for row in rows)

"""The page of the calendar of documents, in Catalan."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from vetlla.documents.page import Page, figure_section
from vetlla.documents.words import Language, words_of
from vetlla.domain.figures import FigureColumn, FigureTable, Form

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from vetlla.documents.words import Words

_CALENDAR: Final = (
    FigureColumn("day", Form.DAY),
    FigureColumn("document", Form.NAME),
    FigureColumn("period", Form.NAME),
    FigureColumn("basis", Form.WORD),
    FigureColumn("code", Form.NAME),
)
_ON_REQUEST: Final = (
    FigureColumn("document", Form.NAME),
    FigureColumn("term", Form.NAME),
    FigureColumn("basis", Form.WORD),
    FigureColumn("code", Form.NAME),
)
_NOTES: Final = ("weekend", "assumed", "working")


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDocument:
    """A document with the day on which it is due."""

    day: date
    title: str
    period: str
    basis: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedDocument:
    """A document that is due some days after an event."""

    title: str
    number: int
    unit: str
    basis: str
    code: str


def calendar_page(
    documents: Sequence[DueDocument], requested: Sequence[RequestedDocument], days: tuple[date, date], made: date
) -> Page:
    """Return the page of the documents that are due within some days, both included."""
    words = words_of(files("vetlla.documents.deliverables"), Language.CA)
    first, last = days
    calendar = FigureTable(
        name="calendar",
        columns=_CALENDAR,
        rows=tuple((one.day, one.title, _period(one.period, words), one.basis, one.code) for one in documents),
    )
    on_request = FigureTable(
        name="on_request",
        columns=_ON_REQUEST,
        rows=tuple((one.title, _term(one, words), one.basis, one.code) for one in requested),
    )
    return Page(
        words=words,
        title=words.text("title"),
        lines=(
            words.text("period", first=words.day(first), last=words.day(last)),
            words.text("made", day=words.day(made)),
        ),
        foot=words.text("foot", first=words.short_day(first), last=words.short_day(last)),
        parts=(
            (words.text("calendar"), (figure_section(calendar, words),)),
            (words.text("on_request"), (figure_section(on_request, words),)),
        ),
        notes=tuple(words.text(f"note_{name}") for name in _NOTES),
    )


def _period(period: str, words: Words) -> str:
    return words.text(period) if period in {"start", "end"} else period


def _term(one: RequestedDocument, words: Words) -> str:
    if one.number == 0:
        return words.text("same_day")
    return words.text("after_request", number=str(one.number), unit=words.word("unit", one.unit))

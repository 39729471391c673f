"""The route sheet of a day on paper: one table for each technician, with codes and districts, and no names."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.documents.page import Card, Page, Paragraph, Section, TableBlock
from vetlla.documents.words import NOTHING, words_of
from vetlla.domain.figures import FigureColumn, FigureTable, Form

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from vetlla.documents.words import Language, Words

_COLUMNS: Final = (
    FigureColumn("time", Form.NAME),
    FigureColumn("home", Form.NAME),
    FigureColumn("district", Form.NAME),
    FigureColumn("purpose", Form.WORD),
    FigureColumn("devices", Form.NAME),
    FigureColumn("minutes"),
    FigureColumn("visit"),
    FigureColumn("state", Form.WORD),
    FigureColumn("arrival", Form.NAME),
)
_TABLE: Final = "visits"
_NO_BREAK: Final = "\u00a0"
_ROOM: Final = _NO_BREAK * 16
"""An empty cell that is wide enough for a time written by hand."""


class RouteStop(NamedTuple):
    """A visit on a route sheet; times are local."""

    visit: int
    technician: str
    begin: datetime
    end: datetime
    home: str
    base: str
    district: str
    purpose: str
    devices: tuple[str, ...]
    minutes: int
    state: str
    refs: tuple[str, ...]
    """References of the duties for which the visit is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteContent:
    """What a route sheet shows."""

    day: date
    base: str
    """Empty for all bases."""
    made_at: datetime
    """Local."""
    stops: Sequence[RouteStop]
    """By technician and time."""


def route_page(content: RouteContent, language: Language) -> Page:
    """Return the page in a language."""
    words = words_of(files("vetlla.documents.visits"), language)
    groups = [(name, list(stops)) for name, stops in groupby(content.stops, key=lambda stop: stop.technician)]
    made = content.made_at
    day = words.text("day", weekday=words.data["dates"]["weekdays"][content.day.weekday()], day=words.day(content.day))
    base = words.text("base", base=content.base) if content.base else words.text("all_bases")
    return Page(
        words=words,
        title=words.text("title"),
        lines=(day, base, words.text("made", day=words.day(made.date()), hour=str(made.hour), minute=f"{made:%M}")),
        foot=words.text("foot", day=words.short_day(content.day), base=content.base or words.text("all_bases")),
        cards=tuple(
            Card(name=words.text(name), value=words.number(number))
            for name, number in (
                ("card_visits", len(content.stops)),
                ("card_minutes", sum(stop.minutes for stop in content.stops)),
            )
        ),
        parts=tuple(
            (_heading(name, words), (_section(number, stops, words),)) for number, (name, stops) in enumerate(groups)
        )
        or ((words.text("nothing"), ()),),
        notes=(words.text("note_interval"), words.text("note_arrival"), words.text("note_absent")),
    )


def _heading(technician: str, words: Words) -> str:
    return words.text("technician", technician=technician) if technician else words.text("no_technician")


def _section(number: int, stops: Sequence[RouteStop], words: Words) -> Section:
    """Return the visits of a technician; the last column is empty, to be filled in by hand."""
    rows = tuple(
        (
            _interval(stop, words),
            stop.home,
            stop.district,
            stop.purpose,
            ", ".join(stop.devices),
            stop.minutes,
            stop.visit,
            stop.state,
            _ROOM,
        )
        for stop in stops
    )
    return Section(
        name=f"{_TABLE}{number}",
        title=words.title(_TABLE),
        blocks=(
            Paragraph(words.told(_TABLE)),
            TableBlock(table=FigureTable(name=_TABLE, columns=_COLUMNS, rows=rows)),
        ),
    )


def _interval(stop: RouteStop, words: Words) -> str:
    first, last = (words.time(at.hour, at.minute) for at in (stop.begin, stop.end))
    return f"{first} {NOTHING} {last}".replace(" ", _NO_BREAK)

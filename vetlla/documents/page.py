"""A page of figures as one HTML file that needs no other: its style and its charts are in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from markupsafe import Markup

from vetlla.documents.charts.shapes import svg
from vetlla.documents.templating import environment
from vetlla.documents.words import NOTHING
from vetlla.domain.figures import Form

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.documents.charts.shapes import ChartPicture
    from vetlla.documents.words import Words
    from vetlla.domain.figures import CellValue, FigureTable

_TEMPLATE: Final = "page.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A figure that is shown large."""

    name: str
    value: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A table with its title, what it counts, and a chart of it."""

    table: FigureTable
    chart: ChartPicture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of figures."""

    words: Words
    title: str
    lines: tuple[str, ...]
    """What stands under the title."""
    foot: str
    """What stands at the foot of each printed sheet."""
    cards: tuple[Card, ...]
    parts: tuple[tuple[str, tuple[Section, ...]], ...]
    """Each part has a title and its sections."""
    notes: tuple[str, ...] = field(default=())


def html(page: Page) -> str:
    """Return the page as HTML. Every text is escaped; only our own charts are markup."""
    parts = [(title, [_shown(section, page.words) for section in sections]) for title, sections in page.parts]
    return environment().get_template(_TEMPLATE).render(page=page, parts=parts)


_JOINED: Final = {("low", "high"): "interval", ("change_low", "change_high"): "interval", ("first", "last"): "days"}
"""Columns that stand side by side and are shown as one, from the one to the other."""
_WIDE: Final = 9
"""A table with more columns gets smaller letters on paper."""
_SHORT: Final = 5
"""A table with at most this number of rows stays on one sheet of paper."""


class _Place(NamedTuple):
    """A column as it is shown: its heading, and the places in a row that it is made of."""

    heading: str
    parts: tuple[int, ...]
    kind: str
    """``text``, ``number`` or ``range``: how its cells stand."""


def _shown(section: Section, words: Words) -> dict[str, object]:
    """Return what the template shows of a section. The cells of a number stand at the right."""
    table = section.table
    places = _places(table, words)
    return {
        "id": table.name,
        "title": words.title(table.name),
        "text": words.told(table.name),
        "caption": section.chart.title if section.chart else "",
        "chart": None if section.chart is None else Markup(svg(section.chart)),  # noqa: S704 - svg() escapes texts
        "places": places,
        "classes": " ".join(
            name for name, holds in (("wide", len(places) > _WIDE), ("short", len(table.rows) <= _SHORT)) if holds
        ),
        "rows": [{"is_total": row[0] == "total", "cells": _cells(table, row, places, words)} for row in table.rows],
        "empty": words.text("empty"),
    }


def _places(table: FigureTable, words: Words) -> list[_Place]:
    places = []
    names = [column.name for column in table.columns]
    for number, (name, form) in enumerate(table.columns):
        following = names[number + 1] if number + 1 < len(names) else ""
        if joined := _JOINED.get((name, following)):
            places.append(_Place(words.heading(joined), (number, number + 1), "range"))
        elif number == 0 or (names[number - 1], name) not in _JOINED:
            kind = "text" if form in {Form.WORD, Form.NAME, Form.DAY} else "number"
            places.append(_Place(words.heading(name), (number,), kind))
    return places


def _cells(
    table: FigureTable, row: Sequence[CellValue], places: Sequence[_Place], words: Words
) -> list[tuple[str, str]]:
    shown = [words.shown(column, value) or NOTHING for column, value in zip(table.columns, row, strict=True)]
    cells = []
    for place in places:
        is_empty = all(row[part] is None for part in place.parts)
        # A dash between two numbers with signs would look like a third sign.
        joint = words.text("to") if table.columns[place.parts[0]].form is Form.POINTS else NOTHING
        cells.append((NOTHING if is_empty else f" {joint} ".join(shown[part] for part in place.parts), place.kind))
    return cells

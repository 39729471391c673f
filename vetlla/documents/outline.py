"""What templates show of a page: plain texts in lists, with every number, day and footnote already written out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.documents.charts.shapes import ChartPicture, svg
from vetlla.documents.page import Facts, Listing, Marked, Paragraph, Signatures, TableBlock
from vetlla.documents.words import NOTHING
from vetlla.domain.figures import Form

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.documents.page import Block, Card, Page, Section, Text
    from vetlla.documents.words import Words
    from vetlla.domain.figures import FigureColumn, FigureTable

_JOINED: Final = {("low", "high"): "interval", ("change_low", "change_high"): "interval", ("first", "last"): "days"}
"""Columns that stand side by side and are shown as one, from the one to the other."""


ROWS_OF_TABLE: Final = 1_000
"""Most rows of a table that are shown. People do not read further, and the maker of PDF needs 150 KiB for a row."""
ROWS_OF_PAGE: Final = 3_000
"""Most rows of a page that are shown: some half a GiB for the maker of PDF, and ten seconds."""
ROWS_ALWAYS: Final = 50
"""Rows of each table that are shown even if the tables before it had all rows of the page."""


class _Place(NamedTuple):
    """A column as it is shown: its heading, and the places in a row that it is made of."""

    heading: str
    parts: tuple[int, ...]
    kind: str
    """``word``, ``name``, ``number`` or ``range``: how its cells stand, and where they may be broken."""


class _Made:
    """What the page has so far: its footnotes, numbered in the order of the first mark, and the rows of its tables."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts
        self._rows_left = ROWS_OF_PAGE
        self._numbers: dict[str, int] = {}

    def numbers(self, names: Sequence[str]) -> list[int]:
        """Return the numbers of some footnotes. Raises ValueError for a name without a text."""
        for name in names:
            if name not in self._texts:
                raise ValueError(f"the footnote {name!r} has no text")
            self._numbers.setdefault(name, len(self._numbers) + 1)
        return sorted(self._numbers[name] for name in names)

    def rows_of(self, table: FigureTable) -> list[int]:
        """Return the numbers of the rows that are shown of a table: the first ones, and all totals."""
        most = min(ROWS_OF_TABLE, max(self._rows_left, ROWS_ALWAYS))
        totals = [number for number, row in enumerate(table.rows) if row[0] == "total"]
        shown = sorted({*range(min(most, len(table.rows))), *totals})
        self._rows_left -= len(shown)
        return shown

    def used(self) -> list[dict[str, Any]]:
        """Return the footnotes that have a mark, by number."""
        return [{"number": number, "text": self._texts[name]} for name, number in self._numbers.items()]


def outline(page: Page) -> dict[str, Any]:
    """Return a page as dictionaries, lists, texts and numbers. The only markup in it is that of our charts.

    Raises ValueError for two sections of one name and for a footnote without a text.
    """
    names = [section.name for sections in (page.front, *(some for _, some in page.parts)) for section in sections]
    if len(set(names)) < len(names):
        raise ValueError(f"two sections have the same name: {', '.join(sorted(names))}")
    words, so_far = page.words, _Made(page.footnotes)
    made: dict[str, Any] = {
        "language": words.language.value,
        "title": page.title,
        "name": page.title,
        "foot": page.foot,
        "lines": [_run(line, so_far) for line in page.lines],
        "cards": [_card(card, so_far) for card in page.cards],
        "front": [_section(one, words, so_far, level=2) for one in page.front],
        "parts": [
            {
                "name": f"part{number}",
                "title": title,
                "sections": [_section(one, words, so_far, level=3 if title else 2) for one in sections],
            }
            for number, (title, sections) in enumerate(page.parts, 1)
        ],
        "notes": [_run(note, so_far) for note in page.notes],
    }
    if page.lines:
        made["name"] = f"{page.title}: {_run(page.lines[0], so_far)['text']}"
    made["notes_title"] = words.text("notes") if page.notes else ""
    made["contents_title"] = words.text("contents") if page.has_contents else ""
    made["footnotes"] = so_far.used()
    made["footnotes_title"] = words.text("footnotes") if made["footnotes"] else ""
    return made


def sections_of(made: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the sections of an outline, those of the first sheet before those of the parts."""
    return [*made["front"], *(section for part in made["parts"] for section in part["sections"])]


def _run(text: Text, so_far: _Made) -> dict[str, Any]:
    if isinstance(text, Marked):
        return {"text": text.text, "marks": so_far.numbers(text.marks)}
    return {"text": text, "marks": []}


def _card(card: Card, so_far: _Made) -> dict[str, Any]:
    return {
        "name": card.name,
        "value": _run(card.value, so_far),
        "notes": [_run(note, so_far) for note in card.notes],
    }


def _section(section: Section, words: Words, so_far: _Made, *, level: int) -> dict[str, Any]:
    return {
        "name": section.name,
        "title": section.title,
        "level": level,
        "blocks": [_block(block, words, so_far) for block in section.blocks],
    }


def _block(block: Block, words: Words, so_far: _Made) -> dict[str, Any]:
    match block:
        case Paragraph(text):
            return {"kind": "paragraph", "text": _run(text, so_far)}
        case Listing(items):
            return {"kind": "listing", "items": [_run(item, so_far) for item in items]}
        case Facts(rows):
            return {"kind": "facts", "rows": [{"name": name, "value": _run(value, so_far)} for name, value in rows]}
        case Signatures(names):
            return {"kind": "signatures", "names": list(names)}
        case ChartPicture():
            return {"kind": "chart", "caption": block.title, "told": block.told or block.title, "svg": svg(block)}
        case TableBlock():
            return _table(block, words, so_far)


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(block: TableBlock, words: Words, so_far: _Made) -> dict[str, Any]:
    table = block.table
    if not table.rows:
        return {"kind": "empty", "text": words.text("empty")}
    columns = [column.name for column in table.columns]
    for number, column in block.marks:
        if column not in columns or not 0 <= number < len(table.rows):
            raise ValueError(f"a footnote of the table {table.name} has no cell: row {number}, column {column}")
    places = _places(table, words)
    shown = so_far.rows_of(table)
    left_out = len(table.rows) - len(shown)
    numbers = {"shown": words.number(len(shown)), "all": words.number(len(table.rows))} if left_out else {}
    return {
        "kind": "table",
        "headings": [{"text": place.heading, "kind": place.kind} for place in places],
        "rows": [
            {
                "is_total": table.rows[number][0] == "total",
                "cells": [_cell(block, number, place, words, so_far) for place in places],
            }
            for number in shown
        ],
        "more": words.text("more_rows", **numbers) if left_out else "",
    }


def _places(table: FigureTable, words: Words) -> list[_Place]:
    places = []
    names = [column.name for column in table.columns]
    for number, column in enumerate(table.columns):
        following = names[number + 1] if number + 1 < len(names) else ""
        if joined := _JOINED.get((column.name, following)):
            places.append(_Place(words.heading(joined), (number, number + 1), "range"))
        elif number == 0 or (names[number - 1], column.name) not in _JOINED:
            places.append(_Place(words.heading(column.name), (number,), _kind(column)))
    return places


def _kind(column: FigureColumn) -> str:
    if column.form is Form.WORD:
        return "word"
    return "name" if column.form in {Form.NAME, Form.DAY, Form.MOMENT} else "number"


def _cell(block: TableBlock, number: int, place: _Place, words: Words, so_far: _Made) -> dict[str, Any]:
    table = block.table
    row = table.rows[number]
    shown = [words.shown(table.columns[part], row[part]) or NOTHING for part in place.parts]
    # A dash between two numbers with signs would look like a third sign.
    joint = words.text("to") if len(shown) > 1 and table.columns[place.parts[0]].form is Form.POINTS else NOTHING
    text = NOTHING if all(row[part] is None for part in place.parts) else f" {joint} ".join(shown)
    marks = [name for part in place.parts for name in block.marks.get((number, table.columns[part].name), ())]
    return {"text": text, "marks": so_far.numbers(marks), "kind": place.kind}

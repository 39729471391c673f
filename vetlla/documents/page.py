"""A page for people: a title, large figures, and parts with sections of text, tables and charts.

A page is made once; ``html`` and ``pdf`` beside this file show the same one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from vetlla.documents.charts.shapes import ChartPicture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.documents.words import Words
    from vetlla.domain.figures import FigureTable


class Marked(NamedTuple):
    """A text with marks of footnotes behind it."""

    text: str
    marks: tuple[str, ...]
    """Names in ``Page.footnotes``."""


Text: TypeAlias = str | Marked


class Paragraph(NamedTuple):
    """A paragraph of text."""

    text: Text


class Listing(NamedTuple):
    """Lines, each with a bullet."""

    items: tuple[Text, ...]


class Facts(NamedTuple):
    """Names with their values, one a line."""

    rows: tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableBlock:
    """A table of figures. If it has no row, the page's text ``empty`` is in its place.

    Of a long table the first rows are shown (``outline.ROWS_OF_TABLE``), and the page's text ``more_rows`` says so.
    """

    table: FigureTable
    marks: Mapping[tuple[int, str], tuple[str, ...]] = field(default_factory=dict)
    """Footnotes of cells, by the number of the row and the name of the column."""


class Signatures(NamedTuple):
    """Lines to sign on, with the text below each."""

    names: tuple[str, ...]


Block: TypeAlias = Paragraph | Listing | Facts | TableBlock | ChartPicture | Signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A figure that is shown large."""

    name: str
    value: Text
    notes: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Some blocks with their title."""

    name: str
    """Short word, of which no other section of the page has the same."""
    title: str = ""
    """Empty for a section without a heading."""
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of figures."""

    words: Words
    title: str
    lines: tuple[Text, ...]
    """What stands under the title."""
    foot: str
    """What stands at the foot of each printed sheet."""
    parts: tuple[tuple[str, tuple[Section, ...]], ...]
    """Each part has a title and its sections. An empty title has no heading."""
    cards: tuple[Card, ...] = ()
    front: tuple[Section, ...] = ()
    """What stands below the cards on the first printed sheet. With it, all that follows begins on the next one."""
    notes: tuple[Text, ...] = ()
    """What stands in a list at the end, under the page's text ``notes``."""
    footnotes: Mapping[str, str] = field(default_factory=dict)
    """Texts of footnotes by their names. Those that are used stand at the end, under the page's text ``footnotes``, in
    the order of their first marks, which is their number."""
    has_contents: bool = False
    """Whether a list of the parts and sections stands before them, under the page's text ``contents``."""


def figure_section(table: FigureTable, words: Words, *, chart: ChartPicture | None = None) -> Section:
    """Return a table with its title, what it counts, and a chart of it. A table without a row has no chart."""
    text = Paragraph(words.told(table.name))
    drawn = (chart,) if chart is not None and table.rows else ()
    return Section(name=table.name, title=words.title(table.name), blocks=(text, *drawn, TableBlock(table=table)))

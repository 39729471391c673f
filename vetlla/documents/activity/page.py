"""The page of the monthly report: the first sheet is a summary for a director, the others show each table.

The levels, their course and the footnotes of their parameters are those of the page of service levels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from vetlla.documents.activity.limits import limits_section, missing_source
from vetlla.documents.activity.summary import cards, front, proof_text
from vetlla.documents.charts.columns import Series, columns
from vetlla.documents.page import Page, Paragraph, Section, TableBlock
from vetlla.documents.sla.durations import duration_section
from vetlla.documents.sla.texts import month_name
from vetlla.documents.words import Words, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from vetlla.documents.page import Block
    from vetlla.documents.words import Language
    from vetlla.domain.figures import FigureTable
    from vetlla.domain.service_levels import LevelFigure

T2, T3, TYPE_I = 5, 6, 11
_SUMMARY, _YEAR = "summary", "year"
"""The sections of the page of service levels that this page shows."""
_TABLES: Final = {
    "people": ("homes", "people", "changes", "units"),
    "communications": ("signals", "calls"),
    "work": ("agenda", "duties", "complaints", "keys", "key_acts"),
    "devices": ("inventory", "movements", "digital", "renewals"),
    "proofs": ("checks", "silent", "availability", "outages"),
    "contract": ("faults", "actions"),
}
"""The parts of the page that are tables, one after the other."""
_HEADINGS: Final = {("renewals", "replaced"): "replacing", ("complaints", "received"): "received_complaints"}
"""Columns whose heading is not that of the same column in other tables: the sense or the gender differs."""
_LIFE, _OFFERED = "life", "digital.offered"


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityContent:
    """What the page shows."""

    month: date
    """First day of the month that is reported."""
    made: date
    tables: Mapping[str, FigureTable]
    """By name."""
    figures: Sequence[LevelFigure]
    """Of all levels in that month, by number."""
    levels: Page
    """The page of the service levels of that month, in the same language."""
    share_minutes: int
    """Minutes of the share of type I that was offered."""
    assumed: frozenset[str]
    """Names of the parameters behind the tables that no contract says."""


def activity_words(language: Language) -> Words:
    """Return the words of the report: those of the service levels, with its own words before them."""
    shared = words_of(files("vetlla.documents.sla"), language).data
    own = words_of(files("vetlla.documents.activity"), language).data
    data = {name: {**shared.get(name, {}), **own.get(name, {})} for name in {*shared, *own}}
    names = {*shared["words"], *own["words"]}
    data["words"] = {name: {**shared["words"].get(name, {}), **own["words"].get(name, {})} for name in names}
    return Words(language=language, data=data)


def activity_page(content: ActivityContent, language: Language) -> Page:
    """Return the page in a language."""
    words = activity_words(language)
    name = month_name(content.month, words)
    parts = [
        ("people", _tables("people", content, words)),
        ("communications", [*_tables("communications", content, words), *_waiting(content, words)]),
        ("emergencies", list(_emergencies(content, words))),
        ("work", _tables("work", content, words)),
        ("devices", _tables("devices", content, words)),
        ("proofs", _tables("proofs", content, words)),
        ("levels", list(_levels(content.levels, words))),
        ("contract", _tables("contract", content, words)),
        ("limits", [limits_section(content.figures, content.tables, words)]),
    ]
    return Page(
        words=words,
        title=words.text("title"),
        lines=(name[:1].upper() + name[1:], words.text("made", day=words.day(content.made))),
        foot=words.text("foot", month=name),
        cards=cards(content.figures, content.tables, content.share_minutes, words),
        front=front(content.figures, content.share_minutes, words),
        parts=tuple((words.text(f"part_{part}"), tuple(sections)) for part, sections in parts),
        notes=tuple(words.text(f"note_{name}") for name in ("sources", "codes", "leaving", "year", "integers")),
        footnotes={
            **content.levels.footnotes,
            _LIFE: words.text("footnote_life"),
            _OFFERED: words.text("footnote_offered", points=_points(content.tables["digital"], words)),
        },
        has_contents=True,
    )


def _levels(levels: Page, words: Words) -> Iterator[Section]:
    """Yield the verdicts of the month, and those of twelve months: of earlier ones only the verdicts are known."""
    for section in (one for _, some in levels.parts for one in some):
        if section.name == _SUMMARY:
            yield section
        elif section.name == _YEAR:
            yield replace(section, blocks=(Paragraph(words.told(_YEAR)), *section.blocks[1:]))


def _points(digital: FigureTable, words: Words) -> str:
    shown = next((row for row in digital.rows if row[0] == "offered"), None)
    column = next(one for one in digital.columns if one.name == "wanted_share")
    return words.shown(column, shown[digital.columns.index(column)] if shown else None)


def _tables(part: str, content: ActivityContent, words: Words) -> list[Section]:
    return [_section(content.tables[name], content, words) for name in _TABLES[part]]


def _section(table: FigureTable, content: ActivityContent, words: Words) -> Section:
    title, blocks = words.title(table.name), [Paragraph(words.told(table.name))]
    if not table.rows and (missing := missing_source(table.name, content.tables)):
        return Section(name=table.name, title=title, blocks=(*blocks, Paragraph(words.text(missing))))
    return Section(name=table.name, title=title, blocks=(*blocks, *_blocks(table, content, words)))


def _blocks(table: FigureTable, content: ActivityContent, words: Words) -> Iterator[Block]:
    if table.name == "calls":
        yield from _calls_chart(content.tables["call_hours"], words)
    if table.name == "silent":
        yield from _silent_note(content.figures, words)
    yield TableBlock(table=_renamed(table), marks=_marks(table, content.assumed))


def _renamed(table: FigureTable) -> FigureTable:
    """Return a table whose columns have the names of their headings on paper."""
    columns = (one._replace(name=_HEADINGS.get((table.name, one.name), one.name)) for one in table.columns)
    return replace(table, columns=tuple(columns))


def _marks(table: FigureTable, assumed: frozenset[str]) -> dict[tuple[int, str], tuple[str, ...]]:
    if table.name == "digital" and _OFFERED in assumed:
        return {(row, "wanted_share"): (_OFFERED,) for row, cells in enumerate(table.rows) if cells[0] == "offered"}
    if table.name == "renewals" and table.rows and any(name.startswith(f"{_LIFE}.") for name in assumed):
        return {(len(table.rows) - 1, "beyond"): (_LIFE,)}
    return {}


def _calls_chart(table: FigureTable, words: Words) -> Iterator[Block]:
    if not table.rows:
        return
    counts = [int(str(number)) for number in table.column("calls")]
    hours = [str(hour) for hour in table.column("hour")]
    drawn = columns(words.text("chart_calls"), hours, [Series(words.text("calls_in"), counts)], words.number)
    busiest = counts.index(max(counts))
    yield drawn._replace(told=words.text("told_calls", hour=hours[busiest], most=words.number(counts[busiest])))


def _silent_note(figures: Sequence[LevelFigure], words: Words) -> Iterator[Block]:
    supervision = next(one for one in figures if one.ans == 13)
    if supervision.breach_count > len(supervision.breaches):
        listed, every = words.number(len(supervision.breaches)), words.number(supervision.breach_count)
        yield Paragraph(words.text("listed_silent", listed=listed, all=every))


def _waiting(content: ActivityContent, words: Words) -> Iterator[Section]:
    blocks = [block for one in content.figures if one.ans in {T2, T3} for block in duration_section(one, words)]
    if blocks:
        yield Section(name="waiting", title=words.title("waiting"), blocks=(Paragraph(words.told("waiting")), *blocks))


# --- emergencies ------------------------------------------------------------------------------------------------------


def _emergencies(content: ActivityContent, words: Words) -> Iterator[Section]:
    yield _section(content.tables["emergencies"], content, words)
    figure = next(one for one in content.figures if one.ans == TYPE_I)
    blocks = [Paragraph(words.told("offered")), Paragraph(proof_text(figure, content.share_minutes, words))]
    yield Section(name="offered", title=words.title("offered"), blocks=(*blocks, *duration_section(figure, words)))
    yield _section(content.tables["type_1"], content, words)

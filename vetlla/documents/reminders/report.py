"""The page of a report: which tables it has, in which order, and with which charts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from vetlla.documents.charts.columns import Series, columns
from vetlla.documents.charts.ranges import Range, ranges
from vetlla.documents.page import Card, Page, Section, figure_section
from vetlla.documents.words import NOTHING, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vetlla.documents.charts.shapes import ChartPicture
    from vetlla.documents.words import Language, Words
    from vetlla.domain.figures import CellValue, FigureTable
    from vetlla.domain.reminder_counts import ReportPeriod

_PARTS: Final = (
    ("attendance", ("groups", "compared", "offices", "ends")),
    ("answers", ("answers", "freed", "replies", "cancellations")),
    ("messages", ("channels", "days", "texts", "meta", "failures", "fallbacks", "not_sent")),
    ("costs", ("costs",)),
    ("limits", ("not_known",)),
)
"""The parts of the page, and the tables of each."""
_CARDS: Final = "key"
"""The table whose rows are shown as large figures."""
_LEFT_OUT: Final = {"texts": frozenset({"handed_over", "pending", "refused", "unknown"})}
"""Columns of a wide table that the table before it has in sum."""
_NOTES: Final = ("attendance", "groups", "messages", "freed", "costs")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportContent:
    """What a page shows."""

    period: ReportPeriod
    compared_with: ReportPeriod | None
    made_at: datetime
    """Local."""
    unmarked_is_no_show: bool
    tables: Mapping[str, FigureTable]


def report_page(content: ReportContent, language: Language) -> Page:
    """Return the page in a language."""
    words = words_of(files("vetlla.documents.reminders"), language)
    period = content.period
    parts = [
        (
            words.text(part),
            tuple(_section(_paper(content.tables[name]), words) for name in names if name in content.tables),
        )
        for part, names in _PARTS
    ]
    return Page(
        words=words,
        title=words.text("title"),
        lines=_lines(content, words),
        foot=words.text("foot", first=words.short_day(period.first), last=words.short_day(period.last)),
        cards=tuple(_card(row, content.tables["costs"], words) for row in content.tables[_CARDS].records()),
        parts=tuple(parts),
        notes=_notes(content, words),
    )


def _paper(table: FigureTable) -> FigureTable:
    """Return a table without the columns that its sheet of paper has no room for; files of rows have them all."""
    left_out = _LEFT_OUT.get(table.name, frozenset())
    kept = [number for number, column in enumerate(table.columns) if column.name not in left_out]
    return replace(
        table,
        columns=tuple(table.columns[number] for number in kept),
        rows=tuple(tuple(row[number] for number in kept) for row in table.rows),
    )


def _lines(content: ReportContent, words: Words) -> tuple[str, ...]:
    period, before, made = content.period, content.compared_with, content.made_at
    lines = [words.text("period", first=words.day(period.first), last=words.day(period.last))]
    if before is not None:
        lines.append(words.text("compared", first=words.day(before.first), last=words.day(before.last)))
    lines.append(words.text("office", office=period.office) if period.office else words.text("all_offices"))
    lines.append(words.text("made", day=words.day(made.date()), hour=str(made.hour), minute=f"{made:%M}"))
    return tuple(lines)


def _notes(content: ReportContent, words: Words) -> tuple[str, ...]:
    names = [*_NOTES]
    if content.unmarked_is_no_show:
        names.insert(1, "unmarked")
    if content.period.office:
        names.append("office")
    return tuple(words.text(f"note_{name}") for name in names)


def _section(table: FigureTable, words: Words) -> Section:
    draw = _CHARTS.get(table.name)
    return figure_section(table, words, chart=draw(table, words) if draw and table.rows else None)


# --- figures shown large ----------------------------------------------------------------------------------------------


def _card(row: Mapping[str, CellValue], costs: FigureTable, words: Words) -> Card:
    figure = str(row["figure"])
    name = words.word("figure", figure)
    if figure == "cost":
        return _cost(name, row["eur"], costs, words)
    number, whole, part = row["number"], row["whole"], row["share"]
    notes = []
    if isinstance(whole, int):
        share = words.percent(part) if isinstance(part, Decimal) else NOTHING
        notes.append(words.text("of", whole=words.number(whole), share=share))
    low, high = row["low"], row["high"]
    if isinstance(low, Decimal) and isinstance(high, Decimal):
        notes.append(words.text("interval", low=words.percent(low), high=words.percent(high)))
    return Card(name=name, value=words.number(number) if isinstance(number, int) else NOTHING, notes=tuple(notes))


def _cost(name: str, amount: CellValue, costs: FigureTable, words: Words) -> Card:
    column = next(one for one in costs.columns if one.name == "eur")
    total: Mapping[str, CellValue] = costs.records()[-1] if costs.rows else {}
    unpriced = total.get("unpriced")
    if not isinstance(unpriced, int) or not unpriced:
        return Card(name=name, value=words.shown(column, amount))
    note = "unpriced" if amount is not None else "no_rates"
    return Card(name=name, value=words.shown(column, amount), notes=(words.text(note, units=words.number(unpriced)),))


# --- charts -----------------------------------------------------------------------------------------------------------


def _days(table: FigureTable, words: Words) -> ChartPicture:
    names = [f"{day.day}/{day.month}" for day in table.column("day") if isinstance(day, date)]
    series = [
        Series(words.heading(channel), [number for number in table.column(channel) if isinstance(number, int)])
        for channel in ("whatsapp", "sms")
    ]
    return columns(words.text("chart_days"), names, series, words.number)


def _groups(table: FigureTable, words: Words) -> ChartPicture:
    found = []
    for row in table.records():
        why = words.word("why", str(row["why"])) if row["why"] else ""
        name = words.text("chart_not_sent", why=why) if why else words.word("group", str(row["group"]))
        found.append(_range(name, row))
    return ranges(words.text("chart_groups"), found, words.percent, NOTHING)


def _compared(table: FigureTable, words: Words) -> ChartPicture:
    rows = [row for row in table.records() if row["office"] == "total"]
    found = []
    for row in rows:
        days = (row[name] for name in ("first", "last"))
        found.append(_range(f" {NOTHING} ".join(words.short_day(day) for day in days if isinstance(day, date)), row))
    return ranges(words.text("chart_compared"), found, words.percent, NOTHING)


def _range(name: str, row: Mapping[str, CellValue]) -> Range:
    value, low, high = (
        edge if isinstance(edge, Decimal) else None for edge in (row["no_show_share"], row["low"], row["high"])
    )
    return Range(name, value, low, high)


_CHARTS: Final[Mapping[str, Any]] = {"days": _days, "groups": _groups, "compared": _compared}
"""The tables that have a chart."""

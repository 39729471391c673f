"""The page of the service levels of a month: the verdicts, twelve months, and each level that has something to show."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from vetlla.documents.charts.months import LevelMonth, LevelMonths, months
from vetlla.documents.page import Card, Marked, Page, Paragraph, Section, TableBlock
from vetlla.documents.sla.breaches import breach_table, hours_chart, reasons_text
from vetlla.documents.sla.durations import duration_section
from vetlla.documents.sla.groups import days_chart, group_table
from vetlla.documents.sla.parameters import footnote
from vetlla.documents.sla.texts import counted, month_name, result, short_result, subject, threshold
from vetlla.documents.words import words_of
from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.service_levels import LevelVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, tzinfo

    from vetlla.documents.charts.shapes import ChartPicture
    from vetlla.documents.page import Text
    from vetlla.documents.words import Language, Words
    from vetlla.domain.figures import CellValue
    from vetlla.domain.service_levels import LevelFigure

_NO_BREAK: Final = "\u00a0"
_SUMMARY: Final = (
    FigureColumn("ans", Form.NAME),
    FigureColumn("subject", Form.NAME),
    FigureColumn("numerator"),
    FigureColumn("denominator"),
    FigureColumn("result"),
    FigureColumn("threshold"),
    FigureColumn("verdict", Form.WORD),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelContent:
    """What the page shows."""

    month: date
    """First day of the month that is reported."""
    figures: Sequence[LevelFigure]
    """Of that month, in the order of their numbers."""
    year: Mapping[date, Sequence[LevelFigure]]
    """Figures of the months up to that one, by their first days; a month that was not computed is missing."""
    made: date
    zone: tzinfo
    """Of the times that people read."""
    parameters: Mapping[str, tuple[CellValue, str]]
    """Value and unit of each parameter that no contract says, by name."""


def level_page(content: LevelContent, language: Language) -> Page:
    """Return the page in a language."""
    words = words_of(files("vetlla.documents.sla"), language)
    name = month_name(content.month, words)
    verdicts = [one.verdict for one in content.figures]
    return Page(
        words=words,
        title=words.text("title"),
        lines=(name[:1].upper() + name[1:], words.text("made", day=words.day(content.made))),
        foot=words.text("foot", month=name),
        cards=tuple(
            Card(name=words.text(f"card_{verdict.value}"), value=words.number(verdicts.count(verdict)))
            for verdict in LevelVerdict
        ),
        parts=(
            (words.text("part_summary"), tuple(_summary(content, words))),
            (words.text("part_levels"), tuple(_levels(content, words))),
        ),
        notes=tuple(words.text(f"note_{name}") for name in ("integers", "month", "unmeasured")),
        footnotes={name: footnote(name, value, unit, words) for name, (value, unit) in content.parameters.items()},
    )


def _summary(content: LevelContent, words: Words) -> Iterator[Section]:
    rows: list[tuple[str | int | None, ...]] = []
    marks: dict[tuple[int, str], tuple[str, ...]] = {}
    for one in content.figures:
        if one.assumed:
            marks[len(rows), "verdict"] = tuple(name for name in one.assumed if name in content.parameters)
        if not one.parts:
            rows.append((_ans(one), subject(one.ans, words), None, None, None, None, one.verdict.value))
        for place, part in enumerate(one.parts):
            rows.append(
                (
                    _ans(one),
                    subject(one.ans, words) if len(one.parts) == 1 else _of_part(one.ans, part.name, place, words),
                    counted(one, part.numerator, words),
                    counted(one, part.denominator, words),
                    result(part, words),
                    threshold(part, words),
                    part.verdict.value,
                )
            )
    table = FigureTable(name="summary", columns=_SUMMARY, rows=tuple(rows))
    yield Section(
        name="summary",
        title=words.title("summary"),
        blocks=(Paragraph(words.told("summary")), TableBlock(table=table, marks=marks)),
    )
    if len(content.year) > 1:
        yield Section(
            name="year", title=words.title("year"), blocks=(Paragraph(words.told("year")), _year(content, words))
        )


def _ans(one: LevelFigure) -> str:
    return f"ANS{_NO_BREAK}{one.ans}"


def _of_part(ans: int, part: str, place: int, words: Words) -> str:
    name = words.word("part", part)
    return f"{subject(ans, words)}: {name}" if place == 0 else name


def _year(content: LevelContent, words: Words) -> ChartPicture:
    days = sorted(content.year)
    by_month = {day: {one.ans: one for one in content.year[day]} for day in days}
    levels = [
        LevelMonths(
            _ans(one),
            [
                LevelMonth(found.verdict, short_result(found.parts, words))
                if (found := by_month[day].get(one.ans))
                else None
                for day in days
            ],
        )
        for one in content.figures
    ]
    verdicts = {verdict: words.word("verdict", verdict.value) for verdict in LevelVerdict}
    drawn = months(words.text("chart_year"), [f"{day:%m}/{day:%y}" for day in days], levels, verdicts)
    return drawn._replace(told=_told(content, words))


def _told(content: LevelContent, words: Words) -> str:
    """Return what a screen reader says of the chart of the year: the months in which a level was not kept."""
    missed = [
        words.text("told_month", ans=str(one.ans), month=month_name(day, words))
        for day in sorted(content.year)
        for one in content.year[day]
        if one.verdict is LevelVerdict.NOT_KEPT
    ]
    return words.text("told_year", missed="; ".join(missed) or words.text("told_none"))


def _levels(content: LevelContent, words: Words) -> Iterator[Section]:
    for one in content.figures:
        blocks = [
            *duration_section(one, words),
            *days_chart(one, words),
            *hours_chart(one, content.zone, words),
            *breach_table(one, content.zone, words),
        ]
        if not blocks and not one.undecided and not one.unmeasured and not one.notes:
            continue
        yield Section(
            name=f"ans_{one.ans}",
            title=f"ANS {one.ans}. {subject(one.ans, words)}",
            blocks=(Paragraph(_lead(one, content, words)), *blocks, *group_table(one, words)),
        )


def _lead(one: LevelFigure, content: LevelContent, words: Words) -> Text:
    sentences = [words.text(f"lead_{one.verdict.value}")]
    if one.breach_count:
        sentences.append(
            words.text("lead_breaches", count=words.number(one.breach_count), reasons=reasons_text(one, words))
        )
    if one.undecided:
        sentences.append(words.text("lead_undecided", count=words.number(one.undecided)))
    if one.unmeasured:
        sentences.append(words.text("lead_unmeasured", count=words.number(one.unmeasured)))
    sentences += [words.word("note", note.value) for note in one.notes]
    marks = tuple(name for name in one.assumed if name in content.parameters)
    return Marked(" ".join(sentences), marks) if marks else " ".join(sentences)

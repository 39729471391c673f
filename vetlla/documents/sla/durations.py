"""The durations of a level: number, 90th percentile and maximum by source, and how they are spread."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from vetlla.documents.charts.spread import Limit, spread
from vetlla.documents.page import TableBlock
from vetlla.documents.sla.texts import duration
from vetlla.domain.figures import FigureColumn, FigureTable, Form

if TYPE_CHECKING:
    from vetlla.documents.page import Block
    from vetlla.documents.words import Words
    from vetlla.domain.service_levels import LevelFigure, Spread

_COLUMNS: Final = (
    FigureColumn("source", Form.WORD),
    FigureColumn("cases"),
    FigureColumn("p90"),
    FigureColumn("longest"),
)


def duration_section(one: LevelFigure, words: Words) -> list[Block]:
    """Return a chart of the first spread and a table of all; nothing for a level without durations."""
    if not one.spreads or not one.spreads[0].cases:
        return []
    rows = tuple(
        (found.name, found.cases, duration(found.p90_us, words), duration(found.longest_us, words))
        for found in one.spreads
    )
    return [_chart(one.spreads[0], words), TableBlock(table=FigureTable(name="durations", columns=_COLUMNS, rows=rows))]


def _chart(found: Spread, words: Words) -> Block:
    limits = [
        Limit(Fraction(limit, found.step_us), words.text("limit", limit=duration(limit, words) or ""))
        for limit in found.limits_us
    ]
    step_s = Fraction(found.step_us, 1_000_000)
    drawn = spread(
        words.text("chart_spread", what=words.word("source", found.name)),
        found.counts,
        limits,
        lambda place: words.number(int(place * step_s / (60 if step_s >= 60 else 1))),
        words.number,
        axis=words.text("axis_min" if step_s >= 60 else "axis_s"),
        longer=words.text("longer"),
    )
    told = words.text(
        "told_spread",
        cases=words.number(found.cases),
        p90=duration(found.p90_us, words) or "",
        longest=duration(found.longest_us, words) or "",
    )
    return drawn._replace(told=told)

"""Shares as bars, each with its confidence interval."""

from __future__ import annotations

import textwrap
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.documents.charts.shapes import COLOURS, FONT, INK, LINE, Box, ChartPicture, Label, Shape, round_step

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH: Final = 960
_LEFT, _RIGHT = 400, 110
"""Room for the names, and for the shares written beside the bars."""
_ROW, _BAR, _TOP = 36, 16, 12
_LONGEST: Final = 48
"""Characters of a name on one line; a longer name is on two lines."""
_END: Final = 9
"""Height of the two ends of an interval."""


class Range(NamedTuple):
    """A share with its interval; None if it is a share of nothing."""

    name: str
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None


def ranges(title: str, rows: Sequence[Range], percent: Callable[[Decimal], str], nothing: str) -> ChartPicture:
    """Return one bar for each row, with a line from the lower to the upper limit of its interval.

    ``percent`` writes a share for people, and ``nothing`` stands where there is none.
    """
    most = max([one.high for one in rows if one.high is not None], default=Decimal(1))
    step = round_step(max(1, -(-int(most * 1_000) // 10)))
    lines = max(1, -(-int(most * 1_000) // (step * 10)))
    scale = Decimal(WIDTH - _LEFT - _RIGHT) / (step * lines) * 100
    floor = _TOP + _ROW * len(rows)
    drawn: list[Shape] = []
    for place in range(lines + 1):
        x = _LEFT + round(place * step * scale / 100)
        drawn.append(Box(x, _TOP, 1, floor - _TOP, LINE))
        drawn.append(Label(x, floor + 4, f"{place * step} %"))
    for place, one in enumerate(rows):
        drawn += _row(one, _TOP + _ROW * place + _ROW // 2, scale, percent, nothing)
    return ChartPicture(WIDTH, floor + 2 * FONT, drawn, title)


def _row(one: Range, middle: int, scale: Decimal, percent: Callable[[Decimal], str], nothing: str) -> list[Shape]:
    name = _name(one.name, middle)
    if one.value is None or one.low is None or one.high is None:
        return [*name, Label(_LEFT + 8, middle - FONT // 2 - 2, nothing, "start")]
    low, high = (_LEFT + round(edge * scale) for edge in (one.low, one.high))
    return [
        *name,
        Box(_LEFT, middle - _BAR // 2, max(1, round(one.value * scale)), _BAR, COLOURS[0]),
        Box(low, middle - 1, max(1, high - low), 2, INK),
        Box(low, middle - _END // 2, 2, _END, INK),
        Box(high - 1, middle - _END // 2, 2, _END, INK),
        Label(high + 12, middle - FONT // 2 - 2, percent(one.value), "start"),
    ]


def _name(text: str, middle: int) -> list[Label]:
    lines = textwrap.wrap(text, _LONGEST, max_lines=2, placeholder=" …")
    top = middle - FONT // 2 - 2 - (FONT + 1) * (len(lines) - 1) // 2
    return [Label(_LEFT - 12, top + (FONT + 1) * place, line, "end") for place, line in enumerate(lines)]

"""Narrow stacked columns, one for each day of a period or for each hour of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.documents.charts.shapes import (
    COLOURS,
    FONT,
    LINE,
    Box,
    ChartPicture,
    Label,
    Shape,
    part_box,
    round_step,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH: Final = 960
_LEFT: Final = 72
"""Room for the numbers of the axis: six digits and a separator."""
_RIGHT, _TOP, _FLOOR, _HEIGHT = 28, 56, 300, 336
_GAP: Final = 4
"""Pixels between columns, if they are wide enough for a gap."""
_NAME_WIDTH: Final = 52
"""Room for the name under a column, such as 30/11."""


class Series(NamedTuple):
    """One part of every column."""

    name: str
    values: Sequence[int]


def columns(title: str, names: Sequence[str], series: Sequence[Series], number: Callable[[int], str]) -> ChartPicture:
    """Return stacked columns with as many names below as have room; ``number`` writes a number for people.

    Raises ValueError for more series than there are colours.
    """
    if len(series) > len(COLOURS):
        raise ValueError(f"{len(series)} series, but only {len(COLOURS)} colours that people keep apart")
    totals = [sum(one.values[place] for one in series) for place in range(len(names))]
    step = round_step(max([*totals, 1]))
    lines = -(-max([*totals, 1]) // step)
    scale = (_FLOOR - _TOP) / (step * lines)
    drawn: list[Shape] = []
    for place in range(lines + 1):
        y = _FLOOR - round(place * step * scale)
        drawn.append(Box(_LEFT, y, WIDTH - _LEFT - _RIGHT, 1, LINE))
        drawn.append(Label(_LEFT - 8, y - FONT // 2 - 2, number(place * step), "end"))
    each = (WIDTH - _LEFT - _RIGHT) / max(len(names), 1)
    every = max(1, -(-_NAME_WIDTH // max(1, int(each))))
    for place, name in enumerate(names):
        left, right = (round(_LEFT + each * edge) for edge in (place, place + 1))
        drawn += _column(left, right, [one.values[place] * scale for one in series])
        if place % every == 0:
            drawn.append(Label((left + right) // 2, _FLOOR + 8, name))
    drawn += _legend(series)
    return ChartPicture(WIDTH, _HEIGHT, drawn, title)


def _column(left: int, right: int, heights: Sequence[float]) -> list[Shape]:
    gap = _GAP if right - left > 2 * _GAP else 0
    boxes: list[Shape] = []
    reached = 0.0
    for part, height in enumerate(heights):
        below, reached = reached, reached + height
        top = _FLOOR - round(reached)
        boxes.append(part_box(left + gap // 2, top, max(1, right - left - gap), _FLOOR - round(below) - top, part))
    return boxes


def _legend(series: Sequence[Series]) -> list[Shape]:
    drawn: list[Shape] = []
    for place, one in enumerate(series):
        x = _LEFT + place * 240
        drawn += [part_box(x, 14, FONT, FONT, place), Label(x + FONT + 8, 12, one.name, "start")]
    return drawn

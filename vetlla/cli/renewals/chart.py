"""Draws bars per year as an SVG picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.documents.charts.shapes import (
    COLOURS,
    FONT,
    INK,
    LINE,
    PALE,
    Box,
    ChartPicture,
    Label,
    Shape,
    round_step,
    svg,
)
from vetlla.domain.errors import UsageError
from vetlla.tables.target import finished

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEIGHT, MARGIN = 520, 76
BAR = 187
"""Width of a bar with its gaps. The longest note fits under it, for any number of bars."""
TALL = FONT + 6
"""Least height of a part that has its number written into it."""


class Part(NamedTuple):
    """One part of every bar: its name in the legend and its value for each bar."""

    name: str
    values: Sequence[int]


def picture(
    title: str, unit: str, names: Sequence[str], parts: Sequence[Part], notes: Sequence[Sequence[str]]
) -> ChartPicture:
    """Return stacked bars, one for each name, with the total above and the lines of ``notes`` under the name."""
    totals = [sum(part.values[place] for part in parts) for place in range(len(names))]
    floor = HEIGHT - MARGIN - 2 * FONT
    step = round_step(max([*totals, 1]))
    lines = -(-max([*totals, 1]) // step)
    scale = (floor - 2 * MARGIN) / (step * lines)
    width = 2 * MARGIN + BAR * max(len(names), 4)
    drawn: list[Shape] = [Label(width // 2, MARGIN // 4, title)]
    for number in range(lines + 1):
        y = floor - round(number * step * scale)
        drawn.append(Box(MARGIN, y, width - 2 * MARGIN, 1, LINE))
        drawn.append(Label(MARGIN - 8, y - FONT // 2, f"{number * step:,}", "end"))
    drawn.append(Label(MARGIN, 2 * MARGIN - 2 * FONT - 6, unit))
    for place, name in enumerate(names):
        middle = MARGIN + BAR * place + BAR // 2
        drawn += _bar(middle, BAR // 2, floor, [round(part.values[place] * scale) for part in parts], parts, place)
        for line, text in enumerate((name, *notes[place])):
            drawn.append(Label(middle, floor + 8 + line * (FONT + 5), text))
    for place, (part, colour) in enumerate(zip(parts, COLOURS, strict=False)):
        x = MARGIN + place * 240
        drawn += [Box(x, MARGIN - FONT, FONT, FONT, colour), Label(x + FONT + 8, MARGIN - FONT, part.name, "start")]
    return ChartPicture(width, HEIGHT, drawn)


def _bar(
    middle: int, width: int, floor: int, heights: Sequence[int], parts: Sequence[Part], place: int
) -> list[Box | Label]:
    drawn: list[Box | Label] = []
    top = floor
    several = sum(1 for part in parts if part.values[place]) > 1
    for part, height, colour in zip(parts, heights, COLOURS, strict=False):
        top -= height
        drawn.append(Box(middle - width // 2, top, width, height, colour))
        if several and height >= TALL:
            pale = PALE if colour == COLOURS[0] else INK
            drawn.append(Label(middle, top + (height - FONT) // 2, f"{part.values[place]:,}", colour=pale))
    total = sum(part.values[place] for part in parts)
    return [*drawn, Label(middle, top - FONT - 6, f"{total:,}")]


def save(path: Path, drawn: ChartPicture) -> None:
    """Write the picture to a file. Raises UsageError if its name ends in anything but .svg."""
    if path.suffix.lower() != ".svg":
        raise UsageError(f"{path}: unknown kind of picture", remedy="end its name in .svg; a browser prints it as PDF")
    with finished(path) as out:
        out.write(svg(drawn).encode())

"""Draws bars per year as an SVG picture.

A plotting library would add some 60 MB for five bars, and SVG needs no library at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from vetlla.domain.errors import UsageError
from vetlla.tables.target import finished

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEIGHT, MARGIN, FONT = 520, 76, 15
BAR = 187
"""Width of a bar with its gaps. The longest note fits under it, for any number of bars."""
INK, PALE, LINE = "#222222", "#ffffff", "#d9d9d9"
COLOURS = ("#1b6ca8", "#e0a458")
"""Colours of the parts, the lowest first. People who see no red or green can distinguish them, also in grey print."""
TALL = FONT + 6
"""Least height of a part that has its number written into it."""
STEPS = 5
"""Most lines across, each at a round number."""


class Part(NamedTuple):
    """One part of every bar: its name in the legend and its value for each bar."""

    name: str
    values: Sequence[int]


class Box(NamedTuple):
    """A filled rectangle."""

    x: int
    y: int
    width: int
    height: int
    colour: str


class Label(NamedTuple):
    """A line of text. ``y`` is its top; ``anchor`` says whether its start, middle or end is at ``x``."""

    x: int
    y: int
    text: str
    anchor: str = "middle"
    colour: str = INK


class ChartPicture(NamedTuple):
    """Boxes and labels. Later ones are drawn over earlier ones."""

    width: int
    shapes: list[Box | Label]


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
    drawn: list[Box | Label] = [Label(width // 2, MARGIN // 4, title)]
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
    return ChartPicture(width, drawn)


def round_step(most: int) -> int:
    """Return the distance of lines across: 1, 2 or 5 times a power of ten, so that ``STEPS`` of them reach ``most``."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power * STEPS >= most:
                return digit * power
        power *= 10


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


def svg(drawn: ChartPicture) -> str:
    """Return the picture as an SVG document."""
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {drawn.width} {HEIGHT}" font-family="sans-serif">']
    lines.append(f'<rect width="{drawn.width}" height="{HEIGHT}" fill="white"/>')
    for shape in drawn.shapes:
        match shape:
            case Box(x, y, width, height, colour):
                lines.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>')
            case Label(x, y, text, anchor, colour):
                lines.append(
                    f'<text x="{x}" y="{y + FONT}" font-size="{FONT}" fill="{colour}" text-anchor="{anchor}">'
                    f"{escape(text)}</text>"
                )
    return "\n".join([*lines, "</svg>", ""])

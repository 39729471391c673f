"""Rectangles, lines, lines of text and how they become SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Sequence

FONT = 15
INK, PALE, LINE = "#222222", "#ffffff", "#d9d9d9"
COLOURS = ("#1b6ca8", "#e0a458", "#f1e9dc")
"""Colours of parts: dark, middle and light, so that grey print and people who see no red or green keep them apart."""
STEPS = 5
"""Most lines across, each at a round number."""
_FAMILY: Final = "'Liberation Sans', Arial, Helvetica, sans-serif"
_OUTLINED: Final = 4
"""Pixels from which a part has an outline. A light colour alone has too little contrast with the paper."""


class Box(NamedTuple):
    """A filled rectangle."""

    x: int
    y: int
    width: int
    height: int
    colour: str
    outline: str = ""
    """Colour of its edge, one pixel wide and inside the rectangle; empty for none."""


class Stroke(NamedTuple):
    """A straight line."""

    x: int
    y: int
    to_x: int
    to_y: int
    colour: str = INK
    width: int = 2
    is_dashed: bool = False


class Label(NamedTuple):
    """A line of text. ``y`` is its top; ``anchor`` says whether its start, middle or end is at ``x``."""

    x: int
    y: int
    text: str
    anchor: str = "middle"
    colour: str = INK


Shape: TypeAlias = Box | Stroke | Label


class ChartPicture(NamedTuple):
    """Boxes, lines and labels. Later ones are drawn over earlier ones."""

    width: int
    height: int
    shapes: list[Shape]
    title: str = ""
    """What stands above the picture in a page; "" if the text around it says it."""
    told: str = ""
    """What a screen reader says instead of the picture; "" if it says the title."""


def round_step(most: int) -> int:
    """Return the distance of lines across: 1, 2 or 5 times a power of ten, so that ``STEPS`` of them reach ``most``."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power * STEPS >= most:
                return digit * power
        power *= 10


def part_box(x: int, y: int, width: int, height: int, part: int, *, colours: Sequence[str] = COLOURS) -> Box:
    """Return the box of a part, by its number in ``colours``. It has an outline if it is wide enough."""
    return Box(x, y, width, height, colours[part], INK if min(width, height) >= _OUTLINED else "")


def svg(drawn: ChartPicture) -> str:
    """Return the picture as an SVG document."""
    said = drawn.told or drawn.title
    told = f' role="img" aria-label={quoteattr(said)}' if said else ""
    size = f'viewBox="0 0 {drawn.width} {drawn.height}" font-family="{_FAMILY}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}{told}>']
    lines.append(f'<rect width="{drawn.width}" height="{drawn.height}" fill="white"/>')
    lines += map(_element, drawn.shapes)
    return "\n".join([*lines, "</svg>", ""])


def _element(shape: Shape) -> str:
    match shape:
        case Box(x, y, width, height, colour, ""):
            return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>'
        case Box(x, y, width, height, colour, outline):
            inside = f'x="{x}.5" y="{y}.5" width="{max(0, width - 1)}" height="{max(0, height - 1)}"'
            return f'<rect {inside} fill="{colour}" stroke="{outline}"/>'
        case Stroke(x, y, to_x, to_y, colour, width, is_dashed):
            dashes = ' stroke-dasharray="6 4"' if is_dashed else ""
            ends = f'x1="{x}" y1="{y}" x2="{to_x}" y2="{to_y}"'
            return f'<line {ends} stroke="{colour}" stroke-width="{width}"{dashes}/>'
        case Label(x, y, text, anchor, colour):
            place = f'x="{x}" y="{y + FONT}" font-size="{FONT}" fill="{colour}" text-anchor="{anchor}"'
            return f"<text {place}>{escape(text)}</text>"

"""Rectangles, lines of text and how they become SVG."""

from __future__ import annotations

from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

FONT = 15
INK, PALE, LINE = "#222222", "#ffffff", "#d9d9d9"
COLOURS = ("#1b6ca8", "#e0a458")
"""Colours of parts. People who see no red or green can distinguish them, also in grey print."""
STEPS = 5
"""Most lines across, each at a round number."""


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
    height: int
    shapes: list[Box | Label]
    title: str = ""
    """What a screen reader says; "" if the text around the picture says it."""


def round_step(most: int) -> int:
    """Return the distance of lines across: 1, 2 or 5 times a power of ten, so that ``STEPS`` of them reach ``most``."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power * STEPS >= most:
                return digit * power
        power *= 10


def svg(drawn: ChartPicture) -> str:
    """Return the picture as an SVG document."""
    told = f' role="img" aria-label={quoteattr(drawn.title)}' if drawn.title else ""
    size = f'viewBox="0 0 {drawn.width} {drawn.height}" font-family="sans-serif"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}{told}>']
    lines.append(f'<rect width="{drawn.width}" height="{drawn.height}" fill="white"/>')
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

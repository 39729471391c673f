"""Bars per year as a picture: the same shapes drawn as SVG (text) and PNG (Pillow).

A plotting library would bring some 60 MB for five bars; Pillow alone draws rectangles and text, and SVG needs no
library at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from vetlla.cli.inventory_files import finished
from vetlla.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WIDTH, HEIGHT, MARGIN, FONT = 900, 480, 60, 15
INK = "#222222"
COLOURS = ("#c46a1b", "#8a8a8a", "#1b6ca8")


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
    """A line of text; ``centred`` over x, or beginning there."""

    x: int
    y: int
    text: str
    centred: bool = True


def shapes(title: str, names: Sequence[str], parts: Sequence[Part], notes: Sequence[str]) -> list[Box | Label]:
    """Return stacked bars, one a name, with their totals above and ``notes`` under the names."""
    totals = [sum(part.values[place] for part in parts) for place in range(len(names))]
    scale = (HEIGHT - 3 * MARGIN) / max([*totals, 1])
    step = (WIDTH - 2 * MARGIN) // max(len(names), 1)
    floor = HEIGHT - MARGIN
    drawn: list[Box | Label] = [Label(WIDTH // 2, MARGIN // 3, title)]
    for place, name in enumerate(names):
        middle = MARGIN + step * place + step // 2
        top = floor
        for part, colour in zip(parts, COLOURS, strict=False):
            height = round(part.values[place] * scale)
            top -= height
            drawn.append(Box(middle - step // 3, top, 2 * step // 3, height, colour))
        drawn.append(Label(middle, top - FONT - 6, f"{totals[place]:,}"))
        drawn.append(Label(middle, floor + 6, name))
        drawn.append(Label(middle, floor + 8 + FONT, notes[place]))
    for place, (part, colour) in enumerate(zip(parts, COLOURS, strict=False)):
        x = MARGIN + place * 240
        drawn += [Box(x, MARGIN, FONT, FONT, colour), Label(x + FONT + 8, MARGIN, part.name, centred=False)]
    return drawn


def save(path: Path, drawn: Sequence[Box | Label]) -> None:
    """Write the picture as its name's ending says. Raises UsageError for any but .svg and .png."""
    match path.suffix.lower():
        case ".svg":
            with finished(path) as part:
                part.write_text(svg(drawn), encoding="utf-8")
        case ".png":
            with finished(path) as part:
                png(drawn).save(part, "PNG")
        case _:
            raise UsageError(f"{path}: what kind of picture is it?", remedy="end its name in .svg or .png")


def svg(drawn: Sequence[Box | Label]) -> str:
    """Return the picture as an SVG document."""
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">']
    lines.append(f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>')
    for shape in drawn:
        match shape:
            case Box(x, y, width, height, colour):
                lines.append(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>')
            case Label(x, y, text, centred):
                anchor = "middle" if centred else "start"
                lines.append(
                    f'<text x="{x}" y="{y + FONT}" font-size="{FONT}" fill="{INK}" text-anchor="{anchor}">'
                    f"{escape(text)}</text>"
                )
    return "\n".join([*lines, "</svg>", ""])


def png(drawn: Sequence[Box | Label]) -> Image.Image:
    """Return the picture as an image."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(FONT)
    for shape in drawn:
        match shape:
            case Box(x, y, width, height, colour) if height:
                draw.rectangle((x, y, x + width - 1, y + height - 1), fill=colour)
            case Label(x, y, text, centred):
                draw.text((x, y), text, fill=INK, font=font, anchor="ma" if centred else "la")
    return image

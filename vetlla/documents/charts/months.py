"""Months of service levels: one row for each level, one field for each month, with a sign that needs no colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.documents.charts.shapes import FONT, INK, PALE, Box, ChartPicture, Label, Shape, Stroke
from vetlla.domain.service_levels import LevelVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH: Final = 960
_LEFT, _LETTER = 84, 8
"""Least room for the names of the levels, and pixels of a letter of a longer name."""
_RIGHT: Final = 8
_ROW: Final = 38
"""Height of a row: a sign, and a value below it."""
_HEAD: Final = FONT + 12
_SIGN: Final = 12
"""Width and height of a sign."""
_LEGEND: Final = 44
_GREY: Final = "#767676"
_FIELDS: Final = {
    LevelVerdict.KEPT: ("#dbe9f4", INK),
    LevelVerdict.NOT_KEPT: ("#7a2e00", PALE),
    LevelVerdict.NOT_MEASURED: (PALE, INK),
    LevelVerdict.EMPTY: (PALE, INK),
}
"""Colours of a field and of what is written into it. In grey, only a level that was not kept is dark."""


class LevelMonth(NamedTuple):
    """A month of a level, and its value as people read it (at most eight characters)."""

    verdict: LevelVerdict
    value: str = ""


class LevelMonths(NamedTuple):
    """A level with its months. None: a month of which nothing was computed."""

    name: str
    months: Sequence[LevelMonth | None]


def months(
    title: str, names: Sequence[str], levels: Sequence[LevelMonths], verdicts: Mapping[LevelVerdict, str]
) -> ChartPicture:
    """Return one row for each level. ``names`` are those of the months, and ``verdicts`` explains the signs.

    Raises ValueError if a level has more or fewer months than there are names.
    """
    room = max([_LEFT, *(20 + _LETTER * len(level.name) for level in levels)])
    each = (WIDTH - room - _RIGHT) / max(1, len(names))
    edges = [room + round(each * place) for place in range(len(names) + 1)]
    drawn: list[Shape] = [Label((edges[place] + edges[place + 1]) // 2, 2, name) for place, name in enumerate(names)]
    for row, level in enumerate(levels):
        top = _HEAD + _ROW * row
        drawn.append(Label(room - 10, top + (_ROW - FONT) // 2 - 2, level.name, "end"))
        for left, right, month in zip(edges[:-1], edges[1:], level.months, strict=True):
            if month is not None:
                drawn += _field(left, top, right - left - 2, month)
    floor = _HEAD + _ROW * len(levels)
    return ChartPicture(WIDTH, floor + _LEGEND, [*drawn, *_legend(verdicts, floor + 14)], title)


def _field(left: int, top: int, width: int, month: LevelMonth) -> list[Shape]:
    colour, ink = _FIELDS[month.verdict]
    middle = left + width // 2
    sign_top = top + (4 if month.value else (_ROW - _SIGN) // 2 - 1)
    drawn: list[Shape] = [Box(left, top, width, _ROW - 2, colour, _GREY)]
    drawn += _sign(month.verdict, middle - _SIGN // 2, sign_top, ink)
    if month.value:
        drawn.append(Label(middle, top + _ROW - FONT - 7, month.value, colour=ink))
    return drawn


def _sign(verdict: LevelVerdict, x: int, y: int, ink: str) -> list[Shape]:
    """Return a tick, a cross, a question mark or a dash."""
    end = _SIGN - 2
    match verdict:
        case LevelVerdict.KEPT:
            return [
                Stroke(x + 1, y + 5, x + 5, y + end, ink),
                Stroke(x + 4, y + end, x + _SIGN, y + 1, ink),
            ]
        case LevelVerdict.NOT_KEPT:
            return [
                Stroke(x + 1, y + 1, x + _SIGN - 1, y + _SIGN - 1, ink, 3),
                Stroke(x + 1, y + _SIGN - 1, x + _SIGN - 1, y + 1, ink, 3),
            ]
        case LevelVerdict.NOT_MEASURED:
            return [Label(x + _SIGN // 2, y - 4, "?", colour=ink)]
        case LevelVerdict.EMPTY:
            return [Stroke(x + 1, y + _SIGN // 2, x + _SIGN - 1, y + _SIGN // 2, ink)]


def _legend(verdicts: Mapping[LevelVerdict, str], top: int) -> list[Shape]:
    drawn: list[Shape] = []
    each = WIDTH // max(1, len(verdicts))
    for place, (verdict, name) in enumerate(verdicts.items()):
        x = 8 + each * place
        colour, ink = _FIELDS[verdict]
        drawn.append(Box(x, top, 28, 24, colour, _GREY))
        drawn += _sign(verdict, x + 8, top + 6, ink)
        drawn.append(Label(x + 36, top + 2, name, "start"))
    return drawn

"""How a duration is spread over cases: one bar for each step, with the limits that were promised as lines."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.documents.charts.shapes import (
    COLOURS,
    FONT,
    INK,
    LINE,
    Box,
    ChartPicture,
    Label,
    Shape,
    Stroke,
    part_box,
    round_step,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH: Final = 960
_LEFT: Final = 72
"""Room for the numbers of the axis: six digits and a separator."""
_RIGHT: Final = 28
_PLOT: Final = 240
"""Height of the longest bar."""
_ROW: Final = FONT + 7
"""Height of a line of text."""
_TOP: Final = 16
_LONGER: Final = 110
"""Pixels for the bar of all longer cases and its name. It is no step, so it stands apart."""
_LONGER_BAR: Final = 40
"""Pixels of that bar."""
_MIDDLE: Final = WIDTH - _RIGHT - _LONGER // 2 + 8
_LEAST: Final = 4
"""Height of the lowest bar, so that a single case among thousands is seen."""
_ZONES: Final = (*COLOURS, "#7a2e00")
"""Colours of the bars before the first limit, before the second one, and so on. The last one, which is dark again, is
also that of the bars behind any further limit."""
_LETTER: Final = 8
"""Most pixels of a letter on average, to know if a text fits."""
_LABELLED: Final = 12
"""Most numbers below the bars."""


class Limit(NamedTuple):
    """A limit: where it is, in steps, and what its line says, such as its share of cases."""

    at: Fraction
    text: str


def spread(
    title: str,
    counts: Sequence[int],
    limits: Sequence[Limit],
    edge: Callable[[int], str],
    number: Callable[[int], str],
    *,
    axis: str,
    longer: str,
) -> ChartPicture:
    """Return the bars. ``counts`` has the cases of each step, and in its last place all that took longer.

    Bars after a limit have another colour. A case that took exactly as long as the limit is kept, but its bar begins
    there; so the share in the limit's text must come from the cases. A limit beyond the steps stands at their end.
    ``edge`` writes the begin of a step, ``number`` a number of cases, ``axis`` says what the steps are, and ``longer``
    names the last bar. Raises ValueError for no step.
    """
    if len(counts) < 2:
        raise ValueError(f"{len(counts)} counts cannot be drawn")
    steps = len(counts) - 1
    top = _TOP + _ROW * len(limits)
    floor = top + _PLOT
    step = round_step(max([*counts, 1]))
    lines = -(-max([*counts, 1]) // step)
    scale = Fraction(_PLOT, step * lines)
    each = Fraction(WIDTH - _LEFT - _RIGHT - _LONGER, steps)
    drawn: list[Shape] = []
    for place in range(lines + 1):
        y = floor - round(place * step * scale)
        drawn += [
            Box(_LEFT, y, WIDTH - _LEFT - _RIGHT, 1, LINE),
            Label(_LEFT - 8, y - FONT // 2 - 2, number(place * step), "end"),
        ]
    for place, count in enumerate(counts):
        is_last = place == steps
        left, right = (_LEFT + round(each * at) for at in (place, place + 1))
        if is_last:
            left, right = _MIDDLE - _LONGER_BAR // 2, _MIDDLE + _LONGER_BAR // 2
        height = max(round(count * scale), _LEAST) if count else 0
        zone = len(limits) if is_last else sum(1 for one in limits if one.at <= place)
        if height:
            drawn.append(
                part_box(left, floor - height, max(1, right - left), height, min(zone, len(_ZONES) - 1), colours=_ZONES)
            )
    drawn.append(Box(_LEFT, floor, round(each * steps), 1, INK))
    every = max(1, round_step(-(-steps * 5 // _LABELLED)))
    drawn += [Label(_LEFT + round(each * at), floor + 6, edge(at)) for at in range(0, steps + 1, every)]
    drawn.append(Label(_MIDDLE, floor + 6, longer))
    drawn.append(Label(_LEFT + round(each * Fraction(steps, 2)), floor + 6 + _ROW, axis))
    drawn += _lines([one._replace(at=min(one.at, Fraction(steps))) for one in limits], each, floor)
    return ChartPicture(WIDTH, floor + 2 * _ROW + 10, drawn, title)


def _lines(limits: Sequence[Limit], each: Fraction, floor: int) -> list[Shape]:
    """Return the lines of the limits, each with its text on a line of its own above the bars."""
    drawn: list[Shape] = []
    for place, one in enumerate(limits):
        x = _LEFT + round(each * one.at)
        y = _TOP - FONT // 2 + _ROW * place
        # To the right of its line no other line is in the way of a text, because later ones begin further down.
        is_right = x + 8 + len(one.text) * _LETTER > WIDTH
        drawn.append(Stroke(x, y, x, floor, is_dashed=True))
        drawn.append(Label(x - 8 if is_right else x + 8, y - 4, one.text, "end" if is_right else "start"))
    return drawn

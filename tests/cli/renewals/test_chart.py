"""A person can read the forecast's picture."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from PIL import ImageFont

from vetlla.cli.renewals.chart import HEIGHT, Part, picture
from vetlla.documents.charts.shapes import FONT, Box, ChartPicture, Label, round_step

if TYPE_CHECKING:
    from collections.abc import Sequence


def drawn(digital: Sequence[int], analog: Sequence[int]) -> ChartPicture:
    names = [str(2024 + place) for place in range(len(digital))]
    notes = [("12 months", "25.0 % of homes digital", "rent 12,222,055 EUR")] * len(digital)
    parts = [Part("digital (GSM-IP)", digital), Part("analog", analog)]
    return picture("Terminals to install", "terminals", names, parts, notes)


def place_of(label: Label) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a label's text."""
    width = ImageFont.load_default(FONT).getlength(label.text)
    left = {"start": label.x, "middle": label.x - width / 2, "end": label.x - width}[label.anchor]
    return left, label.y, left + width, label.y + FONT


@pytest.mark.parametrize(
    ("digital", "analog"),
    [([975, 9_211, 11_296, 81], [0, 0, 6_527, 2_209]), ([9_999] * 15, [9_999] * 15), ([1], [0]), ([0], [0])],
)
def test_no_text_covers_another_or_leaves_the_picture(digital: Sequence[int], analog: Sequence[int]) -> None:
    """This holds for any number of years and for large figures."""
    chart = drawn(digital, analog)
    places = [place_of(shape) for shape in chart.shapes if isinstance(shape, Label)]
    for left, top, right, bottom in places:
        assert left >= 0
        assert top >= 0
        assert right <= chart.width
        assert bottom <= HEIGHT
    for one, other in combinations(places, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


def test_bars_are_as_high_as_their_figures_on_the_axis() -> None:
    """The lines across have numbers, and a bar ends at the line of its number of terminals."""
    chart = drawn([5_000, 10_000], [5_000, 0])
    lines = {
        shape.text: shape.y + FONT // 2 for shape in chart.shapes if isinstance(shape, Label) and shape.anchor == "end"
    }
    assert list(lines) == ["0", "2,000", "4,000", "6,000", "8,000", "10,000"]
    bars = [shape for shape in chart.shapes if isinstance(shape, Box) and shape.height > FONT]
    assert [(bar.y, bar.y + bar.height) for bar in bars] == [
        ((lines["4,000"] + lines["6,000"]) // 2, lines["0"]),
        (lines["10,000"], (lines["4,000"] + lines["6,000"]) // 2),
        (lines["10,000"], lines["0"]),
    ]


@pytest.mark.parametrize(("most", "step"), [(1, 1), (5, 1), (6, 2), (17_823, 5_000), (25_000, 5_000), (25_001, 10_000)])
def test_steps_are_round(most: int, step: int) -> None:
    """A step is 1, 2 or 5 times a power of ten."""
    assert round_step(most) == step

"""Charts are drawn to scale, and no text leaves the picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from decimal import Decimal
from importlib.resources import files
from itertools import pairwise

import pytest
from PIL import ImageFont

from vetlla.documents.charts.columns import Series, columns
from vetlla.documents.charts.ranges import Range, ranges
from vetlla.documents.charts.shapes import COLOURS, FONT, INK, Box, ChartPicture, Label, svg
from vetlla.documents.words import Language, words_of


def assert_inside(drawn: ChartPicture) -> None:
    """Fail if a text leaves the picture."""
    for label in (shape for shape in drawn.shapes if isinstance(shape, Label)):
        width = ImageFont.load_default(FONT).getlength(label.text)
        left = {"start": label.x, "middle": label.x - width / 2, "end": label.x - width}[label.anchor]
        assert left >= 0, label
        assert left + width <= drawn.width, label
        assert 0 <= label.y <= drawn.height - FONT, label


def percent(value: Decimal) -> str:
    """Write a share."""
    return f"{value * 100:.1f} %"


@pytest.mark.parametrize("days", [1, 7, 30, 366])
def test_columns_of_any_number_of_days_fit(days: int) -> None:
    drawn = columns("Days", ["30/11"] * days, [Series("a", [99_999] * days), Series("b", [1] * days)], str)
    assert_inside(drawn)
    names = [shape for shape in drawn.shapes if isinstance(shape, Label) and shape.text == "30/11"]
    places = sorted(shape.x for shape in names)
    assert all(after - before >= 52 for before, after in pairwise(places))


def test_parts_of_a_column_stand_on_each_other() -> None:
    drawn = columns("Days", ["1/11"], [Series("a", [300]), Series("b", [100])], str)
    lower, upper = (
        next(one for one in drawn.shapes if isinstance(one, Box) and one.colour == colour and one.width > FONT)
        for colour in COLOURS
    )
    assert lower.height == 3 * upper.height
    assert upper.y + upper.height == lower.y


def test_no_messages_draw_an_empty_chart() -> None:
    drawn = columns("Days", ["1/11"], [Series("a", [0])], str)
    assert_inside(drawn)
    assert [one.height for one in drawn.shapes if isinstance(one, Box) and one.colour == COLOURS[0]] == [0, FONT]


def test_a_share_has_a_bar_and_its_interval() -> None:
    row = Range("Reminded", Decimal("0.2"), Decimal("0.1"), Decimal("0.4"))
    drawn = ranges("Shares", [row, Range("None", None, None, None)], percent, "-")
    assert_inside(drawn)
    bar = next(one for one in drawn.shapes if isinstance(one, Box) and one.colour == COLOURS[0])
    line = next(one for one in drawn.shapes if isinstance(one, Box) and one.colour == INK)
    assert (line.x - bar.x) * 2 == pytest.approx(bar.width, abs=2)
    assert line.width == pytest.approx(bar.width * 1.5, abs=2)
    assert {one.text for one in drawn.shapes if isinstance(one, Label)} >= {"Reminded", "20.0 %", "None", "-"}


@pytest.mark.parametrize("language", [Language.CA, Language.ES])
def test_every_reason_not_to_send_is_shown_whole(language: Language) -> None:
    words = words_of(files("vetlla.documents.reminders"), language)
    names = [words.text("chart_not_sent", why=why) for why in words.data["words"]["why"].values()]
    for name in names:
        drawn = ranges("Shares", [Range(name, None, None, None)], percent, "-")
        assert_inside(drawn)
        lines = [one.text for one in drawn.shapes if isinstance(one, Label) and one.anchor == "end"]
        assert " ".join(lines) == name


@pytest.mark.parametrize("high", ["0", "0.0004", "0.011", "0.5", "1"])
def test_the_axis_reaches_the_longest_interval(high: str) -> None:
    drawn = ranges("Shares", [Range("a", Decimal(0), Decimal(0), Decimal(high))], percent, "-")
    assert_inside(drawn)
    lines = [one.x for one in drawn.shapes if isinstance(one, Box) and one.width == 1 and one.height > FONT]
    ends = [one.x + one.width for one in drawn.shapes if isinstance(one, Box) and one.colour == INK]
    assert max(ends) <= max(lines) + 2


def test_texts_are_escaped_and_the_title_is_read_aloud() -> None:
    drawn = ranges('A "title" & more', [Range("<script>", None, None, None)], percent, "-")
    picture = ET.fromstring(svg(drawn))
    assert picture.get("aria-label") == 'A "title" & more'
    assert picture.get("role") == "img"
    assert "<script>" in [one.text for one in picture.iter("{http://www.w3.org/2000/svg}text")]

"""Charts are drawn to scale, and no text leaves the picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from itertools import pairwise

import pytest
from PIL import ImageFont

from vetlla.documents.charts.columns import Series, columns
from vetlla.documents.charts.months import LevelMonth, LevelMonths, months
from vetlla.documents.charts.ranges import Range, ranges
from vetlla.documents.charts.shapes import (
    COLOURS,
    FONT,
    INK,
    LINE,
    PALE,
    Box,
    ChartPicture,
    Label,
    Stroke,
    part_box,
    svg,
)
from vetlla.documents.charts.spread import Limit, spread
from vetlla.documents.words import Language, words_of
from vetlla.domain.service_levels import LevelVerdict


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
        for colour in COLOURS[:2]
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


def test_more_parts_than_colours_are_refused() -> None:
    """A part that is not drawn would be missing without a word."""
    with pytest.raises(ValueError, match="4 series"):
        columns("Days", ["1/11"], [Series(name, [1]) for name in "abcd"], str)


# --- how a duration is spread -----------------------------------------------------------------------------------------


def drawn_spread(counts: list[int], *at: int) -> ChartPicture:
    """Draw counts with limits."""
    limits = [Limit(Fraction(place), f"up to {place} s") for place in at]
    return spread("t3", counts, limits, str, str, axis="seconds", longer="60 or more")


def bars(drawn: ChartPicture) -> list[Box]:
    """Return the bars, from the left."""
    found = [shape for shape in drawn.shapes if isinstance(shape, Box) and shape.colour not in {INK, LINE}]
    return sorted(found, key=lambda bar: bar.x)


def test_bars_change_their_colour_at_each_limit_whose_line_is_named() -> None:
    drawn = drawn_spread([1] * 61, 15, 30)
    assert_inside(drawn)
    found = bars(drawn)
    assert [bar.colour for bar in found] == [COLOURS[0]] * 15 + [COLOURS[1]] * 15 + [COLOURS[2]] * 31
    lines = [shape for shape in drawn.shapes if isinstance(shape, Stroke)]
    assert [line.x for line in lines] == [found[15].x, found[30].x]
    assert {"up to 15 s", "up to 30 s", "60 or more", "seconds", "30"} <= {
        shape.text for shape in drawn.shapes if isinstance(shape, Label)
    }


def test_a_bar_has_the_height_of_its_cases_and_a_single_case_is_seen() -> None:
    low, high, one, last = bars(drawn_spread([100_000, 200_000, 1, 50_000], 2))
    assert high.height == 2 * low.height
    assert one.height == 4
    assert one.outline == INK
    assert last.height * 4 == high.height
    assert last.x > one.x + one.width  # it is no step, so it stands apart
    assert bars(drawn_spread([0, 0, 0], 1)) == []


@pytest.mark.parametrize("counts", [[5, 0], [0] * 301, [99_999] * 121])
def test_a_spread_of_any_length_fits(counts: list[int]) -> None:
    drawn = drawn_spread(counts, 1)
    assert_inside(drawn)
    floor = [shape for shape in drawn.shapes if isinstance(shape, Label) and shape.text.isdigit()]
    places = sorted(shape.x for shape in floor if shape.anchor == "middle")
    assert all(after - before >= 40 for before, after in pairwise(places))


@pytest.mark.parametrize("limits", [(), (30, 35, 52), (1, 2, 3, 4, 5, 6)])
def test_any_number_of_limits_is_drawn(limits: tuple[int, ...]) -> None:
    """ANS 11 has three: 30 and 35 minutes, and 52.5 from which a late arrival is a grave fault."""
    drawn = drawn_spread([1] * 61, *limits)
    assert_inside(drawn)
    found = [bar.colour for bar in bars(drawn)]
    for at in limits[: len(COLOURS)]:
        assert contrast(found[at - 1], found[at]) >= 1.8
    assert sum(isinstance(shape, Stroke) for shape in drawn.shapes) == len(limits)


def test_a_limit_beyond_the_steps_stands_at_their_end() -> None:
    drawn = drawn_spread([1] * 61, 15, 900)
    assert_inside(drawn)
    (_, last) = [shape for shape in drawn.shapes if isinstance(shape, Stroke)]
    assert bars(drawn)[59].x < last.x < bars(drawn)[60].x


def test_a_spread_without_a_step_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be drawn"):
        drawn_spread([1])


# --- months -----------------------------------------------------------------------------------------------------------


def test_each_month_has_a_sign_that_needs_no_colour() -> None:
    """The shapes of two verdicts are never the same, whatever their colours."""
    seen = set()
    for verdict in LevelVerdict:
        drawn = months("ANS", ["11/26"], [LevelMonths("ANS 1", [LevelMonth(verdict)])], {})
        (field,) = (shape for shape in drawn.shapes if isinstance(shape, Box))
        seen.add(
            tuple(
                shape._replace(x=shape.x - field.x, y=shape.y - field.y, colour="")
                for shape in drawn.shapes
                if not isinstance(shape, Box) and shape.x > field.x
            )
        )
    assert len(seen) == len(LevelVerdict)


def test_twelve_months_of_all_levels_fit_with_their_legend() -> None:
    names = ["des. 25", *(f"{month}/26" for month in range(1, 12))]
    kept, missing = LevelMonth(LevelVerdict.KEPT, "98,77 %"), None
    rows = [LevelMonths(f"ANS {number} Comunicacions ateses", [kept, missing] * 6) for number in range(1, 24)]
    drawn = months("ANS", names, rows, dict.fromkeys(LevelVerdict, "sense mesurament"))
    assert_inside(drawn)
    values = [shape for shape in drawn.shapes if isinstance(shape, Label) and shape.text == "98,77 %"]
    assert len(values) == 23 * 6
    fields = [shape for shape in drawn.shapes if isinstance(shape, Box)]
    assert len(fields) == 23 * 6 + len(LevelVerdict)
    width = max(ImageFont.load_default(FONT).getlength(one.text) for one in values)
    assert width <= fields[0].width
    with pytest.raises(ValueError, match="zip"):
        months("ANS", names, [LevelMonths("ANS 1", [kept])], {})


# --- contrast ---------------------------------------------------------------------------------------------------------


def light(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2)."""
    lighter, darker = sorted((light(one), light(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_parts_differ_in_grey_and_have_an_edge() -> None:
    assert all(contrast(one, other) >= 1.8 for one, other in pairwise(COLOURS))
    assert contrast(INK, PALE) >= 4.5
    assert part_box(0, 0, 20, 20, 2).outline == INK
    assert part_box(0, 0, 2, 20, 2).outline == ""  # an edge would hide it


def test_a_text_in_a_month_can_be_read() -> None:
    for verdict in LevelVerdict:
        drawn = months("ANS", ["11/26"], [LevelMonths("ANS 1", [LevelMonth(verdict, "98,7")])], {})
        (field,) = (shape for shape in drawn.shapes if isinstance(shape, Box))
        (value,) = (shape for shape in drawn.shapes if isinstance(shape, Label) and shape.text == "98,7")
        assert contrast(field.colour, value.colour) >= 4.5

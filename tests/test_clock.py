"""Durations in the forms that people write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.clock import seconds_of, stretch


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("0.5", 0.5),
        ("90s", 90),
        (" 15 M ", 900),
        ("15min", 900),
        ("1h30m", 5_400),
        ("1.5h", 5_400),
        ("2 d 3 h", 183_600),
        ("4w", 2_419_200),
        ("1w1d1h1m1s", 694_861),
    ],
)
def test_a_duration_is_read_as_it_is_written(text: str, seconds: float) -> None:
    """Units, spaces and case are read. A number alone is seconds."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", " ", "m", "soon", "-1", "-5m", "1h1h", "5m2h", "1,5h", "1e3", "nan", "inf", "0x10", "٣", "1y", "1.s"]
)
def test_a_text_that_is_not_a_duration_is_refused(text: str) -> None:
    """The error shows what a duration looks like."""
    with pytest.raises(ValueError, match="should be a duration such as 90s, 15m"):
        seconds_of(text)


def test_a_number_alone_is_in_the_callers_unit() -> None:
    """A number alone counts in the caller's unit, such as days. It is refused if the caller demands a unit."""
    assert seconds_of("30", unit="d") == 30 * 86_400
    assert seconds_of("2h", unit="d") == 7_200
    with pytest.raises(ValueError, match="should be a duration"):
        seconds_of("90", unit="")


@given(st.integers(0, 10**9))
def test_a_shown_duration_can_be_typed_again(seconds: int) -> None:
    """The text of ``stretch``, with its two largest units, is read back as the rounded value."""
    assert seconds - 86_400 < seconds_of(stretch(seconds)) <= seconds

"""Extended data blocks: the meaning of each letter is read, and nothing is lost."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vetlla.protocols.dc09.extended import NAMES, read_extended
from vetlla.protocols.framing.charset import readable


@pytest.mark.parametrize("letter", sorted(set(NAMES) - set("HIKXYZ")))
def test_named_letters(letter: str) -> None:
    """Every letter of the standard is kept under its name."""
    assert read_extended([letter.encode() + b"0123"]).details == {NAMES[letter]: "0123"}


def test_time_of_occurrence() -> None:
    """H is the time of occurrence, in GMT; an invalid time stays readable."""
    extras = read_extended([b"H13:59:58,12-31-2025"])
    assert (extras.occurred_at, extras.details) == (datetime(2025, 12, 31, 13, 59, 58, tzinfo=UTC), {})
    extras = read_extended([b"Hyesterday"])
    assert (extras.occurred_at, extras.details) == (None, {"occurred": "yesterday"})


@pytest.mark.parametrize(
    ("x", "y", "longitude", "latitude"),
    [
        (b"093W30.0", b"45N15.0", -93.5, 45.25),
        (b"006E07.7777777", b"41S30", 6.1296296, -41.5),
        (b"2.1686", b"41.3874", 2.1686, 41.3874),
        (b"-3.5", b"-33.25", -3.5, -33.25),
        (b"3.5W", b"33.25s", -3.5, -33.25),
        (b" 179.9 ", b"90", 179.9, 90.0),
    ],
)
def test_position(x: bytes, y: bytes, longitude: float, latitude: float) -> None:
    """Degrees have minutes as in the standard, or decimals as in dc09_spt; south and west are negative."""
    position = read_extended([b"X" + x, b"Y" + y]).position
    assert position is not None
    assert position.longitude == pytest.approx(longitude)
    assert position.latitude == pytest.approx(latitude)


@pytest.mark.parametrize(("z", "metres"), [(b"123.2M", 123.2), (b"-4", -4.0), (b"12m", 12.0)])
def test_altitude(z: bytes, metres: float) -> None:
    """Z is the altitude in metres, with or without the letter."""
    position = read_extended([b"X2.1", b"Y41.3", b"Z" + z]).position
    assert position is not None
    assert position.altitude_m == metres


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (b"115000", b"41.3"),
        (b"181", b"41.3"),
        (b"2.1", b"91"),
        (b"093W60.0", b"41.3"),
        (b"2.1N", b"41.3"),
        (b"2.1", b"41.3E"),
        (b"nan", b"41.3"),
        (b"", b"41.3"),
    ],
)
def test_text_that_is_not_a_position(x: bytes, y: bytes) -> None:
    """A text that is no place on earth gives no position and stays as received."""
    extras = read_extended([b"X" + x, b"Y" + y, b"Zhigh"])
    assert extras.position is None
    assert extras.details == {"longitude": x.decode(), "latitude": y.decode(), "altitude": "high"}


@pytest.mark.parametrize("z", [b"high", b"9" * 400])
def test_text_that_is_not_an_altitude(z: bytes) -> None:
    """An altitude that cannot be read, or is too large for a number, costs no position and stays a detail."""
    extras = read_extended([b"X2.1", b"Y41.3", b"Z" + z])
    assert extras.position is not None
    assert (extras.position.altitude_m, extras.details) == (None, {"altitude": z.decode()})


def test_path_and_json_share_a_letter() -> None:
    """J is a path in 2021 and JSON in 2026; the brace shows which."""
    assert read_extended([b"J2"]).details == {"path": "2"}
    assert read_extended([b'J{"a": 1}']).details == {"json": '{"a": 1}'}


def test_key_is_never_shown() -> None:
    """The details show that a key block came, but not its value."""
    assert read_extended([b"K" + b"ab" * 16, b"K" + b"cd" * 16]).details == {"key": "present; present"}


def test_repeated_and_unknown_letters() -> None:
    """A letter that comes twice keeps both values; letters that no edition defines keep their own."""
    extras = read_extended([b"RHall", b"RBath", b"B80", b"E115000", b"$P1,2", b"", b"Ione", b"Itwo"])
    assert extras.details == {"room": "Hall; Bath", "B": "80", "E": "115000", "$": "P1,2", "": ""}
    assert extras.text == "one; two"


@pytest.mark.parametrize(
    ("data", "text"),
    [(b"cam\xc3\xad", "camí"), (b"cam\xed", "camí"), (b"\x80 5", "€ 5"), (b"\x81\xed", "\x81í"), (b"", "")],
)
def test_character_sets(data: bytes, text: str) -> None:
    """Text is read as UTF-8 if valid, else as Windows-1252, else as latin-1, so no byte is dropped."""
    assert readable(data) == text


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=5))
def test_nothing_raises(blocks: list[bytes]) -> None:
    """Any blocks are read without an error."""
    assert isinstance(read_extended(blocks).details, dict)


@pytest.mark.parametrize("told", [b"H00:00:10,01-01-1970", b"H23:59:59,12-31-2000", b"H08:00:00,01-01-2010"])
def test_a_clock_that_was_never_set_gives_no_time_of_occurrence(told: bytes) -> None:
    """The time of such a clock is the same for every call, so a second call would look like a retry of the first."""
    extras = read_extended([told])
    assert extras.occurred_at is None
    assert set(extras.details) == {"clock"}

"""Each column of the inventory's files has a type: what people write is understood, and other texts have a reason."""

from __future__ import annotations

from datetime import date

import pytest

from vetlla.domain.columns import Holds
from vetlla.domain.devices import DeviceType, Manufacture, Ownership
from vetlla.domain.homes import Period, Programme, UserType
from vetlla.domain.printable import printable
from vetlla.service.inventory.columns import DEVICES, KINDS

DAY = date(2024, 4, 1)


@pytest.mark.parametrize(
    ("what", "column", "text", "value"),
    [
        ("devices", "type", "smoke", DeviceType.SMOKE),
        ("devices", "ownership", " leased ", Ownership.LEASED),
        ("devices", "serial", "SN 1/2-ñ", "SN 1/2-ñ"),
        ("devices", "imei", "490154203237518", "490154203237518"),
        ("devices", "account", "0a1f", "0A1F"),
        ("devices", "made", "2019-W07", Manufacture(2019, 7)),
        ("devices", "made", "2019W7", Manufacture(2019, 7)),
        ("devices", "made", "07/2019", Manufacture(2019, 7)),
        ("devices", "since", "2024-04-01", DAY),
        ("devices", "since", "20240401", DAY),
        ("devices", "since", "1/4/2024", DAY),
        ("devices", "since", "01-04-2024", DAY),
        ("devices", "since", "2024-04-01T10:30:00Z", DAY),
        ("homes", "level", "3", 3),
        ("homes", "alone", "Sí", True),
        ("homes", "alone", "NO", False),
        ("homes", "phones", "931234567; +34 600 000 000;", ("931234567", "+34 600 000 000")),
        (
            "homes",
            "active",
            "2024-04-01/;2020-01-01/2020-12-31",
            (Period(date(2020, 1, 1), date(2020, 12, 31)), Period(DAY)),
        ),
        ("people", "user_type", "C", UserType.C),
        ("people", "programmes", "mimal:2024-04-01/", (Programme("mimal", Period(DAY)),)),
    ],
)
def test_texts_that_people_write_are_understood(what: str, column: str, text: str, value: object) -> None:
    """A text becomes the value that it means."""
    assert KINDS[what].parse(column, text) == value


@pytest.mark.parametrize(
    ("what", "column", "text", "reason"),
    [
        ("devices", "type", "Smoke", "not one of terminal_pstn, terminal_gsm, terminal_ip, ucr, smoke"),
        ("devices", "serial", "x" * 65, "longer than 64 characters"),
        ("devices", "serial", "a\tb", "has unprintable characters"),
        ("devices", "model", "a\u200bb", "has unprintable characters"),
        ("devices", "home", "h" * 65, "should be at most 64 printable characters"),
        ("devices", "imei", "49015420323751", "an IMEI has 15 digits"),
        ("devices", "imei", "4901542032375181", "an IMEI has 15 digits"),
        ("devices", "imei", "49-015420-323751-8", "an IMEI has 15 digits"),
        ("devices", "imei", "490154203237519", "the IMEI's check digit does not fit"),
        ("devices", "account", "12 34", "should be letters, digits"),
        ("devices", "account", "#1234", "without the #"),
        ("devices", "made", "2019-W54", "week must be 1 to 53 and year 1990 or later"),
        ("devices", "made", "feb-19", "no week of manufacture"),
        ("devices", "since", "2024-02-30", "there is no such day"),
        ("devices", "since", "01/04/24", "is ambiguous as a date"),
        ("devices", "since", "1711929600", "no date"),
        ("homes", "level", "1.0", "a support level is 1, 2 or 3"),
        ("homes", "level", "0", "a support level is 1, 2 or 3"),
        ("homes", "alone", "maybe", "neither yes nor no"),
        ("homes", "phones", "931234567;ext 5", "telephone numbers are digits"),
        ("homes", "active", "soon/", "no period"),
        ("homes", "active", "2024-05-01/2024-04-01", "ends before it begins"),
        ("homes", "active", "2024-01-01/;2024-04-01/", "periods overlap at 2024-04-01"),
        ("people", "user_type", "D", "not one of A, B, C"),
        ("people", "programmes", f"{'x' * 65}:2024-04-01/", "at most 64 printable characters"),
    ],
)
def test_a_refused_text_has_a_reason(what: str, column: str, text: str, reason: str) -> None:
    """The reason says what the text should be."""
    with pytest.raises(ValueError, match=r".") as caught:
        KINDS[what].parse(column, text)

    assert reason in str(caught.value)


@pytest.mark.parametrize("character", ["\n", "\x7f", "\xa0", "\u200b", "\u202e", "\ue000", "\U0010ffff"])
@pytest.mark.parametrize(
    ("what", "column", "text"),
    [("devices", "serial", "X{}1"), ("homes", "code", "H{}1"), ("people", "programmes", "mi{}mal:2024-04-01/")],
)
def test_a_text_that_a_terminal_cannot_show_is_refused(what: str, column: str, text: str, character: str) -> None:
    """Every column has one rule: what an answer would show as an escape is refused."""
    assert printable(character) != character
    with pytest.raises(ValueError, match="printable"):
        KINDS[what].parse(column, text.format(character))


def test_the_types_say_what_a_column_holds() -> None:
    """Readers ask whether a row needs a column, and whether a number of a spreadsheet may have lost zeros."""
    columns = {column.name: column for column in DEVICES.columns}

    assert [name for name, column in columns.items() if column.required] == ["type", "serial", "ownership", "place"]
    assert (columns["imei"].holds, columns["imei"].digits) == (Holds.CODE, 15)
    assert (columns["since"].holds, columns["made"].holds, columns["model"].holds) == (
        Holds.DAY,
        Holds.WORD,
        Holds.TEXT,
    )

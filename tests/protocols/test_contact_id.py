"""Contact ID as DC-09 carries it."""

from __future__ import annotations

import pytest

from vetlla.protocols import contact_id
from vetlla.protocols.codes import CONTACT_ID
from vetlla.signals import Kind, Phase


@pytest.mark.parametrize(("qualifier", "phase"), [("1", Phase.NEW), ("3", Phase.RESTORE), ("6", Phase.STATUS)])
def test_every_code(qualifier: str, phase: Phase) -> None:
    """Every code of the table is read with its kind, under each of the three qualifiers."""
    for code, row in CONTACT_ID:
        report = contact_id.parse(f"#1234|{qualifier}{code} 01 015".encode())
        assert report is not None, code
        assert report.event == (row.kind, phase, code, "contact_id")
        assert (report.account, report.area, report.device, report.text) == ("1234", "01", "015", "")


@pytest.mark.parametrize(
    ("data", "account", "code", "area", "device", "text"),
    [
        (b"#1234|1101 01 015", "1234", "101", "01", "015", ""),
        (b"1234|1101 01 015", "1234", "101", "01", "015", ""),
        (b"#|1101 01 015", "", "101", "01", "015", ""),
        (b"|1101 01 015", "", "101", "01", "015", ""),
        (b"1101 01 015", "", "101", "01", "015", ""),
        (b"#1234|110101015", "1234", "101", "01", "015", ""),
        (b"#1234|1130010015", "1234", "130", "01", "0015", ""),
        (b"#1234|1101 01 0BF", "1234", "101", "01", "0BF", ""),
        (b"#foc7688|1101 01 015 Bathroom", "foc7688", "101", "01", "015", "Bathroom"),
        (b"#1234|1101 01 015|Bany", "1234", "101", "01", "015", "|Bany"),
        (b"#1234|1b0f 01 015", "1234", "B0F", "01", "015", ""),
    ],
)
def test_forms(data: bytes, account: str, code: str, area: str, device: str, text: str) -> None:  # noqa: PLR0917 - columns
    """The account may be missing, the spaces too; digits may be hexadecimal; a text may stand behind."""
    report = contact_id.parse(data)
    assert report is not None
    assert (report.account, report.event.code, report.area, report.device, report.text) == (
        account,
        code,
        area,
        device,
        text,
    )


@pytest.mark.parametrize(
    "data", [b"", b"#1234|", b"#1234|1101 01", b"#1234|X101 01 015", b"#1234|1101 01 015A6", b"HELP"]
)
def test_what_is_none(data: bytes) -> None:
    """What is not an event gives none; the decoder then reports the text itself."""
    assert contact_id.parse(data) is None


def test_unknown_qualifier() -> None:
    """A qualifier that no edition defines is taken as new: better asked in vain than not asked."""
    report = contact_id.parse(b"#1234|2101 01 015")
    assert report is not None
    assert report.event == (Kind.PERSONAL_EMERGENCY, Phase.NEW, "101", "contact_id")
    assert report.details == {"qualifier": "2"}


def test_opening_and_closing() -> None:
    """4xx: 1 is opening, 3 is closing, and neither is an alarm."""
    opening, closing = contact_id.parse(b"1401 01 002"), contact_id.parse(b"3401 01 002")
    assert opening is not None
    assert closing is not None
    assert (opening.event.kind, opening.event.phase) == (Kind.CONFIGURATION, Phase.NEW)
    assert (closing.event.kind, closing.event.phase) == (Kind.CONFIGURATION, Phase.RESTORE)

"""Contact ID as DC-09 carries it, in the forms that devices write."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vetlla.domain.signals import Kind, Phase
from vetlla.protocols.codes.tables import CONTACT_ID, Report
from vetlla.protocols.payloads import contact_id


def only(data: str, caller: str = "1234") -> Report:
    """Return the one event that a payload states."""
    (report,) = contact_id.parse(data.encode(), caller)
    return report


def fields(report: Report) -> tuple[str, str, str, str, str]:
    return report.account, report.event.code, report.area, report.device, report.text


@pytest.mark.parametrize(("qualifier", "phase"), [("1", Phase.NEW), ("3", Phase.RESTORE), ("6", Phase.STATUS)])
@pytest.mark.parametrize("form", ["#1234|{} 01 015", "#1234|{} 01 015 Bathroom", "#1234|18{}010157", "#1234|{},1,15"])
def test_every_code(form: str, qualifier: str, phase: Phase) -> None:
    """Every code of the table is read with its kind, under each of the three qualifiers, in every form."""
    for code, row in CONTACT_ID:
        report = only(form.format(qualifier + code))
        assert report.event == (row.kind, phase, code, "contact_id")
        assert (report.account, int(report.area), int(report.device)) == ("1234", 1, 15)


@pytest.mark.parametrize(
    ("data", "account", "code", "area", "device", "text"),
    [
        ("#1234|1101 01 015", "1234", "101", "01", "015", ""),
        ("1234|1101 01 015", "1234", "101", "01", "015", ""),
        ("#|1101 01 015", "", "101", "01", "015", ""),
        ("|1101 01 015", "", "101", "01", "015", ""),
        ("1101 01 015", "", "101", "01", "015", ""),
        (" #1234 | 1101 01 015", "1234", "101", "01", "015", ""),
        ("#1234|110101015", "1234", "101", "01", "015", ""),
        ("#1234|1130010015", "1234", "130", "01", "0015", ""),
        ("#1234|1101 01 0BF", "1234", "101", "01", "0BF", ""),
        ("#foc7688|1101 01 015 Bathroom", "foc7688", "101", "01", "015", "Bathroom"),
        ("#1234|1101 01 015|Bany", "1234", "101", "01", "015", "|Bany"),
        ("#1234|1b0f 01 015", "1234", "B0F", "01", "015", ""),
        ("#1234|1101 1 3", "1234", "101", "1", "3", ""),
        ("#1234|1101 001 00015", "1234", "101", "001", "00015", ""),
        ("#1234|1101 01 015A6", "1234", "101", "01", "015A6", ""),
        ("#1234|1101 01 015xyz", "1234", "101", "01", "015", "xyz"),
        ("#1234|110101015xyz", "1234", "101", "01", "015", "xyz"),
        ("#1234|1101 01 015 12:30, flat 3", "1234", "101", "01", "015", "12:30, flat 3"),
        ("#1234|1101,01,015", "1234", "101", "01", "015", ""),
        ("#1234|1101\t01\t015", "1234", "101", "01", "015", ""),
        ("#1234|1 101 - 01 / 015\r\n", "1234", "101", "01", "015", ""),
    ],
)
def test_forms(data: str, account: str, code: str, area: str, device: str, text: str) -> None:  # noqa: PLR0917 - columns
    """The account may be missing; separators, lengths and digits vary; a text may follow."""
    assert fields(only(data)) == (account, code, area, device, text)


@pytest.mark.parametrize(
    ("data", "code", "area", "device"),
    [
        ("18 1101 01 003", "101", "01", "003"),
        ("181101 01 003", "101", "01", "003"),
        ("18110101003", "101", "01", "003"),
        ("181101010031", "101", "01", "003"),
        ("981101 01 003", "101", "01", "003"),
        ("58 1101 01 003", "101", "01", "003"),
        ("18 1101 01 003 E", "101", "01", "003"),
        ("18,1101,1,3,E", "101", "1", "3"),
        ("18E101 01 003", "101", "01", "003"),
        ("1234 18 1101 01 003", "101", "01", "003"),
        ("1234 18 1101 01 0003", "101", "01", "0003"),
        ("1234 18 1101 01 003 E", "101", "01", "003"),
        ("123418110101003", "101", "01", "003"),
        ("123418110101003E", "101", "01", "003"),
        ("1234110101003", "101", "01", "003"),
        ("1234 1101 01 003", "101", "01", "003"),
        ("#1234 1101 01 003", "101", "01", "003"),
        ("#1234 18 1101 01 003", "101", "01", "003"),
        ("18 1234 E101 01 003", "101", "01", "003"),
        ("181234E10101003", "101", "01", "003"),
    ],
)
@pytest.mark.parametrize("account", ["", "#1234|"])
def test_message_type_and_account(data: str, code: str, area: str, device: str, account: str) -> None:
    """The digits that DC-09 leaves out may be there: account, message type and check digit."""
    report = only(account + data)
    assert (report.event.kind, report.event.phase) == (Kind.PERSONAL_EMERGENCY, Phase.NEW)
    assert (report.event.code, report.area, report.device, report.text) == (code, area, device, "")


@pytest.mark.parametrize(
    ("data", "phase"),
    [
        ("E101 01 003", Phase.NEW),
        ("R101 01 003", Phase.RESTORE),
        ("P101 01 003", Phase.STATUS),
        ("e101 01 003", Phase.NEW),
        ("r101 01 003", Phase.RESTORE),
        ("p101 01 003", Phase.STATUS),
        ("18R10101003", Phase.RESTORE),
    ],
)
def test_letters_for_qualifiers(data: str, phase: Phase) -> None:
    """E, R and P stand for 1, 3 and 6."""
    report = only("#1234|" + data)
    assert (report.event.kind, report.event.phase) == (Kind.PERSONAL_EMERGENCY, phase)
    assert not report.details


@pytest.mark.parametrize(
    "data",
    [
        "#1234|1101 00 005|1101 00 006",
        "#1234|1101 00 005|#1234|1101 00 006",
        "#1234|1101 00 005 1101 00 006",
        "#1234|1101 00 005\r\n1101 00 006",
        "1234 18 1101 00 005 7|1234 18 1101 00 006 6",
    ],
)
def test_several_events(data: str) -> None:
    """Each event of a frame is reported, because a second call must not become a text of the first."""
    assert [(r.event.code, r.device, r.text) for r in contact_id.parse(data.encode(), "1234")] == [
        ("101", "005", ""),
        ("101", "006", ""),
    ]


@pytest.mark.parametrize(
    "data",
    ["", "#1234|", "#1234|1101 01", "#1234|X101 01 015", "HELP", "1234 01 015", "1234 18 1101", "#9|1130110101003"],
)
def test_data_that_are_not_read(data: str) -> None:
    """Data without an event, or data that may be an account, are not read. The decoder reports them as unreadable."""
    assert contact_id.parse(data.encode(), "1234") == []


@pytest.mark.parametrize(
    ("data", "caller"),
    [
        ("1130 18 1101 00 005", "9999"),
        ("1130 1101 00 005", "9999"),
        ("113018110100005", "9999"),
        ("1130110100005", "1130"),
    ],
)
def test_account_that_reads_as_an_event(data: str, caller: str) -> None:
    """An account whose digits are a code stays an account, whichever account the header names."""
    report = only(data, caller)
    assert (report.event.code, report.area, report.device) == ("101", "00", "005")
    assert report.account == ("1130" if caller == "9999" else "")


def test_event_that_reads_as_the_account() -> None:
    """An account whose digits are a code does not hide that code's event."""
    assert only("1101 01 003", "1101").event.kind is Kind.PERSONAL_EMERGENCY
    assert only("#1101|1101 01 003", "1101").event.kind is Kind.PERSONAL_EMERGENCY


EVENTS = st.tuples(st.sampled_from("136"), st.sampled_from(sorted(CONTACT_ID.known)))
GAPS = st.sampled_from([" ", "  ", ",", "\t", ", ", "-"])


@settings(max_examples=300, deadline=None)
@given(EVENTS, GAPS, st.text("0123456789ABCDEFabcxyz", min_size=1, max_size=8), st.sampled_from(["", "18", "98"]))
def test_own_account_is_never_the_event(event: tuple[str, str], gap: str, account: str, message_type: str) -> None:
    """Whatever digits the caller's account has, the event after it is reported."""
    data = gap.join(part for part in (account, message_type, "".join(event), "01", "003") if part)
    report = only(data, account)
    assert (report.event.code, report.event.phase) == (event[1], contact_id.QUALIFIERS[event[0]])
    assert (report.area, report.device) == ("01", "003")


@settings(max_examples=300, deadline=None)
@given(EVENTS, GAPS, st.text("0123456789ABCDEFxyz", min_size=1, max_size=8), st.sampled_from(["", "18", "98"]))
def test_other_account_is_never_the_event(event: tuple[str, str], gap: str, account: str, message_type: str) -> None:
    """The same holds for an account that the header does not name; at worst nothing is read, which is an alarm."""
    assume(account not in {"18", "58", "98"})
    data = gap.join(part for part in (account, message_type, "".join(event), "01", "003") if part)
    assert [report.event.code for report in contact_id.parse(data.encode(), "7777777")] in ([event[1]], [])


@settings(max_examples=300, deadline=None)
@given(EVENTS, st.text("0123456789ABCDEF", min_size=3, max_size=8), st.sampled_from(["", "18", "98"]))
def test_glued_account_is_never_the_event(event: tuple[str, str], account: str, message_type: str) -> None:
    """The same holds for the caller's account without any separator; at worst nothing is read."""
    data = account + message_type + "".join(event) + "01003"
    assert [report.event.code for report in contact_id.parse(data.encode(), account)] in ([event[1]], [])


@settings(max_examples=300, deadline=None)
@given(
    EVENTS,
    st.sampled_from(
        ["{}{}01003", "{}{} 01 003", "{}{}010003", "18{}{}010037", "98{}{} 1 3", "{}{},1,3", "18 {} {} 01 003"]
    ),
    st.text("0123456789ABCDEF", min_size=1, max_size=6)
    | st.sampled_from(["18", "181", "98", "1", "11", "110", "181101"]),
)
def test_an_event_is_never_taken_for_the_account(event: tuple[str, str], form: str, caller: str) -> None:
    """If the data name no account, the caller's account takes no digits of the event; at worst nothing is read."""
    codes = [report.event.code for report in contact_id.parse(form.format(*event).encode(), caller)]
    assert codes in ([event[1]], [])


def test_digits_that_may_be_either() -> None:
    """Digits that may be message type and event, or account and event, are not read, which makes them an alarm."""
    assert contact_id.parse(b"181130101003", "181") == []
    assert only("1813110101003", "1813").event.code == "101"
    assert only("181130101003").event.code == "130"
    assert only("1101010003", "1").event.code == "101"
    assert only("181101010031", "181").event.code == "101"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60) | st.text("0123456789 |#ERP,\t18", max_size=40).map(str.encode))
def test_nothing_raises(data: bytes) -> None:
    """Any data are read or not read, without an error."""
    for report in contact_id.parse(data, "1234"):
        assert report.event.code.encode() in data.upper()


def test_long_gaps_cost_nothing() -> None:
    """Thousands of blanks are not tried in every combination, and do not cost the event before them."""
    assert contact_id.parse(b" " * 4000, "1234") == []
    assert only("1101 01 003" + " " * 4000).event.code == "101"


def test_unknown_qualifier() -> None:
    """A qualifier that no edition defines is read as new, because it is safer to ask the user in vain."""
    report = only("#1234|2101 01 015")
    assert report.event == (Kind.PERSONAL_EMERGENCY, Phase.NEW, "101", "contact_id")
    assert report.details == {"qualifier": "2"}


def test_opening_and_closing() -> None:
    """In codes 4xx 1 is opening and 3 is closing, and neither is an alarm."""
    opening, closing = only("1401 01 002"), only("3401 01 002")
    assert (opening.event.kind, opening.event.phase) == (Kind.CONFIGURATION, Phase.NEW)
    assert (closing.event.kind, closing.event.phase) == (Kind.CONFIGURATION, Phase.RESTORE)

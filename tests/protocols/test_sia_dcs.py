"""SIA DC-03 as DC-09 carries it, in the forms that devices write."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vetlla.domain.signals import Kind, Phase
from vetlla.protocols.codes.tables import EVENTS_MAX, SIA_DCS
from vetlla.protocols.payloads import sia_dcs


def read(data: str) -> list[tuple[str, str, str, str]]:
    """Return code, device, area and text of each event."""
    return [(r.event.code, r.device, r.area, r.text) for r in sia_dcs.parse(data.encode())]


@pytest.mark.parametrize("form", ["#1234|N{}012", "#1234|Nri1/{}012", "#1234|N{}012^text^", "#1234|O{}012"])
def test_every_code(form: str) -> None:
    """Every code of the table is read with its kind and phase, bare, with area, with text and as a repetition."""
    for code, row in SIA_DCS:
        (report,) = sia_dcs.parse(form.format(code).encode())
        assert report.event == (row.kind, row.phase, code, "sia_dcs")
        assert (report.account, report.device, report.repeated) == ("1234", "012", "O" in form[6]), code


@pytest.mark.parametrize(
    ("data", "events"),
    [
        ("NRR|Atest", [("RR", "", "", "test")]),
        ("NL2", [("NL", "2", "2", "")]),
        ("NNL2", [("NL", "2", "2", "")]),
        ("NCQ1", [("CQ", "1", "", "")]),
        ("NBA4", [("BA", "4", "", "")]),
        ("OP12", [("OP", "12", "", "")]),
        ("Nri1CL0^Area 1^", [("CL", "0", "1", "Area 1")]),
        ("Nri0RP2^SL 1807^", [("RP", "2", "0", "SL 1807")]),
        ("Nri2/id15/OP", [("OP", "15", "2", "")]),
        ("Nri2/id15^Anna^/OP", [("OP", "15", "2", "")]),
        ("Npi0/AT", [("AT", "0", "", "")]),
        ("Npi1/NL1", [("NL", "1", "1", "")]),
        ("Nri3/CG1", [("CG", "1", "3", "")]),
        ("Nti19:44/id1/ri4/RP", [("RP", "1", "4", "")]),
        ("Nti20:50:26RP99", [("RP", "99", "", "")]),
        ("Nri01^TOTAL^/LX901^ja'a (R)^", [("LX", "901", "01", "ja'a (R)")]),
        ("NOP001*'NM", [("OP", "001", "", "")]),
        ("NOP001*'Anna'NM", [("OP", "001", "", "Anna")]),
        ("NOP001*Anna*NM", [("OP", "001", "", "Anna")]),
        ('NOP001*"Anna"NM', [("OP", "001", "", "Anna")]),
        ("Nri1/BA01/BA02", [("BA", "01", "1", ""), ("BA", "02", "1", "")]),
        ("Nri1/BA01/ri2/BA02", [("BA", "01", "1", ""), ("BA", "02", "2", "")]),
        ("Nri1/BA01^a^/FA02^b/c^", [("BA", "01", "1", "a"), ("FA", "02", "1", "b/c")]),
        ("NBA01/FA02|Aboth", [("BA", "01", "", "both"), ("FA", "02", "", "both")]),
        ("NBA01^own^/FA02|Aother", [("BA", "01", "", "own / other"), ("FA", "02", "", "other")]),
        ('NMA7^Bed^*"call"NM', [("MA", "7", "", "Bed / call")]),
        ("NMA7*call*NM^Bed^|Anow", [("MA", "7", "", "call / Bed / now")]),
        ("NBA01|NFA02", [("BA", "01", "", ""), ("FA", "02", "", "")]),
        ("NBA01FA02", [("BA", "01", "", ""), ("FA", "02", "", "")]),
        ("NBA1FA", [("BA", "1FA", "", "")]),
        ("Nri1BA01/BA02", [("BA", "01", "1", ""), ("BA", "02", "1", "")]),
        ("NidA5/OP", [("OP", "A5", "", "")]),
        ("NFA1/ri7", [("FA", "1", "7", "")]),
        ("NFA1ri7", [("FA", "1", "7", "")]),
        ("Nri1/OP12/ri2", [("OP", "12", "1", "")]),
        ("|CL501", [("CL", "501", "", "")]),
        ("XC12", [("XC", "12", "", "")]),
        ("Nri1/XC12", [("XC", "12", "1", "")]),
        ("NAX5", [("AX", "5", "", "")]),
        ("NQA^she fell^", [("QA", "", "", "she fell")]),
        ("", []),
        ("|", []),
        ("Ahello", []),
        ("N", []),
        ("Nri1", []),
        ("hello world", []),
    ],
)
@pytest.mark.parametrize("account", ["", "#1234|", "1234|"])
def test_forms(data: str, events: list[tuple[str, str, str, str]], account: str) -> None:
    """The forms of the standard and of devices are read, with the account, without its # and without it."""
    assert read(account + data) == events


@pytest.mark.parametrize(
    ("data", "account"),
    [
        ("#ABCD|NPA1", "ABCD"),
        ("ABCD|NPA1", "ABCD"),
        ("|NPA1", ""),
        ("NPA1", ""),
        ("#|NPA1", ""),
        ("0000|Npi0/AT", "0000"),
    ],
)
def test_account(data: str, account: str) -> None:
    """The account in the data is returned as it is spelled there, or not at all."""
    assert [report.account for report in sia_dcs.parse(data.encode(), caller="abcd")] == [account]


def test_event_that_could_be_an_account() -> None:
    """A first block that reads as an event is an event, because an account without its # must not hide an alarm."""
    assert read("BA01|NFA02") == [("BA", "01", "", ""), ("FA", "02", "", "")]
    assert read("BA01|Atext") == [("BA", "01", "", "text")]
    assert read("NBA01|Atext") == [("BA", "01", "", "text")]


def test_repeated_events() -> None:
    """Only the events of an O block are repetitions."""
    reports = sia_dcs.parse(b"#1234|NPA1|OFA2/KA3")
    assert [(r.event.code, r.repeated) for r in reports] == [("PA", False), ("FA", True), ("KA", True)]
    assert [(r.event.code, r.repeated) for r in sia_dcs.parse(b"#1234|OP12")] == [("OP", False)]


def test_measurement() -> None:
    """A number with its unit is a measurement under the unit's letters."""
    (report,) = sia_dcs.parse(b"#1234|NZA3*-3.5DC")
    assert (report.device, dict(report.measurements)) == ("3", {"DC": -3.5})


def test_a_measurement_without_bound_is_text() -> None:
    """Digits beyond any number are kept as received, because JSON has no infinity."""
    (report,) = sia_dcs.parse(b"#1234|NZA3*" + b"9" * 400 + b"DC")
    assert not report.measurements
    assert "9" * 400 + "DC" in (report.text, *report.details.values())


def test_values_without_a_field_are_kept() -> None:
    """Modifiers without a field, names, other blocks and unreadable text are kept in the details."""
    (report,) = sia_dcs.parse(b"#1234|Nti12:30/da01-02-26/ri1^Flat^/ph3/MA7|EDA1|Cx|@a")
    expected = {"ti": "12:30", "da": "01-02-26", "ri name": "Flat", "ph": "3", "block E": "DA1", "block C": "x"}
    assert report.details == expected | {"block @": "a"}
    (report,) = sia_dcs.parse(b"#1234|NMA7 ???")
    assert report.details == {"rest": " ???"}


def test_passcode_is_not_repeated() -> None:
    """Of a passcode block only the fact that it came is kept."""
    (report,) = sia_dcs.parse(b"#1234|?4711|NOP1")
    assert report.details == {"block ?": "present"}


def test_unknown_alarm() -> None:
    """An unknown code with an alarm letter is that alarm."""
    (report,) = sia_dcs.parse(b"#1234|NMQ1")
    assert report.event == (Kind.PERSONAL_EMERGENCY, Phase.NEW, "MQ", "sia_dcs")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text("NOA#|/^*ribaBPFLMC0123456789'", max_size=40).map(str.encode))
def test_nothing_raises(data: bytes) -> None:
    """Any data are read or not read, without an error."""
    for report in sia_dcs.parse(data):
        assert report.event.code.encode() in data


@pytest.mark.parametrize("gap", [",", ";", ".", " ", ", ", "]", "\\", " N", "|N"])
@pytest.mark.parametrize("modifiers", ["", "ri2/", "ri2id5"])
def test_a_call_after_another_separator_is_not_hidden_in_the_event_before(gap: str, modifiers: str) -> None:
    """A low battery is TECHNICAL, so the call after it must be an event of its own."""
    codes = [code for code, *_ in read(f"#1234|Nri1/YT00{gap}{modifiers}PA02")]
    assert codes == ["YT", "PA"]


@pytest.mark.parametrize("text", [" KITCHEN", " TV room", " 01", "-01", "; hall", " PAUL"])
def test_a_text_after_an_event_is_not_an_event(text: str) -> None:
    """A text after an event stays a detail."""
    (report,) = sia_dcs.parse(f"#1234|Nri1/YT{text}".encode())
    assert report.details["rest"] == text


def test_very_many_events_are_counted() -> None:
    """The first events are reported one by one, and one report stands for the others, which may be calls."""
    reports = sia_dcs.parse(b"#1234|N" + b"/".join([b"PA"] * 1_300))
    assert len(reports) == EVENTS_MAX + 1
    assert {report.event.kind for report in reports[:-1]} == {Kind.PERSONAL_EMERGENCY}
    last = reports[-1]
    assert (last.event.kind, last.event.code) == (Kind.UNREADABLE, "more")
    assert f"and {1_300 - EVENTS_MAX} more events" in last.text

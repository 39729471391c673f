"""Whose call it is: one home is tied, several are a choice, and a person's word stays."""

from __future__ import annotations

from datetime import date

import pytest

from vetlla.domain.calls import AlarmFacts, AlarmMethod, CallRecord, Direction, Tie, TieMethod
from vetlla.domain.clock import SECOND_US
from vetlla.domain.homes import Home, Period
from vetlla.service.calls.ties import HomeNumbers, alarm_reason, home_reason, home_tie, is_same_agent, with_alarm

DAY = date(2026, 11, 3)
SINCE = (Period(date(2020, 1, 1), None),)


def home(code: str, *phones: str, active: tuple[Period, ...] = SINCE) -> Home:
    """Return a home with telephones."""
    return Home(code=code, district="01", base="NORD", level=1, alone=False, phones=phones, active=active)


HOMES = {
    one.code: one
    for one in (
        home("H1", "900 000 001"),
        home("H2", "+34 900-000-002", "900000003"),
        home("H3", "0034900000003"),
        home("H4", "900000004"),
        home("H5", "900000004", active=(Period(date(2018, 1, 1), date(2020, 1, 1)),)),
        home("H6", "112"),
    )
}
NUMBERS = HomeNumbers(HOMES, {"900000007": ["H1"], "1234": ["H2"], "tel:900000001": ["H1"]})


@pytest.mark.parametrize(
    ("number", "tie"),
    [
        ("+34900000001", Tie(TieMethod.PHONE, "H1")),
        ("+34900000002", Tie(TieMethod.PHONE, "H2")),
        ("+34900000003", Tie(TieMethod.SEVERAL, homes=("H2", "H3"))),
        ("+34900000004", Tie(TieMethod.PHONE, "H4")),  # H5 had left
        ("+34900000007", Tie(TieMethod.ACCOUNT, "H1")),
        ("+34900000009", Tie(TieMethod.UNKNOWN)),
        ("1234", Tie(TieMethod.NO_NUMBER)),
        ("112", Tie(TieMethod.NO_NUMBER)),
        ("", Tie(TieMethod.NO_NUMBER)),
    ],
)
def test_a_number_ties_a_call_to_one_home(number: str, tie: Tie) -> None:
    """However a home wrote its number; an extension or an account of four digits is no telephone."""
    assert NUMBERS.tie(number, DAY) == tie
    assert home_reason(tie)


def test_homes_that_all_left_stay_a_choice() -> None:
    """On a day on which no home with the number was attended, nothing is decided by the day."""
    assert NUMBERS.tie("+34900000004", date(2030, 1, 1)) == Tie(TieMethod.PHONE, "H4")
    assert NUMBERS.tie("+34900000004", date(2017, 1, 1)).homes == ("H4", "H5")
    assert NUMBERS.tie("+34900000004", None).homes == ("H4", "H5")


def test_the_number_of_the_other_side_counts() -> None:
    """Of a call in, the caller; of a call out, the called number."""
    call = CallRecord(caller="+34900000001", called="+34900000002")
    for direction, code in ((Direction.IN, "H1"), (Direction.OUT, "H2")):
        assert home_tie(call._replace(direction=direction), NUMBERS, DAY, None).home == code


def test_a_person_and_a_file_decide_before_the_number() -> None:
    """What a person tied stays; a home that the file names needs no number."""
    by_hand = Tie(TieMethod.BY_HAND, "H9", reason="she said so", by="ana")
    record = CallRecord(direction=Direction.IN, caller="+34900000001", home="H4")
    assert home_tie(record, NUMBERS, DAY, by_hand) == by_hand
    assert home_reason(by_hand) == "tied by ana: she said so"
    assert home_tie(record, NUMBERS, DAY, Tie(TieMethod.PHONE, "H1")) == Tie(TieMethod.FILE, "H4")


S = SECOND_US
CALL = CallRecord(direction=Direction.IN, started=1000 * S, answered=1010 * S, ended=1100 * S, agent="PJSIP/maria")
TIED = Tie(TieMethod.PHONE, "H1")


def alarm(number: int, *, operator: str = "maria", claimed: int | None = 1005 * S, notes: str = "") -> AlarmFacts:
    """Return an alarm of the home."""
    return AlarmFacts(number, "H1", operator, claimed, None, notes)


@pytest.mark.parametrize(
    ("alarms", "method", "number"),
    [
        ([], AlarmMethod.NONE, None),
        ([alarm(1)], AlarmMethod.AGENT, 1),
        ([alarm(1), alarm(2, operator="joan")], AlarmMethod.AGENT, 1),
        ([alarm(1), alarm(2)], AlarmMethod.SEVERAL, None),
        ([alarm(1), alarm(2, notes="call 7.1 back\nlater")], AlarmMethod.NOTE, 2),
        ([alarm(1, notes="17.15")], AlarmMethod.AGENT, 1),
        ([alarm(1, claimed=700 * S)], AlarmMethod.AGENT, 1),
        ([alarm(1, claimed=699 * S)], AlarmMethod.NONE, None),
        ([alarm(1, claimed=1401 * S)], AlarmMethod.NONE, None),
        ([alarm(1, claimed=None)], AlarmMethod.NONE, None),
        ([AlarmFacts(1, "H1", "maria", 1 * S, 1100 * S)], AlarmMethod.AGENT, 1),
    ],
)
def test_the_alarm_of_the_call(alarms: list[AlarmFacts], method: AlarmMethod, number: int | None) -> None:
    """Its agent worked on it within 300 s around the call, or a note has the call's id; several are a choice."""
    found = with_alarm(TIED, CALL, "7.1", {"H1": alarms}, 300 * S)
    assert (found.alarm_method, found.alarm, found.home) == (method, number, "H1")
    assert alarm_reason(found)
    assert len(found.alarms) == (2 if method is AlarmMethod.SEVERAL else 0)


def test_a_call_without_a_home_has_no_alarm() -> None:
    """Alarms of other homes and of no home are none of it; a file may name the alarm itself."""
    none = Tie(TieMethod.UNKNOWN)
    assert with_alarm(none, CALL, "7.1", {"H1": [alarm(1)], "": [alarm(2)]}, 300 * S).alarm is None
    named = with_alarm(none, CALL._replace(alarm=8), "7.1", {}, 300 * S)
    assert (named.alarm, named.alarm_method) == (8, AlarmMethod.FILE)


@pytest.mark.parametrize(
    ("agent", "operator", "same"),
    [("Maria", "maria", True), ("SIP/maria", "maria", True), ("PJSIP/101", "maria", False), ("", "", False)],
)
def test_an_agent_is_an_operator_by_name(agent: str, operator: str, *, same: bool) -> None:
    """A PBX puts the technology before the name; an empty name is no operator."""
    assert is_same_agent(agent, operator) is same

"""An operator gets the next call, and what became of it is recorded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.agenda import CALENDAR, RULES, figures, home, person
from vetlla.domain.clock import to_us
from vetlla.domain.duties import DutyVerdict, NewEvent
from vetlla.domain.errors import UsageError
from vetlla.domain.homes import Period, Programme
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.agenda import desk
from vetlla.tasks.agenda.incoming import Counted, IncomingCall, count_incoming
from vetlla.tasks.duties import book
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rigs.agenda import Office
    from vetlla.service.agenda.call import AgendaCall
    from vetlla.tasks.agenda.desk import NextCall

NOON = datetime(2026, 12, 10, 11, tzinfo=UTC)


def taken(office: Office, operator: str, *languages: str) -> NextCall | None:
    with transaction(office.state_dir, office.clock) as connection:
        return desk.next_call(connection, RULES, operator, languages, Recording(office.clock.now().utc_us, "test"))


def act(office: Office, function: Callable[..., Any], number: int, **more: Any) -> Any:  # noqa: ANN401 - of any act
    with transaction(office.state_dir, office.clock) as connection:
        now_us = office.clock.now().utc_us
        told = NewEvent("", "", "", now_us, by="op1")
        return function(connection, RULES, number, told, Recording(now_us, "test"), **more)


def incoming(office: Office, code: str, at_us: int, ref: str = "") -> Counted:
    with transaction(office.state_dir, office.clock) as connection:
        recording = Recording(office.clock.now().utc_us, "test")
        return count_incoming(connection, RULES, IncomingCall(code, at_us, ref), recording)


@pytest.fixture
def busy(office: Office) -> Office:
    """Plan December for 60 homes; it is noon of the tenth."""
    office.register([home(n, n % 3 + 1, language="ca" if n % 2 else "fr") for n in range(60)])
    office.plan()
    office.wait(NOON)
    return office


def test_calls_are_handed_out_by_their_moment_and_each_once(busy: Office) -> None:
    found: list[AgendaCall] = []
    while one := taken(busy, f"op{len(found)}"):
        found.append(one.call)
    assert len({call.duty.id for call in found}) == len(found) > 10
    end = CALENDAR.end_of(date(2026, 12, 10).toordinal())
    assert [call.next_us for call in found] == sorted(call.next_us for call in found)
    assert all(call.next_us <= end for call in found)
    left = [call for call in busy.calls() if not call.ended and not call.holder and call.next_us <= end]
    assert all(call.last_us is not None and call.last_us < to_us(NOON) for call in left), "only those that are too late"


def test_what_must_be_made_today_comes_first(busy: Office) -> None:
    busy.wait(datetime(2026, 12, 15, 10, tzinfo=UTC))
    first = taken(busy, "op1")
    assert first is not None
    assert first.call.level == 3
    assert CALENDAR.date_of(first.call.last_us or 0) == date(2026, 12, 15)


def test_an_operator_gets_the_call_in_hand_again_and_the_lease_ends(busy: Office) -> None:
    one, again, other = taken(busy, "op1"), taken(busy, "op1"), taken(busy, "op2")
    assert one
    assert again
    assert other
    assert one.call.duty.id == again.call.duty.id != other.call.duty.id
    busy.clock.advance(figures().lease_us / 1_000_000 + 1)
    third = taken(busy, "op3")
    assert third
    assert third.call.duty.id == one.call.duty.id


def test_a_call_without_an_answer_comes_back_later(busy: Office) -> None:
    one = taken(busy, "op1")
    assert one
    act(busy, desk.no_answer, one.call.duty.id)
    following = taken(busy, "op1")
    assert following
    assert following.call.duty.id != one.call.duty.id
    act(busy, desk.answered, following.call.duty.id)
    busy.clock.advance(figures().retry_us / 1_000_000)
    tried: set[tuple[int, int]] = set()
    while found := taken(busy, f"op{len(tried)}"):
        tried.add((found.call.duty.id, found.call.attempts))
    assert (one.call.duty.id, 1) in tried


def test_a_call_is_given_up_after_its_attempts_only(busy: Office) -> None:
    one = taken(busy, "op1")
    assert one
    for attempt in range(figures().attempts):
        with pytest.raises(UsageError, match=f"{attempt} of 3"):
            act(busy, desk.unanswered, one.call.duty.id)
        act(busy, desk.no_answer, one.call.duty.id)
        busy.clock.advance(3600)
    assert act(busy, desk.unanswered, one.call.duty.id).verdict is DutyVerdict.BREACHED
    with pytest.raises(UsageError, match="unanswered already"):
        act(busy, desk.answered, one.call.duty.id)


def test_an_attempt_that_is_entered_twice_counts_once(busy: Office) -> None:
    one = taken(busy, "op1")
    assert one
    act(busy, desk.no_answer, one.call.duty.id)
    busy.clock.advance(desk.DOUBLE_PRESS_S - 1)
    with pytest.raises(UsageError, match="counts once"):
        act(busy, desk.no_answer, one.call.duty.id)
    busy.clock.advance(1)
    assert act(busy, desk.no_answer, one.call.duty.id)[1].attempts == 2


@pytest.mark.parametrize(
    ("to", "warning"),
    [
        ("2026-12-17 10:30", ""),
        ("2026-12-20", "no working day"),
        ("2026-12-25", "no working day"),
        ("2026-12-17 23:30", "no operator calls at that time"),
    ],
)
def test_a_postponed_call_is_warned_of_a_time_without_operators(busy: Office, to: str, warning: str) -> None:
    call = next(call for call in busy.calls() if call.level == 3 and call.duty.ref.endswith("-2"))
    warnings = act(busy, desk.postpone, call.duty.id, to=to).warnings
    assert [warning in said for said in warnings] == ([True] if warning else [])


def test_a_follow_up_whose_time_has_ended_is_not_postponed(busy: Office) -> None:
    """It is no longer made; a late revaluation is, and may be postponed (tests/cli/agenda)."""
    number = next(call.duty.id for call in busy.calls() if not call.ended and call.duty.kind == "follow_up")
    busy.wait(datetime(2027, 1, 5, 10, tzinfo=UTC))
    with pytest.raises(UsageError, match="no longer made"):
        act(busy, desk.postpone, number, to="2027-01-07 10:30")


def test_a_postponed_call_waits_for_its_time_and_never_leaves_its_period(busy: Office) -> None:
    call = next(call for call in busy.calls() if call.level == 3 and call.duty.ref.endswith("-2"))
    number = call.duty.id
    with pytest.raises(UsageError, match="2026-12-31"):
        act(busy, desk.postpone, number, to="2027-01-02")
    with pytest.raises(UsageError, match="passed"):
        act(busy, desk.postpone, number, to="2026-12-10 09:00")
    with pytest.raises(UsageError, match="is no time"):
        act(busy, desk.postpone, number, to="tomorrow")
    _, moved, _ = act(busy, desk.postpone, number, to="2026-12-17 16:30")
    assert moved.next_us == to_us(datetime(2026, 12, 17, 15, 30, tzinfo=UTC))
    busy.clock.advance(60)
    _, moved, _ = act(busy, desk.postpone, number, to="2026-12-18")
    assert moved.next_us == to_us(datetime(2026, 12, 18, 15, 30, tzinfo=UTC))
    busy.wait(datetime(2026, 12, 18, 9, tzinfo=UTC))
    handed: set[int] = set()
    while found := taken(busy, f"op{len(handed)}"):
        handed.add(found.call.duty.id)
    assert number not in handed
    busy.wait(datetime(2026, 12, 18, 15, 30, tzinfo=UTC))
    handed.clear()
    while found := taken(busy, f"late{len(handed)}"):
        handed.add(found.call.duty.id)
    assert number in handed


@pytest.mark.parametrize(
    ("to", "hour"),
    [
        ("20261216T1630", 16),
        ("2026-12-16T16:30", 16),
        ("16/12/2026 16:30", 16),
        ("2026-W51-3T16:30", 16),
        ("2026-12-16T15:30Z", 16),
        ("20261216", None),
        ("2026-12-16", None),
        ("16/12/2026", None),
        ("2026-W51-3", None),
    ],
)
def test_a_call_is_postponed_to_a_time_or_to_a_day_at_its_own_time(busy: Office, to: str, hour: int | None) -> None:
    one = next(call for call in busy.calls() if call.level == 2)
    own = CALENDAR.begin_of(CALENDAR.date_of(one.planned_us or 0).toordinal())
    begin = CALENDAR.begin_of(date(2026, 12, 16).toordinal())
    _, moved, _ = act(busy, desk.postpone, one.duty.id, to=to)
    expected = (one.planned_us or 0) - own if hour is None else (hour * 60 + 30) * 60_000_000
    assert moved.next_us - begin == pytest.approx(expected, abs=60_000_000)


def test_the_home_of_a_call_in_hand_has_left_and_the_operator_gets_the_next_call(busy: Office) -> None:
    one = taken(busy, "op1", "ca")
    assert one
    number = int(one.home.code[1:])
    busy.clock.advance(60)
    again = taken(busy, "op1", "fr")
    assert again
    assert again.call.duty.id == one.call.duty.id, "in whatever language"
    busy.register([home(number, number % 3 + 1, active=(Period(date(2020, 1, 1), date(2026, 12, 9)),))])
    following = taken(busy, "op1")
    assert following
    assert following.home.code != one.home.code


def test_the_first_call_of_a_language_is_found_behind_many_of_another(office: Office) -> None:
    """Revaluations of another language wait before it, and a follow-up of the language is planned after it."""
    numbers = range(260)
    carers = Programme("carers", Period(date(2025, 1, 1)))
    people = [person(n, letter, *[carers] * (n >= 60)) for n in numbers for letter in "ABC"]
    office.register([home(n, language="fr") for n in numbers], people)  # 60 of them have follow-ups
    office.plan()
    office.wait(datetime(2026, 12, 31, 9, tzinfo=UTC))
    calls = sorted((call for call in office.calls() if not call.ended), key=lambda call: (call.next_us, call.duty.id))
    revaluations = [call for call in calls if call.duty.kind == "revaluation"]
    revalued = {call.home for call in revaluations}
    first = {call.home for call in revaluations[: desk.AT_FIRST]}
    wanted = next(call for call in revaluations[desk.AT_FIRST :] if call.home not in first)
    later = next(call for call in reversed(calls) if call.duty.kind == "follow_up" and call.home not in revalued)
    assert later.next_us > wanted.next_us
    office.register([home(int(call.home[1:]), language="ca") for call in (wanted, later)])
    found = taken(office, "op1", "ca")
    assert found
    assert found.call.duty.id == wanted.duty.id


def test_languages_and_suspended_homes(busy: Office) -> None:
    first = taken(busy, "op1", "fr")
    assert first
    assert first.home.language == "fr"
    number = int(first.home.code[1:])
    busy.clock.advance(3600)
    away = (Period(date(2026, 12, 10)),)
    busy.register([home(number, number % 3 + 1, language="fr", suspended=away)])
    handed: set[str] = set()
    while found := taken(busy, f"op{len(handed)}", "fr", "en"):
        assert found.home.language == "fr"
        handed.add(found.home.code)
    assert first.home.code not in handed
    assert len(handed) > 3


def test_familiarisation_takes_several_calls(office: Office) -> None:
    office.register([home(1)], [person(1)])
    office.plan()
    office.register([home(2, active=(Period(date(2026, 11, 26)),))], [person(2)])
    office.wait(datetime(2026, 11, 27, 9, tzinfo=UTC))
    office.plan()
    found = [taken(office, "op1"), taken(office, "op2")]
    kinds = {one.call.duty.kind: one.call.duty.id for one in found if one}
    assert set(kinds) == {"familiarisation", "contact_call"}
    act(office, desk.called, kinds["familiarisation"])
    assert act(office, desk.answered, kinds["contact_call"]).verdict is DutyVerdict.KEPT
    assert taken(office, "op1") is None
    office.clock.advance(figures().again_us / 1_000_000)
    again = taken(office, "op1")
    assert again
    assert again.call.duty.id == kinds["familiarisation"]
    with pytest.raises(UsageError, match="not given up"):
        act(office, desk.unanswered, kinds["familiarisation"])


def test_an_incoming_call_counts_once_and_only_if_it_is_clear(busy: Office) -> None:
    at_us = to_us(NOON) - 3_600_000_000
    code = next(call.home for call in busy.calls() if call.level == 2)
    found = incoming(busy, code, at_us, "PBX-77")
    assert found.standing
    assert found.standing.verdict is DutyVerdict.KEPT
    assert found.standing.ended
    assert found.standing.ended.told.at_us == at_us
    assert incoming(busy, code, at_us, "PBX-77").why == "call PBX-77 is recorded already"
    assert "no open call" in incoming(busy, code, at_us, "PBX-78").why
    with pytest.raises(UsageError, match="no home"):
        incoming(busy, "H999999", at_us)


def test_an_incoming_call_of_level_3_counts_for_the_part_of_the_month_in_which_it_came(busy: Office) -> None:
    code = next(call.home for call in busy.calls() if call.level == 3)
    at_us = to_us(NOON)
    found = incoming(busy, code, at_us)
    assert found.standing
    assert found.standing.duty.ref.endswith("-1")
    assert incoming(busy, code, at_us).standing is None


def test_several_open_calls_of_a_home_are_a_choice(office: Office) -> None:
    office.register([home(n) for n in range(40)], [person(n, letter) for n in range(40) for letter in "ABC"])
    office.plan()
    office.wait(NOON)
    revalued = [call.home for call in office.calls() if call.duty.kind == "revaluation"]
    code = next(one for one in revalued if revalued.count(one) > 1)
    found = incoming(office, code, to_us(NOON))
    assert found.standing is None
    assert len(found.candidates) == revalued.count(code)


def test_an_act_on_another_kind_of_duty_is_refused(busy: Office) -> None:
    with transaction(busy.state_dir, busy.clock) as connection:
        now_us = busy.clock.now().utc_us
        told = NewEvent("fault", "H000001", "", now_us - timedelta(hours=1) // timedelta(microseconds=1))
        one = book.open_duty(connection, RULES, told, Recording(now_us, "test"))
    with pytest.raises(UsageError, match="no call of the agenda"):
        act(busy, desk.answered, one.duty.id)

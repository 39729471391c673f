"""Planning writes what a month needs; planning again writes only what has changed since."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rigs.agenda import BEFORE, CALENDAR, LONG, RULES, Office, figures, home, person
from vetlla.domain.clock import ManualClock
from vetlla.domain.duties import DutyVerdict, NewEvent
from vetlla.domain.errors import UsageError
from vetlla.domain.homes import Period, Programme
from vetlla.service.agenda.rhythm import place_of, turns
from vetlla.service.duties.standing import standing
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.tasks.duties import book
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.service.agenda.call import AgendaCall

CARERS = Programme("carers", Period(date(2025, 1, 1)))


def outcome(call: AgendaCall) -> str:
    return call.ended.told.event if call.ended else "open"


def outcomes(calls: Iterable[AgendaCall]) -> Counter[str]:
    return Counter(map(outcome, calls))


def due_in_december(number: int) -> int:
    """Return how many follow-ups a home of level 1 has in December."""
    return len(turns(place_of(home(number).code), 8, 11))


def test_planning_again_changes_nothing(office: Office) -> None:
    office.register([home(n, n % 3 + 1) for n in range(60)], [person(n) for n in range(60)])
    first = office.plan()
    before = office.calls()
    assert sum(first.new.values()) + first.replaced == len(before)
    office.wait(BEFORE + timedelta(days=1))
    again = office.plan()
    assert (again.new, again.replaced, again.moved, again.off) == (Counter(), 0, 0, Counter())
    assert again.kept == sum(first.new.values())
    assert office.calls() == before
    assert sum(again.load.values()) == sum(first.load.values())


def test_a_dry_run_writes_nothing(office: Office) -> None:
    office.register([home(n) for n in range(5)])
    assert sum(office.plan(dry_run=True).new.values()) == 5
    assert office.calls() == []


def test_a_new_home_gets_its_calls_and_the_others_keep_theirs(office: Office) -> None:
    office.register([home(n) for n in range(20)])
    office.plan()
    before = office.calls()
    office.wait(datetime(2026, 12, 10, 6, tzinfo=UTC))
    office.register([home(99, 3, active=(Period(date(2026, 12, 10)),))])
    assert sum(office.plan().new.values()) == 2
    new = [call for call in office.calls() if call not in before]
    assert {call.home for call in new} == {"H000099"}
    days = sorted(CALENDAR.date_of(call.planned_us or 0) for call in new)
    assert days[0] >= date(2026, 12, 10)
    assert (days[1] - days[0]).days >= figures().spacing or days[0] > date(2026, 12, 8)


def test_calls_of_homes_that_left_or_are_suspended_are_called_off_with_the_cause(office: Office) -> None:
    office.register([home(1), home(2), home(3)])
    office.plan()
    office.wait(datetime(2026, 11, 30, 8, tzinfo=UTC))
    office.register(
        [
            home(1, active=(Period(date(2020, 1, 1), date(2026, 11, 29)),)),
            home(2, suspended=(Period(date(2026, 11, 28)),)),
            home(4),
        ],
        [person(3, "A", CARERS)],
    )
    office.plan()
    found = {call.home: call.ended.told.note for call in office.calls() if call.ended}
    assert found == {
        "H000001": "not in the service",
        "H000002": "suspended",
        "H000003": "in a programme with fortnightly calls",
    }
    with snapshot(office.state_dir, office.clock) as connection:
        one = book.duties_of(connection, RULES, "follow_up", "H000001")[0]
    assert standing(one, RULES, office.clock.now().utc_us).verdict is DutyVerdict.CANCELLED
    assert one.events[-1].told.at_us == CALENDAR.end_of(date(2026, 11, 29).toordinal())


def test_a_home_that_comes_back_gets_a_call_again(office: Office) -> None:
    office.register([home(1)])
    office.plan()
    office.wait(datetime(2026, 12, 2, 6, tzinfo=UTC))
    office.register([home(1, suspended=(Period(date(2026, 12, 2)),))])
    office.plan()
    office.wait(datetime(2026, 12, 9, 6, tzinfo=UTC))
    office.register([home(1, suspended=(Period(date(2026, 12, 2), date(2026, 12, 20)),))])
    office.plan()
    calls = office.calls()
    if len(calls) == 1:  # its day had passed before the suspension
        assert CALENDAR.date_of(calls[0].planned_us or 0) < date(2026, 12, 2)
        return
    assert [outcome(call) for call in calls] == ["cancelled", "open"]
    assert calls[1].duty.ref == "FU-2026-12-H000001-1-2"
    assert CALENDAR.date_of(calls[1].planned_us or 0) > date(2026, 12, 20)


def test_a_call_on_a_day_of_a_suspension_moves_to_another_day(office: Office) -> None:
    homes = [home(n) for n in range(40)]
    office.register(homes)
    office.plan()
    away = Period(date(2026, 12, 9), date(2026, 12, 18))
    office.wait(datetime(2026, 12, 1, 7, tzinfo=UTC))
    office.register([home(n, suspended=(away,)) for n in range(40)])
    inside = [call for call in office.calls() if away.covers(CALENDAR.date_of(call.planned_us or 0))]
    done = office.plan()
    assert done.moved == len(inside) > 5
    calls = office.calls()
    assert outcomes(calls) == {"open": 40}
    assert not [call for call in calls if away.covers(CALENDAR.date_of(call.planned_us or 0))]


def test_a_call_whose_day_has_passed_stays_to_be_made(office: Office) -> None:
    office.register([home(n) for n in range(40)])
    office.plan()
    office.wait(datetime(2026, 12, 16, 5, tzinfo=UTC))
    office.register([home(n, suspended=(Period(date(2026, 12, 1), date(2026, 12, 10)),)) for n in range(40)])
    before = office.calls()
    assert office.plan().moved == 0
    assert office.calls() == before


def test_a_call_that_a_person_called_off_is_not_opened_again(office: Office) -> None:
    office.register([home(1)])
    office.plan()
    (call,) = office.calls()
    office.wait(BEFORE + timedelta(hours=1))
    office.record(call.duty.id, "cancelled")
    office.wait(BEFORE + timedelta(hours=2))
    assert not office.plan().new
    assert outcomes(office.calls()) == {"cancelled": 1}


def test_another_level_opens_and_calls_off_what_it_changes(office: Office) -> None:
    quiet = next(n for n in range(50) if due_in_december(n) == 0)
    office.register([home(quiet, 1), home(900, 3)])
    assert sum(office.plan().new.values()) == 2
    office.wait(BEFORE + timedelta(days=1))
    office.register([home(quiet, 2), home(900, 2)])
    done = office.plan()
    assert (sum(done.new.values()), sum(done.off.values())) == (1, 1)
    off = [call.ended.told.note for call in office.calls() if call.ended]
    assert off == ["not due at the present support level"]


def test_a_person_who_moves_in_replaces_the_follow_up_by_a_revaluation(office: Office) -> None:
    """A revaluation that is found later calls off the follow-up that was planned."""
    numbers = range(40)
    office.register([home(n) for n in numbers])
    office.plan()
    assert outcomes(office.calls()) == {"open": 40}
    office.wait(BEFORE + timedelta(days=1))
    office.register([], [person(n) for n in numbers])
    done = office.plan()
    new = sum(done.new.values())
    assert new == done.off["replaced by a revaluation"] > 0
    assert outcomes(office.calls()) == {"open": 40, "replaced": new}


def test_a_late_plan_says_which_calls_have_no_day(office: Office) -> None:
    office.register([home(n, 3) for n in range(4)])
    office.wait(datetime(2026, 12, 20, 8, tzinfo=UTC))
    done = office.plan()
    assert len(done.late) == 4
    assert sum(done.new.values()) == 4
    office.wait(datetime(2027, 1, 4, 8, tzinfo=UTC))
    with pytest.raises(UsageError, match="over"):
        office.plan()
    with pytest.raises(UsageError, match="ahead"):
        office.plan(date(2027, 8, 1))


def test_follow_ups_that_were_not_made_are_closed_and_stay_breached(office: Office) -> None:
    office.register([home(n) for n in range(3)])
    office.plan()
    office.wait(datetime(2027, 1, 2, 8, tzinfo=UTC))
    done = office.plan(date(2027, 1, 1))
    assert done.off == {"its time has ended": 3}
    now_us = office.clock.now().utc_us
    old = [call for call in office.calls(date(2027, 1, 1)) if call.ended]
    assert [standing(call.duty, RULES, now_us).verdict for call in old] == [DutyVerdict.BREACHED] * 3


@pytest.mark.parametrize(
    ("last", "verdict"),
    [
        (date(2026, 11, 20), DutyVerdict.CANCELLED),
        (date(2026, 12, 5), DutyVerdict.CANCELLED),
        (date(2026, 12, 31), DutyVerdict.BREACHED),
    ],
)
def test_a_call_that_was_not_due_when_its_home_left_is_no_breach(
    office: Office, last: date, verdict: DutyVerdict
) -> None:
    """The home left before the planning, in the month, or on its last day; that is known in the next month."""
    office.register([home(1)])
    office.plan()
    (call,) = office.calls()
    office.wait(datetime(2027, 1, 2, 8, tzinfo=UTC))
    office.register([home(1, active=(Period(date(2020, 1, 1), last),))])
    office.plan(date(2027, 1, 1))
    with snapshot(office.state_dir, office.clock) as connection:
        one = book.duty_of(connection, RULES, call.duty.id)
    now_us = office.clock.now().utc_us
    assert standing(one, RULES, now_us).verdict is verdict
    left_us = max(one.opened_us, CALENDAR.end_of(last.toordinal()))
    assert one.events[-1].told.at_us == (left_us if verdict is DutyVerdict.CANCELLED else now_us)


def test_people_who_joined_since_the_first_planning_are_welcomed_once(office: Office) -> None:
    office.register([home(1)], [person(1)])
    office.plan()
    office.register([home(2, active=(Period(date(2026, 11, 27)),))], [person(2), person(2, "B")])
    office.wait(datetime(2026, 11, 28, 8, tzinfo=UTC))
    assert office.plan().joined == 4
    office.wait(datetime(2026, 11, 29, 8, tzinfo=UTC))
    assert office.plan().joined == 0
    office.register([home(2, active=(Period(date(2026, 11, 27), date(2026, 11, 29)),))])
    office.wait(datetime(2026, 11, 30, 8, tzinfo=UTC))
    office.plan()
    with snapshot(office.state_dir, office.clock) as connection:
        for kind in ("familiarisation", "contact_call"):
            (one,) = book.duties_of(connection, RULES, kind, "P000002A")
            assert [event.told.event for event in one.events] == ["joined", "cancelled"]


def test_people_who_are_registered_late_are_welcomed_if_they_joined_after_the_first_planning(office: Office) -> None:
    office.register([home(1)])
    office.plan()
    office.wait(datetime(2026, 12, 9, 6, tzinfo=UTC))
    office.plan()
    office.wait(datetime(2026, 12, 10, 6, tzinfo=UTC))
    joined = {2: date(2026, 11, 20), 3: date(2026, 11, 26)}
    office.register([home(n, active=(Period(day),)) for n, day in joined.items()], [person(n) for n in joined])
    assert office.plan().joined == 2
    with snapshot(office.state_dir, office.clock) as connection:
        assert book.duties_of(connection, RULES, "familiarisation", "P000002A") == []
        assert len(book.duties_of(connection, RULES, "familiarisation", "P000003A")) == 1


def test_the_duties_towards_a_person_who_is_registered_months_late_are_breached(office: Office) -> None:
    office.register([home(1)])
    office.plan()
    office.wait(datetime(2027, 3, 10, 6, tzinfo=UTC))
    office.plan(date(2027, 3, 1))
    office.wait(datetime(2027, 3, 11, 6, tzinfo=UTC))
    office.register([home(2, active=(Period(date(2026, 12, 1)),))], [person(2)])
    assert office.plan(date(2027, 3, 1)).joined == 2
    office.wait(datetime(2027, 3, 12, 6, tzinfo=UTC))
    assert office.plan(date(2027, 3, 1)).joined == 0
    with snapshot(office.state_dir, office.clock) as connection:
        (one,) = book.duties_of(connection, RULES, "contact_call", "P000002A")
    assert standing(one, RULES, office.clock.now().utc_us).verdict is DutyVerdict.BREACHED


def test_an_emergency_of_the_last_months_makes_a_revaluation_due(office: Office) -> None:
    """Only an emergency for which a unit was sent, and that was not called off, counts."""
    numbers = range(120)
    office.register([home(n, 1) for n in numbers], [person(n) for n in numbers])
    plain = office.plan(dry_run=True).new["revaluation", 1]
    with transaction(office.state_dir, office.clock) as connection:
        now_us = office.clock.now().utc_us
        for n in numbers:
            at_us = now_us - n * 86_400_000_000  # the last ones are older than six months before December
            told = NewEvent("umo_1", home(n).code, "communicated", at_us)
            one = book.open_duty(connection, RULES, told, Recording(now_us, "test"))
            if n % 2:
                off = NewEvent("", "", "cancelled", at_us + 1)
                book.record(connection, RULES, one.duty.id, off, Recording(now_us, "test"))
    more = office.plan(dry_run=True).new["revaluation", 1]
    assert plain < more < 2 * plain


STEPS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(["left", "suspended", "back", "level", "carers", "answered"]),
        st.integers(0, 30),
    ),
    max_size=8,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_after_any_changes_planning_settles(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str, int]]
) -> None:
    """No open call lies on a day on which its home cannot be called, and a second planning changes nothing."""
    office = Office(tmp_path_factory.mktemp("office"), ManualClock(BEFORE))
    homes = {n: home(n, n % 3 + 1) for n in range(6)}
    office.register(homes.values(), [person(n) for n in homes])
    office.plan()
    for n, what, day in steps:
        office.clock.advance(6 * 3600)
        since = date(2026, 11, 26) + timedelta(days=day)
        level = homes[n].level % 3 + 1 if what == "level" else homes[n].level
        active = (Period(LONG[0].since, since),) if what == "left" else LONG
        suspended = (Period(since, since + timedelta(days=9)),) if what == "suspended" else ()
        homes[n] = home(n, level, active=active, suspended=suspended)
        office.register([homes[n]], [person(n, "A", CARERS)] if what == "carers" else [])
        if what == "answered":
            for call in office.calls():
                if call.home == homes[n].code and not call.ended:
                    office.record(call.duty.id, "answered")
        office.plan()
    office.clock.advance(3600)
    before = office.calls()
    again = office.plan()
    assert (sum(again.new.values()), again.replaced, again.moved, sum(again.off.values())) == (0, 0, 0, 0)
    assert office.calls() == before
    today = CALENDAR.date_of(office.clock.now().utc_us)
    for call in before:
        if call.ended or call.planned_us is None:
            continue
        at, one = CALENDAR.date_of(call.planned_us), homes[int(call.home[1:])]
        assert at < today or (one.active_on(at) and not any(period.covers(at) for period in one.suspended))
    for (kind, subject, ref), number in Counter(
        (call.duty.kind, call.duty.subject, call.duty.ref[:20]) for call in before if not call.ended
    ).items():
        assert number == 1, (kind, subject, ref)

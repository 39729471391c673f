"""Duties towards people who joined and have left again: a breach is one that could have been avoided."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from tests.rigs.agenda import CALENDAR, RULES, home, person
from vetlla.domain.clock import to_us
from vetlla.domain.duties import DutyVerdict
from vetlla.domain.homes import Period
from vetlla.service.duties.standing import standing
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    from tests.rigs.agenda import Office
    from vetlla.service.duties.standing import Standing

LATER = datetime(2027, 3, 10, 6, tzinfo=UTC)
MARCH = date(2027, 3, 1)
JOINED = date(2026, 12, 1)
BREACHED, CANCELLED, OPEN = DutyVerdict.BREACHED, DutyVerdict.CANCELLED, DutyVerdict.OPEN


def duties(office: Office) -> list[Standing]:
    with snapshot(office.state_dir, office.clock) as connection:
        found = book.duties_of(connection, RULES, "contact_call", "P000002A")
    return [standing(one, RULES, office.clock.now().utc_us) for one in found]


def register(office: Office, *stays: Period) -> None:
    office.register([home(2, active=stays)], [person(2)])


@pytest.fixture
def late(office: Office) -> Office:
    """Return an office that planned first in November, and now is in March."""
    office.register([home(1)])
    office.plan()
    office.wait(LATER)
    return office


@pytest.mark.parametrize(
    ("last", "verdict"),
    [(date(2026, 12, 10), CANCELLED), (date(2026, 12, 16), CANCELLED), (date(2026, 12, 17), BREACHED)],
)
def test_who_left_within_the_limit_before_being_registered_was_owed_nothing(
    late: Office, last: date, verdict: DutyVerdict
) -> None:
    register(late, Period(JOINED, last))
    assert late.plan(MARCH).joined == 2
    (one,) = duties(late)
    assert (one.verdict, [event.told.event for event in one.duty.events]) == (verdict, ["joined", "cancelled"])
    assert one.duty.events[-1].told.at_us == CALENDAR.end_of(last.toordinal())
    late.wait(datetime(2027, 3, 11, 6, tzinfo=UTC))
    assert late.plan(MARCH).joined == 0
    assert duties(late)[0].duty == one.duty


def test_the_agenda_is_planned_long_after_the_end_of_a_stay(office: Office) -> None:
    office.register([home(1)])
    office.plan()
    office.wait(datetime(2026, 12, 2, 6, tzinfo=UTC))
    register(office, Period(JOINED))
    office.plan()
    assert duties(office)[0].verdict is OPEN
    register(office, Period(JOINED, date(2026, 12, 10)))
    office.wait(LATER)
    office.plan(MARCH)
    assert duties(office)[0].verdict is CANCELLED


def test_a_stay_that_is_over_owes_nothing_when_the_person_is_back(late: Office) -> None:
    register(late, Period(JOINED, date(2026, 12, 5)), Period(date(2027, 3, 5)))
    assert late.plan(MARCH).joined == 4
    assert [one.verdict for one in duties(late)] == [CANCELLED, OPEN]


def test_a_stay_goes_on_in_the_next_period(late: Office) -> None:
    register(late, Period(JOINED, date(2026, 12, 5)), Period(date(2026, 12, 6), date(2027, 1, 31)))
    assert late.plan(MARCH).joined == 2
    (one,) = duties(late)
    assert (one.verdict, one.duty.events[-1].told.at_us) == (BREACHED, to_us(datetime(2027, 1, 31, 23, tzinfo=UTC)) - 1)


def test_a_duty_from_before_a_corrected_stay_ends_when_the_agenda_is_planned(late: Office) -> None:
    register(late, Period(date(2027, 3, 8)))
    late.plan(MARCH)
    late.wait(datetime(2027, 3, 11, 6, tzinfo=UTC))
    register(late, Period(date(2027, 4, 8)))
    late.plan(MARCH)
    (one,) = duties(late)
    assert (one.verdict, one.duty.events[-1].told.at_us) == (CANCELLED, late.clock.now().utc_us)

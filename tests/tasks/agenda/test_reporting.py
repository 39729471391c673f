"""The report of a month counts what was answered in it, however long ago that was planned."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from tests.rigs.agenda import RULES, home, person
from vetlla.domain.duties import NewEvent
from vetlla.store.duties import events
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.tasks.agenda.looking import calls_on, month_summary
from vetlla.tasks.duties.index import keep_index

if TYPE_CHECKING:
    from tests.rigs.agenda import Office
    from vetlla.service.agenda.call import AgendaCall

LATE = datetime(2027, 7, 14, 9, tzinfo=UTC)


@pytest.fixture
def revalued(office: Office) -> AgendaCall:
    """Plan December; return a revaluation of it that was not made. It is July, and nothing was planned since."""
    office.register([home(n) for n in range(40)], [person(n) for n in range(40)])
    office.plan()
    found = next(call for call in office.calls() if call.duty.kind == "revaluation")
    office.wait(LATE)
    return found


def effective(office: Office, first: date) -> int:
    with snapshot(office.state_dir, office.clock) as connection:
        found = month_summary(connection, RULES, first, office.clock.now().utc_us)
    return sum(found.effective.values())


def test_a_revaluation_that_is_answered_months_later_counts_in_the_month_of_the_answer(
    office: Office, revalued: AgendaCall
) -> None:
    office.record(revalued.duty.id, "answered")
    assert effective(office, date(2027, 7, 1)) == 1
    assert effective(office, date(2027, 6, 1)) == 0
    assert effective(office, date(2026, 12, 1)) == 0


def test_an_answer_of_a_file_counts_for_the_old_call_that_it_names(office: Office, revalued: AgendaCall) -> None:
    """The person has a newer call, which is open, too; the answer names the older one by its reference."""
    now_us = office.clock.now().utc_us
    subject = revalued.duty.subject
    newer = NewEvent("revaluation", subject, "planned", now_us - 1, "RV-NEW", end_us=now_us + 1)
    told = NewEvent("revaluation", subject, "answered", now_us, revalued.duty.ref)
    with transaction(office.state_dir, office.clock) as connection:
        events.add_all(connection, [newer, told], "test.csv", now_us)
        keep_index(connection, RULES, [("revaluation", subject)])
    assert effective(office, date(2027, 7, 1)) == 1
    found = {call.duty.ref: call for call in office.calls(date(2027, 7, 1)) if call.duty.subject == subject}
    assert found["RV-NEW"].ended is None
    assert found[revalued.duty.ref].ended is not None


def test_a_call_of_old_that_was_postponed_is_listed_on_its_new_day(office: Office, revalued: AgendaCall) -> None:
    now_us = office.clock.now().utc_us
    with transaction(office.state_dir, office.clock) as connection:
        duty = revalued.duty
        told = NewEvent(duty.kind, duty.subject, "postponed", now_us, duty.ref, duty=duty.id)
        told = told._replace(details='{"planned":"2027-08-03T09:00:00.000000Z"}')
        events.add_all(connection, [told], "test.csv", now_us)
        keep_index(connection, RULES, [(duty.kind, duty.subject)])
        found = calls_on(connection, RULES, date(2027, 8, 3))
    assert [call.duty.id for call in found] == [duty.id]

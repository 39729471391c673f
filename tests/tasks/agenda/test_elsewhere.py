"""Calls that another system planned stay, count, and get no second call beside them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from tests.rigs.agenda import BEFORE, CALENDAR, LONG, RULES, Office, home, person
from vetlla.domain.clock import to_us
from vetlla.domain.duties import NewEvent
from vetlla.domain.homes import Period
from vetlla.service.agenda.elsewhere import ELSEWHERE
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.agenda import desk
from vetlla.tasks.duties import book
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    from vetlla.service.agenda.call import AgendaCall

RECORDED = datetime(2026, 11, 24, 8, tzinfo=UTC)


def told_elsewhere(
    office: Office,
    subject: str,
    ref: str = "X-1",
    *,
    kind: str = "follow_up",
    days: tuple[int, int] = (1, 31),
    planned: str = "",
    at: datetime = RECORDED,
) -> int:
    """Open a call of December as a file of another system does; return its number."""
    promises = kind != "familiarisation"
    first = CALENDAR.begin_of(date(2026, 12, days[0]).toordinal()) if promises else None
    end_us = CALENDAR.end_of(date(2026, 12, days[1]).toordinal()) if promises else None
    details = f'{{"planned": "{planned}"}}' if planned else ""
    told = NewEvent(kind, subject, "", to_us(at), ref, begin_us=first, end_us=end_us, details=details)
    with transaction(office.state_dir, office.clock) as connection:
        recording = Recording(office.clock.now().utc_us, "other.csv")
        return book.open_duty(connection, RULES, told, recording).duty.id


def seen(office: Office) -> dict[str, str]:
    """Return what became of each call, by its reference."""
    return {one.duty.ref: outcome(one) for one in office.calls()}


def outcome(call: AgendaCall) -> str:
    return call.ended.told.event if call.ended else "open"


@pytest.mark.parametrize("end", ["", "answered", "cancelled"])
def test_a_call_of_another_system_takes_the_place_of_the_planned_one(office: Office, end: str) -> None:
    office.register([home(1)])
    number = told_elsewhere(office, "H000001")
    if end:
        office.record(number, end)
    office.clock.advance(60)
    for _ in range(2):
        done = office.plan()
        assert (sum(done.new.values()), sum(done.off.values()), done.kept) == (0, 0, 1)
        assert seen(office) == {"X-1": end or "open"}
        office.clock.advance(60)


def test_a_call_of_another_system_that_no_level_asks_for_stays(office: Office) -> None:
    office.register([home(1)])
    told_elsewhere(office, "H000001", "X-1")
    told_elsewhere(office, "H000001", "X-2", planned="2026-12-14T09:00:00.000000Z")
    office.clock.advance(60)
    done = office.plan()
    assert (sum(done.new.values()), sum(done.off.values())) == (0, 0)
    assert seen(office) == {"X-1": "open", "X-2": "open"}


def test_a_call_that_comes_after_the_planning_takes_the_place_of_the_planned_one(office: Office) -> None:
    office.register([home(1), home(2)])
    office.plan()
    office.clock.advance(60)
    started = next(one for one in office.calls() if one.home == "H000002")
    office.record(started.duty.id, "no_answer")
    for code in ("H000001", "H000002"):
        told_elsewhere(office, code, f"X-{code}")
    office.clock.advance(60)
    done = office.plan()
    assert dict(done.off) == {ELSEWHERE: 1}
    assert seen(office) == {
        "FU-2026-12-H000001-1": "cancelled", "X-H000001": "open",
        "FU-2026-12-H000002-1": "open", "X-H000002": "open",
    }  # fmt: skip
    office.clock.advance(60)
    assert (sum(office.plan().off.values()), len(office.calls())) == (0, 4)


def test_at_level_3_a_call_counts_for_its_half_of_the_month(office: Office) -> None:
    office.register([home(1, 3)])
    told_elsewhere(office, "H000001", days=(16, 31))
    office.clock.advance(60)
    assert sum(office.plan().new.values()) == 1
    assert seen(office) == {"FU-2026-12-H000001-1": "open", "X-1": "open"}


def test_a_call_of_another_system_is_called_off_if_its_home_has_left_or_is_suspended(office: Office) -> None:
    office.register(
        [
            home(1, active=(Period(LONG[0].since, date(2026, 11, 20)),)),
            home(2, suspended=(Period(date(2026, 12, 5), date(2026, 12, 12)),)),
            home(3, suspended=(Period(date(2026, 12, 5), date(2026, 12, 12)),)),
            home(4, suspended=(Period(date(2026, 11, 5)),)),
        ]
    )
    for number in range(1, 5):
        days = (7, 11) if number == 3 else (1, 31)
        planned = "2026-12-09T09:00:00.000000Z" if number == 2 else ""
        told_elsewhere(office, f"H00000{number}", f"X-{number}", days=days, planned=planned)
    office.clock.advance(60)
    done = office.plan()
    assert dict(done.off) == {"not in the service": 1, "suspended": 2}
    assert done.moved == 1
    found = seen(office)
    assert found.pop("FU-2026-12-H000003-1") == "open"
    assert found == {"X-1": "cancelled", "X-2": "open", "X-3": "cancelled", "X-4": "cancelled"}
    moved = next(one for one in office.calls() if one.duty.ref == "X-2")
    day = CALENDAR.date_of(moved.planned_us or 0)
    assert date(2026, 12, 1) <= day <= date(2026, 12, 31)
    assert not date(2026, 12, 5) <= day <= date(2026, 12, 12)


def test_a_revaluation_of_another_system_stays_and_an_operator_gets_it(office: Office) -> None:
    """Its file does not say the home of the person."""
    office.register([home(1)], [person(1)])
    told_elsewhere(office, "P000001A", "X-9", kind="revaluation")
    office.clock.advance(60)
    office.plan()
    office.wait(datetime(2026, 12, 30, 9, tzinfo=UTC))
    found = seen(office)
    assert found.pop("X-9") == "open"
    assert not [ref for ref in found if ref.startswith("RV-")]
    with transaction(office.state_dir, office.clock) as connection:
        recording = Recording(office.clock.now().utc_us, "test")
        handed = [desk.next_call(connection, RULES, f"op{n}", (), recording) for n in range(2)]
    assert ("H000001", "P000001A") in [(one.home.code, one.person) for one in handed if one]


def test_a_call_that_was_planned_for_the_whole_year_is_found(office: Office) -> None:
    office.register([home(1)])
    told_elsewhere(office, "H000001", at=datetime(2026, 1, 2, 8, tzinfo=UTC))
    assert not office.plan().new
    assert seen(office) == {"X-1": "open"}


def test_the_history_of_another_system_opens_no_duties_towards_people_who_joined_long_ago(office: Office) -> None:
    joined = {1: date(2026, 8, 1), 2: date(2026, 11, 25)}
    office.register([home(n, active=(Period(day),)) for n, day in joined.items()], [person(n) for n in joined])
    told_elsewhere(office, "H000001", at=datetime(2026, 1, 2, 8, tzinfo=UTC))
    told_elsewhere(office, "P000002A", "X-5", kind="familiarisation", at=BEFORE)
    office.clock.advance(60)
    assert office.plan().joined == 1  # the call to the contacts of the second person

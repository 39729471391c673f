"""Opening duties and recording their events by hand: what is refused, and what it comes to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.rigs.duties import NOW as NOW_MOMENT
from tests.rigs.duties import NOW_US, kind, promising, registry, rules, told
from vetlla.domain.clock import ManualClock
from vetlla.domain.duties import DutyVerdict, NewEvent
from vetlla.domain.errors import UsageError
from vetlla.service.duties.columns import event_row
from vetlla.store.duties import events as store
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.duties import book, looking
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

RULES = rules(
    60,
    "minutes",
    fault=kind(subject="document"),
    visit=promising("interval", subject="document"),
    plan=promising("date", subject="document"),
)
OPENED = told("", "2026-11-02 09:00")
NOW = Recording(NOW_US, "vetlla duties event")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with registry(tmp_path) as opened:
        yield opened


def open_(connection: sqlite3.Connection, event: NewEvent = OPENED) -> int:
    return book.open_duty(connection, RULES, event, NOW).duty.id


def record(connection: sqlite3.Connection, number: int, event: NewEvent, recorded_us: int = NOW_US) -> DutyVerdict:
    return book.record(connection, RULES, number, event, NOW._replace(now_us=recorded_us)).verdict


def take_back(connection: sqlite3.Connection, number: int, recorded_us: int = NOW_US) -> None:
    book.withdraw(connection, RULES, number, by="me", note="", recording=NOW._replace(now_us=recorded_us))


def test_a_duty_from_opening_to_end(connection: sqlite3.Connection) -> None:
    number = open_(connection)
    assert record(connection, number, told("arrived", "2026-11-02 09:30")) is DutyVerdict.BREACHED, "not yet solved"
    assert record(connection, number, told("solved", "2026-11-02 10:00")) is DutyVerdict.KEPT
    (duty,) = book.duties_of(connection, RULES, "fault", "H1")
    assert [event.told.event for event in duty.events] == ["detected", "arrived", "solved"]
    assert (duty.ref, duty.events[2].source) == ("V1", "vetlla duties event")


def test_two_duties_of_a_subject_are_not_mixed_up(connection: sqlite3.Connection) -> None:
    first, second = open_(connection), open_(connection, told("", "2026-11-02 09:10"))
    record(connection, first, told("solved", "2026-11-02 09:20"))
    found = book.open_duties_of(connection, RULES, ["fault"], "H1", NOW_US)
    assert [one.duty.id for one in found] == [second]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (told("", NOW_US + 1), "lies in the future"),
        (told("", "1989-12-31 12:00"), "lies before 1990"),
        (told("", "2026-11-02 09:00", kind="umo"), "there is no kind of duty 'umo'"),
        (told("", "2026-11-02 09:00", kind="plan"), "scheduled promises a time"),
        (told("", "2026-11-02 09:00", kind="visit", end_us=NOW_US), "scheduled promises an interval"),
        (told("", "2026-11-02 09:00", end_us=NOW_US), "detected promises no time"),
        (told("", "2026-11-02 09:00", kind="plan", begin_us=9, end_us=8), "--to is before --from"),
        (told("", "2026-11-02 09:00", "A"), "fault of H1 is recorded already at that time with reference A"),
        (told("", "2026-11-02 09:10", "x" * 129), "ref longer than 128 characters"),
        (told("", "2026-11-02 09:10", by="x" * 65), "by longer than 64 characters"),
        (told("", "2026-11-02 09:01", "A"), "fault 1 of H1 has the reference A and another time"),
    ],
)
def test_an_opening_is_refused(connection: sqlite3.Connection, event: NewEvent, message: str) -> None:
    open_(connection, told("", "2026-11-02 09:00", "A"))
    with pytest.raises(UsageError, match=message):
        open_(connection, event)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (told("mended", "2026-11-02 10:00"), "a fault has no event 'mended'"),
        (told("detected", "2026-11-02 10:00"), "a fault has no event 'detected'"),
        (told("solved", "2026-11-02 08:59"), "duty 1 was opened later than that"),
        (told("solved", NOW_US + 1), "lies in the future"),
        (told("cancelled", "2026-11-02 10:00"), "duty 1 is cancelled already"),
        (told("arrived", "2026-11-02 09:10"), "duty 1 has that event already"),
    ],
)
def test_an_event_is_refused(connection: sqlite3.Connection, event: NewEvent, message: str) -> None:
    open_(connection)
    record(connection, 1, told("arrived", "2026-11-02 09:10"))
    record(connection, 1, told("cancelled", "2026-11-02 09:30"))
    with pytest.raises(UsageError, match=message):
        record(connection, 1, event)
    with pytest.raises(UsageError, match="2 is no duty, but an event: arrived of fault H1"):
        record(connection, 2, told("solved", "2026-11-02 10:00"))


def test_a_reference_of_its_own_is_a_detail(connection: sqlite3.Connection) -> None:
    """An exported event must find its duty again by the duty's reference."""
    open_(connection, told("", "2026-11-02 09:00", "A"))
    record(connection, 1, told("solved", "2026-11-02 09:10", "V-7", details='{"team":"T1"}'))
    event = store.event(connection, 2)
    assert event
    assert (event.told.ref, json.loads(event.told.details)) == ("A", {"team": "T1", "ref": "V-7"})
    assert event_row(event)["details"] == '{"ref":"V-7"}'


def test_a_duty_without_reference_is_named_by_its_time(connection: sqlite3.Connection) -> None:
    """Two duties of an imported file have no references; events of each find it again after an export."""
    store.add_all(connection, [told("detected", f"2026-11-02 09:{minute}") for minute in (10, 20)], "file", NOW_US)
    record(connection, 2, told("solved", "2026-11-02 09:40"))
    event = store.event(connection, 3)
    assert event
    assert event.told.ref == "@2026-11-02T08:20:00.000000Z"


# --- withdrawals ------------------------------------------------------------------------------------------------------


def test_an_event_that_was_wrong_is_taken_back(connection: sqlite3.Connection) -> None:
    open_(connection)
    record(connection, 1, told("solved", "2026-11-02 09:30"))
    take_back(connection, 2, NOW_US + 1)
    assert book.standing_of(connection, RULES, 1, NOW_US).verdict is DutyVerdict.BREACHED
    with pytest.raises(UsageError, match="event 2 is withdrawn already"):
        take_back(connection, 2)
    with pytest.raises(UsageError, match="there is no event 9"):
        take_back(connection, 9)
    take_back(connection, 3, NOW_US + 2)
    assert book.standing_of(connection, RULES, 1, NOW_US).verdict is DutyVerdict.KEPT
    take_back(connection, 2, NOW_US + 3)
    assert book.standing_of(connection, RULES, 1, NOW_US).verdict is DutyVerdict.BREACHED
    record(connection, 1, told("solved", "2026-11-02 09:40"))
    assert book.standing_of(connection, RULES, 1, NOW_US).verdict is DutyVerdict.KEPT


def test_what_was_known_before_a_correction(tmp_path: Path) -> None:
    """A question about the past sees neither the correction nor the index, which is of now."""
    with registry(tmp_path) as connection:
        open_(connection)
        record(connection, 1, told("solved", "2026-11-02 09:30"))
        take_back(connection, 2, NOW_US + 10)
    for known, verdict, late in ((NOW_US + 9, DutyVerdict.KEPT, 0), (NOW_US + 10, DutyVerdict.BREACHED, 1)):
        with snapshot(tmp_path, ManualClock(NOW_MOMENT), known) as then:
            assert book.standing_of(then, RULES, 1, NOW_US).verdict is verdict
            (one,) = looking.found(then, RULES, looking.Wanted(), NOW_US)
            assert one.verdict is verdict
            assert len(list(looking.due(then, RULES, (), NOW_US, NOW_US))) == late
            assert len(list(looking.found(then, RULES, looking.Wanted(is_open=True), NOW_US))) == late
    with snapshot(tmp_path, ManualClock(NOW_MOMENT), NOW_US - 1) as then:
        assert not list(looking.found(then, RULES, looking.Wanted(), NOW_US))


def test_the_withdrawn_events_of_a_duty_are_shown(connection: sqlite3.Connection) -> None:
    """Each is shown with its duty, also an event that had neither number nor reference, and each withdrawal."""
    store.add_all(connection, [told("detected", "2026-11-02 09:00"), told("arrived", "2026-11-02 09:20")], "file", 1)
    record(connection, 1, told("solved", "2026-11-02 09:30"))
    open_(connection, told("", "2026-11-03 09:00", "other"))

    def shown(number: int) -> list[int]:
        duty = book.duty_of(connection, RULES, number)
        return [event.id for event in looking.withdrawn(connection, RULES, duty)]

    assert shown(1) == shown(4) == []
    take_back(connection, 2)
    take_back(connection, 3)
    assert (shown(1), shown(4)) == ([2, 3, 5, 6], [])
    take_back(connection, 6, NOW_US + 1)
    assert (shown(1), shown(4)) == ([2, 5, 6, 7], []), "the solution stands again, with both withdrawals"


def test_without_its_opening_there_is_no_duty(connection: sqlite3.Connection) -> None:
    open_(connection)
    record(connection, 1, told("solved", "2026-11-02 09:30"))
    take_back(connection, 1)
    with pytest.raises(UsageError, match="1 was withdrawn: detected of fault H1"):
        book.duty_of(connection, RULES, 1)
    assert [event.id for event in looking.loose(connection, RULES)] == [2]


def test_an_open_duty_does_not_lose_its_events(connection: sqlite3.Connection) -> None:
    """A unit on its way would look free, and the emergency would be on no board."""
    open_(connection)
    record(connection, 1, told("arrived", "2026-11-02 09:30"))
    with pytest.raises(UsageError, match="event 1 opened fault 1, which is open and has other events"):
        take_back(connection, 1)
    take_back(connection, 2)
    take_back(connection, 1)


def test_duties_are_found_by_filters(connection: sqlite3.Connection) -> None:
    for number, day in enumerate((2, 3, 4), start=1):
        open_(connection, told("", f"2026-11-0{day} 09:00", subject=f"D{number}"))
    record(connection, 1, told("solved", "2026-11-02 09:30"))
    record(connection, 2, told("cancelled", "2026-11-03 09:30"))

    def found(**wanted: object) -> list[int]:
        return [one.duty.id for one in looking.found(connection, RULES, looking.Wanted(**wanted), NOW_US)]  # type: ignore[arg-type]

    third = told("", "2026-11-03 09:00").at_us
    assert found() == [1, 2, 3]
    assert found(verdict=DutyVerdict.KEPT) == [1]
    assert found(verdict=DutyVerdict.CANCELLED) == [2]
    assert found(is_open=True) == [3]
    assert found(subject="D2") == [2]
    assert found(since_us=third) == [2, 3]
    assert found(until_us=third) == [1]
    assert found(kinds=["visit"]) == found(ans=7) == []


def test_the_events_of_an_opening_that_was_taken_back_belong_to_the_next_one_of_its_reference(
    connection: sqlite3.Connection,
) -> None:
    first = open_(connection, told("", "2026-11-02 09:00", "F-1"))
    record(connection, first, told("solved", "2026-11-02 09:40"))
    take_back(connection, first)
    second = open_(connection, told("", "2026-11-02 09:10", "F-1"))
    (duty,) = book.duties_of(connection, RULES, "fault", "H1")
    assert (duty.id, [event.told.event for event in duty.events]) == (second, ["detected", "solved"])
    assert looking.loose(connection, RULES) == []


def test_a_refusal_names_a_whole_command_that_takes_an_event_back(connection: sqlite3.Connection) -> None:
    number = open_(connection)
    record(connection, number, told("solved", "2026-11-02 09:40"))
    with pytest.raises(UsageError) as caught:
        record(connection, number, told("solved", "2026-11-02 09:50"))
    assert "vetlla duties withdraw EVENT --reason TEXT;" in str(caught.value)

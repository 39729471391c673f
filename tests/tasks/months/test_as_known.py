"""A closed month is computed again as it was known: no later correction or import changes it, whatever it is."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.journals import alarm, journal, report
from vetlla.domain.alarms import State
from vetlla.domain.calls import CallOutcome, CallRecord, Direction, Origin, Tie, TieMethod
from vetlla.domain.clock import ManualClock, to_us
from vetlla.domain.duties import NewEvent
from vetlla.domain.month_findings import FindingKind
from vetlla.store.calls.write import CallBook, add_tie
from vetlla.store.duties import events as duty_events
from vetlla.store.journal.batch import Entry
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.duties.rules import read_rule_files
from vetlla.tasks.months.closing import CloseOrder, close_month
from vetlla.tasks.months.looking import closing
from vetlla.tasks.months.verifying import verify

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from tests.rigs.journals import Scribe
    from vetlla.domain.month_findings import MonthFinding

OCTOBER = date(2026, 10, 1)
FILES = read_rule_files()
HOMES = "INSERT INTO home_facts VALUES (?, ?, ?, ?, '', '02', ?, 2, 0, '', '[]', '2018-01-01/', '')"
PERSON = "INSERT INTO person_facts VALUES (?, ?, '2018-01-01', 1, '', ?, 'A', '', '', '')"
DEVICE = "INSERT INTO devices VALUES (?, 'ucr', ?, '', '', ?, NULL, NULL, NULL, NULL, NULL)"
MOVEMENT = (
    "INSERT INTO movements (device, day, kind, place, home, ownership, other, note, recorded_us)"
    " VALUES (?, '2026-10-02', 'entry', 'home', ?, 'municipal', NULL, '', ?)"
)


def at(day: int, hour: int = 9) -> int:
    """Return a moment in October."""
    return to_us(datetime(2026, 10, day, hour, tzinfo=UTC))


def recording(connection: sqlite3.Connection, now_us: int) -> int:
    """Begin a recording of facts about homes and people."""
    sql = "INSERT INTO recordings (recorded_us, by, source) VALUES (?, 'x', 'y')"
    return int(connection.execute(sql, (now_us,)).lastrowid or 0)


def add_home(connection: sqlite3.Connection, now_us: int, number: int) -> None:
    """Record a home, or correct its base."""
    base = "NORD" if number % 2 else "SUD"
    connection.execute(HOMES, (f"H{number}", recording(connection, now_us), "2018-01-01", 1, base))


def add_person(connection: sqlite3.Connection, now_us: int, number: int) -> None:
    """Record a person, or correct the home."""
    connection.execute(PERSON, (f"P{number}", recording(connection, now_us), f"H{number % 3}"))


def add_device(connection: sqlite3.Connection, now_us: int, number: int) -> None:
    """Record a new device, or move one that is known."""
    serial = f"U{number}"
    found = connection.execute("SELECT id FROM devices WHERE serial = ?", (serial,)).fetchone()
    if found is None:
        connection.execute(DEVICE, (number + 1, serial, f"A{number}"))
    connection.execute(MOVEMENT, (found[0] if found else number + 1, f"H{number % 3}", now_us))


def add_fault(connection: sqlite3.Connection, now_us: int, number: int) -> None:
    """Record a fault of October and, of every second one, that it was solved."""
    subject, ref = f"H{number % 3}", f"F-{now_us}"
    told = [NewEvent("fault", subject, "detected", at(number + 1), ref=ref)]
    if number % 2:
        told.append(NewEvent("fault", subject, "solved", at(number + 1, 15), ref=ref))
    duty_events.add_all(connection, told, "test", now_us)


def solve_faults(connection: sqlite3.Connection, now_us: int, number: int) -> None:
    """Record that an open fault was solved in time."""
    rows = connection.execute("SELECT subject, at_us, ref FROM duty_events WHERE event = 'detected' ORDER BY id")
    subject, at_us, ref = rows.fetchall()[number % 2]
    duty_events.add_all(connection, [NewEvent("fault", subject, "solved", at_us + 1 + number, ref=ref)], "t", now_us)


def add_call(connection: sqlite3.Connection, now_us: int, number: int) -> None:
    """Import a call of October, or say more of one that is known, and tie it to another home."""
    book = CallBook(connection, "")
    book.begin(Origin.ROWS, at_us=now_us, by="x", file="calls.csv")
    known = book.known(f"C{number}")
    call = known.id if known else book.add_call(f"C{number}")
    start = at(number + 1)
    answered = start + (number % 4) * 10_000_000
    book.add_record(
        call,
        CallRecord(
            direction=Direction.IN, started=start, ready=start, answered=answered, ended=answered + 1,
            outcome=CallOutcome.ANSWERED,
        ),
    )  # fmt: skip
    add_tie(connection, call, Tie(TieMethod.BY_HAND, f"H{now_us % 3}"), now_us)


CHANGES = (add_home, add_person, add_device, add_fault, solve_faults, add_call)


def answer(scribe: Scribe, number: int) -> None:
    """Answer an alarm of October now."""
    opened_us = at(number + 1)
    values = {
        "home": "H1",
        "account": f"000{number}",
        "first_signal": number,
        "established_us": opened_us,
        "opened_us": opened_us,
        "ready_us": opened_us,
    }
    now_us = scribe.clock.now().utc_us
    batch = scribe.batch()
    batch.alarms[number] = alarm(
        number, scribe.clock, state=State.ANSWERED, operator="x", answered_us=now_us, t3_us=now_us - opened_us, **values
    )
    batch.audit.append(Entry(now_us, "x", "answer", f"alarm {number}", {}))
    scribe.write(batch)


class Service:
    """A registry and a journal of October 2026, which was closed on 3 November."""

    def __init__(self, folder: Path) -> None:
        self.state = folder
        self.clock = ManualClock(datetime(2026, 11, 3, tzinfo=UTC))
        for number in range(6):
            for change in (add_home, add_person, add_device, add_fault, add_call):
                self.change(change, number)
        clock = ManualClock(datetime(2026, 10, 2, 9, tzinfo=UTC))
        with journal(folder, clock) as scribe:
            for number in (1, 2, 3):
                batch = scribe.signals([report(number)], home="H1", alarm=number)
                batch.alarms[number] = alarm(
                    number, clock, home="H1", account=f"000{number}", first_signal=number, ready_us=clock.now().utc_us
                )
                batch.decided.append(
                    Entry(clock.now().utc_us, "receiver", "open", f"alarm {number}", {"signal": number})
                )
                scribe.write(batch)
                clock.advance(86_400)
            scribe.flush()
        self.clock.advance(60)
        order = CloseOrder(month=OCTOBER, by="x", reason="", note="", documents=(), dry_run=False)
        close_month(folder, self.clock, FILES, order, lambda: None)

    def change(self, change: Callable[[sqlite3.Connection, int, int], None], number: int) -> None:
        """Let a second pass and record something."""
        self.clock.advance(1)
        with transaction(self.state, self.clock) as connection:
            change(connection, self.clock.now().utc_us, number)

    def answer(self, number: int) -> None:
        """Let a second pass and answer an alarm."""
        self.clock.advance(1)
        with journal(self.state, self.clock) as scribe:
            answer(scribe, number)

    def found(self) -> list[MonthFinding]:
        """Return what a verification finds."""
        return list(verify(self.state, self.clock, closing(self.state, self.clock, OCTOBER), FILES))


STEPS = st.tuples(st.sampled_from(CHANGES), st.integers(0, 9))


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(STEPS, min_size=1, max_size=8, unique=True), answered=st.sets(st.integers(1, 3)))
def test_no_later_correction_or_import_changes_a_closed_month(
    steps: list[tuple[Callable[[sqlite3.Connection, int, int], None], int]], answered: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder))
        assert service.found() == []
        for change, number in steps:
            service.change(change, number)
        for number in answered:
            service.answer(number)
        assert service.found() == []


TAMPERING = st.sampled_from([
    ("duty_events", "UPDATE duty_events SET at_us = at_us + 1 WHERE id = (SELECT min(id) FROM duty_events)"),
    ("duty_events", "DELETE FROM duty_events WHERE id = (SELECT max(id) FROM duty_events)"),
    ("home_facts", "UPDATE home_facts SET base = 'EST' WHERE home = 'H1'"),
    ("person_facts", "DELETE FROM person_facts WHERE person = 'P1'"),
    ("movements", "UPDATE movements SET home = 'H9' WHERE id = 1"),
    ("call_records", "UPDATE call_records SET answered_us = answered_us - 1 WHERE id = 2"),
    ("call_ties", "UPDATE call_ties SET home = 'H9' WHERE id = 1"),
    ("recordings", "UPDATE recordings SET by = 'z' WHERE id = 1"),
    ("call_imports", "UPDATE call_imports SET at_us = at_us - 5 WHERE id = 3"),
])  # fmt: skip


@settings(max_examples=9, deadline=None)
@given(tampering=TAMPERING)
def test_tampering_is_always_found(tampering: tuple[str, str]) -> None:
    table, sql = tampering
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder))
        with transaction(service.state, service.clock) as connection:
            sql_of = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?"
            for (name,) in connection.execute(sql_of, (table,)).fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            connection.execute(sql)
        found = service.found()
        assert found
        assert all(one.is_fault for one in found)
        assert found[0].kind is FindingKind.INPUT


def test_an_alarm_that_was_answered_later_was_not_answered() -> None:
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Path(folder))
        service.answer(1)
        kept = closing(service.state, service.clock, OCTOBER)
        assert service.found() == []
        order = CloseOrder(month=OCTOBER, by="x", reason="answered", note="", documents=(), dry_run=False)
        service.clock.advance(60)
        close_month(service.state, service.clock, FILES, order, lambda: None)
        again = closing(service.state, service.clock, OCTOBER)
        results = [one.content for one in (*kept.files, *again.files) if one.name == "service-levels.json"]
        assert results[0] != results[1]

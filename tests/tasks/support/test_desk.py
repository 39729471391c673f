"""The desk keeps each act once, with who did it, and no text in the audit."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW
from tests.rigs.support import LEVELS
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import UsageError
from vetlla.domain.support import ContactWay, TicketAct
from vetlla.service.support.life import TicketState
from vetlla.store.reminders import audit, support
from vetlla.store.reminders.opening import opened
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.support import desk
from vetlla.tasks.support.desk import ActRecord

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.service.support.standing import TicketStanding

HOUR = timedelta(hours=1)
SECRET = "what the city said"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Return an open database."""
    with opened(tmp_path, ManualClock(NOW)) as connection:
        yield connection


def then(hours: float, late: float = 0) -> ActRecord:
    """Return some hours after the ticket was opened, written down some hours later."""
    return ActRecord(NOW + hours * HOUR, NOW + (hours + late) * HOUR, "marta")


def open_one(db: sqlite3.Connection, severity: str = "critical", recorded: ActRecord | None = None) -> TicketStanding:
    """Open a ticket."""
    return desk.open_ticket(
        db, LEVELS, severity, SECRET, way=ContactWay.EMAIL, reference="S-1", recorded=recorded or then(0)
    )


def act(db: sqlite3.Connection, name: TicketAct, hours: float, text: str = SECRET, **more: str) -> TicketStanding:
    """Keep an act on the first ticket."""
    return desk.act_on(db, LEVELS, 1, name, text, recorded=then(hours), **more)


def test_a_ticket_goes_its_way(db: sqlite3.Connection) -> None:
    assert open_one(db).life.state is TicketState.WAITING
    act(db, TicketAct.ANSWERED, 1)
    act(db, TicketAct.PAUSED, 2)
    act(db, TicketAct.RESUMED, 3)
    act(db, TicketAct.SEVERITY, 3, severity="low")
    act(db, TicketAct.SOLVED, 4)
    done = act(db, TicketAct.REOPENED, 5)
    assert (done.life.state, done.life.severity, done.life.reopenings) == (TicketState.ANSWERED, "low", 1)
    kept = desk.ticket_of(db, 1)
    assert (kept.way, kept.reference, kept.title) == (ContactWay.EMAIL, "S-1", SECRET)
    assert [(one.act, one.at, one.by) for one in kept.events][:3] == [
        (TicketAct.OPENED, NOW, "marta"),
        (TicketAct.ANSWERED, NOW + HOUR, "marta"),
        (TicketAct.PAUSED, NOW + 2 * HOUR, "marta"),
    ]


def test_the_audit_has_each_act_and_no_text(db: sqlite3.Connection) -> None:
    open_one(db)
    act(db, TicketAct.SEVERITY, 1, severity="low")
    records = list(audit.records(db))
    assert [(one.actor, one.action, one.subject) for one in records] == [
        ("marta", "support opened", "ticket 1"),
        ("marta", "support severity", "ticket 1"),
    ]
    assert records[1].detail == {"at": (NOW + HOUR).isoformat(), "severity": "low"}
    assert SECRET not in str(records)
    assert all(one.is_sound for one in records)


def test_an_act_that_is_refused_leaves_nothing(db: sqlite3.Connection) -> None:
    open_one(db)
    with pytest.raises(UsageError, match="cannot be resumed"):
        act(db, TicketAct.RESUMED, 1)
    with pytest.raises(UsageError, match="no severity"):
        act(db, TicketAct.SEVERITY, 1, severity="urgent")
    with pytest.raises(UsageError, match="critical already"):
        act(db, TicketAct.SEVERITY, 1, severity="critical")
    with pytest.raises(UsageError, match="no ticket 2"):
        desk.act_on(db, LEVELS, 2, TicketAct.ANSWERED, recorded=then(1))
    for name in (TicketAct.PAUSED, TicketAct.REOPENED, TicketAct.SEVERITY, TicketAct.NOTE):
        with pytest.raises(UsageError, match="a text is missing"):
            act(db, name, 1, " ")
    with pytest.raises(UsageError, match="needs a title"):
        desk.open_ticket(db, LEVELS, "low", " ", way=ContactWay.PHONE, reference="", recorded=then(0))
    assert len(list(audit.records(db))) == 1
    assert len(desk.ticket_of(db, 1).events) == 1


def test_a_call_that_was_written_down_later_counts_from_the_call(db: sqlite3.Connection) -> None:
    one = open_one(db, recorded=then(0, late=2))
    assert (one.ticket.opened_at, one.ticket.events[0].recorded_at) == (NOW, NOW + 2 * HOUR)
    assert one.answer.worked == 2 * HOUR
    with pytest.raises(UsageError, match="in the future"):
        open_one(db, recorded=then(0, late=-1))


def test_tickets_of_a_time_are_found_by_their_opening(db: sqlite3.Connection) -> None:
    for hours in (0, 1, 2):
        open_one(db, recorded=then(hours))
    act(db, TicketAct.SOLVED, 3)
    found = desk.standings(db, LEVELS, NOW + 4 * HOUR, NOW, NOW + 2 * HOUR)
    assert [(one.ticket.id, one.is_open) for one in found] == [(1, False), (2, True)]
    assert [one.ticket.id for one in desk.standings(db, LEVELS, NOW + 4 * HOUR)] == [1, 2, 3]


def test_open_tickets_are_those_that_are_not_solved_or_were_reopened(db: sqlite3.Connection) -> None:
    for _ in range(3):
        open_one(db)
    for number in (1, 2):
        desk.act_on(db, LEVELS, number, TicketAct.SOLVED, recorded=then(1))
    act(db, TicketAct.REOPENED, 2)
    now = NOW + 3 * HOUR
    found = list(desk.open_standings(db, LEVELS, now))
    assert found == [one for one in desk.standings(db, LEVELS, now) if one.is_open]
    assert [one.ticket.id for one in found] == [1, 3]
    act(db, TicketAct.SOLVED, 3)
    assert [one.ticket.id for one in desk.open_standings(db, LEVELS, now)] == [3]


def test_texts_can_be_removed_and_nothing_else(db: sqlite3.Connection) -> None:
    open_one(db)
    open_one(db)
    act(db, TicketAct.ANSWERED, 1)
    assert desk.empty_texts(db, 1, "marta", NOW) == 2
    assert desk.empty_texts(db, 1, "marta", NOW) == 0
    assert [(one.act, one.text) for one in desk.ticket_of(db, 1).events] == [("opened", ""), ("answered", "")]
    assert desk.ticket_of(db, 2).title == SECRET
    assert [one.action for one in audit.records(db)][-1] == "support texts removed"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE support_events SET at_us = at_us - 1",
        "UPDATE support_events SET text = 'other'",
        "UPDATE support_events SET by = 'other', text = ''",
        "UPDATE support_tickets SET reference = 'other'",
        "DELETE FROM support_events",
        "DELETE FROM support_tickets",
        "INSERT INTO support_events (ticket, act, at_us, recorded_us, by) VALUES (1, 'solved', 1, 1, 'other')",
        (
            "INSERT INTO support_events SELECT id + 1, ticket, act, at_us, recorded_us, by, severity, text"
            " FROM support_events"
        ),
    ],
)
def test_the_database_itself_refuses_to_rewrite_what_was_done(db: sqlite3.Connection, statement: str) -> None:
    open_one(db)
    with pytest.raises(sqlite3.IntegrityError), atomic(db):
        db.execute(statement)
    assert len(list(support.tickets(db))) == 1

"""What people of the city look up in the outbox: lists of messages, and the whole life of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.appointments import EXPECTED
from vetlla.domain.messages import Channel, Delivery, ReplyKind
from vetlla.store.reminders.messages import message_of
from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

    from vetlla.domain.messages import MessageState
    from vetlla.domain.outbox import OutboxMessage

_EXPECTED: Final = ", ".join(f"'{status}'" for status in sorted(EXPECTED))
_LISTED: Final = """
SELECT outbox.*, phone, person, coalesce(confirmed_start_us = outbox.start_us, 0) AS is_confirmed FROM outbox
    LEFT JOIN citizens ON citizens.id = outbox.citizen
    LEFT JOIN appointments ON appointments.source = outbox.source AND appointments.name = outbox.appointment
"""


class ListedMessage(NamedTuple):
    """A message, and whether its citizen confirmed."""

    message: OutboxMessage
    is_confirmed: bool
    """True if the citizen confirmed the hour that the message speaks of."""


class KeptReport(NamedTuple):
    """A report of a delivery, and when it came."""

    delivery: Delivery
    at: datetime
    received_at: datetime
    code: str
    detail: str


class ReplyToMessage(NamedTuple):
    """A reply to a message, and what it led to."""

    id: int
    kind: ReplyKind
    channel: Channel
    received_at: datetime
    text: str
    intent: str
    outcome: str
    """"" while it was not handled."""


class MessageLife(NamedTuple):
    """Everything that is kept of a message."""

    listed: ListedMessage
    attempts: tuple[tuple[int, int], ...]
    """Number of each attempt, and of its message."""
    gateway: str
    template: str
    segments: int
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    detail: str
    opens: bool
    category: str
    is_billable: bool | None
    reports: tuple[KeptReport, ...]
    replies: tuple[ReplyToMessage, ...]


def listed(
    db: sqlite3.Connection,
    *,
    office: str = "",
    state: MessageState | None = None,
    first: datetime | None = None,
    end: datetime | None = None,
    unconfirmed: bool = False,
) -> Iterator[ListedMessage]:
    """Yield messages in the order of their hours: of an office, in a state, for hours from ``first`` until ``end``.

    ``unconfirmed``: only those whose citizen is expected at the hour and has not confirmed it.
    """
    wanted = {
        "outbox.office = ?": office or None,
        "state = ?": state,
        "outbox.start_us >= ?": stored(first),
        "outbox.start_us < ?": stored(end),
    }
    given = {where: value for where, value in wanted.items() if value is not None}
    where = " AND ".join(given) or "1"
    if unconfirmed:
        where += (
            f" AND appointments.start_us = outbox.start_us AND status IN ({_EXPECTED}) AND cancelled_us IS NULL"
            " AND confirmed_start_us IS NOT outbox.start_us"
        )
    rows = db.execute(f"{_LISTED} WHERE {where} ORDER BY outbox.start_us, due_us, outbox.id", tuple(given.values()))
    return map(_message, rows)


def life(db: sqlite3.Connection, name: str) -> MessageLife | None:
    """Return everything about the message with this number or this reference of ours; None if there is none."""
    by_number = int(name) if name.isascii() and name.isdigit() and len(name) < _LONGEST_NUMBER else -1
    row = db.execute(f"{_LISTED} WHERE outbox.id = ? OR reference = ?", (by_number, name)).fetchone()
    if row is None:
        return None
    one = _message(row)
    key = one.message.plan.key
    attempts = db.execute(
        "SELECT attempt, id FROM outbox WHERE source = ? AND appointment = ? AND start_us = ? AND step = ?"
        " ORDER BY attempt",
        (*key.appointment, stored(key.start), key.step),
    )
    return MessageLife(
        one,
        tuple((attempt, number) for attempt, number in attempts),
        row["gateway"],
        row["template"],
        row["segments"],
        read(row["sent_us"]),
        read(row["delivered_us"]),
        read(row["read_us"]),
        read(row["failed_us"]),
        row["detail"],
        bool(row["opens"]),
        row["category"],
        None if row["is_billable"] is None else bool(row["is_billable"]),
        _reports(db, one.message.id),
        _replies(db, one.message.id),
    )


_LONGEST_NUMBER: Final = 19
"""A row's id has fewer digits; a reference has 24."""


def _message(row: sqlite3.Row) -> ListedMessage:
    return ListedMessage(message_of(row), bool(row["is_confirmed"]))


def _reports(db: sqlite3.Connection, message: int) -> tuple[KeptReport, ...]:
    rows = db.execute("SELECT * FROM delivery_reports WHERE message = ? ORDER BY received_us, id", (message,))
    return tuple(
        KeptReport(Delivery(row["delivery"]), read(row["at_us"]), read(row["received_us"]), row["code"], row["detail"])
        for row in rows
    )


def _replies(db: sqlite3.Connection, message: int) -> tuple[ReplyToMessage, ...]:
    rows = db.execute("SELECT * FROM replies WHERE message = ? ORDER BY id", (message,))
    return tuple(
        ReplyToMessage(
            row["id"],
            ReplyKind(row["kind"]),
            Channel(row["channel"]),
            read(row["received_us"]),
            row["text"],
            row["intent"],
            row["outcome"],
        )
        for row in rows
    )

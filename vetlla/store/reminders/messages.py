"""Messages of the outbox as values, and the questions about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.appointments import AppointmentKey
from vetlla.domain.messages import Channel, MessageKind, MessageState
from vetlla.domain.outbox import MessageKey, MessageReason, OutboxMessage, PlannedMessage
from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

SELECT: Final = "SELECT outbox.*, phone, person FROM outbox LEFT JOIN citizens ON citizens.id = outbox.citizen"


class Window(NamedTuple):
    """When a conversation with a person was opened last, on one channel."""

    replied_at: datetime | None
    """The person's last message."""
    opened_at: datetime | None
    """The last message of ours that opened a conversation."""
    sent_at: datetime | None
    """Our last message of any kind."""


def message_of(row: sqlite3.Row) -> OutboxMessage:
    """Return the value of a row of ``SELECT``."""
    return OutboxMessage(
        id=row["id"],
        reference=row["reference"],
        plan=PlannedMessage(
            key=MessageKey(
                AppointmentKey(row["source"], row["appointment"]), read(row["start_us"]), row["step"], row["attempt"]
            ),
            kind=MessageKind(row["kind"]),
            office=row["office"],
            due=read(row["due_us"]),
            useful_until=read(row["useful_until_us"]),
            phone=row["phone"] or "",
            person=row["person"] or "",
            language=row["language"],
            channel=Channel(row["only_channel"]) if row["only_channel"] else None,
            as_template=bool(row["as_template"]),
            text=row["text"],
            context=row["context"],
        ),
        state=MessageState(row["state"]),
        planned_at=read(row["planned_us"]),
        reason=row["reason"],
        code=row["code"],
        tries=row["tries"],
        fence=row["fence"],
        leased_until=read(row["leased_until_us"]),
        sent_by=Channel(row["channel"]) if row["channel"] else None,
        provider_id=row["provider_id"] or "",
        sending_at=read(row["sending_us"]),
        accepted_at=read(row["accepted_us"]),
        fallback_at=read(row["fallback_us"]),
    )


def message(db: sqlite3.Connection, key: int) -> OutboxMessage:
    """Return one message."""
    return message_of(db.execute(f"{SELECT} WHERE outbox.id = ?", (key,)).fetchone())


def attempts(db: sqlite3.Connection, key: MessageKey) -> list[OutboxMessage]:
    """Return all attempts of a step, the first one first."""
    rows = db.execute(
        f"{SELECT} WHERE source = ? AND appointment = ? AND start_us = ? AND step = ? ORDER BY attempt",
        (*key.appointment, stored(key.start), key.step),
    )
    return [message_of(row) for row in rows]


def unknown_since(db: sqlite3.Connection, before: datetime) -> list[OutboxMessage]:
    """Return the messages of unknown outcome that were handed over before a time."""
    rows = db.execute(f"{SELECT} WHERE state = 'unknown' AND sending_us <= ? ORDER BY start_us", (stored(before),))
    return [message_of(row) for row in rows]


def undelivered(db: sqlite3.Connection, now: datetime) -> list[OutboxMessage]:
    """Return the messages that a provider took, and whose time for a report of delivery has ended."""
    rows = db.execute(
        f"{SELECT} WHERE state IN ('accepted', 'sent') AND min(coalesce(fallback_us, useful_until_us),"
        " useful_until_us) <= ? ORDER BY start_us",
        (stored(now),),
    )
    return [message_of(row) for row in rows]


def overdue(db: sqlite3.Connection, before: datetime) -> list[OutboxMessage]:
    """Return the messages that have not ended, and should have been sent or reported before a time."""
    rows = db.execute(
        f"{SELECT} WHERE state IN ('planned', 'claimed', 'sending', 'unknown', 'accepted', 'sent') AND due_us < ?"
        " ORDER BY start_us",
        (stored(before),),
    )
    return [message_of(row) for row in rows]


def settled_keys(db: sqlite3.Connection, first: datetime) -> set[tuple[str, str, int, str]]:
    """Return source, appointment, start (microseconds) and step of the messages for hours from a time on.

    Those are left out that ``plan`` would revive.
    """
    rows = db.execute(
        "SELECT source, appointment, start_us, step FROM outbox WHERE start_us >= ? AND attempt = 1"
        " AND (state <> 'suppressed' OR reason NOT IN ('moved', 'cancelled', 'not_expected', 'no_phone'))",
        (stored(first),),
    )
    return {tuple(row) for row in rows}


def by_reference(db: sqlite3.Connection, reference: str) -> OutboxMessage | None:
    """Return the message with our own id of its attempt; None if there is none."""
    row = db.execute(f"{SELECT} WHERE reference = ?", (reference,)).fetchone()
    return None if row is None else message_of(row)


def answers_since(db: sqlite3.Connection, citizen: int, since: datetime, *, step: str = "") -> int:
    """Return how many answers to a person were planned since a time; with ``step`` only those whose step ends so."""
    (count,) = db.execute(
        "SELECT count(*) FROM outbox WHERE citizen = ? AND kind = 'answer' AND planned_us > ? AND step LIKE ?",
        (citizen, stored(since), f"%{step}"),
    ).fetchone()
    return int(count)


def was_told(db: sqlite3.Connection, appointment: AppointmentKey, before: datetime) -> bool:
    """Return True if a message about an appointment was handed over before a time."""
    found = db.execute(
        "SELECT 1 FROM outbox WHERE source = ? AND appointment = ? AND kind <> 'answer' AND sending_us <= ?",
        (*appointment, stored(before)),
    )
    return found.fetchone() is not None


def has_answer(db: sqlite3.Connection, citizen: int, step: str) -> bool:
    """Return True if this answer to a person was planned before, whatever hour it told."""
    found = db.execute("SELECT 1 FROM outbox WHERE citizen = ? AND kind = 'answer' AND step = ?", (citizen, step))
    return found.fetchone() is not None


def by_provider_id(db: sqlite3.Connection, channel: Channel, provider_id: str) -> OutboxMessage | None:
    """Return the newest message to which a provider gave this id; None if there is none."""
    row = db.execute(
        f"{SELECT} WHERE channel = ? AND provider_id = ? ORDER BY sending_us DESC", (channel.value, provider_id)
    ).fetchone()
    return None if row is None else message_of(row)


def window(db: sqlite3.Connection, citizen: int, channel: Channel) -> Window:
    """Return when a person and the city wrote last."""
    (replied,) = db.execute(
        "SELECT max(at_us) FROM replies WHERE citizen = ? AND channel = ?", (citizen, channel.value)
    ).fetchone()
    opened, sent = db.execute(
        "SELECT max(CASE WHEN opens THEN accepted_us END), max(sending_us) FROM outbox"
        " WHERE citizen = ? AND channel = ?",
        (citizen, channel.value),
    ).fetchone()
    return Window(read(replied), read(opened), read(sent))


def conversations_since(db: sqlite3.Connection, since: datetime) -> int:
    """Return how many people the city began a conversation with, or is about to, since a time."""
    (count,) = db.execute(
        "SELECT count(DISTINCT coalesce(citizen, -id)) FROM outbox WHERE opens = 1 AND sending_us > ?", (stored(since),)
    ).fetchone()
    return int(count)


def waiting_for_budget(db: sqlite3.Connection, now: datetime, most: int) -> list[tuple[datetime, int]]:
    """Return hour and person of messages that wait for a place among the day's conversations, the nearest hours."""
    rows = db.execute(
        "SELECT start_us, citizen FROM outbox WHERE state = 'planned' AND reason = ? AND useful_until_us > ?"
        " AND citizen IS NOT NULL ORDER BY start_us LIMIT ?",
        (MessageReason.BUDGET.value, stored(now), max(0, most)),
    )
    return [(read(row["start_us"]), row["citizen"]) for row in rows]


def template_of(db: sqlite3.Connection, key: int) -> tuple[str, str]:
    """Return the template by which a message was sent, and its language."""
    row = db.execute("SELECT template, language FROM outbox WHERE id = ?", (key,)).fetchone()
    return row["template"], row["language"]

"""What citizens sent, kept before the provider's webhook is answered; the dialogue, and the inbox of a person."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.appointments import AppointmentKey
from vetlla.domain.messages import Channel, IncomingReply, ReplyKind
from vetlla.store.reminders.citizens import alive, citizen_id
from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


LONGEST_UNREAD: Final = 20_000
"""Most characters that are kept of a part of a delivery that could not be read."""


class KeptReply(NamedTuple):
    """A reply and the person who sent it."""

    id: int
    citizen: int | None
    """None if the provider named neither a telephone nor a person."""
    reply: IncomingReply


class Offer(NamedTuple):
    """An appointment that a question offered under a number."""

    appointment: AppointmentKey
    start: datetime


class Dialogue(NamedTuple):
    """What the last message asked of a citizen."""

    question: str
    offered: tuple[Offer, ...]
    """In the order of their numbers, from 1."""
    expires: datetime


class InboxEntry(NamedTuple):
    """A reply that came before a person."""

    reply: KeptReply
    opened_at: datetime
    why: str
    closed_at: datetime | None = None
    """None while it waits."""
    closed_by: str = ""


# --- replies ----------------------------------------------------------------------------------------------------------


def keep_reply(db: sqlite3.Connection, reply: IncomingReply, now: datetime) -> bool:
    """Keep a reply once, by the provider's id; return False if it is there already.

    Commit before the webhook is answered, because the provider does not send it again after that.
    """
    citizen = citizen_id(db, reply.phone, reply.person, now)
    if citizen is not None:
        alive(db, citizen)
    return bool(
        db.execute(
            "INSERT OR IGNORE INTO replies (channel, provider_id, at_us, received_us, kind, citizen, text, payload,"
            " context) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                reply.channel.value,
                reply.provider_id,
                stored(reply.at),
                stored(now),
                reply.kind.value,
                citizen,
                reply.text,
                reply.payload,
                reply.context,
            ),
        ).rowcount
    )


def keep_unread(db: sqlite3.Connection, channel: Channel, raw: str, why: str, now: datetime) -> None:
    """Put a part of a delivery that could not be read before a person; once, if the provider repeats it."""
    name = f"unread:{sha256(raw.encode('utf-8', 'replace')).hexdigest()}"
    cursor = db.execute(
        "INSERT OR IGNORE INTO replies (channel, provider_id, at_us, received_us, kind, text, payload, context,"
        " handled_us, outcome) VALUES (:channel, :name, :now, :now, :kind, :text, '', '', :now, 'unread')",
        {
            "channel": channel.value,
            "name": name,
            "now": stored(now),
            "kind": ReplyKind.OTHER.value,
            "text": raw[:LONGEST_UNREAD],
        },
    )
    if cursor.rowcount and cursor.lastrowid is not None:
        to_inbox(db, cursor.lastrowid, why, now)


_SELECT = "SELECT replies.*, phone, person FROM replies LEFT JOIN citizens ON citizens.id = citizen"


def open_replies(db: sqlite3.Connection, limit: int) -> list[KeptReply]:
    """Return replies that were not handled yet, in the order in which they came."""
    rows = db.execute(f"{_SELECT} WHERE handled_us IS NULL ORDER BY replies.id LIMIT ?", (limit,))
    return [_kept(row) for row in rows]


def reply_of(db: sqlite3.Connection, key: int) -> KeptReply | None:
    """Return one reply; None if it was erased."""
    row = db.execute(f"{_SELECT} WHERE replies.id = ?", (key,)).fetchone()
    return None if row is None else _kept(row)


def _kept(row: sqlite3.Row) -> KeptReply:
    reply = IncomingReply(
        provider_id=row["provider_id"],
        channel=Channel(row["channel"]),
        at=read(row["at_us"]),
        kind=ReplyKind(row["kind"]),
        phone=row["phone"] or "",
        person=row["person"] or "",
        text=row["text"],
        payload=row["payload"],
        context=row["context"],
    )
    return KeptReply(row["id"], row["citizen"], reply)


def handled(
    db: sqlite3.Connection,
    reply: int,
    outcome: str,
    now: datetime,
    *,
    intent: str = "",
    language: str = "",
    message: int | None = None,
) -> bool:
    """Keep what a reply led to, in the transaction that does it; return False if it was handled already."""
    return bool(
        db.execute(
            "UPDATE replies SET handled_us = ?, outcome = ?, intent = ?, language = ?, message = ?"
            " WHERE id = ? AND handled_us IS NULL",
            (stored(now), outcome, intent, language, message, reply),
        ).rowcount
    )


# --- what was asked ---------------------------------------------------------------------------------------------------


def ask(db: sqlite3.Connection, citizen: int, asked: Dialogue, now: datetime) -> None:
    """Keep what was asked of a citizen; it replaces an earlier question on either channel."""
    db.execute(
        "INSERT OR REPLACE INTO dialogues (citizen, question, offered, asked_us, expires_us) VALUES (?, ?, ?, ?, ?)",
        (
            citizen,
            asked.question,
            json.dumps([[*offer.appointment, stored(offer.start)] for offer in asked.offered]),
            stored(now),
            stored(asked.expires),
        ),
    )


def dialogue(db: sqlite3.Connection, citizen: int, now: datetime) -> Dialogue | None:
    """Return what was asked of a citizen; None if nothing was, or the question has expired."""
    row = db.execute("SELECT * FROM dialogues WHERE citizen = ? AND expires_us > ?", (citizen, stored(now))).fetchone()
    if row is None:
        return None
    offered = tuple(
        Offer(AppointmentKey(source, name), read(start)) for source, name, start in json.loads(row["offered"])
    )
    return Dialogue(row["question"], offered, read(row["expires_us"]))


def end_dialogue(db: sqlite3.Connection, citizen: int) -> None:
    """Forget what was asked of a citizen, because it was answered."""
    db.execute("DELETE FROM dialogues WHERE citizen = ?", (citizen,))


# --- the inbox --------------------------------------------------------------------------------------------------------


def to_inbox(db: sqlite3.Connection, reply: int, why: str, now: datetime) -> None:
    """Put a reply before a person."""
    db.execute("INSERT OR IGNORE INTO inbox (reply, opened_us, why) VALUES (?, ?, ?)", (reply, stored(now), why))


def inbox(db: sqlite3.Connection) -> list[InboxEntry]:
    """Return the replies that wait for a person, the oldest first."""
    return [_entry(row) for row in db.execute(f"{_INBOX} WHERE closed_us IS NULL ORDER BY opened_us, replies.id")]


_INBOX = """
SELECT replies.*, phone, person, opened_us, why, closed_us, closed_by
FROM inbox JOIN replies ON replies.id = inbox.reply LEFT JOIN citizens ON citizens.id = citizen
"""


def inbox_entry(db: sqlite3.Connection, reply: int) -> InboxEntry | None:
    """Return what a person has, or had, to read about a reply; None if the reply never came before a person."""
    row = db.execute(f"{_INBOX} WHERE inbox.reply = ?", (reply,)).fetchone()
    return None if row is None else _entry(row)


def _entry(row: sqlite3.Row) -> InboxEntry:
    return InboxEntry(_kept(row), read(row["opened_us"]), row["why"], read(row["closed_us"]), row["closed_by"])


def close_inbox(
    db: sqlite3.Connection, reply: int, by: str, now: datetime, *, answer: str = "", taught: str = ""
) -> bool:
    """Keep what a person did about a reply; return False if another person was faster."""
    return bool(
        db.execute(
            "UPDATE inbox SET closed_us = ?, closed_by = ?, answer = ?, taught = coalesce(nullif(?, ''), taught)"
            " WHERE reply = ? AND closed_us IS NULL",
            (stored(now), by, answer, taught, reply),
        ).rowcount
    )


def teach(db: sqlite3.Connection, reply: int, intent: str) -> None:
    """Keep what a person says that the words of a reply mean; the reply waits for its answer as before."""
    db.execute("UPDATE inbox SET taught = ? WHERE reply = ?", (intent, reply))


def words_of_citizens(db: sqlite3.Connection) -> list[str]:
    """Return the texts of replies that are still kept, each once, the newest first."""
    rows = db.execute("SELECT text FROM replies WHERE kind = 'text' AND text <> '' GROUP BY text ORDER BY max(id) DESC")
    return [row["text"] for row in rows]

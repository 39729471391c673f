"""The people who get messages: telephone, WhatsApp's id of the person, language, consent and opt-out."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.messages import Channel
from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

_POINTING: Final = ("appointments", "outbox", "replies")
"""Tables whose rows name a citizen."""
_AT_ONCE: Final = 500
"""Most telephones in one query."""
_DAY: Final = timedelta(days=1)
"""When a person was seen last is exact to a day, so that it is not written with each message."""


class Citizen(NamedTuple):
    """What is remembered of a person."""

    id: int
    phone: str
    """E.164; "" if only ``person`` is known."""
    person: str
    """WhatsApp's id of the person; "" if it is not known."""
    language: str
    """The language that the citizen chose; "" if none."""
    no_whatsapp_until: datetime
    is_dead: bool
    """True if a provider said that the number does not exist."""
    consented_at: datetime | None
    opted_out: frozenset[Channel]


def citizen_id(db: sqlite3.Connection, phone: str, person: str, now: datetime) -> int | None:
    """Return the row's id of a telephone, of WhatsApp's id of a person, or of the two; it is made if it is new.

    The two together are remembered as a pair, because WhatsApp may hide the telephone in the next message. Return None
    if both are "".
    """
    by_phone = _id(db, "phone", phone)
    by_person = _id(db, "person", person)
    if by_phone is not None and by_person is not None and by_phone != by_person:
        return _united(db, by_phone, by_person, person)
    found = by_phone if by_phone is not None else by_person
    if found is None:
        if not phone and not person:
            return None
        row = db.execute(
            "INSERT INTO citizens (phone, person, seen_us) VALUES (?, ?, ?) RETURNING id",
            (phone or None, person or None, stored(now)),
        ).fetchone()
        return int(row[0])
    if phone and by_phone is None:
        _moved_to(db, found, phone)
    if person and by_person is None:
        db.execute("UPDATE citizens SET person = ? WHERE id = ?", (person, found))
    db.execute("UPDATE citizens SET seen_us = ? WHERE id = ? AND seen_us < ?", (stored(now), found, stored(now - _DAY)))
    return found


def seen_ids(db: sqlite3.Connection, phones: Iterable[str], now: datetime) -> dict[str, int]:
    """Return the rows' ids of telephones that were seen within a day; ``citizen_id`` has to write for the others."""
    found: dict[str, int] = {}
    wanted = iter(phones)
    while some := list(islice(wanted, _AT_ONCE)):
        marks = ", ".join("?" * len(some))
        rows = db.execute(
            f"SELECT phone, id FROM citizens WHERE phone IN ({marks}) AND seen_us >= ?", (*some, stored(now - _DAY))
        )
        found.update(rows.fetchall())
    return found


def known_phone(db: sqlite3.Connection, phone: str) -> int | None:
    """Return the row's id of a telephone; None if nothing is kept of it."""
    return _id(db, "phone", phone)


def _id(db: sqlite3.Connection, column: str, value: str) -> int | None:
    if not value:
        return None
    row = db.execute(f"SELECT id FROM citizens WHERE {column} = ?", (value,)).fetchone()
    return None if row is None else int(row[0])


def _moved_to(db: sqlite3.Connection, citizen: int, phone: str) -> None:
    """Give a row its telephone, unless it has one: then the person's id was of an earlier number and stays there."""
    db.execute("UPDATE citizens SET phone = ? WHERE id = ? AND phone IS NULL", (phone, citizen))


def _united(db: sqlite3.Connection, by_phone: int, by_person: int, person: str) -> int:
    """Join two rows of one person: the telephone's row stays, with all opt-outs of both."""
    (other,) = db.execute("SELECT phone FROM citizens WHERE id = ?", (by_person,)).fetchone()
    if other is not None:  # the id was seen with another telephone, whose messages stay its own
        db.execute("UPDATE citizens SET person = NULL WHERE id = ?", (by_person,))
        db.execute("UPDATE citizens SET person = ? WHERE id = ?", (person, by_phone))
        return by_phone
    for table in _POINTING:
        db.execute(f"UPDATE {table} SET citizen = ? WHERE citizen = ?", (by_phone, by_person))
    db.execute(
        "INSERT OR IGNORE INTO opt_outs SELECT ?, channel, at_us, how FROM opt_outs WHERE citizen = ?",
        (by_phone, by_person),
    )
    db.execute("DELETE FROM opt_outs WHERE citizen = ?", (by_person,))
    db.execute("UPDATE OR IGNORE dialogues SET citizen = ? WHERE citizen = ?", (by_phone, by_person))
    db.execute("DELETE FROM dialogues WHERE citizen = ?", (by_person,))
    db.execute(
        "UPDATE citizens SET language = coalesce(nullif((SELECT language FROM citizens WHERE id = :old), ''), language)"
        " WHERE id = :new",
        {"old": by_person, "new": by_phone},
    )
    db.execute("DELETE FROM citizens WHERE id = ?", (by_person,))
    db.execute("UPDATE citizens SET person = ? WHERE id = ?", (person, by_phone))
    return by_phone


def citizen(db: sqlite3.Connection, key: int) -> Citizen:
    """Return what is remembered of a person."""
    row = db.execute("SELECT * FROM citizens WHERE id = ?", (key,)).fetchone()
    out = db.execute("SELECT channel FROM opt_outs WHERE citizen = ?", (key,)).fetchall()
    return Citizen(
        key,
        row["phone"] or "",
        row["person"] or "",
        row["language"],
        read(row["no_whatsapp_until_us"]),
        bool(row["is_dead"]),
        read(row["consent_us"]),
        frozenset(Channel(channel) for (channel,) in out),
    )


# --- what a person wants ----------------------------------------------------------------------------------------------


def opt_out(db: sqlite3.Connection, citizen: int, channels: Iterable[Channel], now: datetime, how: str) -> None:
    """Send this person nothing more by these channels, also no message that is planned already."""
    db.executemany(
        "INSERT OR IGNORE INTO opt_outs (citizen, channel, at_us, how) VALUES (?, ?, ?, ?)",
        [(citizen, channel.value, stored(now), how) for channel in channels],
    )


def opt_in(db: sqlite3.Connection, citizen: int, channels: Iterable[Channel]) -> None:
    """Take an opt-out back."""
    db.executemany(
        "DELETE FROM opt_outs WHERE citizen = ? AND channel = ?", [(citizen, channel.value) for channel in channels]
    )


def opt_outs(db: sqlite3.Connection) -> list[tuple[str, Channel, datetime, str]]:
    """Return all opt-outs in the order of time: telephone ("" if hidden), channel, time, and how it was made."""
    rows = db.execute(
        "SELECT phone, channel, at_us, how FROM opt_outs JOIN citizens ON citizens.id = citizen ORDER BY at_us, citizen"
    )
    return [(row["phone"] or "", Channel(row["channel"]), read(row["at_us"]), row["how"]) for row in rows]


def remember_language(db: sqlite3.Connection, citizen: int, language: str) -> None:
    """Use this language from now on, because the citizen chose it or wrote in it."""
    db.execute("UPDATE citizens SET language = ? WHERE id = ?", (language, citizen))


def remember_consent(db: sqlite3.Connection, citizen: int, at: datetime, where: str) -> None:
    """Keep when and where the citizen agreed to WhatsApp."""
    db.execute("UPDATE citizens SET consent_us = ?, consent_where = ? WHERE id = ?", (stored(at), where, citizen))


# --- what providers say about a person --------------------------------------------------------------------------------


def no_whatsapp(db: sqlite3.Connection, citizen: int, until: datetime) -> None:
    """Send this person no WhatsApp until a time."""
    db.execute(
        "UPDATE citizens SET no_whatsapp_until_us = max(no_whatsapp_until_us, ?) WHERE id = ?", (stored(until), citizen)
    )


def dead_number(db: sqlite3.Connection, citizen: int) -> None:
    """Remember that a provider says that the number does not exist."""
    db.execute("UPDATE citizens SET is_dead = 1 WHERE id = ?", (citizen,))


def alive(db: sqlite3.Connection, citizen: int) -> None:
    """Remember that the number exists: a message reached it, or the person wrote."""
    db.execute("UPDATE citizens SET is_dead = 0 WHERE id = ? AND is_dead = 1", (citizen,))


def number_changed(db: sqlite3.Connection, before: str, after: str, now: datetime, until: datetime) -> None:
    """Carry opt-outs, consent and language over to a person's new number; WhatsApp no longer reaches the old one."""
    old, new = citizen_id(db, before, "", now), citizen_id(db, after, "", now)
    if old is None or new is None or old == new:
        return
    db.execute(
        "INSERT OR IGNORE INTO opt_outs SELECT ?, channel, at_us, how FROM opt_outs WHERE citizen = ?", (new, old)
    )
    db.execute(
        "UPDATE citizens SET language = before.language, consent_us = coalesce(before.consent_us, citizens.consent_us)"
        " FROM (SELECT language, consent_us FROM citizens WHERE id = ?) AS before WHERE citizens.id = ?",
        (old, new),
    )
    db.execute("UPDATE citizens SET person = NULL WHERE id = ?", (old,))  # WhatsApp gives a new id with a new number
    no_whatsapp(db, old, until)

"""What is kept for how long: after the retention time a row keeps a pseudonym instead of a person, and no text.

The rows stay for statistics, and a message's row proves that it must not be sent again. Opt-outs stay, because the city
must go on respecting them; so does the number that they are about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from vetlla.store.reminders.pseudonyms import Pseudonyms

ROUND: Final = 150
"""Most rows that one transaction changes, so that the service waits less than 0.2 s for it."""
LOOKED: Final = 4 * ROUND
"""Most people whose rows one transaction looks at; looking is cheaper than changing."""


class Retired(NamedTuple):
    """How many rows lost their personal data."""

    appointments: int = 0
    messages: int = 0
    replies: int = 0
    reports: int = 0
    citizens: int = 0

    def __bool__(self) -> bool:
        return any(tuple(self))

    def plus(self, other: Retired) -> Retired:
        """Return both together."""
        return Retired(*map(sum, zip(self, other, strict=True)))


class Terms(NamedTuple):
    """What is too old."""

    personal_before: datetime
    """An appointment counts from its end, a message from the hour that it speaks of, a reply from its arrival."""
    reports_before: datetime
    now: datetime


class Place(NamedTuple):
    """How far a round of removals has come."""

    step: int = 0
    after: int = 0
    """The last citizen whose rows were looked at in this step."""


class _Kind(NamedTuple):
    table: str
    at: str
    """SQL for the time from which the retention counts."""
    due: str
    """SQL that is true for rows that have personal data left; ``?`` is the oldest time that is kept."""
    clear: str
    """What else is emptied."""


_APPOINTMENTS: Final = _Kind(
    "appointments",
    "end_us",
    "retired = 0 AND end_us < ?",
    "phone_given = '', language = '', consent_us = NULL, status_given = '', retired = 1",
)
_MESSAGES: Final = _Kind(
    "outbox",
    "max(start_us, planned_us)",
    "citizen IS NOT NULL AND max(start_us, planned_us) < ?"
    " AND state IN ('delivered', 'read', 'failed', 'expired', 'suppressed')",
    "text = '', detail = '', context = '', holder = ''",
)
_REPLIES: Final = _Kind(
    "replies",
    "received_us",
    "retired = 0 AND received_us < ? AND handled_us IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM inbox WHERE reply = replies.id AND closed_us IS NULL)",
    "text = '', payload = '', context = '', retired = 1",
)
_KINDS: Final = (_APPOINTMENTS, _MESSAGES, _REPLIES)


# --- by age -----------------------------------------------------------------------------------------------------------


def retire(
    db: sqlite3.Connection, terms: Terms, pseudonyms: Pseudonyms, place: Place, *, limit: int = ROUND
) -> tuple[Retired, Place | None]:
    """Remove some of what is too old; return what it was, and where to go on. None: the round has ended.

    Call it, each time in a transaction of its own, from ``Place()`` on. Raises ConfigError if the key of a year is
    missing.
    """
    step = _STEPS[place.step]
    done, after = step(db, terms, pseudonyms, place.after, limit)
    if after is not None:
        return done, place._replace(after=after)
    following = Place(place.step + 1)
    return done, following if following.step < len(_STEPS) else None


def _appointments(
    db: sqlite3.Connection, terms: Terms, pseudonyms: Pseudonyms, _: int, limit: int
) -> tuple[Retired, int | None]:
    count = _retired(db, _APPOINTMENTS, terms, pseudonyms, limit=limit)
    return Retired(appointments=count), 0 if count == limit else None


def _messages(
    db: sqlite3.Connection, terms: Terms, pseudonyms: Pseudonyms, after: int, limit: int
) -> tuple[Retired, int | None]:
    # Person by person, because that index has only the rows that still name one.
    last = _last_of(db, "SELECT DISTINCT citizen AS one FROM outbox WHERE citizen > ? ORDER BY citizen LIMIT ?", after)
    if last is None:
        return Retired(), None
    count = _retired(db, _MESSAGES, terms, pseudonyms, people=(after, last), limit=limit)
    return Retired(messages=count), after if count == limit else last


def _replies(
    db: sqlite3.Connection, terms: Terms, pseudonyms: Pseudonyms, _: int, limit: int
) -> tuple[Retired, int | None]:
    count = _retired(db, _REPLIES, terms, pseudonyms, limit=limit)
    return Retired(replies=count), 0 if count == limit else None


def _reports(db: sqlite3.Connection, terms: Terms, _: Pseudonyms, __: int, limit: int) -> tuple[Retired, int | None]:
    count = db.execute(
        "DELETE FROM delivery_reports WHERE id IN (SELECT id FROM delivery_reports WHERE received_us < ? LIMIT ?)",
        (stored(terms.reports_before), limit),
    ).rowcount
    return Retired(reports=count), 0 if count == limit else None


def _dialogues(db: sqlite3.Connection, terms: Terms, _: Pseudonyms, __: int, limit: int) -> tuple[Retired, int | None]:
    count = db.execute(
        "DELETE FROM dialogues WHERE citizen IN (SELECT citizen FROM dialogues WHERE expires_us <= ? LIMIT ?)",
        (stored(terms.now), limit),
    ).rowcount
    return Retired(), 0 if count == limit else None


def _citizens(
    db: sqlite3.Connection, terms: Terms, _: Pseudonyms, after: int, limit: int
) -> tuple[Retired, int | None]:
    last = _last_of(db, "SELECT id AS one FROM citizens WHERE id > ? ORDER BY id LIMIT ?", after)
    if last is None:
        return Retired(), None
    before = stored(terms.personal_before)
    count = db.execute(
        f"DELETE FROM citizens WHERE id IN (SELECT id FROM citizens WHERE {_UNUSED} AND id > ? AND id <= ? LIMIT ?)",
        (before, before, after, last, limit),
    ).rowcount
    return Retired(citizens=count), after if count == limit else last


_STEPS: Final = (_appointments, _messages, _replies, _reports, _dialogues, _citizens)

_UNUSED: Final = """
seen_us < ? AND no_whatsapp_until_us < ?
    AND NOT EXISTS (SELECT 1 FROM opt_outs WHERE citizen = citizens.id)
    AND NOT EXISTS (SELECT 1 FROM appointments WHERE citizen = citizens.id)
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE citizen = citizens.id)
    AND NOT EXISTS (SELECT 1 FROM replies WHERE citizen = citizens.id)
    AND NOT EXISTS (SELECT 1 FROM dialogues WHERE citizen = citizens.id)
"""


def _last_of(db: sqlite3.Connection, people: str, after: int) -> int | None:
    """Return the last of the next people; None if there are none."""
    (last,) = db.execute(f"SELECT max(one) FROM ({people})", (after, LOOKED)).fetchone()
    return None if last is None else int(last)


def _retired(
    db: sqlite3.Connection,
    kind: _Kind,
    terms: Terms,
    pseudonyms: Pseudonyms,
    *,
    limit: int,
    people: tuple[int, int] | None = None,
) -> int:
    where, values = kind.due, [stored(terms.personal_before)]
    if people is not None:
        where, values = f"{where} AND citizen > ? AND citizen <= ?", [*values, *people]
    rows = db.execute(
        f"SELECT {kind.table}.id, {kind.at} AS at_us, coalesce(phone, person, '') AS who FROM {kind.table}"
        f" LEFT JOIN citizens ON citizens.id = citizen WHERE {where} LIMIT ?",
        (*values, limit),
    ).fetchall()
    db.executemany(
        f"UPDATE {kind.table} SET citizen = NULL, pseudonym = ?, {kind.clear} WHERE id = ?",
        [(pseudonyms.of(row["who"], read(row["at_us"])) if row["who"] else "", row["id"]) for row in rows],
    )
    if kind is _REPLIES:
        db.executemany("UPDATE inbox SET answer = '' WHERE reply = ?", [(row["id"],) for row in rows])
    return len(rows)


def due(db: sqlite3.Connection, terms: Terms) -> Retired:
    """Return how many rows a round would change. People are counted who are in no row now."""
    before = stored(terms.personal_before)
    some, messages, replies = (
        db.execute(f"SELECT count(*) FROM {kind.table} WHERE {kind.due}", (before,)).fetchone()[0] for kind in _KINDS
    )
    (reports,) = db.execute(
        "SELECT count(*) FROM delivery_reports WHERE received_us < ?", (stored(terms.reports_before),)
    ).fetchone()
    (citizens,) = db.execute(f"SELECT count(*) FROM citizens WHERE {_UNUSED}", (before, before)).fetchone()
    return Retired(some, messages, replies, reports, citizens)


# --- of one person ----------------------------------------------------------------------------------------------------


def erase(db: sqlite3.Connection, citizen: int, *, keep_opt_out: bool = True) -> Retired:
    """Remove a person from all rows, without a pseudonym; messages that are not sent yet are suppressed.

    ``keep_opt_out``: if the person opted out, the number stays for that alone. Otherwise the next appointment would be
    reminded of again. What the source has of the person must be erased there.
    """
    db.execute(
        "UPDATE outbox SET state = 'suppressed', reason = 'erased', leased_until_us = NULL WHERE citizen = ?"
        " AND state IN ('planned', 'claimed')",
        (citizen,),
    )
    db.execute(
        "UPDATE inbox SET closed_us = opened_us, closed_by = 'erasure', answer = ''"
        " WHERE closed_us IS NULL AND reply IN (SELECT id FROM replies WHERE citizen = ?)",
        (citizen,),
    )
    db.execute("UPDATE inbox SET answer = '' WHERE reply IN (SELECT id FROM replies WHERE citizen = ?)", (citizen,))
    db.execute(
        "UPDATE replies SET handled_us = received_us, outcome = 'erased' WHERE citizen = ? AND handled_us IS NULL",
        (citizen,),
    )
    some, messages, replies = (
        db.execute(
            f"UPDATE {kind.table} SET citizen = NULL, pseudonym = '', {kind.clear} WHERE citizen = ?", (citizen,)
        ).rowcount
        for kind in _KINDS
    )
    db.execute("DELETE FROM dialogues WHERE citizen = ?", (citizen,))
    if keep_opt_out and db.execute("SELECT 1 FROM opt_outs WHERE citizen = ?", (citizen,)).fetchone():
        db.execute(
            "UPDATE citizens SET language = '', consent_us = NULL, consent_where = '', no_whatsapp_until_us = 0"
            " WHERE id = ?",
            (citizen,),
        )
        return Retired(some, messages, replies)
    db.execute("DELETE FROM opt_outs WHERE citizen = ?", (citizen,))
    return Retired(
        some, messages, replies, citizens=db.execute("DELETE FROM citizens WHERE id = ?", (citizen,)).rowcount
    )


_WALKED: Final = 20_000
"""Rows of a table that one read looks at: no index has the pseudonyms."""


def rows_under(db: sqlite3.Connection, pseudonyms: Collection[str]) -> dict[str, list[int]]:
    """Return the rows that have one of these pseudonyms, by table. Each read is short, because the tables are large."""
    marks = ", ".join("?" * len(pseudonyms))
    found: dict[str, list[int]] = {}
    for table in (kind.table for kind in _KINDS):
        (last,) = db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()
        for after in range(0, last, _WALKED):
            rows = db.execute(
                f"SELECT id FROM {table} WHERE id > ? AND id <= ? AND pseudonym IN ({marks})",
                (after, after + _WALKED, *pseudonyms),
            )
            found.setdefault(table, []).extend(row["id"] for row in rows)
    return {table: ids for table, ids in found.items() if ids}


def erase_pseudonyms(db: sqlite3.Connection, rows: Mapping[str, Sequence[int]]) -> None:
    """Take the pseudonym from these rows: statistics count them, and no longer for one person."""
    for table, ids in rows.items():
        db.executemany(f"UPDATE {table} SET pseudonym = '' WHERE id = ?", [(one,) for one in ids])

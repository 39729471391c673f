"""What the duplicate window must know again after a restart: the reports that were stored lately.

Reports of closed alarms are left out, because what looks like them is another call. Of reports without an alarm only
identity, number and instant are read: there may be a million of them, and a receiver must start quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.signals import AccountId
from vetlla.store.rows import content

if TYPE_CHECKING:
    import sqlite3

    from vetlla.clock import Instant

RECENT_MAX = 1_000_000
"""Identities read back after a restart at most: the size of the duplicate window in memory."""

# Backwards from the end to the window's edge: no index over every instant, and a short read.
_EDGE = """
SELECT max(coalesce((SELECT max(id) FROM signals) - :at_most, 0), coalesce((
    SELECT id FROM signals WHERE received_us < :since_us AND id > (SELECT max(id) FROM signals) - :at_most
    ORDER BY id DESC LIMIT 1
), 0))
"""
_PLAIN = """
SELECT identity, id, min(:mono_us, received_us + :mono_us - :utc_us) FROM signals
WHERE id > :edge AND identity <> x'' AND alarm_id IS NULL ORDER BY id
"""
# The last frame of the device is sought through the index by account: one short look backwards for each call.
_CALLS = """
SELECT s.identity, s.id, s.part, s.receiver, s.line, s.account, s.alarm_id, s.occurred_us, s.sent_us, s.text, s.more,
       min(:mono_us, s.received_us + :mono_us - :utc_us) AS stored_us,
       min(:mono_us, coalesce(d.last_us, s.received_us) + :mono_us - :utc_us) AS told_us,
       (SELECT o.id - o.part + 1 FROM signals o WHERE o.account = s.account AND o.receiver = s.receiver
        AND o.line = s.line ORDER BY o.id DESC LIMIT 1) AS last_frame
FROM signals s LEFT JOIN duplicates d ON d.signal_id = s.id
WHERE s.alarm_id IN (SELECT id FROM alarms WHERE state <> 'closed') AND s.id > :edge AND s.identity <> x'' ORDER BY s.id
"""


class Call(NamedTuple):
    """A report of an open alarm. Instants on the monotonic clock of today, times of the device in microseconds UTC."""

    identity: bytes
    number: int
    frame: int
    """Number of the first signal of its frame."""
    who: AccountId
    last_frame: int
    """The same of the last frame that came from this device."""
    alarm: int
    stored_us: int
    told_us: int
    occurred_us: int | None
    sent_us: int | None
    content: int


class Recent(NamedTuple):
    """The reports within the window, oldest first."""

    plain: list[tuple[bytes, int, int]]
    """Reports without an alarm: identity, number, and when it was stored on the monotonic clock of today."""
    calls: list[Call]


NOTHING_RECENT = Recent([], [])


def read_recent(connection: sqlite3.Connection, since_us: int, now: Instant) -> Recent:
    """Read the reports that were received since an instant (microseconds UTC)."""
    (edge,) = connection.execute(_EDGE, {"since_us": since_us, "at_most": RECENT_MAX}).fetchone()
    values = {"edge": edge, "mono_us": now.mono_us, "utc_us": now.utc_us}
    cursor = connection.cursor()
    cursor.row_factory = None  # up to a million: plain tuples
    return Recent(
        plain=cursor.execute(_PLAIN, values).fetchall(),
        calls=[_call(row) for row in connection.execute(_CALLS, values)],
    )


def _call(row: sqlite3.Row) -> Call:
    return Call(
        identity=row["identity"],
        number=row["id"],
        frame=row["id"] - row["part"] + 1,
        who=AccountId(row["receiver"], row["line"], row["account"]),
        last_frame=row["last_frame"],
        alarm=row["alarm_id"],
        stored_us=row["stored_us"],
        told_us=row["told_us"],
        occurred_us=row["occurred_us"],
        sent_us=row["sent_us"],
        content=content(row["text"], row["more"]),
    )

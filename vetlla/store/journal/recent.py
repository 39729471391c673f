"""Reads what the receiver must know of the last minutes after a restart: reports that may be repeated, open alarms.

Reports of closed alarms are left out, because a report that looks like one of them is another call. Of reports without
an alarm only identity, number and instant are read: there may be a million of them, and a receiver must start quickly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.alarms import Tally
from vetlla.domain.previous_run import END_MARKS, Call, LastFrame, Recent
from vetlla.domain.signals import AccountId, Priority
from vetlla.store.journal.rows import content

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from vetlla.domain.clock import Instant

RECENT_MAX = 1_000_000
"""Most identities read after a restart: the size of the duplicate window in memory."""

# When a signal came, on the current monotonic clock. Signals of earlier machine starts have only the wall clock. If an
# instant seems to lie in the future, because that clock was set back, it counts as now.
_STORED_US = """
CASE WHEN commit_id >= :first_commit THEN received_mono_us ELSE min(:mono_us, received_us + :mono_us - :utc_us) END
"""
# Read backwards from the end to the window's edge: a short read that needs no index over all instants.
_EDGE = """
SELECT max(coalesce((SELECT max(id) FROM signals) - :at_most, 0), coalesce((
    SELECT id FROM signals WHERE STORED_US < :since_us AND id > (SELECT max(id) FROM signals) - :at_most
    ORDER BY id DESC LIMIT 1
), 0))
""".replace("STORED_US", _STORED_US)
_PLAIN = """
SELECT identity, id, STORED_US FROM signals
WHERE id > :edge AND identity <> x'' AND alarm_id IS NULL ORDER BY id
""".replace("STORED_US", _STORED_US)
# The index by account finds the last frame of the device with one short backward read for each call.
_CALLS = """
SELECT s.identity, s.id, s.part, s.receiver, s.line, s.account, s.alarm_id, s.occurred_us, s.sent_us, s.text, s.more,
       STORED_US AS came_us,
       CASE WHEN d.last_us IS NULL THEN STORED_US
            WHEN d.last_mono_us AND s.commit_id >= :first_commit THEN d.last_mono_us
            ELSE min(:mono_us, d.last_us + :mono_us - :utc_us) END AS told_us,
       (SELECT o.id - o.part + 1 FROM signals o WHERE o.account = s.account AND o.receiver = s.receiver
        AND o.line = s.line ORDER BY o.id DESC LIMIT 1) AS last_frame
FROM signals s LEFT JOIN duplicates d ON d.signal_id = s.id
WHERE s.alarm_id IN (SELECT id FROM alarms WHERE state <> 'closed') AND s.id > :edge AND s.identity <> x'' ORDER BY s.id
""".replace("STORED_US", _STORED_US)
# Read backwards from the end, which is short for a port whose receiver is at work.
_LAST_FRAME = """
SELECT s.id, s.raw, s.alarm_id, coalesce(d.count, 0) AS again,
       CASE WHEN d.last_us IS NULL THEN STORED_US
            WHEN d.last_mono_us AND s.commit_id >= :first_commit THEN d.last_mono_us
            ELSE min(:mono_us, d.last_us + :mono_us - :utc_us) END AS told_us
FROM (SELECT id - part AS before, id AS last FROM signals
      WHERE listener = :port AND id > :edge ORDER BY id DESC LIMIT 1)
JOIN signals s ON s.id > before AND s.id <= last
LEFT JOIN duplicates d ON d.signal_id = s.id ORDER BY s.id
""".replace("STORED_US", _STORED_US)
_TALLIES = """
SELECT alarm_id, count(*), max(id),
       coalesce(max(came_us) FILTER (WHERE priority < :routine), min(came_us)),
       coalesce(sum(d.count), 0), coalesce(max(d.last_us), 0)
FROM (SELECT id, alarm_id, priority, STORED_US AS came_us FROM signals
      WHERE alarm_id IN (SELECT id FROM alarms WHERE state <> 'closed'))
LEFT JOIN duplicates d ON d.signal_id = id GROUP BY alarm_id
""".replace("STORED_US", _STORED_US)


class Moment(NamedTuple):
    """The present instant, with a way to compare past instants with it."""

    now: Instant
    first_commit: int
    """First commit since the machine started; monotonic stamps from before it cannot be compared."""

    def mono_us(self, utc_us: int) -> int:
        """Return an instant of the wall clock on the current monotonic clock; a future instant counts as now."""
        return min(self.now.mono_us, utc_us + self.now.mono_us - self.now.utc_us)

    @property
    def values(self) -> dict[str, int]:
        """Return the present as parameters of a query."""
        return {"mono_us": self.now.mono_us, "utc_us": self.now.utc_us, "first_commit": self.first_commit}


def moment(connection: sqlite3.Connection, boot: int, now: Instant) -> Moment:
    """Return the present of a machine start. Its commits are the last ones, so a binary search finds the first one."""
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM commits").fetchone()
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        id_, of = connection.execute(
            "SELECT id, boot FROM commits WHERE id >= ? ORDER BY id LIMIT 1", (middle,)
        ).fetchone()
        low, high = (low, middle) if of == boot else (id_ + 1, high)
    return Moment(now, low)


def read_tallies(connection: sqlite3.Connection, present: Moment) -> dict[int, Tally]:
    """Return how much each open alarm has grown; an alarm without a signal is left out."""
    rows = connection.execute(_TALLIES, {"routine": Priority.ROUTINE.value, **present.values})
    return {alarm: Tally(*grown) for alarm, *grown in rows}


def read_recent(connection: sqlite3.Connection, window_us: int, present: Moment, ports: Iterable[str]) -> Recent:
    """Return the reports that came within the last ``window_us``, and the last frame of each port that is named."""
    since_us = present.now.mono_us - window_us
    (edge,) = connection.execute(_EDGE, {"since_us": since_us, "at_most": RECENT_MAX, **present.values}).fetchone()
    values = {"edge": edge, **present.values}
    cursor = connection.cursor()
    cursor.row_factory = None  # plain tuples, because there may be a million rows
    return Recent(
        plain=cursor.execute(_PLAIN, values).fetchall(),
        calls=[_call(row) for row in connection.execute(_CALLS, values)],
        frames={
            port: _frame(rows)
            for port in ports
            if (rows := connection.execute(_LAST_FRAME, {"port": port, **values}).fetchall())
        },
    )


def _frame(rows: Sequence[sqlite3.Row]) -> LastFrame:
    first = rows[0]
    return LastFrame(
        raw=first["raw"].strip(END_MARKS),
        reports=tuple((row["id"], row["alarm_id"]) for row in rows),
        told_us=max(row["told_us"] for row in rows),
        tellings=1 + first["again"],
    )


def _call(row: sqlite3.Row) -> Call:
    return Call(
        identity=row["identity"],
        number=row["id"],
        frame=row["id"] - row["part"] + 1,
        who=AccountId(row["receiver"], row["line"], row["account"]),
        last_frame=row["last_frame"],
        alarm=row["alarm_id"],
        stored_us=row["came_us"],
        told_us=row["told_us"],
        occurred_us=row["occurred_us"],
        sent_us=row["sent_us"],
        content=content(row["text"], row["more"]),
    )

"""Finds emergencies among the events of duties. Each function works within the caller's transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from vetlla.domain.emergencies import TYPE_OF_KIND, WaitingEmergency

if TYPE_CHECKING:
    import sqlite3

_KINDS: Final = tuple(TYPE_OF_KIND)
_NAMED: Final = "SELECT DISTINCT subject FROM duty_events WHERE kind IN (?, ?) AND instr(details, ?)"
_OPEN: Final = "SELECT DISTINCT subject FROM open_duties WHERE kind IN (?, ?)"
# The writers keep open_duties (store/duties/index.py). A duty that is decided has no due time there.
_WAITING: Final = """
SELECT d.kind, e.at_us, d.due_us, (
    SELECT s.event FROM duty_events AS s
    WHERE s.kind = d.kind AND s.subject = d.subject AND s.event IN ('sent', 'recalled') AND s.at_us >= e.at_us
    AND (s.duty = d.duty OR (s.duty = 0 AND s.ref IN ('', e.ref)))
    AND NOT EXISTS (
        SELECT 1 FROM duty_events AS w WHERE w.kind = s.kind AND w.subject = s.subject AND w.withdraws = s.id
    )
    ORDER BY s.at_us DESC, s.id DESC LIMIT 1
), (
    SELECT max(n.at_us) FROM duty_events AS n
    WHERE n.kind = d.kind AND n.subject = d.subject
    AND (n.id = d.duty OR n.duty = d.duty OR (n.duty = 0 AND n.ref IN ('', e.ref)))
)
FROM open_duties AS d JOIN duty_events AS e ON e.id = d.duty
WHERE d.kind IN (?, ?) AND d.due_us IS NOT NULL ORDER BY e.at_us, e.id
"""


def homes_of_alarm(connection: sqlite3.Connection, alarm: str) -> list[str]:
    """Return the homes whose emergencies name an alarm. It reads every event of an emergency that was ever recorded."""
    named = f'"alarm":{json.dumps(alarm, ensure_ascii=False)}'  # as vetlla.service.duties.columns writes it
    return [home for (home,) in connection.execute(_NAMED, (*_KINDS, named))]


def homes_with_open(connection: sqlite3.Connection) -> list[str]:
    """Return the homes with an emergency that no event has ended, as the index of duties has them."""
    return [home for (home,) in connection.execute(_OPEN, _KINDS)]


def waiting(connection: sqlite3.Connection) -> list[WaitingEmergency]:
    """Return the emergencies that wait for a unit to get in, as the index of duties has them, by their beginning."""
    return [
        WaitingEmergency(TYPE_OF_KIND[kind], opened_us, due_us, last == "sent", news_us)
        for kind, opened_us, due_us, last, news_us in connection.execute(_WAITING, _KINDS)
    ]

"""Removes personal data after their retention time, in transactions so short that the service does not notice them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.store.reminders import audit, retention
from vetlla.store.reminders.retention import Place, Retired, Terms
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

    from vetlla.service.reminders.retention import RetentionTimes
    from vetlla.store.reminders.pseudonyms import Pseudonyms


def retire(
    db: sqlite3.Connection,
    times: RetentionTimes,
    pseudonyms: Pseudonyms,
    by: str,
    now: datetime,
    *,
    limit: int = retention.ROUND,
) -> Iterator[Retired]:
    """Remove what is too old, and yield what was removed so far, after each transaction.

    The daemon does other work between two steps. If it stops, the next round removes the rest. The audit has the
    numbers of a round that removed something. Raises ConfigError if the key of a year is missing.
    """
    terms, total = _terms(times, now), Retired()
    place: Place | None = Place()
    while place is not None:
        with atomic(db):
            done, place = retention.retire(db, terms, pseudonyms, place, limit=limit)
            total = total.plus(done)
            if place is None and total:
                audit.record(db, now, by, "retired", subject="personal data", detail=total._asdict())
        yield total


def too_old(db: sqlite3.Connection, times: RetentionTimes, now: datetime) -> Retired:
    """Return how many rows have personal data, or are reports, that are too old."""
    return retention.due(db, _terms(times, now))


def _terms(times: RetentionTimes, now: datetime) -> Terms:
    return Terms(times.personal_before(now), times.reports_before(now), now)

"""Keeps the index of duties in step with the events that were written, and reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.service.duties.grouping import group
from vetlla.service.duties.standing import standing
from vetlla.store.duties import events as store
from vetlla.store.duties import index
from vetlla.store.duties.index import LooseEvent, OpenDuty

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.domain.duties import DutyEvent
    from vetlla.service.duties.terms import DutyRules


def keep_index(connection: sqlite3.Connection, rules: DutyRules, touched: Iterable[tuple[str, str]]) -> None:
    """Bring the index up to date after events of these kinds and subjects were written."""
    if not index.is_of(connection, rules.fingerprint):
        index.clear(connection, rules.fingerprint)
        index.add(connection, computed(connection, rules))
        return
    keys = sorted(set(touched))
    index.forget(connection, keys)
    for kind, subject in keys:
        index.add(connection, _rows(rules, kind, store.of_subject(connection, kind, subject)))


def computed(
    connection: sqlite3.Connection, rules: DutyRules, kinds: Sequence[str] = ()
) -> Iterator[OpenDuty | LooseEvent]:
    """Yield every row of the index, of these kinds or of all, computed from all events."""
    for kind, _, events in store.by_subject(connection, kinds or rules.kinds.names()):
        yield from _rows(rules, kind, events)


def due(
    connection: sqlite3.Connection, rules: DutyRules, before_us: int, kinds: Sequence[str] = ()
) -> Iterator[OpenDuty]:
    """Yield the duties of these kinds (default: all) whose clock runs out before a time or has run out, in that order.

    Raises UsageError for an unknown kind.
    """
    wanted = rules.kinds.chosen(kinds)
    if index.is_of(connection, rules.fingerprint):
        return index.due(connection, before_us, wanted)
    return iter(_computed_due(connection, rules, before_us, wanted))


def count_due(connection: sqlite3.Connection, rules: DutyRules, before_us: int, kinds: Sequence[str] = ()) -> int:
    """Return how many duties ``due`` yields. Raises UsageError for an unknown kind."""
    wanted = rules.kinds.chosen(kinds)
    if index.is_of(connection, rules.fingerprint):
        return index.count_due(connection, before_us, wanted)
    return len(_computed_due(connection, rules, before_us, wanted))


def _computed_due(
    connection: sqlite3.Connection, rules: DutyRules, before_us: int, kinds: Sequence[str]
) -> list[OpenDuty]:
    found = [
        row
        for row in computed(connection, rules, kinds)
        if isinstance(row, OpenDuty) and row.due_us is not None and row.due_us < before_us
    ]
    return sorted(found, key=lambda row: (row.due_us or 0, row.duty))


def loose(connection: sqlite3.Connection, rules: DutyRules) -> list[LooseEvent]:
    """Return every event that belongs to no duty."""
    if index.is_of(connection, rules.fingerprint):
        return list(index.all_loose(connection))
    return [row for row in computed(connection, rules) if isinstance(row, LooseEvent)]


def _rows(rules: DutyRules, kind: str, events: Iterable[DutyEvent]) -> Iterator[OpenDuty | LooseEvent]:
    described = rules.kinds.kind(kind)
    over = frozenset() if described.reopens else frozenset((*described.ends, *described.cancels))
    grouped = group(described, events)
    for event in grouped.loose:
        yield LooseEvent(event.id, kind, event.told.subject)
    for duty in grouped.duties:
        if any(event.told.event in over for event in duty.events):
            continue  # most duties have ended, and their clocks need not be computed
        # When a clock runs out does not depend on the present time.
        one = standing(duty, rules, duty.opened_us)
        if one.is_open:
            yield OpenDuty(duty.id, kind, duty.subject, None if one.judging else one.due_us)

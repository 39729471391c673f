"""Keeps the index of duties in step with the events that were written, and reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.duties.grouping import group
from vetlla.service.duties.standing import standing
from vetlla.store.duties import events as store
from vetlla.store.duties import index
from vetlla.store.duties.index import LooseEvent, OpenDuty
from vetlla.store.registry.transaction import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.duties import DutyEvent
    from vetlla.service.duties.terms import DutyRules


REBUILT_AT_MOST: Final = 50_000
"""Events up to which every writer makes the index again if it is of other rules. That takes half a second, and 28 s
were measured for three million events: a unit that is sent to a home must not wait for that."""


class Reindexed(NamedTuple):
    """What is in an index that was made again."""

    open: int
    """Duties that no event has ended."""
    loose: int
    """Events that belong to no duty."""


def keep_index(
    connection: sqlite3.Connection,
    rules: DutyRules,
    touched: Iterable[tuple[str, str]],
    *,
    large: bool = False,
    rebuilt_at_most: int = REBUILT_AT_MOST,
) -> None:
    """Bring the index up to date after events of these kinds and subjects were written.

    If it is of other rules, a ``large`` change makes it again. Another writer does so only if there are at most
    ``rebuilt_at_most`` events; else it writes the rows of its own subjects, and the index is of no rules until
    ``reindex``. Then its rows still name the open duties, but some times are of other rules, so readers compute them.
    """
    keys = sorted(set(touched))
    if not index.is_of(connection, rules.fingerprint):
        if large or store.next_number(connection) <= rebuilt_at_most:
            index.clear(connection, rules.fingerprint)
            index.add(connection, computed(connection, rules))
            return
        if keys:
            index.unmark(connection)
    index.forget(connection, keys)
    for kind, subject in keys:
        index.add(connection, _rows(rules, kind, store.of_subject(connection, kind, subject)))


def reindex(state_dir: Path, clock: Clock, rules: DutyRules, *, dry_run: bool = False) -> Reindexed:
    """Make the index again from all events, by these rules. Raises StoreError."""
    with transaction(state_dir, clock, dry_run=dry_run, large=True) as connection:
        index.clear(connection, rules.fingerprint)
        index.add(connection, computed(connection, rules))
        return Reindexed(*index.size(connection))


def needs_reindex(connection: sqlite3.Connection, rules: DutyRules, *, rebuilt_at_most: int = REBUILT_AT_MOST) -> bool:
    """Return True if the index is of other rules, and the next writer leaves it so."""
    return not index.is_of(connection, rules.fingerprint) and store.next_number(connection) > rebuilt_at_most


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


def loose_of(connection: sqlite3.Connection, rules: DutyRules, subjects: Iterable[tuple[str, str]]) -> int:
    """Return how many events of these kinds and subjects belong to no duty."""
    if index.is_of(connection, rules.fingerprint):
        return sum(1 for _ in index.loose_of(connection, subjects))
    rows = (
        row for kind, subject in subjects for row in _rows(rules, kind, store.of_subject(connection, kind, subject))
    )
    return sum(isinstance(row, LooseEvent) for row in rows)


def open_subjects(connection: sqlite3.Connection, rules: DutyRules, kind: str) -> dict[str, set[int]] | None:
    """Return the open duties of a kind by subject; None if the index is of other rules."""
    if not index.is_of(connection, rules.fingerprint):
        return None
    found: dict[str, set[int]] = {}
    for row in index.all_open(connection, kind):
        found.setdefault(row.subject, set()).add(row.duty)
    return found


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

"""Erase everything that the registry and the journal keep of a home that left the service."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import DAY_US, to_us
from vetlla.domain.errors import UsageError
from vetlla.domain.homes import FactRecording
from vetlla.domain.removal import Erasure
from vetlla.store.accounts.table import accounts_of_home
from vetlla.store.calls import erasure as calls_erasure
from vetlla.store.duties import erasure as duties_erasure
from vetlla.store.duties.erasure import EVER, ErasedSubject
from vetlla.store.erasure import count, is_unfinished, look_through, refuse_early
from vetlla.store.homes.queries import people
from vetlla.store.inventory import erasure as inventory_erasure
from vetlla.store.inventory.queries import stays
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.journal import Journal
from vetlla.store.registry.registry import reading
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.store.removing import JournalRemovals
from vetlla.tasks.cards.changing import erase_card
from vetlla.tasks.cards.looking import has_card

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.removal import ProofFields
    from vetlla.store.inventory.erasure import KeptOfHome


CARDS = "cards"
"""Name of the count of cards among those of an erasure."""
SOURCE = "erase"
"""Source of the facts by which erased people leave the service."""


class NothingKeptError(UsageError):
    """Nothing is kept of a home."""


class Found(NamedTuple):
    """What is kept of a home: how to erase it, and how many rows of each kind there are."""

    erasure: Erasure
    counts: dict[str, int]


def find(
    state_dir: Path, clock: Clock, home: str, *, by: str, today: date, window_us: int, tell: Callable[[int, int], None]
) -> Found:
    """Return what is kept of a home. Raises UsageError for a home that must not be erased yet, or is not known."""
    with reading(state_dir, clock) as registry:
        registered = accounts_of_home(registry, home)
    with snapshot(state_dir, clock) as connection:
        inventory_erasure.look(connection, home, registered, today)  # refuses before the long search
    with Archive(state_dir) as archive:
        said = look_through(archive.read, home, tell)
        # A home that was never registered is named by its own account.
        accounts = sorted({*registered, *said.accounts} or {home.rpartition("/")[2]})
        with snapshot(state_dir, clock) as connection:
            kept = inventory_erasure.look(connection, home, accounts, today)
            mine = tuple(account for account in accounts if account not in kept.others)
            counts = _registry_counts(connection, home, mine, kept)
        erasure = Erasure(home, mine, by, tuple(sorted(kept.others)))
        refuse_early(archive.read, erasure, clock.now().utc_us, window_us)
        counts = count(archive.read, erasure, said) | counts | {CARDS: int(has_card(state_dir, home))}
        unfinished = is_unfinished(archive.read, erasure)
    if not (kept.known or unfinished or any(counts.values())):
        raise NothingKeptError(
            f"nothing is kept of home {home}", remedy="check its code: vetlla inventory list shows codes of homes"
        )
    return Found(erasure, counts)


def erase_home(
    state_dir: Path,
    clock: Clock,
    erasure: Erasure,
    today: date,
    in_journal: Callable[[Mapping[str, int]], ProofFields],
) -> ProofFields:
    """Erase a home in the registry, by ``in_journal`` in the journal, and its card.

    After an error, the registry keeps its rows. The card is erased last, because the journal may still refuse: a home
    that calls again needs its card. If its erasure fails, there is no certificate, and the next call completes it.

    ``in_journal`` takes the numbers of rows that the registry loses, and returns the proof of the erasure.
    """
    with transaction(state_dir, clock) as registry:
        kept = inventory_erasure.look(registry, erasure.home, list(erasure.all_accounts), today)
        counts = _registry_counts(registry, erasure.home, erasure.accounts, kept)
        duties_erasure.erase(registry, _duty_subjects(registry, erasure.home))
        numbers = calls_erasure.home_numbers(registry, erasure.home, erasure.accounts)
        calls_erasure.erase(registry, erasure.home, numbers)
        recording = FactRecording(clock.now().utc_us, erasure.by, SOURCE)
        inventory_erasure.erase(registry, erasure.home, recording, today)
        proof = in_journal(counts | {CARDS: int(has_card(state_dir, erasure.home))})
        erase_card(state_dir, clock, erasure.home, by=erasure.by)
        return proof


def _registry_counts(
    registry: sqlite3.Connection, home: str, accounts: Iterable[str], kept: KeptOfHome
) -> dict[str, int]:
    duties = duties_erasure.count(registry, _duty_subjects(registry, home))
    numbers = calls_erasure.home_numbers(registry, home, accounts)
    return kept.counts | duties | calls_erasure.count(registry, home, numbers)


def _duty_subjects(registry: sqlite3.Connection, home: str) -> list[ErasedSubject]:
    """Return the home, its people, and its devices for the time in which they were in it, under all their names.

    A day before and after a device's stay count, too: days are local, and notes are written a day late.
    """
    found = [ErasedSubject(home), *(ErasedSubject(person.code) for person in people(registry, [home]))]
    for stay in stays(registry, home):
        since_us = to_us(datetime.combine(stay.first, time.min, UTC)) - DAY_US
        until_us = EVER if stay.last is None else to_us(datetime.combine(stay.last, time.max, UTC)) + DAY_US
        found += [ErasedSubject(name, since_us, until_us) for name in (f"{stay.type}:{stay.serial}", stay.serial)]
    return found


def erase_in_journal(
    state_dir: Path,
    clock: Clock,
    erasure: Erasure,
    registry: Mapping[str, int],
    *,
    window_us: int,
    tell: Callable[[str], None],
) -> ProofFields:
    """Erase a home in the journal of a receiver that does not run; return the proof.

    ``tell`` is called with the name of each kind of data that was erased.
    """
    journal = Journal(state_dir, clock)
    try:
        removals = JournalRemovals(journal, clock)
        for step in removals.of_home(erasure, registry, window_us):
            journal.checkpoint()
            tell(step.what)
        return removals.finish(erasure).told()
    finally:
        journal.close()

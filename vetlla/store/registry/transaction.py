"""The registry for one reading or one change: all of a change is kept, or nothing of it."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from vetlla.store.registry import registry
from vetlla.store.registry.known import look_back
from vetlla.store.registry.replace import in_memory, put_in_place, remove_leftover
from vetlla.store.sqlite.atomic import atomic
from vetlla.store.sqlite.lockfile import exclusive

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vetlla.domain.clock import Clock

COPIED_AT_MOST: Final = 64 << 20
"""Bytes of a registry up to which a large change or a dry run changes a copy in memory. The copy and its image need
twice that, and twice what the change adds: 480 MiB were measured for an import of 83 MiB."""


@contextmanager
def snapshot(state_dir: Path, clock: Clock, known_us: int | None = None) -> Iterator[sqlite3.Connection]:
    """Yield the registry for reading, as it is at one moment. Raises StoreError.

    With ``known_us`` (microseconds UTC) every answer is the one that the registry gave at that time.
    """
    with registry.reading(state_dir, clock) as connection:
        if known_us is not None:
            connection.execute("PRAGMA query_only = OFF")  # it forbids temporary views, too
            look_back(connection, known_us)
            connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        yield connection
        connection.execute("ROLLBACK")


@contextmanager
def transaction(
    state_dir: Path,
    clock: Clock,
    *,
    dry_run: bool = False,
    large: bool = False,
    check: Callable[[], None] | None = None,
    patience_s: float = registry.PATIENCE_S,
    copied_at_most: int = COPIED_AT_MOST,
) -> Iterator[sqlite3.Connection]:
    """Yield the registry for one change. It is rolled back after an error and by ``roll_back``.

    A dry run changes a copy in memory, and needs no permission to write. ``large`` changes such a copy, too, so that
    the running receiver is not slowed down; then the copy replaces the registry. ``check`` may refuse the change by an
    error, before anything is written (``registry.writing``). ``patience_s`` is how long it waits for another writer.
    Raises StoreError.

    A registry above ``copied_at_most`` bytes is not copied, because the memory of the receiver's machine comes first.
    A large change then commits in the registry itself, and may delay the receiver's syncs for a moment. A dry run is
    rolled back there, and keeps other writers out meanwhile. Only a user who may not write the registry gets a copy.
    """
    path = state_dir / registry.REGISTRY
    if dry_run:
        tried = (
            _copied
            if _is_small(state_dir, copied_at_most) or not os.access(path, os.W_OK, effective_ids=True)
            else _rolled_back
        )
        with tried(state_dir, clock, patience_s) as connection:
            yield connection
        return
    with registry.writing(state_dir, clock, check=check, patience_s=patience_s) as connection:
        remove_leftover(path)  # of a writer that was killed; other writers are kept out now
        if not large or not _is_small(state_dir, copied_at_most):
            with atomic(connection):
                yield connection
            return
        with closing(in_memory(connection)) as copy:
            before = copy.total_changes
            copy.execute("BEGIN")
            yield copy
            if copy.in_transaction and copy.total_changes > before:
                copy.execute("COMMIT")
                put_in_place(copy, path)


def _is_small(state_dir: Path, most: int) -> bool:
    found = registry.stamp(state_dir)
    return found is None or found.size <= most


@contextmanager
def _copied(state_dir: Path, clock: Clock, _: float) -> Iterator[sqlite3.Connection]:
    with registry.reading(state_dir, clock) as connection, closing(in_memory(connection)) as copy:
        copy.execute("BEGIN")
        yield copy


@contextmanager
def _rolled_back(state_dir: Path, clock: Clock, patience_s: float) -> Iterator[sqlite3.Connection]:
    """Yield the registry for a change that is rolled back. Neither its content nor its stamp changes."""
    with (
        exclusive(state_dir / registry.LOCK, patience_s=patience_s),
        registry.reading(state_dir, clock) as connection,
    ):
        connection.execute("PRAGMA query_only = OFF")
        connection.execute("PRAGMA cache_spill = OFF")  # so that no page is written before the end
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        finally:
            if connection.in_transaction:
                roll_back(connection)


def roll_back(connection: sqlite3.Connection) -> None:
    """Keep nothing of the change that is under way."""
    connection.execute("ROLLBACK")

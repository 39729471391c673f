"""The registry for one reading or one change: all of a change is kept, or nothing of it."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from vetlla.store.registry import registry
from vetlla.store.registry.replace import in_memory, put_in_place
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from vetlla.domain.clock import Clock


@contextmanager
def snapshot(state_dir: Path, clock: Clock) -> Iterator[sqlite3.Connection]:
    """Yield the registry for reading, as it was at one moment. Raises StoreError."""
    with registry.reading(state_dir, clock) as connection:
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
    patience_s: float = 0.0,
) -> Iterator[sqlite3.Connection]:
    """Yield the registry for one change. It is rolled back after an error and by ``roll_back``.

    A dry run changes a copy in memory, and needs no permission to write. ``large`` changes such a copy, too, so that
    the running receiver is not slowed down; then the copy replaces the registry. ``check`` may refuse the change by an
    error, before anything is written (``registry.writing``). ``patience_s`` is how long it waits for another writer.
    Raises StoreError.
    """
    if dry_run:
        with registry.reading(state_dir, clock) as connection, closing(in_memory(connection)) as copy:
            copy.execute("BEGIN")
            yield copy
        return
    with registry.writing(state_dir, clock, check=check, patience_s=patience_s) as connection:
        if not large:
            with atomic(connection):
                yield connection
            return
        with closing(in_memory(connection)) as copy:
            before = copy.total_changes
            copy.execute("BEGIN")
            yield copy
            if copy.in_transaction and copy.total_changes > before:
                copy.execute("COMMIT")
                put_in_place(copy, state_dir / registry.REGISTRY)


def roll_back(connection: sqlite3.Connection) -> None:
    """Keep nothing of the change that is under way."""
    connection.execute("ROLLBACK")

"""Gives out the numbers of signals, alarms, rejects and incidents. No number is used twice, not even after a restore.

A restored journal ends before the one that it replaces. If its numbers simply went on, alarm 812 of this morning and
alarm 812 of last night would belong to different homes, and people would confuse them. So a restore records the first
numbers that the receiver may give out; they are above all that are known to have been given out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.store.journal.audit_comparison import detail_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from vetlla.store.journal.audit_comparison import Read

LEAP: Mapping[str, int] = {"signals": 1_000_000, "alarms": 100_000, "rejects": 1_000_000, "incidents": 10_000}
"""Numbers that a restore skips if it cannot read the replaced journal: more than a service of 100,000 terminals gives
out between two nightly backups."""
_HAS_FLOORS = "SELECT 1 FROM sqlite_schema WHERE name = 'numbers'"


def next_number(table: str, *, floors: bool = True) -> str:
    """Return the SQL expression for the next number of a table; ``floors``: the schema has table ``numbers``."""
    after_last = f"coalesce((SELECT max(id) FROM {table}), 0) + 1"  # noqa: S608 - a constant name
    if not floors:
        return after_last
    return f"max({after_last}, coalesce((SELECT least FROM numbers WHERE what = '{table}'), 1))"  # noqa: S608 - the same


def next_numbers(read: Read) -> dict[str, int]:
    """Return the next numbers of a journal of any schema. Raises StoreError."""
    floors = bool(read(_HAS_FLOORS, ()))
    columns = ", ".join(f"{next_number(table, floors=floors)} AS {table}" for table in LEAP)
    (row,) = read(f"SELECT {columns}", ())
    return {table: int(row[table]) for table in LEAP}


def behind_all(known: Iterable[Mapping[str, int]], *, leap: bool) -> dict[str, int]:
    """Return the first numbers above all that were given out; ``leap`` skips more, for a journal that is unreadable."""
    journals = list(known)
    return {
        table: max((numbers[table] for numbers in journals), default=1) + (gap if leap else 0)
        for table, gap in LEAP.items()
    }


def numbers_of(record: sqlite3.Row) -> dict[str, int]:
    """Return the first numbers that may be given out after the restore that an audit record describes."""
    numbers = detail_of(record).get("numbers")
    if not isinstance(numbers, dict):
        return {}
    return {table: number for table, number in numbers.items() if isinstance(number, int)}

"""Removing from signals what may be removed, so that the audit still proves all that remains.

Rows are compared with the digest in force before they are touched: what a hand has changed stays as it is, and
``vetlla audit verify`` goes on finding it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.journal.audit import digest
from vetlla.store.journal.removals import Range, ranges_of
from vetlla.store.journal.rows import SIGNAL_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from vetlla.store.journal.rows import Row

RANGE_MAX = 256
"""Signals of neighbouring ranges that become one range: what a later step reads to compare it."""
READ_MAX = 1_000
"""Signals that one step reads to compare them with their digests, as many as a commit may hold: some 5 ms."""

_ROWS = f"SELECT {', '.join(SIGNAL_COLUMNS)} FROM signals WHERE id BETWEEN ? AND ? ORDER BY id"  # noqa: S608 - ours
_TOUCHED = "SELECT last, record FROM removals WHERE first <= ? ORDER BY first DESC LIMIT 1"
_DETAIL = "SELECT detail FROM audit WHERE id = ?"
_NEXT_COMMIT = "SELECT id, detail FROM audit WHERE id > ? AND action = 'commit' ORDER BY id LIMIT 1"


class Rewritten(NamedTuple):
    """What a rewriting did."""

    done: list[int]
    """Signals that it dealt with, in order: a beginning of those that it was asked for."""
    changed: int
    ranges: list[Range]
    """The digests of what remains."""
    refused: list[Range]
    """Rows that are not those that were committed: they were left alone. An empty digest: no record covers them."""


class Rewriting:
    """Changes rows of signals through one connection, within its transaction."""

    def __init__(self, connection: sqlite3.Connection, columns: Sequence[str]) -> None:
        """``columns``: those that may change."""
        self._connection = connection
        self._columns = [SIGNAL_COLUMNS.index(name) for name in columns]
        settings = ", ".join(f"{name} = ?" for name in columns)
        self._update = f"UPDATE signals SET {settings} WHERE id = ?"  # noqa: S608 - names of our own columns
        self._near = 0
        """The record of the commit found last: signals are asked for in their order, so that the next one follows."""

    def apply(self, signals: Sequence[int], change: Callable[[Row], Row | None]) -> Rewritten:
        """Change rows, or remove those for which ``change`` returns None. ``signals`` are in order.

        The audit record must name the ranges, and ``remember`` must be called with its number.
        """
        done, found = self._found(signals)
        wanted = set(done)
        changed, ranges, refused = 0, list[Range](), list[Range]()
        for first, last, parts in _together(found):
            rows = self._rows(first, last)
            # Each by itself: what stands beside a changed row can be removed all the same.
            whole = [part for part in parts if part.digest == digest(row for row in rows if _within(row, part))]
            refused += [part for part in parts if part not in whole]
            for part in _joined(whole):
                mine = [row for row in rows if _within(row, part)]
                kept, count = self._change(mine, wanted, change)
                if count:
                    changed += count
                    ranges.append(Range(part.first, part.last, digest(kept)))
        return Rewritten(done, changed, ranges, refused)

    def _found(self, signals: Sequence[int]) -> tuple[list[int], list[Range]]:
        """Return the ranges that hold signals, up to the bound on what is read, and which signals these are."""
        done: list[int] = []
        found: list[Range] = []
        read = 0
        for signal in signals:
            if not found or signal > found[-1].last:
                one = self.range_of(signal) or Range(signal, signal, "")
                read += one.last - one.first + 1
                if found and read > READ_MAX:
                    break
                found.append(one)
            done.append(signal)
        return done, found

    def _rows(self, first: int, last: int) -> list[Row]:
        return [tuple(row) for row in self._connection.execute(_ROWS, (first, last))]

    def _change(
        self, rows: Sequence[Row], wanted: set[int], change: Callable[[Row], Row | None]
    ) -> tuple[list[Row], int]:
        """Change those rows of a range that are wanted; return the rows that it has then, and how many were changed."""
        kept: list[Row] = []
        emptied: list[tuple[object, ...]] = []
        gone: list[Row] = []
        for row in rows:
            new = change(row) if row[0] in wanted else row
            if new is None:
                gone.append(row)
                continue
            kept.append(new)
            if new != row:
                emptied.append((*(new[column] for column in self._columns), new[0]))
        connection = self._connection
        connection.executemany(self._update, emptied)
        connection.executemany("DELETE FROM duplicates WHERE signal_id = ?", [(row[0],) for row in gone])
        connection.executemany("DELETE FROM signals WHERE id = ?", [(row[0],) for row in gone])
        # All signals of a commit lie within one range.
        commits = {row[1] for row in gone} - {row[1] for row in kept}
        connection.executemany("DELETE FROM commits WHERE id = ?", [(commit,) for commit in commits])
        return kept, len(emptied) + len(gone)

    # --- the digest in force ----------------------------------------------------------------------------------------

    def range_of(self, signal: int) -> Range | None:
        """Return the range that covers a signal, with the digest that the audit has of it; None: no record does."""
        row = self._connection.execute(_TOUCHED, (signal,)).fetchone()
        if row is None or row["last"] < signal:
            return self._commit_of(signal)
        # The table says only where to look: what counts is in the chain.
        for (detail,) in self._connection.execute(_DETAIL, (row["record"],)):
            return next((one for one in ranges_of(detail) if one.first <= signal <= one.last), None)
        return None

    def _commit_of(self, signal: int) -> Range | None:
        """Return the range of the commit of a signal. Records of commits stand in the order of their signals."""
        (high,) = self._connection.execute("SELECT coalesce(max(id), 0) FROM audit").fetchone()
        low, middle = 0, min(self._near, high)
        while low < high:
            row = self._connection.execute(_NEXT_COMMIT, (middle,)).fetchone()
            one = None if row is None else _commit(row["detail"])
            if one is None or one.first > signal:
                high = middle
            elif one.last < signal:
                low = row["id"]
            else:
                self._near = row["id"]
                return one
            middle = (low + high) // 2
        return None


def remember(connection: sqlite3.Connection, ranges: Sequence[Range], record: int) -> None:
    """Note which audit record holds the digests of ranges now."""
    for one in ranges:
        connection.execute("DELETE FROM removals WHERE first BETWEEN ? AND ?", (one.first, one.last))
        if one.digest != NO_ROWS:
            connection.execute("INSERT INTO removals VALUES (?, ?, ?)", (one.first, one.last, record))


NO_ROWS = digest(())
"""Of a range whose rows are all gone."""


def _commit(detail: str) -> Range | None:
    with suppress(ValueError):
        match json.loads(detail):
            case {"first": int(first), "last": int(last), "digest": str(told)}:
                return Range(first, last, told)
    return None


def _within(row: Row, one: Range) -> bool:
    number = row[0]
    assert isinstance(number, int)
    return one.first <= number <= one.last


def _together(ranges: Sequence[Range]) -> Iterator[tuple[int, int, list[Range]]]:
    """Yield neighbouring ranges together, as many as may become one."""
    group: list[Range] = []
    for one in ranges:
        if group and (one.first != group[-1].last + 1 or one.last - group[0].first >= RANGE_MAX):
            yield group[0].first, group[-1].last, group
            group = []
        group.append(one)
    if group:
        yield group[0].first, group[-1].last, group


def _joined(parts: Sequence[Range]) -> Iterator[Range]:
    """Yield one range for each run of neighbours: where one in between is left alone, there are two."""
    for first, last, _ in _together(parts):
        yield Range(first, last, "")

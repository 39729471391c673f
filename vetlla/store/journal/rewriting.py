"""Removes data from signals in such a way that the audit still proves all that remains.

Rows are compared with the digest in force before they are touched. A row that was changed by hand stays as it is, and
``vetlla audit verify`` goes on finding it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.journal.digest_ranges import Range, ranges_of
from vetlla.store.journal.rows import SIGNAL_COLUMNS, digest

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from vetlla.store.journal.rows import Row

RANGE_MAX = 256
"""Most signals of a range that is joined from neighbouring ranges; a later step must read all of them to compare it."""
READ_MAX = 1_000
"""Signals that one step reads to compare them with their digests, as many as a commit may hold: some 5 ms."""

_ROWS = f"SELECT {', '.join(SIGNAL_COLUMNS)} FROM signals WHERE id BETWEEN ? AND ? ORDER BY id"  # noqa: S608 - ours
_TOUCHED = "SELECT last, record FROM removals WHERE first <= ? ORDER BY first DESC LIMIT 1"
_DETAIL = "SELECT detail FROM audit WHERE id = ?"
_NEXT_COMMIT = "SELECT id, detail FROM audit WHERE id > ? AND action = 'commit' ORDER BY id LIMIT 1"


class Rewritten(NamedTuple):
    """The result of one call of ``Rewriting.apply``."""

    done: list[int]
    """Signals that were dealt with, in order: the first ones of those given."""
    changed: int
    ranges: list[Range]
    """The changed ranges with the digests of the remaining rows."""
    refused: list[Range]
    """Ranges whose rows are not those that were committed, so they were not touched. If no record covers a range, its
    digest is empty."""


class Rewriting:
    """Changes rows of signals through one connection, within its transaction."""

    def __init__(self, connection: sqlite3.Connection, columns: Sequence[str]) -> None:
        """``columns`` are the columns that may change."""
        self._connection = connection
        self._columns = [SIGNAL_COLUMNS.index(name) for name in columns]
        settings = ", ".join(f"{name} = ?" for name in columns)
        self._update = f"UPDATE signals SET {settings} WHERE id = ?"  # noqa: S608 - constant column names
        self._near = 0
        """The record of the commit found last. Signals are given in order, so the next commit is close behind it."""

    def apply(self, signals: Sequence[int], change: Callable[[Row], Row | None]) -> Rewritten:
        """Change rows, or remove those for which ``change`` returns None. ``signals`` are in order.

        The audit record must name the ranges, and ``remember`` must be called with its number.
        """
        done, found = self._found(signals)
        wanted = set(done)
        changed, ranges, refused = 0, list[Range](), list[Range]()
        for first, last, parts in _together(found):
            rows = self._rows(first, last)
            # Compare each range by itself, so that ranges beside a changed row can still be rewritten.
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
        """Return the first signals that one step may read, and the ranges that hold them."""
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
        """Change the wanted rows of a range; return the rows that it has then, and how many were changed."""
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
        """Return the range that covers a signal, with its digest from the audit; None if no record covers it."""
        row = self._connection.execute(_TOUCHED, (signal,)).fetchone()
        if row is None or row["last"] < signal:
            return self._commit_of(signal)
        # The table only names the record; the digest comes from the audit chain.
        for (detail,) in self._connection.execute(_DETAIL, (row["record"],)):
            return next((one for one in ranges_of(detail) if one.first <= signal <= one.last), None)
        return None

    def _commit_of(self, signal: int) -> Range | None:
        """Return the range of the commit of a signal. Records of commits are in the order of their signals."""
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
    """Note which audit record now holds the digests of ranges."""
    for one in ranges:
        connection.execute("DELETE FROM removals WHERE first BETWEEN ? AND ?", (one.first, one.last))
        if one.digest != NO_ROWS:
            connection.execute("INSERT INTO removals VALUES (?, ?, ?)", (one.first, one.last, record))


NO_ROWS = digest(())
"""Digest of a range without rows."""


def _commit(detail: str) -> Range | None:
    with suppress(ValueError):
        match json.loads(detail):
            case {"first": int(first), "last": int(last), "digest": str(digest)}:
                return Range(first, last, digest)
    return None


def _within(row: Row, one: Range) -> bool:
    number = row[0]
    assert isinstance(number, int)
    return one.first <= number <= one.last


def _together(ranges: Sequence[Range]) -> Iterator[tuple[int, int, list[Range]]]:
    """Yield groups of neighbouring ranges, each with at most ``RANGE_MAX`` signals."""
    group: list[Range] = []
    for one in ranges:
        if group and (one.first != group[-1].last + 1 or one.last - group[0].first >= RANGE_MAX):
            yield group[0].first, group[-1].last, group
            group = []
        group.append(one)
    if group:
        yield group[0].first, group[-1].last, group


def _joined(parts: Sequence[Range]) -> Iterator[Range]:
    """Yield one range for each series of neighbours; a refused range in between separates two of them."""
    for first, last, _ in _together(parts):
        yield Range(first, last, "")

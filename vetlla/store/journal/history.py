"""Answers questions about the past from the journal's archive, page by page.

Numbers grow with time, so a bisection first turns a time range into a range of numbers, and only that range is read.
The clock may have been stepped, so rows near the edges are compared by their own stamps. The bisection stops at a stamp
that is out of order, which costs time but misses no row. Only a clock that was set back by more than ``STEP_US`` can
hide rows, if the range begins or ends within the repeated hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from vetlla.domain.alarms import Tally
from vetlla.domain.clock import HOUR_US
from vetlla.domain.column_types import NUMBER_MAX
from vetlla.domain.errors import StoreError
from vetlla.store.journal.batch import Note
from vetlla.store.journal.rows import alarm_from
from vetlla.store.journal.stored import Record, Stored, StoredReject, record_from, reject_from, stored_from

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from vetlla.domain.alarms import Alarm
    from vetlla.domain.signals import Kind, Priority, Reason
    from vetlla.store.journal.archive import Archive
    from vetlla.store.journal.rows import SqlValue

PAGE = 500
"""Rows in one read: memory stays constant, and the read ends before the next checkpoint is due."""
SCAN_ROWS = 100_000
"""Numbers that one read scans where no index helps: some ten milliseconds."""
STEP_US = 2 * HOUR_US
"""How far the clock may have been set back without a missed row at the edge of a time range. A clock that took local
time for UTC is an hour or two ahead."""

_TALLY = """
SELECT count(*), coalesce(max(s.id), 0), coalesce(max(s.received_us), 0), coalesce(sum(d.count), 0),
       coalesce(max(d.last_us), 0)
FROM signals AS s LEFT JOIN duplicates AS d ON d.signal_id = s.id WHERE s.alarm_id = ?
"""
_OF_HOME = """
SELECT * FROM (SELECT * FROM alarms INDEXED BY alarms_open WHERE state <> 'closed' AND home = ?
    UNION ALL SELECT * FROM alarms INDEXED BY alarms_closed WHERE closed_us >= ? AND home = ?)
ORDER BY id DESC LIMIT ?
"""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log(Generic[_T]):
    """A table whose numbers grow with time."""

    table: str
    stamp: str
    value: Callable[[sqlite3.Row], _T]
    columns: str = "s.*"
    joins: str = ""


# The bytes of a frame with several events are in the row of its first stored event, directly before the others.
_RAW = """
CASE WHEN s.part > 1 AND s.raw = x'' THEN (
    SELECT f.raw FROM signals AS f WHERE f.id BETWEEN s.id - s.part + 1 AND s.id - 1 AND f.commit_id = s.commit_id
    AND f.parts = s.parts AND f.raw <> x'' ORDER BY f.id DESC LIMIT 1
) ELSE s.raw END AS frame_raw
"""

SIGNALS = Log(
    table="signals",
    stamp="received_us",
    value=stored_from,
    columns="s.*, c.boot, c.durable_us, c.ready_us, c.ready_mono_us, a.answered_us, a.closed_us, a.t3_us,"
    f" a.boot AS alarm_boot, a.ready_mono_us AS alarm_ready_mono_us, d.count AS duplicates, {_RAW}",
    joins="LEFT JOIN commits AS c ON c.id = s.commit_id LEFT JOIN alarms AS a ON a.id = s.alarm_id"
    " LEFT JOIN duplicates AS d ON d.signal_id = s.id",
)
REJECTS = Log(table="rejects", stamp="at_us", value=reject_from)
RECORDS = Log(table="audit", stamp="at_us", value=record_from)


class Condition(NamedTuple):
    """One term of a question, with the values of its placeholders."""

    sql: str
    values: tuple[SqlValue, ...]


class Duplicate(NamedTuple):
    """The repetitions of one report: how many, and how the last one came."""

    times: int
    last_us: int
    transport: str
    peer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question(Generic[_T]):
    """Which rows of a log are wanted: those within a time range that meet every condition."""

    log: Log[_T]
    conditions: tuple[Condition, ...] = ()
    since_us: int | None = None
    until_us: int | None = None
    index: str = ""
    """The index that finds the rows; if it is empty, all numbers in the range are scanned."""


# --- questions --------------------------------------------------------------------------------------------------------


def signals(
    *,
    accounts: Sequence[str] = (),
    home: str = "",
    alarm: int | None = None,
    kinds: Sequence[Kind] = (),
    priorities: Sequence[Priority] = (),
    codes: Sequence[str] = (),
    since_us: int | None = None,
    until_us: int | None = None,
) -> Question[Stored]:
    """Return a question for signals. For ``home`` also give ``accounts``: all that ever belonged to it."""
    conditions = [
        *_any_of("account", accounts),
        *_any_of("home", [home] if home else []),
        *_any_of("alarm_id", [] if alarm is None else [alarm]),
        *_any_of("kind", [kind.value for kind in kinds]),
        *_any_of("priority", [priority.value for priority in priorities]),
        *_any_of("code", codes),
    ]
    index = "signals_by_alarm" if alarm is not None else "signals_by_account" if accounts else ""
    return Question(log=SIGNALS, conditions=tuple(conditions), since_us=since_us, until_us=until_us, index=index)


def rejects(
    *,
    reasons: Sequence[Reason] = (),
    accounts: Sequence[str] = (),
    peer: str = "",
    since_us: int | None = None,
    until_us: int | None = None,
) -> Question[StoredReject]:
    """Return a question for rejects; ``peer`` is an address with or without a port."""
    conditions = [*_any_of("reason", [reason.value for reason in reasons]), *_any_of("account", accounts)]
    if peer:
        conditions.append(Condition("(s.peer = ? OR substr(s.peer, 1, length(?) + 1) = ? || ':')", (peer, peer, peer)))
    return Question(log=REJECTS, conditions=tuple(conditions), since_us=since_us, until_us=until_us)


def records(
    *,
    actors: Sequence[str] = (),
    actions: Sequence[str] = (),
    subjects: Sequence[str] = (),
    commits: bool = False,
    since_us: int | None = None,
    until_us: int | None = None,
) -> Question[Record]:
    """Return a question for audit records; ``commits`` adds the records of the commits of signals."""
    conditions = [*_any_of("actor", actors), *_any_of("action", actions), *_any_of("subject", subjects)]
    index = "" if commits else "audit_deeds"
    if index:
        conditions.append(Condition("s.action <> 'commit'", ()))
    return Question(log=RECORDS, conditions=tuple(conditions), since_us=since_us, until_us=until_us, index=index)


def _any_of(column: str, values: Sequence[SqlValue]) -> Iterable[Condition]:
    if values:
        yield Condition(f"s.{column} IN ({', '.join('?' * len(values))})", tuple(values))


# --- answers ----------------------------------------------------------------------------------------------------------


def newest(archive: Archive, question: Question[_T], limit: int) -> Iterator[_T]:
    """Yield at most the last ``limit`` matching rows, the newest at the end; in constant memory."""
    first, last = span(archive, question)
    yield from _between(archive, question, _first_of_newest(archive, question, limit, (first, last)), last)


def stream(
    archive: Archive, question: Question[_T], *, after: int = 0, progress: Callable[[int, int], None] | None = None
) -> Iterator[_T]:
    """Yield all matching rows with numbers above ``after``, oldest first; in constant memory.

    Rows that are written meanwhile are left out. ``progress`` is called with the numbers scanned so far and in total.
    """
    first, last = span(archive, question)
    yield from _between(archive, question, max(first, after + 1), last, progress)


def _first_of_newest(archive: Archive, question: Question[_T], limit: int, within: tuple[int, int]) -> int:
    """Return the number of the first of the last ``limit`` matching rows."""
    sql, values = _select(question, newest_first=True, columns="s.id")
    first, before = within
    start, left = before + 1, limit
    while before >= first and left:
        lower = first if question.index else max(before - SCAN_ROWS + 1, first)
        wanted = min(PAGE, left)
        rows = archive.read(sql, (lower, before, *values, wanted))
        start = rows[-1]["id"] if rows else start
        left -= len(rows)
        before = rows[-1]["id"] - 1 if len(rows) == wanted else lower - 1
    return start


def _between(
    archive: Archive,
    question: Question[_T],
    start: int,
    last: int,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[_T]:
    sql, values = _select(question, newest_first=False)
    done = start - 1
    while done < last:
        upper = last if question.index else min(done + SCAN_ROWS, last)
        rows = archive.read(sql, (done + 1, upper, *values, PAGE))
        for row in rows:
            yield _value(question.log, row)
        done = rows[-1]["id"] if len(rows) == PAGE else upper
        if progress:
            progress(done - start + 1, last - start + 1)


def last_number(archive: Archive, log: Log[_T]) -> int:
    """Return the number of the newest row; 0 if there are no rows."""
    (row,) = archive.read(f"SELECT coalesce(max(id), 0) AS last FROM {log.table}")  # noqa: S608 - constants, as below
    number: int = row["last"]
    return number


def signal(archive: Archive, number: int) -> Stored | None:
    """Return the signal with a number; None if there is no such signal."""
    if number > NUMBER_MAX:
        return None
    sql, _ = _select(Question(log=SIGNALS), newest_first=False)
    rows = archive.read(sql, (number, number, 1))
    return _value(SIGNALS, rows[0]) if rows else None


def alarm(archive: Archive, number: int) -> Alarm | None:
    """Return the alarm with a number, open or closed; None if there is no such alarm."""
    if number > NUMBER_MAX:
        return None
    rows = archive.read("SELECT * FROM alarms WHERE id = ?", (number,))
    return alarm_from(rows[0]) if rows else None


def alarms_of_home(archive: Archive, home: str, *, since_us: int, limit: int) -> list[Alarm]:
    """Return the newest alarms of a home that are open, or were closed after an instant; the newest comes first."""
    return [alarm_from(row) for row in archive.read(_OF_HOME, (home, since_us, home, limit))]


def tally(archive: Archive, number: int) -> Tally:
    """Return the signals and repetitions of an alarm, open or closed; the last signal's instant is in UTC."""
    (row,) = archive.read(_TALLY, (number,))
    return Tally(*row)


def notes(archive: Archive, number: int) -> list[Note]:
    """Return the operators' notes about an alarm, oldest first."""
    rows = archive.read("SELECT alarm_id, at_us, operator, text FROM notes WHERE alarm_id = ? ORDER BY id", (number,))
    return [Note(*row) for row in rows]


def last_duplicate(archive: Archive, number: int) -> Duplicate | None:
    """Return the repetitions of a signal; None if it came only once."""
    rows = archive.read("SELECT count, last_us, transport, peer FROM duplicates WHERE signal_id = ?", (number,))
    return Duplicate(*rows[0]) if rows else None


def _select(question: Question[_T], *, newest_first: bool, columns: str = "") -> tuple[str, tuple[SqlValue, ...]]:
    log = question.log
    conditions = list(question.conditions)
    if question.since_us is not None:
        conditions.append(Condition(f"s.{log.stamp} >= ?", (question.since_us,)))
    if question.until_us is not None:
        conditions.append(Condition(f"s.{log.stamp} < ?", (question.until_us,)))
    terms = " AND ".join(["s.id BETWEEN ? AND ?", *(condition.sql for condition in conditions)])
    table = f"{log.table} AS s" + (f" INDEXED BY {question.index}" if question.index else "")
    order = "s.id DESC" if newest_first else "s.id"
    sql = f"SELECT {columns or log.columns} FROM {table} {log.joins} WHERE {terms} ORDER BY {order} LIMIT ?"  # noqa: S608
    return sql, tuple(value for condition in conditions for value in condition.values)


def _value(log: Log[_T], row: sqlite3.Row) -> _T:
    try:
        return log.value(row)
    except (ValueError, TypeError, KeyError) as error:
        raise StoreError(
            f"{log.table} {row['id']}: {error}", remedy="the row was changed by hand: `vetlla audit verify`"
        ) from error


# --- from times to numbers --------------------------------------------------------------------------------------------


def span(archive: Archive, question: Question[_T]) -> tuple[int, int]:
    """Return the first and the last number that rows within the question's time can have."""
    log, first, last = question.log, 1, last_number(archive, question.log)
    if question.since_us is not None:
        first, _ = _bisect(archive, log, question.since_us - STEP_US, (first, last))
    if question.until_us is not None:
        _, last = _bisect(archive, log, question.until_us + STEP_US, (first, last))
    return first, last


def _bisect(archive: Archive, log: Log[_T], at_us: int, within: tuple[int, int]) -> tuple[int, int]:
    """Return two numbers between which the rows change from before an instant to after it."""
    low, high = within
    earliest, latest = _stamp(archive, log, low), _stamp(archive, log, high)
    while low < high:
        middle = (low + high) // 2
        stamp = _stamp(archive, log, middle)
        if not earliest <= stamp <= latest:
            break  # the clock was stepped within these rows
        if stamp < at_us:
            low, earliest = middle + 1, stamp
        else:
            high, latest = middle, stamp
    return low, high


def _stamp(archive: Archive, log: Log[_T], number: int) -> int:
    """Return the stamp of the row with a number, or of the next row if that one is missing."""
    sql = f"SELECT {log.stamp} AS stamp FROM {log.table} WHERE id >= ? ORDER BY id LIMIT 1"  # noqa: S608
    stamps = [row["stamp"] for row in archive.read(sql, (number,))]
    return stamps[0] if stamps else 0

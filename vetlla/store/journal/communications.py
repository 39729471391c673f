"""Reads the signals of a time as communications: only what ANS 5 and 6 need of each, because a month has many.

They are as the journal knew them at a time: an alarm that was answered later was not answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.communications import Communication, CommunicationSource
from vetlla.domain.signals import Priority
from vetlla.store.journal.history import Log, Question, stream
from vetlla.store.journal.stored import t2_us, t3_us

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from vetlla.store.journal.archive import Archive

    T = TypeVar("T")

_COLUMNS: Final = """
s.id, s.alarm_id, s.priority, s.established_us, s.setup_us, s.received_us, s.received_mono_us, c.boot,
CASE WHEN c.ready_us <= {at} THEN c.ready_us END AS ready_us,
CASE WHEN c.ready_us <= {at} THEN c.ready_mono_us END AS ready_mono_us,
CASE WHEN a.answered_us <= {at} THEN a.answered_us END AS answered_us,
CASE WHEN a.closed_us <= {at} THEN a.closed_us END AS closed_us,
CASE WHEN coalesce(a.answered_us, a.closed_us) <= {at} THEN a.t3_us END AS t3_us,
a.on_test, a.boot AS alarm_boot, a.ready_mono_us AS alarm_ready_mono_us
"""
_JOINS: Final = "LEFT JOIN commits AS c ON c.id = s.commit_id LEFT JOIN alarms AS a ON a.id = s.alarm_id"


def communications(archive: Archive, since_us: int, until_us: int, known_us: int) -> Iterator[Communication]:
    """Yield the signals that were received in a time, in the order of their numbers; its end is excluded.

    They are as they were known at ``known_us``.
    """
    log = _log(_communication, f"s.home, {_COLUMNS}", known_us)
    yield from stream(archive, Question(log=log, since_us=since_us, until_us=until_us))


def counted_rows(archive: Archive, since_us: int, until_us: int, known_us: int) -> Iterator[tuple[Any, ...]]:
    """Yield what ``communications`` is made of, without the homes: no erasure changes it."""
    yield from stream(archive, Question(log=_log(tuple, _COLUMNS, known_us), since_us=since_us, until_us=until_us))


def _log(value: Callable[[sqlite3.Row], T], columns: str, known_us: int) -> Log[T]:
    return Log(
        table="signals", stamp="received_us", value=value, columns=columns.format(at=int(known_us)), joins=_JOINS
    )


def _communication(row: sqlite3.Row) -> Communication:
    t3 = t3_us(row)
    return Communication(
        source=CommunicationSource.TERMINAL,
        number=row["id"],
        home=row["home"],
        begun_us=row["established_us"],
        priority=Priority(row["priority"]).name.lower(),
        t2_us=t2_us(row),
        t3_us=t3,
        waits_since_us=row["ready_us"] if t3 is None and row["alarm_id"] is not None else None,
        is_routine=row["alarm_id"] is None,
        on_test=bool(row["on_test"]),
        was_abandoned=False,
    )

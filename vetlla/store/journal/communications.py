"""Reads the signals of a time as communications: only what ANS 5 and 6 need of each, because a month has many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.communications import Communication, CommunicationSource
from vetlla.domain.signals import Priority
from vetlla.store.journal.history import Log, Question, stream
from vetlla.store.journal.stored import t2_us, t3_us

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from vetlla.store.journal.archive import Archive

_COLUMNS: Final = (
    "s.id, s.home, s.alarm_id, s.priority, s.established_us, s.setup_us, s.received_mono_us, c.boot, c.ready_us,"
    " c.ready_mono_us, a.answered_us, a.closed_us, a.t3_us, a.on_test, a.boot AS alarm_boot,"
    " a.ready_mono_us AS alarm_ready_mono_us"
)
_JOINS: Final = "LEFT JOIN commits AS c ON c.id = s.commit_id LEFT JOIN alarms AS a ON a.id = s.alarm_id"


def communications(archive: Archive, since_us: int, until_us: int) -> Iterator[Communication]:
    """Yield the signals that were received in a time, in the order of their numbers; its end is excluded."""
    yield from stream(archive, Question(log=_LOG, since_us=since_us, until_us=until_us))


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


_LOG: Final = Log(table="signals", stamp="received_us", value=_communication, columns=_COLUMNS, joins=_JOINS)

"""Asterisk's log of the queues: one event a line, ``|`` between its fields, no heading and no quotes.

Source: docs.asterisk.org/Operation/Logging/Queue-Logs::

    1764576000|1764575998.12|telecare|NONE|ENTERQUEUE||900000001|1
    time      |callid       |queue   |agent|event     |data1|data2|data3|data4|data5

``time`` is in seconds since 1970, and may have microseconds. ``callid`` is the uniqueid of the caller's channel, which
the call detail records have, too; NONE or REALTIME for events of the queue itself. The parameters of the events that
count: ENTERQUEUE(url|callerid|position), CONNECT(holdtime|bridged|ringtime), COMPLETEAGENT and
COMPLETECALLER(holdtime|calltime|position), ABANDON and EXITWITHTIMEOUT(position|original|waited).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain import telephones
from vetlla.domain.calls import CallOutcome, CallRecord, Direction
from vetlla.domain.columns import Fault

if TYPE_CHECKING:
    from vetlla.service.calls.asterisk.lines import QueueEvent

COLUMNS: Final = ("time", "callid", "queuename", "agent", "event", "data1", "data2", "data3", "data4", "data5")
_LEAST: Final = 5
"""Fields that every line has; an event without parameters has no others."""
_NO_CALL: Final = frozenset({"NONE", "REALTIME", "MANAGER", ""})
_ENDS: Final = frozenset({"COMPLETEAGENT", "COMPLETECALLER", "TRANSFER", "BLINDTRANSFER", "ATTENDEDTRANSFER"})
_LEFT: Final = {
    "ABANDON": CallOutcome.ABANDONED,
    "EXITWITHTIMEOUT": CallOutcome.NO_ANSWER,
    "EXITEMPTY": CallOutcome.NO_ANSWER,
    "EXITWITHKEY": CallOutcome.NO_ANSWER,
    "SYSCOMPAT": CallOutcome.FAILED,
}


def columns_of(first: list[str]) -> list[str]:
    """Return the names of the columns. Raises ValueError if the first line is not one of such a log."""
    if not _LEAST <= len(first) <= len(COLUMNS):
        raise ValueError(f"has {len(first)} fields between '|', and not {_LEAST} to {len(COLUMNS)} as a queue_log has")
    return list(COLUMNS)


class QueueLogReader:
    """Reads lines of the log of the queues."""

    def read(self, row: int, event: QueueEvent) -> tuple[str, CallRecord] | list[Fault] | None:
        """Return the call's id and what an event says of it, or what is wrong; None for an event that says nothing.

        These are events of queues and operators without a call, and the ringing at one operator.
        """
        at, call, name = event.get("time"), event.get("callid", ""), event.get("event", "")
        if at is None or not name:
            return [Fault(row, "event" if at else "time", "", "is empty")]
        record = None if call in _NO_CALL else _record(at, name, event)
        return record and (call, record)


def _record(at: int, name: str, event: QueueEvent) -> CallRecord | None:
    found = CallRecord(direction=Direction.IN, queue=event.get("queuename", ""))
    if name == "ENTERQUEUE":
        return found._replace(ready=at, caller=telephones.dialled(event.get("data2", "")))
    if name == "CONNECT":
        return found._replace(answered=at, agent=event.get("agent", ""), outcome=CallOutcome.ANSWERED)
    if name in _ENDS:
        return CallRecord(direction=Direction.IN, ended=at, outcome=CallOutcome.ANSWERED)
    return found._replace(ended=at, outcome=_LEFT[name]) if name in _LEFT else None

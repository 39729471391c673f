"""A call's records and ties as rows of the database."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.calls import AlarmMethod, CallOutcome, CallRecord, Direction, Origin, Party, Tie, TieMethod

if TYPE_CHECKING:
    from collections.abc import Sequence

RECORD_COLUMNS: Final = (
    "direction, started_us, ready_us, answered_us, ended_us, agent, caller, called, queue, outcome, recording, digest,"
    " party, home, alarm"
)
"""In the order of the fields of CallRecord."""
TIE_COLUMNS: Final = "method, home, homes, alarm_method, alarm, alarms, reason, by"
"""In the order of the fields of Tie."""

_DIRECTIONS: Final = {one.value: one for one in Direction} | {None: None}
_OUTCOMES: Final = {one.value: one for one in CallOutcome} | {None: None}
_PARTIES: Final = {one.value: one for one in Party} | {None: None}
ORIGINS: Final = {one.value: one for one in Origin}
_METHODS: Final = {one.value: one for one in TieMethod}
_ALARM_METHODS: Final = {one.value: one for one in AlarmMethod}
REMEMBERED: Final = 1 << 10
"""Most lists in the cache: nearly all are empty."""


def record_from(row: Sequence[Any]) -> CallRecord:
    """Return the record of a row with ``RECORD_COLUMNS``."""
    direction, started, ready, answered, ended, agent, caller, called, queue, outcome, recording, digest, *rest = row
    party, home, alarm = rest
    return CallRecord(
        _DIRECTIONS[direction], started, ready, answered, ended, agent, caller, called, queue, _OUTCOMES[outcome],
        recording, digest, _PARTIES[party], home, alarm,
    )  # fmt: skip


def tie_from(row: Sequence[Any]) -> Tie:
    """Return the tie of a row with ``TIE_COLUMNS``."""
    method, home, homes, alarm_method, alarm, alarms, reason, by = row
    return Tie(_METHODS[method], home, _list(homes), _ALARM_METHODS[alarm_method], alarm, _list(alarms), reason, by)


def tie_row(tie: Tie) -> tuple[object, ...]:
    """Return a tie in the order of ``TIE_COLUMNS``."""
    method, home, homes, alarm_method, alarm, alarms, reason, by = tie
    return method.value, home, listed(homes), alarm_method.value, alarm, listed(alarms), reason, by


def record_row(record: CallRecord) -> tuple[object, ...]:
    """Return a record in the order of ``RECORD_COLUMNS``: the words are texts already."""
    return tuple(record)


def listed(values: Sequence[object]) -> str:
    """Return a list as it is stored; "" for an empty one."""
    return json.dumps(values) if values else ""


@lru_cache(maxsize=REMEMBERED)
def _list(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text)) if text else ()

"""Decides whether a report that looks like an earlier one is a retry of it or another call.

A retry repeats a report because its answer did not arrive. Number and data are not enough to recognise a retry:
terminals of five makers send the number 0001 or 0005 with every report, so a second press looks like a retry.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from vetlla.domain.clock import SECOND_US

RETRY_GAP_S: Final = 90
"""A terminal waits 5 to 60 s for its answer and then repeats its report (DC-09 panels; most wait 20 s). After more
than this time, a report without a time of its own may be another call."""
_RETRY_GAP_US: Final = RETRY_GAP_S * SECOND_US

REPEAT_WITHIN_S: Final = 12
"""A line receiver repeats a message that was not answered within 4 to 9.9 s (Sur-Gard System 5, option 412). A home
that calls again dials again, which takes longer."""
ABSENT_GAP_S: Final = 120
"""A line receiver that got no answers sends heartbeats, each 99 s at most, and repeats its message after the first one
that is answered (Sur-Gard MLR2-E)."""
ABSENT_TELLINGS: Final = 3
"""A line receiver sends a message at least this often before it takes the computer for absent."""


class Retelling(Enum):
    """Kinds of reports that have the identity of an earlier one."""

    ANOTHER = "another"
    """Another call. It is stored and handled like any new report."""
    ADDITION = "addition"
    """The same call with more content, or perhaps another call. It is stored with the alarm of the first."""
    RETRY = "retry"
    """A repetition. It is counted and shown on its alarm."""


class Said(NamedTuple):
    """Content of a report beyond its identity. Times are in microseconds UTC by the device's clock."""

    occurred_us: int | None
    sent_us: int | None
    content: int
    """Checksum of position, text, measurements and details."""


class Remembered(NamedTuple):
    """A stored report, as the duplicate window remembers it."""

    number: int
    frame: int
    """Number of the last frame that contained it."""
    alarm: int | None
    told_us: int
    """When it came last, on the monotonic clock."""
    said: Said | None
    """None if it was stored before the last restart and has no alarm, because its details were not read again."""


def compare(first: Remembered, said: Said, now_us: int, *, is_open: bool, lies_between: bool) -> Retelling:
    """Return the kind of a report that has the identity of ``first``.

    ``is_open``: the alarm of the first is still open. ``lies_between``: the device has sent another report since. A
    report with the same time of occurrence is the same event, even with another report in between: a device that
    sends several reports before the answers come repeats all of them.
    """
    if first.alarm is not None and not is_open:
        return Retelling.ANOTHER
    before = first.said
    if before is None:
        return Retelling.RETRY
    is_same_event = said.occurred_us is not None and said.occurred_us == before.occurred_us
    if not is_same_event:
        occurred_apart_us = _apart_us(said.occurred_us, before.occurred_us)
        sent_apart_us = _apart_us(said.sent_us, before.sent_us)
        if lies_between or occurred_apart_us or (sent_apart_us or 0) > _RETRY_GAP_US:
            return Retelling.ANOTHER
        if sent_apart_us is None and now_us - first.told_us > _RETRY_GAP_US:
            return Retelling.ADDITION
    return Retelling.RETRY if said.content == before.content else Retelling.ADDITION


def repeats_unanswered(gap_us: int, tellings: int, *, was_opened: bool) -> bool:
    """Return True if a line receiver repeats its last message. If False, a home has called again.

    The bytes are the same, and no other message came between. ``gap_us`` is the time since the message came last,
    ``tellings`` how often it came. ``was_opened``: the port was opened since, so that an answer may have been lost.
    """
    if gap_us <= REPEAT_WITHIN_S * SECOND_US:
        return True
    is_unanswered = was_opened or tellings >= ABSENT_TELLINGS
    return is_unanswered and gap_us <= ABSENT_GAP_S * SECOND_US


def _apart_us(one: int | None, other: int | None) -> int | None:
    """Return the difference of two times; None if one of them is missing."""
    return None if one is None or other is None else abs(one - other)

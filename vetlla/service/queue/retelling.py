"""Whether a report that looks like an earlier one is a retry of it or another call. Plain functions of values.

A retry repeats a report because its answer did not arrive. Number and data alone do not tell one: terminals of five
makers send the number 0001 or 0005 with every report, so that a second press looks like a retry of the first.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from vetlla.domain.clock import SECOND_US

RETRY_GAP_S: Final = 90
"""A terminal waits 5 to 60 s for its answer and then repeats its report (DC-09 panels; most wait 20 s). When more time
than this has passed, a report without a time of its own may be another call."""
_RETRY_GAP_US: Final = RETRY_GAP_S * SECOND_US


class Retelling(Enum):
    """What a report is that has the identity of an earlier one."""

    ANOTHER = "another"
    """Another call: it is stored and goes its own way."""
    ADDITION = "addition"
    """The same call, but it says more, or it may be another one: it is stored with the alarm of the first."""
    RETRY = "retry"
    """It is counted and shown on its alarm."""


class Said(NamedTuple):
    """What a report says besides what makes its identity. Times in microseconds UTC, by the device's clock."""

    occurred_us: int | None
    sent_us: int | None
    content: int
    """Checksum of place, text, measurements and details."""


class Remembered(NamedTuple):
    """A stored report, as the duplicate window remembers it."""

    number: int
    frame: int
    """Number of the frame that told it last."""
    alarm: int | None
    told_us: int
    """When it was told last, on the monotonic clock."""
    said: Said | None
    """None: it was stored before the last restart and has no alarm; its details were not read back."""


def compare(first: Remembered, said: Said, now_us: int, *, is_open: bool, lies_between: bool) -> Retelling:
    """Return what a report with the identity of ``first`` is.

    ``is_open``: the alarm of the first is still open. ``lies_between``: the device told another report since. A report
    with the first one's time of occurrence is the same event, although another report lies between: a device that
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


def _apart_us(one: int | None, other: int | None) -> int | None:
    """Return how far two times lie apart; None where one of them is missing."""
    return None if one is None or other is None else abs(one - other)

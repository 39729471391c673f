"""What a starting receiver must know of its previous runs: numbers, open alarms, and reports that may be repeated."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.accounts import OnTest
    from vetlla.domain.alarms import Alarm, Tally
    from vetlla.domain.onward import KeptSink
    from vetlla.domain.signals import AccountId


END_MARKS = b"\r\n\x14"
"""Ends of frames of line receivers. A receiver that joins repetitions leaves them out."""


class Call(NamedTuple):
    """A report of an open alarm. Instants are on the current monotonic clock, the device's times in UTC."""

    identity: bytes
    number: int
    frame: int
    """Number of the first signal of its frame."""
    who: AccountId
    last_frame: int
    """Number of the first signal of the last frame that came from this device."""
    alarm: int
    stored_us: int
    told_us: int
    occurred_us: int | None
    sent_us: int | None
    content: int


class LastFrame(NamedTuple):
    """The last frame that was stored from one port of a line receiver."""

    raw: bytes
    """Its bytes without the end mark."""
    reports: tuple[tuple[int, int | None], ...]
    """Number and open alarm of each of its reports."""
    told_us: int
    """When it came last, on the current monotonic clock."""
    tellings: int
    """How often it came."""


class Recent(NamedTuple):
    """The reports within the window, oldest first."""

    plain: list[tuple[bytes, int, int]]
    """Reports without an alarm: identity, number, and when each was stored on the current monotonic clock."""
    calls: list[Call]
    frames: Mapping[str, LastFrame] = MappingProxyType({})
    """The last frame of each port of a line receiver, by the port's name."""


class Recovered(NamedTuple):
    """What the daemon must know of its previous runs before it may report that it is ready."""

    boot: int
    next_commit: int
    next_signal: int
    next_alarm: int
    open_alarms: list[Alarm]
    tallies: dict[int, Tally]
    on_test: list[OnTest]
    closed: list[Alarm]
    """Alarms that were closed within the chaining window, in the order of their ends."""
    recent: Recent
    """The reports of the duplicate window."""
    sinks: tuple[KeptSink, ...] = ()
    """Every sink that was ever configured."""

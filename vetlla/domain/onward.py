"""What sinks send onward to other systems, and what the journal keeps of a sink."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.signals import AccountId, Event, Flag, Kind, Phase, Priority, Signal

if TYPE_CHECKING:
    from vetlla.domain.clock import Instant

TEST_ACCOUNT = "0000"
"""Account of the invented signal; no service gives it to a home."""
TEST_HOME = "vetlla-test"


class Onward(NamedTuple):
    """A stored signal as a sink sends it. Its raw bytes and its identity are not read, and are empty."""

    number: int
    """The signal's number in the journal: numbers rise, and no number is used twice. 0 for an invented signal."""
    received_us: int
    """When the receiver received it (UTC)."""
    signal: Signal
    home: str
    """The home's code, or the name of the caller; empty if the home was erased since."""
    priority: Priority
    flags: Flag
    alarm: int | None
    """Number of the alarm that it opened or joined."""
    listener: str
    labels: tuple[str, ...] = ()
    """Labels of the account as it is registered now."""
    district: str = ""
    """District of the home, as the inventory has it now; empty if it is not known."""
    replayed: bool = False
    """Whether an engineer asked to send it again."""
    test: bool = False
    """Whether it is invented."""

    @property
    def is_erased(self) -> bool:
        """True if its home was erased, so that it says nothing any longer."""
        return not self.home


def invented(now: Instant) -> Onward:
    """Return the signal that ``vetlla sinks test`` sends: no home reported it, and it says so."""
    signal = Signal(
        protocol="test",
        id=AccountId("", "", TEST_ACCOUNT),
        event=Event(Kind.MANUAL_TEST, Phase.NEW, "", ""),
        raw=b"",
        text="Invented by vetlla sinks test",
    )
    return Onward(0, now.utc_us, signal, TEST_HOME, Priority.ROUTINE, Flag(0), None, "test", test=True)


class SinkState(StrEnum):
    """What a sink does."""

    WORKING = "working"
    """It sends signals as they come, or waits for the next one."""
    RETRYING = "retrying"
    """Its peer cannot be reached, or takes nothing now; the sink tries again by itself."""
    PAUSED = "paused"
    """An engineer paused it."""
    BLOCKED = "blocked"
    """Its peer refuses the content of one signal. An engineer has to look."""


class KeptSink(NamedTuple):
    """What the journal keeps of a sink."""

    name: str
    position: int
    """Number up to which every signal was taken by the peer, or left out by the sink's filter."""
    moved_us: int
    """When this was written last (UTC)."""
    replay_after: int = 0
    replay_upto: int = 0
    """Signals above ``replay_after`` up to this number are still to be sent again."""
    paused_us: int | None = None
    """Since when the sink is paused; None if it is not."""
    paused_by: str = ""
    reason: str = ""

    @property
    def replays(self) -> bool:
        """True while signals are to be sent again."""
        return self.replay_after < self.replay_upto


class Backlog(NamedTuple):
    """The signals above a position."""

    signals: int
    oldest_us: int | None
    """When the first of them was received (UTC); None if there is none."""

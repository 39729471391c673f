"""What is removed from the journal: data that is too old, and the data of homes that left."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from typing_extensions import TypedDict  # pydantic cannot use the one of Python 3.11

if TYPE_CHECKING:
    from collections.abc import Mapping


class What(StrEnum):
    """The kinds of data that are removed when they are too old."""

    POSITIONS = "positions"
    """Places of signals, and the raw bytes that contain them."""
    RAW = "raw"
    """Raw bytes of signals."""
    SIGNALS = "signals"
    """Whole rows of signals, with their repetitions."""
    NOTES = "notes"
    """Operators' notes about alarms."""
    REJECTS = "rejects"
    """Bytes that could not be read as a report, or whose report was refused."""


class Terms(NamedTuple):
    """The instant and the limits that a round uses."""

    now_us: int
    keep_us: Mapping[What, int]
    """How long each kind is kept; a kind that is absent is kept for ever."""
    emergency_us: int
    """Time after its end in which an alarm may still be continued, or its reports repeated."""
    wall_us: int = 0
    """Instant of the wall clock; it is later than ``now_us`` if the receiver does not trust that clock."""
    sinks: tuple[str, ...] = ()
    """Configured sinks: no signal, and no place of one, is removed before all of them have passed it."""

    @property
    def latest_us(self) -> int:
        """Return the last instant that is not in the future: a row stamped up to it may have come at its stamp."""
        return max(self.now_us, self.wall_us)

    def before_us(self, what: What) -> int:
        """Return the instant before which rows of a kind are too old; the kind must not be kept for ever."""
        return self.now_us - self.keep_us[what]


class Erasure(NamedTuple):
    """Which home is erased, with its accounts, and who ordered it."""

    home: str
    accounts: tuple[str, ...]
    """Accounts that belong or belonged to the home, and to no other home now."""
    by: str
    others: tuple[str, ...] = ()
    """Accounts that now belong to another home; only their signals under this home's code are erased."""

    @property
    def all_accounts(self) -> tuple[str, ...]:
        """Return all accounts under which the home ever reported."""
        return (*self.accounts, *self.others)

    @property
    def subject(self) -> str:
        """Return the subject of its audit records."""
        return f"home {self.home}"


class ProofFields(TypedDict):
    """What a certificate shows of a proof."""

    record: int
    head: str
    by: str
    ended: str
    log_emptied: bool
    began: str
    destroyed: dict[str, int]
    left: int

"""What the service knows about a caller: the values the registry keeps and the intake consults."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.signals import Kind, Priority


class ClockWindow(NamedTuple):
    """How far an encrypted frame's timestamp may stray from our clock, in seconds (DC-09: -40 .. +20)."""

    behind_s: int = 40
    ahead_s: int = 20


STANDARD_WINDOW = ClockWindow()
"""The window of DC-09, section 3 of its fact sheet."""


class UnknownPolicy(StrEnum):
    """What is done with a report from an account that nobody registered."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class Remap(NamedTuple):
    """What a code means in one home, against the common table (some makers send 120 for a fall)."""

    kind: Kind | None
    priority: Priority | None


NO_REMAPS: Mapping[str, Remap] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One caller. ``receiver`` and ``line`` empty: whatever the frame says there."""

    account: str
    receiver: str = ""
    line: str = ""
    home: str = ""
    """The home's code: alarms of one home are chained under it. Empty: the account stands for itself."""
    key_name: str = ""
    """Name of the shared key; an account that has one refuses plain frames."""
    clock_window: ClockWindow | None = STANDARD_WINDOW
    """None: no window (audited)."""
    interval_s: int = 0
    """Expected time between heartbeats; 0: none expected."""
    support_level: int = 0
    """1 to 3 as the service assigns it; 0: not said."""
    remaps: Mapping[str, Remap] = NO_REMAPS
    """By code as received."""

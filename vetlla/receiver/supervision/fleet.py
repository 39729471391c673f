"""The fleet: every device that the receiver knows, under a number of its own, and its current data.

The data are columns of arrays instead of objects, because there may be millions of devices. The journal uses the same
number (table ``units``), so that it stays the same after a restart. A terminal is a device without a parent. The UCRs
that are heard through a terminal are its children.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

from vetlla.service.supervision.rules import Expectation, Health, Pause

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.domain.accounts import Account

NO_PARENT = -1
NOWHERE = 0
"""Listener number of a device that was not heard in this run."""
NEVER = -(1 << 62)
"""An instant before every instant of a monotonic clock."""


class Name(NamedTuple):
    """The registry key of a device, in capitals so that case does not matter. ``device`` is "" for the terminal."""

    account: str
    receiver: str
    line: str
    device: str = ""


def name_of(account: Account, device: str = "") -> Name:
    """Return the name of an account's terminal, or of a UCR that the terminal hears."""
    return Name(account.account.upper(), account.receiver.upper(), account.line.upper(), device.upper())


class Fleet:
    """The data of each device, by number. What changes ``state`` must update ``counts`` (``DeviceStates`` does)."""

    def __init__(self) -> None:
        self.accounts: list[Account] = []
        """The account of the terminal; a UCR has the account of its terminal."""
        self.devices: list[str] = []
        """The UCR's id as received; "" for a terminal."""
        self.parents = array("i")
        self.children: dict[int, list[int]] = {}
        self.interval_s = array("I")
        self.allowed = bytearray()
        self.pause = bytearray()
        """Flags of ``Pause``."""
        self.state = bytearray()
        """``Health``."""
        self.since_us = array("q")
        """UTC of the last change of state."""
        self.turned_us = array("q")
        """The same instant on the clock of silence, because a change of the wall clock must not change a duration."""
        self.heard_us = array("q")
        """UTC of the last sign of life; 0 if there was none."""
        self.listener = bytearray()
        self.received = array("I")
        """Signs of life received today."""
        self.longest_s = array("I")
        """Longest silence that ended today, in seconds."""
        self.changed_devices = bytearray()
        """Whether the row must be written."""
        self.counts = [0] * len(Health)

    def __len__(self) -> int:
        return len(self.accounts)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.accounts)))

    def add(self, account: Account, device: str, parent: int) -> int:
        """Add a new device and return its number."""
        number = len(self.accounts)
        self.accounts.append(account)
        self.devices.append(device)
        self.parents.append(parent)
        self.interval_s.append(0)
        self.allowed.append(1)
        self.pause.append(Pause.NO_INTERVAL)
        self.state.append(Health.NOT_SUPERVISED)
        self.since_us.append(0)
        self.turned_us.append(NEVER)
        self.heard_us.append(0)
        self.listener.append(NOWHERE)
        self.received.append(0)
        self.longest_s.append(0)
        self.changed_devices.append(0)
        self.counts[Health.NOT_SUPERVISED] += 1
        if parent != NO_PARENT:
            self.children.setdefault(parent, []).append(number)
        return number

    def ucr(self, terminal: int, device: str) -> int | None:
        """Return the number of a UCR by its terminal and the id that the terminal reports, or None."""
        for child in self.children.get(terminal, ()):
            known = self.devices[child]
            if known == device or known.upper() == device.upper():
                return child
        return None

    def name(self, number: int) -> Name:
        """Return a device's name."""
        return name_of(self.accounts[number], self.devices[number])

    def expectation(self, number: int) -> Expectation:
        """Return how often a device is expected to report."""
        return Expectation(self.interval_s[number], self.allowed[number])

    def ucrs_of(self, number: int) -> Sequence[int]:
        """Return the UCRs that a terminal hears."""
        return self.children.get(number, ())

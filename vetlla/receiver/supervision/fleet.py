"""The fleet: every device that is expected to be heard, under one number each, and what is known of it.

Columns of arrays instead of objects, since there are to be millions. The number is the one under which the journal
keeps a device (table ``units``), so it stays the same over restarts. A terminal is a device without a parent; the UCRs
that are heard through it are its children.
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
"""Number of the listener of a device that was not heard in this life."""
NEVER = -(1 << 62)
"""Before every instant of a monotonic clock."""


class Name(NamedTuple):
    """Under which registry entry a device stands, spelled so that equal ones compare equal; device "": the terminal."""

    account: str
    receiver: str
    line: str
    device: str = ""


def name_of(account: Account, device: str = "") -> Name:
    """Return the name of an account's terminal, or of a UCR that it hears."""
    return Name(account.account.upper(), account.receiver.upper(), account.line.upper(), device.upper())


class Fleet:
    """What is known of each device, by number. Whoever changes ``state`` keeps ``counts`` (``watch.Watch`` does)."""

    def __init__(self) -> None:
        self.accounts: list[Account] = []
        """Of a UCR: its terminal's."""
        self.devices: list[str] = []
        """As received; "" for a terminal."""
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
        """The same instant on the watch's clock: a stepped wall clock changes no length of time."""
        self.heard_us = array("q")
        """UTC of the last sign of life; 0: never."""
        self.base_us = array("q")
        """Instant from which its silence counts, on the watch's clock (``Watch.hearing_us``)."""
        self.listener = bytearray()
        self.received = array("I")
        """Signs of life of today."""
        self.longest_s = array("I")
        """Longest silence that ended today."""
        self.dirty = bytearray()
        """Whether its row is to be written."""
        self.counts = [0] * len(Health)

    def __len__(self) -> int:
        return len(self.accounts)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.accounts)))

    def add(self, account: Account, device: str, parent: int, base_us: int) -> int:
        """Take up a device of which nothing is known; return its number."""
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
        self.base_us.append(base_us)
        self.listener.append(NOWHERE)
        self.received.append(0)
        self.longest_s.append(0)
        self.dirty.append(0)
        self.counts[Health.NOT_SUPERVISED] += 1
        if parent != NO_PARENT:
            self.children.setdefault(parent, []).append(number)
        return number

    def ucr(self, terminal: int, device: str) -> int | None:
        """Return the number of a UCR that a terminal hears, by the id it gives."""
        for child in self.children.get(terminal, ()):
            known = self.devices[child]
            if known == device or known.upper() == device.upper():
                return child
        return None

    def name(self, number: int) -> Name:
        """Return a device's name."""
        return name_of(self.accounts[number], self.devices[number])

    def expectation(self, number: int) -> Expectation:
        """Return how often a device is to be heard."""
        return Expectation(self.interval_s[number], self.allowed[number])

    def kin(self, number: int) -> Sequence[int]:
        """Return the UCRs that a terminal hears."""
        return self.children.get(number, ())

"""What the service knows about a caller: the values the registry keeps and the intake consults."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vetlla.domain.signals import AccountId, Kind, Priority


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


class PlainPolicy(StrEnum):
    """What is done with a frame in clear from an account that has a key."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class Maker(StrEnum):
    """Who made an account's terminal, where its codes mean something else than the standard says."""

    AJAX = "ajax"
    CLIMAX = "climax"
    INIM = "inim"


class Remap(NamedTuple):
    """What a code means in one home, against the common table (some makers send 120 for a fall)."""

    kind: Kind | None
    priority: Priority | None


NO_REMAPS: Mapping[str, Remap] = MappingProxyType({})
NOT_WATCHED = -1


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
    unit: int = field(default=NOT_WATCHED, init=False, compare=False, repr=False)
    """Number of its terminal among the devices that are watched; not the registry's word, and set by ``watch_as``."""
    clock_window: ClockWindow | None = STANDARD_WINDOW
    """None: no window (audited)."""
    interval_s: int = 0
    """Expected time between two signs of life of the terminal; 0: as its type says, else none expected."""
    ucr_interval_s: int = 0
    """The same for each UCR that it hears; 0: as their type says, else none expected."""
    allowed_misses: int = 0
    """Signs of life that may fail to come before a device is lost; 0: as the service's settings say."""
    labels: tuple[str, ...] = ()
    """What it fails together with: its SIM's operator, its radio cell ("operator:orange", "cell:214-07-1234")."""
    support_level: int = 0
    """1 to 3 as the service assigns it; 0: not said."""
    maker: Maker | None = None
    """Whose table of codes holds before the standard's; None: the standard's, where a doubtful code is an alarm."""
    remaps: Mapping[str, Remap] = field(default_factory=lambda: NO_REMAPS)
    """By code as received."""

    def watch_as(self, unit: int) -> None:
        """Note under which number its terminal is watched.

        Here and not in a table beside the book: each sign of life looks it up, and a table of a million costs it three
        misses of every cache.
        """
        object.__setattr__(self, "unit", unit)


class Place(NamedTuple):
    """What makes an account one of its kind. Case does not count; empty receiver or line: whatever the frame says."""

    account: str
    receiver: str = ""
    line: str = ""

    def __str__(self) -> str:
        return " ".join(
            part
            for part in (
                self.account,
                self.receiver and f"receiver {self.receiver}",
                self.line and f"line {self.line}",
            )
            if part
        )

    @property
    def folded(self) -> Place:
        """The same place, spelled so that equal ones compare equal."""
        return Place(self.account.upper(), self.receiver.upper(), self.line.upper())


def place_of(account: Account) -> Place:
    """Return where an account stands."""
    return Place(account.account, account.receiver, account.line)


class AccountBook:
    """The accounts by the identity a frame's header spells.

    Case does not matter (panels send hex digits in both), leading zeros do: 0123 and 123 are two homes. The most
    specific entry wins: receiver and line, then receiver, then line, then the bare account. No memo of what was
    asked: one dictionary lookup finds an account that is registered once, and a peer's inventions leave no trace.
    """

    __slots__ = ("_by_account", "_entries")

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        by_account: dict[str, dict[tuple[str, str], Account]] = {}
        for entry in accounts:
            upper = entry.account.upper()
            # Not a second string of each, of which there may be a million.
            places = by_account.setdefault(entry.account if upper == entry.account else upper, {})
            place = (entry.receiver.upper(), entry.line.upper())
            if place in places:
                raise ValueError(f"account {entry.account} is there twice for the same receiver and line")
            places[place] = entry
        self._entries: tuple[Account, ...] = tuple(entry for places in by_account.values() for entry in places.values())
        self._by_account: Mapping[str, Account | Mapping[tuple[str, str], Account]] = {
            account: places[_ANYWHERE] if places.keys() == {_ANYWHERE} else places
            for account, places in by_account.items()
        }

    def find(self, id: AccountId) -> Account | None:  # noqa: A002 - the name a Signal gives it
        """Return what is registered for a caller, or None."""
        found = self._by_account.get(id.account.upper())
        if found is None or isinstance(found, Account):
            return found
        receiver, line = id.receiver.upper(), id.line.upper()
        return found.get((receiver, line)) or found.get((receiver, "")) or found.get(("", line)) or found.get(_ANYWHERE)

    def of_number(self, account: str) -> list[Account]:
        """Return what is registered under an account, in any case: one home for each receiver and line."""
        found = self._by_account.get(account.upper())
        if found is None:
            return []
        return [found] if isinstance(found, Account) else list(found.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._entries)


_ANYWHERE = ("", "")

"""What the service knows about a caller: values that the registry keeps and the intake looks up."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vetlla.domain.clock import Instant
    from vetlla.domain.signals import AccountId, Kind, Priority


class ClockWindow(NamedTuple):
    """How far the timestamp of an encrypted frame may differ from our clock, in seconds (DC-09: -40 .. +20)."""

    behind_s: int = 40
    ahead_s: int = 20


STANDARD_WINDOW = ClockWindow()
"""The window of DC-09, section 3 of its fact sheet."""


class UnknownPolicy(StrEnum):
    """What the receiver does with a report from an account that is not registered."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class PlainPolicy(StrEnum):
    """What the receiver does with an unencrypted frame from an account that has a key."""

    ACCEPT = "accept"
    REFUSE = "refuse"


class Maker(StrEnum):
    """Maker of an account's terminal; listed only if its codes have other meanings than in the standard."""

    AJAX = "ajax"
    CLIMAX = "climax"
    INIM = "inim"


class Remap(NamedTuple):
    """Meaning of a code in one home, where it differs from the common table (some makers send 120 for a fall)."""

    kind: Kind | None
    priority: Priority | None


NO_REMAPS: Mapping[str, Remap] = MappingProxyType({})
NO_DISTRICTS: Mapping[str, str] = MappingProxyType({})
NOT_WATCHED = -1


@dataclass(slots=True, kw_only=True)
class Account:
    """One caller. An empty ``receiver`` or ``line`` matches any value in the frame.

    The values of the registry never change: mypy rejects an assignment to a ``Final`` field. ``unit`` is not from the
    registry and may change, so the class is not frozen.
    """

    account: Final[str]
    receiver: Final[str] = ""
    line: Final[str] = ""
    home: Final[str] = ""
    """Code of the home, under which its alarms are chained. Empty if the account is chained on its own."""
    key_name: Final[str] = ""
    """Name of the shared key. The receiver refuses plain frames of an account that has one."""
    clock_window: Final[ClockWindow | None] = STANDARD_WINDOW
    """None means that no window applies (audited)."""
    interval_s: Final[int] = 0
    """Expected time between two signs of life of the terminal; 0 uses the interval of its type, if there is one."""
    ucr_interval_s: Final[int] = 0
    """The same for each UCR that it hears; 0 uses the interval of the UCR's type, if there is one."""
    allowed_misses: Final[int] = 0
    """Signs of life that a device may miss before it is lost; 0 uses the service's setting."""
    labels: Final[tuple[str, ...]] = ()
    """What it shares with others that fail with it: SIM operator, cell ("operator:orange", "cell:214-07-1234")."""
    support_level: Final[int] = 0
    """1 to 3 as the service assigns it; 0 if it is not known."""
    maker: Final[Maker | None] = None
    """Maker whose codes go before the standard's. None uses the standard's alone, where a doubtful code is an alarm."""
    remaps: Final[Mapping[str, Remap]] = field(default_factory=lambda: NO_REMAPS)
    """The keys are codes as received."""
    unit: int = field(default=NOT_WATCHED, init=False, compare=False, repr=False)
    """Number of its terminal among the supervised devices; supervision sets it when it takes the account over.

    It is kept here because each sign of life looks it up. In a separate table of a million entries, the lookup misses
    every cache three times.
    """


class AccountKey(NamedTuple):
    """Key that identifies an account. Case does not matter; an empty receiver or line matches any value."""

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
    def folded(self) -> AccountKey:
        """The same key in upper case, so that equal keys compare equal."""
        return AccountKey(self.account.upper(), self.receiver.upper(), self.line.upper())


def account_key(account: Account) -> AccountKey:
    """Return the key that identifies an account."""
    return AccountKey(account.account, account.receiver, account.line)


class OnTest(NamedTuple):
    """A registered account whose alarms are shown apart until a given instant."""

    place: AccountKey
    since_us: int
    until_us: int
    """The end that people see; until the next machine start after ``boot`` the monotonic clock decides."""
    until_mono_us: int
    boot: int
    operator: str
    reason: str

    def runs(self, boot: int, now: Instant) -> bool:
        """Return True if the test has not ended, by the best clock that this machine start has for it."""
        return self.until_mono_us > now.mono_us if self.boot == boot else self.until_us > now.utc_us


class AccountBook:
    """Finds accounts by the identity in a frame's header.

    Case does not matter (panels send hex digits in both), but leading zeros do: 0123 and 123 are two homes. The most
    specific entry wins: receiver and line, then receiver, then line, then the bare account. Lookups are not cached,
    because one dictionary lookup finds an account that is registered once, and invented accounts must not take memory.
    """

    __slots__ = ("_by_account", "_entries", "districts")

    def __init__(self, accounts: Iterable[Account] = (), districts: Mapping[str, str] = NO_DISTRICTS) -> None:
        self.districts = districts
        """District by code of the home, for sinks; empty if there is none."""
        by_account: dict[str, dict[tuple[str, str], Account]] = {}
        for entry in accounts:
            upper = entry.account.upper()
            # Keep no second copy of each string: there may be a million accounts.
            places = by_account.setdefault(entry.account if upper == entry.account else upper, {})
            place = (entry.receiver.upper(), entry.line.upper())
            if place in places:
                raise ValueError(f"account {entry.account} is registered twice for the same receiver and line")
            places[place] = entry
        self._entries: tuple[Account, ...] = tuple(entry for places in by_account.values() for entry in places.values())
        self._by_account: Mapping[str, Account | Mapping[tuple[str, str], Account]] = {
            account: places[_ANYWHERE] if places.keys() == {_ANYWHERE} else places
            for account, places in by_account.items()
        }

    def find(self, id: AccountId) -> Account | None:  # noqa: A002 - a Signal has the same name for it
        """Return the account that is registered for a caller, or None."""
        found = self._by_account.get(id.account.upper())
        if found is None or isinstance(found, Account):
            return found
        receiver, line = id.receiver.upper(), id.line.upper()
        return found.get((receiver, line)) or found.get((receiver, "")) or found.get(("", line)) or found.get(_ANYWHERE)

    def of_number(self, account: str) -> list[Account]:
        """Return the accounts with this number, in upper or lower case: one home for each receiver and line."""
        found = self._by_account.get(account.upper())
        if found is None:
            return []
        return [found] if isinstance(found, Account) else list(found.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._entries)


_ANYWHERE = ("", "")

"""The devices that the registry expects: how often each must report, and why it is not supervised."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import BUTTONS, DeviceType, Place
from vetlla.service.supervision.rules import Expectation, Pause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.domain.accounts import Account, AccountBook
    from vetlla.domain.supervision import Expected
    from vetlla.settings.supervision import SupervisionSettings

REGISTRY_PAUSES = Pause.NO_INTERVAL | Pause.SUSPENDED | Pause.WAREHOUSE | Pause.REMOVED | Pause.UNREGISTERED
"""Reasons that the registry sets and lifts. The home itself reports AWAY, and an engineer sets ORDERED."""


class Watched(NamedTuple):
    """One device of the registry; ``device`` is "" for the account's terminal."""

    account: Account
    device: str
    expectation: Expectation
    pause: Pause


class Expectations:
    """All devices that the registry expects, with values from the settings where the registry has none."""

    def __init__(self, book: AccountBook, expected: Expected, settings: SupervisionSettings) -> None:
        self.book = book
        self._expected = expected
        self._settings = settings

    def __iter__(self) -> Iterator[Watched]:
        """Yield every terminal. The UCRs of a home follow the terminal of its first account, which hears them."""
        served: set[str] = set()
        for account in self.book:
            terminal = self._expected.terminals.get(account.account.upper())
            interval_s = account.interval_s or (self._settings.intervals_s.get(terminal.type, 0) if terminal else 0)
            pause = self._resting(account)
            if terminal and terminal.place is Place.WAREHOUSE:
                pause |= Pause.WAREHOUSE
            yield self._watched(account, "", interval_s, pause)
            if account.home and account.home not in served:
                served.add(account.home)
                for ucr in self._expected.ucrs.get(account.home, ()):
                    yield self.ucr(account, ucr.id, ucr.type)

    def ucr(self, account: Account, device: str, kind: DeviceType = DeviceType.UCR) -> Watched:
        """Return what is expected of a UCR that an account's terminal hears."""
        interval_s = account.ucr_interval_s or self._settings.intervals_s.get(kind, 0)
        return self._watched(account, device, interval_s, self._resting(account))

    def hears_ucrs(self, account: Account) -> bool:
        """Return True if UCRs are expected at a terminal, by its account's interval or by the inventory of its home.

        Without an inventory the settings decide whether the service has UCRs at all.
        """
        if account.ucr_interval_s:
            return True
        if self._expected.ucrs:
            return account.home in self._expected.ucrs or account.home in self._expected.gone
        return any(self._settings.intervals_s.get(kind) for kind in BUTTONS)

    def unlisted(self, account: Account, device: str) -> Watched:
        """Return what is expected of a UCR that reports itself but is not in this home according to the inventory."""
        watched = self.ucr(account, device)
        place = self._expected.gone.get(account.home, {}).get(device.upper())
        if place is not None:
            away = Pause.WAREHOUSE if place is Place.WAREHOUSE else Pause.REMOVED
        else:
            away = Pause.UNREGISTERED if self._expected.ucrs.get(account.home) else Pause.NONE
        return watched._replace(pause=watched.pause | away)

    def _resting(self, account: Account) -> Pause:
        return Pause.SUSPENDED if account.home in self._expected.resting else Pause.NONE

    def _watched(self, account: Account, device: str, interval_s: int, pause: Pause) -> Watched:
        allowed = account.allowed_misses or self._settings.allowed_misses
        return Watched(
            account, device, Expectation(interval_s, allowed), pause if interval_s else pause | Pause.NO_INTERVAL
        )

"""Takes the expected devices from the registry, and learns other UCRs from their own reports.

A whole fleet is taken over in steps, so that no alarm waits for it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vetlla.receiver.supervision.expectations import REGISTRY_PAUSES
from vetlla.receiver.supervision.fleet import NO_PARENT, name_of
from vetlla.service.supervision.rules import Pause

if TYPE_CHECKING:
    from vetlla.domain.accounts import Account
    from vetlla.domain.clock import Clock, Instant
    from vetlla.receiver.supervision.expectations import Expectations, Watched
    from vetlla.receiver.supervision.fleet import Name
    from vetlla.receiver.supervision.pauses import Pauses
    from vetlla.receiver.supervision.states import DeviceStates

AT_ONCE = 1_000
"""Devices taken over in one turn of the event loop, so that no alarm waits for the reload of a whole fleet."""


UCRS_MAX = 1_000
"""Most UCRs that one terminal may have. Contact ID has zone numbers for a thousand. If a terminal invents more UCRs,
the receiver stores their reports but does not supervise them."""


class Enrolment:
    """Keeps the fleet equal to the registry. Lives in the event loop."""

    def __init__(
        self,
        states: DeviceStates,
        pauses: Pauses,
        clock: Clock,
        *,
        at_once: int = AT_ONCE,
        ucrs_max: int = UCRS_MAX,
    ) -> None:
        self._states = states
        self._fleet = states.fleet
        self._pauses = pauses
        self._clock = clock
        self._at_once = at_once
        self._ucrs_max = ucrs_max
        self._expectations: Expectations | None = None
        self._primary_terminals: dict[int, int] = {}
        """For each further terminal of a home: the terminal of its first account, which hears the home's UCRs."""

    def primary_terminal(self, terminal: int) -> int:
        """Return the terminal through which the UCRs of this terminal's home are expected."""
        return self._primary_terminals.get(terminal, terminal)

    async def apply(self, expectations: Expectations) -> None:
        """Take over a registry; it is in force when this returns."""
        names: dict[Name, int] = {}
        for number in self._fleet:
            names[self._fleet.name(number)] = number
            if number % self._at_once == 0:
                await asyncio.sleep(0)
        self._expectations = expectations
        await self._update_others(await self._take_up_all(expectations, names))

    async def _take_up_all(self, expectations: Expectations, names: dict[Name, int]) -> set[int]:
        seen: set[int] = set()
        of_home: dict[str, int] = {}
        primary_terminals: dict[int, int] = {}
        terminal = NO_PARENT
        for count, watched in enumerate(expectations):
            if count % self._at_once == 0:
                await asyncio.sleep(0)
            account, now = watched.account, self._clock.now()
            number = names.get(name_of(account, watched.device))
            if number is None and watched.device:
                number = self._fleet.ucr(terminal, watched.device)  # it reported itself during this reload
            if number is None:
                parent = terminal if watched.device else NO_PARENT
                number = self._add(account, watched.device, parent, now)
            if not watched.device:
                terminal = number
                account.unit = number
                primary_terminal = of_home.setdefault(account.home, number) if account.home else number
                if primary_terminal != number:
                    primary_terminals[number] = primary_terminal
            seen.add(number)
            self._take_up(number, watched, now)
        self._primary_terminals = primary_terminals
        return seen

    async def _update_others(self, seen: set[int]) -> None:
        """Update the devices that the registry does not name: learned UCRs stay, others are marked as removed."""
        for number in self._fleet:
            if number % self._at_once == 0:
                await asyncio.sleep(0)
            if number in seen or not self._fleet.accounts[number].account:
                continue  # a number without a device, because a crash came before its row was written
            now, terminal = self._clock.now(), self._fleet.parents[number]
            if terminal in seen:
                account = self._fleet.accounts[terminal]
                self._take_up(number, self._unlisted(account, self._fleet.devices[number]), now)
            else:
                self._pauses.set(number, Pause.REMOVED, REGISTRY_PAUSES, now)

    def learn(self, terminal: int, device: str, now: Instant) -> int | None:
        """Add an unregistered UCR at its first report of itself; return its number, or None if it is not supervised.

        The receiver stores reports about UCRs in any case. It supervises none where no UCRs are expected.
        """
        account = self._fleet.accounts[terminal]
        if (
            len(self._fleet.ucrs_of(terminal)) >= self._ucrs_max
            or self._expectations is None
            or not self._expectations.hears_ucrs(account)
        ):
            return None
        number = self._add(account, device, terminal, now)
        self._take_up(number, self._unlisted(account, device), now)
        return number

    def _add(self, account: Account, device: str, parent: int, now: Instant) -> int:
        number = self._states.add(account, device, parent, now)
        self._states.mark(number)  # also without an interval, or a restart would lose its number
        return number

    def _unlisted(self, account: Account, device: str) -> Watched:
        assert self._expectations is not None  # the registry is read before the first report
        return self._expectations.unlisted(account, device)

    def _take_up(self, number: int, watched: Watched, now: Instant) -> None:
        self._fleet.accounts[number] = watched.account
        self._states.expect(number, watched.expectation, now)
        self._pauses.set(number, watched.pause, REGISTRY_PAUSES, now)

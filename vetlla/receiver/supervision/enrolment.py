"""Takes over what the registry says of who is to be heard, and learns UCRs by hearing them.

A whole fleet is taken over in steps, so that no alarm waits for it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vetlla.receiver.supervision.fleet import NO_PARENT, name_of
from vetlla.receiver.supervision.roster import REGISTRY_PAUSES
from vetlla.service.supervision.rules import Pause

if TYPE_CHECKING:
    from vetlla.domain.accounts import Account
    from vetlla.domain.clock import Clock, Instant
    from vetlla.receiver.supervision.fleet import Name
    from vetlla.receiver.supervision.pauses import Pauses
    from vetlla.receiver.supervision.roster import Roster, Watched
    from vetlla.receiver.supervision.watch import Watch

AT_ONCE = 1_000
"""Devices between two turns of the loop: a reload of a whole fleet holds up no alarm."""


UCRS_MAX = 1_000
"""UCRs of one terminal; a thousand is what the zone numbers of Contact ID tell apart. One that invents names for ever
takes up no more, and its reports are kept as any other's."""


class Enrolment:
    """Lives in the event loop."""

    def __init__(self, watch: Watch, pauses: Pauses, clock: Clock) -> None:
        self._watch = watch
        self._fleet = watch.fleet
        self._pauses = pauses
        self._clock = clock
        self._roster: Roster | None = None
        self._elders: dict[int, int] = {}
        """Of a home with several accounts: terminal -> the one through which the home's UCRs are expected."""

    def elder(self, terminal: int) -> int:
        """Return the terminal through which the UCRs of this one's home are expected."""
        return self._elders.get(terminal, terminal)

    async def apply(self, roster: Roster) -> None:
        """Take over a registry; it counts when this returns."""
        names: dict[Name, int] = {}
        for number in self._fleet:
            names[self._fleet.name(number)] = number
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        self._roster = roster
        await self._see_to_the_others(await self._take_up_all(roster, names))

    async def _take_up_all(self, roster: Roster, names: dict[Name, int]) -> set[int]:
        seen: set[int] = set()
        of_home: dict[str, int] = {}
        elders: dict[int, int] = {}
        terminal = NO_PARENT
        for count, watched in enumerate(roster):
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
            account, now = watched.account, self._clock.now()
            number = names.get(name_of(account, watched.device))
            if number is None and watched.device:
                number = self._fleet.ucr(terminal, watched.device)  # it reported itself while this went on
            if number is None:
                parent = terminal if watched.device else NO_PARENT
                number = self._add(account, watched.device, parent, now)
            if not watched.device:
                terminal = number
                account.watch_as(number)
                elder = of_home.setdefault(account.home, number) if account.home else number
                if elder != number:
                    elders[number] = elder
            seen.add(number)
            self._take_up(number, watched, now)
        self._elders = elders
        return seen

    async def _see_to_the_others(self, seen: set[int]) -> None:
        """Treat those that the registry does not name: UCRs that were learned stay, others were removed."""
        for number in self._fleet:
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
            if number in seen or not self._fleet.accounts[number].account:
                continue  # a number whose device was never written down is nobody's
            now, terminal = self._clock.now(), self._fleet.parents[number]
            if terminal in seen:
                account = self._fleet.accounts[terminal]
                self._take_up(number, self._unlisted(account, self._fleet.devices[number]), now)
            else:
                self._pauses.set(number, Pause.REMOVED, REGISTRY_PAUSES, now)

    def learn(self, terminal: int, device: str, now: Instant) -> int | None:
        """Take up a UCR that is not registered, as it reports itself for the first time; return its number, if any.

        If no UCRs are expected there, reports about them are stored, and none is supervised.
        """
        account = self._fleet.accounts[terminal]
        if len(self._fleet.kin(terminal)) >= UCRS_MAX or self._roster is None or not self._roster.hears_ucrs(account):
            return None
        number = self._add(account, device, terminal, now)
        self._take_up(number, self._unlisted(account, device), now)
        return number

    def _add(self, account: Account, device: str, parent: int, now: Instant) -> int:
        number = self._watch.add(account, device, parent, now)
        self._watch.mark(number)  # of whom nobody expects anything, too: or its number is lost with this life
        return number

    def _unlisted(self, account: Account, device: str) -> Watched:
        assert self._roster is not None  # read before anybody is heard
        return self._roster.unlisted(account, device)

    def _take_up(self, number: int, watched: Watched, now: Instant) -> None:
        self._fleet.accounts[number] = watched.account
        self._watch.expect(number, watched.expectation, now)
        self._pauses.set(number, watched.pause, REGISTRY_PAUSES, now)

"""Requests about supervision on the control socket.

A fleet may have a million devices, so no request goes over all of them in one turn of the event loop. An answer holds
at most one page. For the next page the client asks again with ``after``, the last number of the page before.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from vetlla.domain.accounts import account_key
from vetlla.domain.clock import SECOND_US, iso
from vetlla.domain.errors import UsageError
from vetlla.receiver.control.arguments import flag, named_account, number, perform, text, words
from vetlla.receiver.control.server import refused
from vetlla.receiver.supervision.fleet import NO_PARENT
from vetlla.receiver.supervision.pauses import Order
from vetlla.service.queue.naming import meant
from vetlla.service.supervision.rules import Health, Pause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.control.server import Request
    from vetlla.receiver.supervision.supervision import Supervision
    from vetlla.receiver.supervision.view import SupervisionView
    from vetlla.settings.model import Settings
    from vetlla.store.journal.batch import Batch

PAGE_MAX = 500
"""Devices in one answer: about 200 kB of JSON."""
TOLD_AT_ONCE = 50
"""Devices described in one turn of the event loop: about a millisecond."""
LOOKED_AT_ONCE = 1_000
"""Devices searched in one turn of the event loop: about a millisecond."""
NOWHERE = sys.maxsize
"""A number beyond every device number."""
PAUSE_MAX_S = 92 * 24 * 3600
"""The length of a summer. A longer pause must be ordered without an end, so that a person has to lift it."""
REASON_MAX = 500
"""Most characters of a pause's reason."""
AT_REST = frozenset({Pause.NO_INTERVAL, Pause.REMOVED})
"""With one of these as its only reason, a device is listed only if the request names its state."""


class SupervisionRequests:
    """Answers the requests about the fleet."""

    def __init__(
        self, *, settings: Settings, supervision: Supervision, view: SupervisionView, commit: GroupCommit, clock: Clock
    ) -> None:
        self.settings = settings
        self._supervision = supervision
        self._fleet = supervision.fleet
        self._view = view
        self._commit = commit
        self._clock = clock

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings."""
        self.settings = settings

    def table(self) -> dict[str, Callable[[Request], Awaitable[Any]]]:
        """Return the requests by name."""
        return {
            "supervision.counts": self._counts,
            "supervision.list": self._list,
            "supervision.show": self._show,
            "supervision.incidents": self._incidents,
            "supervision.members": self._members,
            "supervision.pause": self._pause,
            "supervision.resume": self._resume,
        }

    async def _counts(self, _: Request) -> dict[str, Any]:
        return self._view.health()

    # --- lists ------------------------------------------------------------------------------------------------------

    async def _list(self, request: Request) -> dict[str, Any]:
        """Return one page: ``devices``, and ``next``, the number to ask after, or null on the last page.

        With ``count`` return only the number of devices, because the client does not show a description of each.
        """
        states, chosen = _states(request)
        account, home = words(request, "account").upper(), words(request, "home").upper()

        def fits(device: int) -> bool:
            entry = self._fleet.accounts[device]
            if (account and entry.account.upper() != account) or (home and entry.home.upper() != home):
                return False
            return chosen or self._fleet.state[device] != Health.NOT_SUPERVISED or self._pause_of(device) not in AT_REST

        listed = _steadily(standing(self._fleet.state, states, _after(request)), fits)
        if request.arguments.get("count"):
            return {"count": len([one async for one in listed])}
        found, following = await _page(listed, request)
        return {"devices": await self._told(found), "next": following}

    async def _told(self, devices: Iterable[int]) -> list[dict[str, Any]]:
        told = []
        for count, device in enumerate(devices, 1):
            told.append(self._view.device(device))
            if count % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
        return told

    def _pause_of(self, device: int) -> Pause:
        return Pause(self._fleet.pause[device])

    async def _show(self, request: Request) -> list[dict[str, Any]]:
        terminal = await self._terminal(request)
        ucrs_of = self._fleet.ucrs_of(self._supervision.enrolment.primary_terminal(terminal))
        return [self._view.whole(device) for device in (terminal, *ucrs_of)]

    async def _terminal(self, request: Request) -> int:
        """Return the number of the terminal of the named account. Raises UsageError.

        A terminal whose account was removed is found only if no registered account has this name.
        """
        account, receiver, line = named_account(request)
        wanted = account.upper()
        everybody = iter(range(len(self._fleet)))

        def fits(device: int) -> bool:
            return self._fleet.parents[device] == NO_PARENT and self._fleet.accounts[device].account.upper() == wanted

        found = [device async for device in _steadily(everybody, fits)]
        present = [device for device in found if self._pause_of(device) != Pause.REMOVED]
        return meant(account, receiver, line, present or found, self._fleet.accounts.__getitem__)

    # --- incidents --------------------------------------------------------------------------------------------------

    async def _incidents(self, _: Request) -> list[dict[str, Any]]:
        return self._view.incidents()

    async def _members(self, request: Request) -> dict[str, Any]:
        """Return an open incident with one page of its ``devices``, and ``next``."""
        which = number(request, "incident")
        incident = self._supervision.incidents.open.get(which)
        if incident is None:
            raise UsageError(f"no open incident {which}", remedy="vetlla supervision incidents --all lists ended ones")
        everybody = iter(range(_after(request) + 1, len(self._fleet)))
        found, following = await _page(_steadily(everybody, incident.members.__contains__), request)
        return self._view.incident(incident) | {"devices": await self._told(found), "next": following}

    # --- pauses -----------------------------------------------------------------------------------------------------

    async def _pause(self, request: Request) -> dict[str, Any]:
        self._admit(request)
        reason = text(request, "reason", at_most=REASON_MAX)
        until_us = self._until_us(request)
        devices, named = await self._meant(request)
        order = Order(request.caller.operator, reason, until_us)
        detail: dict[str, object] = {"reason": reason, "until": iso(until_us), "devices": len(devices)}

        def step(batch: Batch) -> Sequence[int]:
            self._supervision.pause(devices, order, batch)
            self._record(batch, request, "pause supervision", named, detail)
            return devices

        answer = {"operator": order.operator, "reason": reason, "until": iso(until_us)}
        return await self._done(request, devices, step, answer)

    async def _resume(self, request: Request) -> dict[str, Any]:
        self._admit(request)
        devices, named = await self._meant(request)
        paused = [device for device in devices if device in self._supervision.pauses.ordered]
        if not paused:
            raise UsageError(f"{named} is not paused", remedy="vetlla supervision show gives the reason for its state")

        def step(batch: Batch) -> Sequence[int]:
            lifted = self._supervision.lift(paused, batch)
            self._record(batch, request, "resume supervision", named, {"devices": len(lifted)})
            return lifted

        return await self._done(request, paused, step, {"operator": request.caller.operator})

    async def _done(
        self, request: Request, meant: Sequence[int], step: Callable[[Batch], Sequence[int]], answer: dict[str, Any]
    ) -> dict[str, Any]:
        if flag(request, "dry_run"):
            return answer | {"devices": await self._told(meant), "durable": None}
        changed, durable = await perform(self._commit, step)
        return answer | {"devices": await self._told(changed), "durable": durable}

    def _admit(self, request: Request) -> None:
        if not (request.caller.engineer or request.caller.supervisor):
            groups = self.settings.control
            raise refused(request.caller, "pause supervision", groups.engineers, groups.supervisors)

    def _until_us(self, request: Request) -> int | None:
        if request.arguments.get("seconds") is None:
            return None
        seconds = number(request, "seconds")
        if not 0 < seconds <= PAUSE_MAX_S:
            raise UsageError(
                f"a pause lasts 1 to {PAUSE_MAX_S} s", remedy="without --for it lasts until vetlla supervision resume"
            )
        return self._clock.now().utc_us + seconds * SECOND_US

    async def _meant(self, request: Request) -> tuple[list[int], str]:
        """Return the devices of an account, or the one that the request names, and their name in the audit."""
        device, terminal = words(request, "device"), await self._terminal(request)
        account = account_key(self._fleet.accounts[terminal])
        if self._pause_of(terminal) == Pause.REMOVED:
            raise UsageError(f"account {account} was removed from the registry", remedy="vetlla accounts list")
        if not device:
            return [terminal, *self._fleet.ucrs_of(terminal)], f"account {account}"
        ucr = self._fleet.ucr(self._supervision.enrolment.primary_terminal(terminal), device)
        if ucr is None:
            raise UsageError(
                f"the terminal of account {account} has no UCR {device}",
                remedy=f"vetlla supervision show {account.account}",
            )
        return [ucr], f"account {account} device {device}"

    def _record(self, batch: Batch, request: Request, action: str, named: str, detail: dict[str, object]) -> None:
        batch.record(self._clock.now().utc_us, request.caller.operator, action, named, **detail)


def standing(column: bytearray, states: Iterable[Health], after: int) -> Iterator[int]:
    """Yield the numbers above ``after`` that have one of some states, in order; the column may grow meanwhile."""
    following = {state: _place(column, state, after + 1) for state in states}
    while (first := min(following.values())) != NOWHERE:
        yield first
        for state, place in following.items():
            if place == first:
                following[state] = _place(column, state, first + 1)


def _place(column: bytearray, state: Health, begin: int) -> int:
    place = column.find(state, begin)
    return NOWHERE if place < 0 else place


async def _steadily(numbers: Iterator[int], fits: Callable[[int], bool]) -> AsyncIterator[int]:
    """Yield the numbers that fit, and let other tasks of the event loop run now and then."""
    for count, one in enumerate(numbers, 1):
        if count % LOOKED_AT_ONCE == 0:
            await asyncio.sleep(0)
        if fits(one):
            yield one


async def _page(found: AsyncIterator[int], request: Request) -> tuple[list[int], int | None]:
    """Return the numbers of one page, and the last of them if there are more."""
    limit = number(request, "limit") if "limit" in request.arguments else PAGE_MAX
    if not 0 < limit <= PAGE_MAX:
        raise UsageError(f"a page holds 1 to {PAGE_MAX} devices")
    page: list[int] = []
    async for one in found:
        if len(page) == limit:
            return page, page[-1]
        page.append(one)
    return page, None


def _states(request: Request) -> tuple[list[Health], bool]:
    """Return the wanted states, and whether the request named them."""
    named = request.arguments.get("states") or []
    known = {state.word: state for state in Health}
    if not isinstance(named, list) or not all(isinstance(one, str) and one in known for one in named):
        raise UsageError("'states' must be a list of states", remedy=f"choose from {', '.join(known)}")
    if not named:
        return [state for state in Health if state is not Health.OK], False
    return [known[one] for one in named], True


def _after(request: Request) -> int:
    return number(request, "after") if "after" in request.arguments else -1

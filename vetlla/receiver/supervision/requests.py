"""Requests about supervision on the control socket.

A fleet may have a million devices, so no request goes over all of them in one turn of the event loop. An answer holds
at most one page. For the next page the client asks again with ``after``, the last number of the page before.
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from vetlla.domain.accounts import account_key
from vetlla.domain.clock import SECOND_US, iso
from vetlla.domain.errors import UsageError
from vetlla.receiver.commit.perform import perform
from vetlla.receiver.control.messages.supervision import (
    ListDevices,
    ListIncidents,
    ListMembers,
    PauseDevices,
    ResumeDevices,
    ShowDevices,
    ShowFleet,
)
from vetlla.receiver.control.roles import refused
from vetlla.receiver.supervision.fleet import NO_PARENT
from vetlla.receiver.supervision.pauses import Order
from vetlla.service.queue.account_matching import meant
from vetlla.service.supervision.rules import Health, Pause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.control.messages.base import Route
    from vetlla.receiver.control.messages.supervision import (
        DeviceCount,
        DeviceFields,
        DevicePage,
        DeviceSheet,
        FleetHealth,
        IncidentFields,
        IncidentPage,
        Paused,
        Resumed,
    )
    from vetlla.receiver.control.roles import Caller
    from vetlla.receiver.supervision.supervision import Supervision
    from vetlla.receiver.supervision.view import SupervisionView
    from vetlla.settings.model import Settings
    from vetlla.store.journal.batch import Batch

TOLD_AT_ONCE = 50
"""Devices described in one turn of the event loop: about a millisecond."""
LOOKED_AT_ONCE = 1_000
"""Devices searched in one turn of the event loop: about a millisecond."""
NOWHERE = sys.maxsize
"""A number beyond every device number."""
AT_REST = frozenset({Pause.NO_INTERVAL, Pause.REMOVED})
"""A device that has only one of these reasons is listed only if the request names its state."""


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

    def routes(self) -> list[Route]:
        """Return the route of each kind of request."""
        return [
            ShowFleet.answered_by(self._fleet_health),
            ListDevices.answered_by(self._list),
            ShowDevices.answered_by(self._show),
            ListIncidents.answered_by(self._incidents),
            ListMembers.answered_by(self._members),
            PauseDevices.answered_by(self._pause),
            ResumeDevices.answered_by(self._resume),
        ]

    async def _fleet_health(self, _: ShowFleet, __: Caller) -> FleetHealth:
        return self._view.health()

    # --- lists ------------------------------------------------------------------------------------------------------

    async def _list(self, request: ListDevices, _: Caller) -> DevicePage | DeviceCount:
        """Return one page: ``devices``, and ``next``, the number to ask after, or null on the last page.

        With ``count`` return only the number of devices, because the client does not show a description of each.
        """
        states = request.states or [state for state in Health if state is not Health.OK]
        account, home, chosen = request.account.upper(), request.home.upper(), bool(request.states)

        def fits(device: int) -> bool:
            entry = self._fleet.accounts[device]
            if (account and entry.account.upper() != account) or (home and entry.home.upper() != home):
                return False
            return chosen or self._fleet.state[device] != Health.NOT_SUPERVISED or self._pause_of(device) not in AT_REST

        listed = _steadily(standing(self._fleet.state, states, request.after), fits)
        if request.count:
            return {"count": len([one async for one in listed])}
        found, following = await _page(listed, request.limit)
        return {"devices": await self._described(found), "next": following}

    async def _described(self, devices: Iterable[int]) -> list[DeviceFields]:
        described = []
        for count, device in enumerate(devices, 1):
            described.append(self._view.device(device))
            if count % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
        return described

    def _pause_of(self, device: int) -> Pause:
        return Pause(self._fleet.pause[device])

    async def _show(self, request: ShowDevices, _: Caller) -> list[DeviceSheet]:
        terminal = await self._terminal(request)
        return [self._view.whole(device) for device in (terminal, *self._supervision.ucrs_of(terminal))]

    async def _terminal(self, request: ShowDevices | PauseDevices | ResumeDevices) -> int:
        """Return the number of the terminal of the named account. Raises UsageError.

        A terminal whose account was removed is found only if no registered account has this name.
        """
        wanted = request.account.upper()
        everybody = iter(range(len(self._fleet)))

        def fits(device: int) -> bool:
            return self._fleet.parents[device] == NO_PARENT and self._fleet.accounts[device].account.upper() == wanted

        found = [device async for device in _steadily(everybody, fits)]
        present = [device for device in found if self._pause_of(device) != Pause.REMOVED]
        account_of = self._fleet.accounts.__getitem__
        return meant(request.account, request.receiver, request.line, present or found, account_of)

    # --- incidents --------------------------------------------------------------------------------------------------

    async def _incidents(self, _: ListIncidents, __: Caller) -> list[IncidentFields]:
        return self._view.incidents()

    async def _members(self, request: ListMembers, _: Caller) -> IncidentPage:
        """Return an open incident with one page of its ``devices``, and ``next``."""
        incident = self._supervision.incident(request.incident)
        if incident is None:
            raise UsageError(
                f"no open incident {request.incident}", remedy="vetlla supervision incidents --all lists ended ones"
            )
        everybody = iter(range(request.after + 1, len(self._fleet)))
        found, following = await _page(_steadily(everybody, incident.members.__contains__), request.limit)
        return {**self._view.incident(incident), "devices": await self._described(found), "next": following}

    # --- pauses -----------------------------------------------------------------------------------------------------

    async def _pause(self, request: PauseDevices, caller: Caller) -> Paused:
        self._admit(caller)
        reason, seconds = request.reason, request.seconds
        until_us = None if seconds is None else self._clock.now().utc_us + seconds * SECOND_US
        devices, named = await self._named_devices(request)
        order = Order(caller.operator, reason, until_us)
        detail: dict[str, object] = {"reason": reason, "until": iso(until_us), "devices": len(devices)}

        def step(batch: Batch) -> Sequence[int]:
            self._supervision.pause(devices, order, batch)
            self._record(batch, caller, "pause supervision", named, detail)
            return devices

        done = await self._done(request, caller, devices, step)
        return {
            "operator": done["operator"],
            "reason": reason,
            "until": iso(until_us),
            "devices": done["devices"],
            "durable": done["durable"],
        }

    async def _resume(self, request: ResumeDevices, caller: Caller) -> Resumed:
        self._admit(caller)
        devices, named = await self._named_devices(request)
        paused = [device for device in devices if self._supervision.order_of(device)]
        if not paused:
            raise UsageError(f"{named} is not paused", remedy="vetlla supervision show gives the reason for its state")

        def step(batch: Batch) -> Sequence[int]:
            lifted = self._supervision.lift(paused, batch)
            self._record(batch, caller, "resume supervision", named, {"devices": len(lifted)})
            return lifted

        return await self._done(request, caller, paused, step)

    async def _done(
        self,
        request: PauseDevices | ResumeDevices,
        caller: Caller,
        meant: Sequence[int],
        step: Callable[[Batch], Sequence[int]],
    ) -> Resumed:
        changed, durable = (meant, None) if request.dry_run else await perform(self._commit, step)
        return {"operator": caller.operator, "devices": await self._described(changed), "durable": durable}

    def _admit(self, caller: Caller) -> None:
        if not (caller.engineer or caller.supervisor):
            groups = self.settings.control
            raise refused(caller, "pause supervision", groups.engineers, groups.supervisors)

    async def _named_devices(self, request: PauseDevices | ResumeDevices) -> tuple[list[int], str]:
        """Return the devices of an account, or the one that the request names, and their name in the audit."""
        device, terminal = request.device, await self._terminal(request)
        account = account_key(self._fleet.accounts[terminal])
        if self._pause_of(terminal) == Pause.REMOVED:
            raise UsageError(f"account {account} was removed from the registry", remedy="vetlla accounts list")
        if not device:
            return [terminal, *self._fleet.ucrs_of(terminal)], f"account {account}"
        ucr = self._supervision.ucr(terminal, device)
        if ucr is None:
            raise UsageError(
                f"the terminal of account {account} has no UCR {device}",
                remedy=f"vetlla supervision show {account.account}",
            )
        return [ucr], f"account {account} device {device}"

    def _record(self, batch: Batch, caller: Caller, action: str, named: str, detail: dict[str, object]) -> None:
        batch.record(self._clock.now().utc_us, caller.operator, action, named, **detail)


def standing(column: bytearray, states: Iterable[Health], after: int) -> Iterator[int]:
    """Yield the numbers above ``after`` that have one of the given states, in order; the column may grow meanwhile."""
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


async def _page(found: AsyncIterator[int], limit: int) -> tuple[list[int], int | None]:
    """Return the numbers of one page, and the last of them if there are more."""
    page: list[int] = []
    async for one in found:
        if len(page) == limit:
            return page, page[-1]
        page.append(one)
    return page, None

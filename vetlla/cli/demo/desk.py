"""Simulated operators, who claim, answer and close the alarms of the demo's homes as people would."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from vetlla.cli.kit.control import ask
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.errors import LinkError, UsageError
from vetlla.domain.signals import Kind, Priority
from vetlla.receiver.control.messages.queue import AnswerAlarm, ClaimAlarm, CloseAlarm, ListAlarms

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from vetlla.receiver.control.messages.base import Request
    from vetlla.receiver.control.messages.queue import AlarmFields

_A = TypeVar("_A")

LOOK_S = 1.0
"""Time between two looks of an idle operator at the queue."""
REACTION_S = (0.5, 4.0)
"""Shortest and longest time from seeing an alarm to claiming it."""
PICK_UP_S = (1.0, 9.0)
"""Shortest and longest time from claiming to answering it: mostly within the 15 s of *t3*, not always."""
TALK_S = (5.0, 14.0)
OUTCOMES = {
    Kind.PERSONAL_EMERGENCY: (AlarmOutcome.HANDLED_BY_VOICE, AlarmOutcome.HANDLED_BY_VOICE, AlarmOutcome.FALSE_ALARM),
    Kind.FALL: (AlarmOutcome.CONTACT_WENT, AlarmOutcome.HELP_SENT),
    Kind.SMOKE: (AlarmOutcome.FALSE_ALARM, AlarmOutcome.HELP_SENT),
}


class Room:
    """The room of the operators. No two of them take the same alarm. ``pace`` multiplies their times."""

    def __init__(self, state_dir: Path, random: Random, *, pace: float = 1.0) -> None:
        self._state_dir = state_dir
        self._random = random
        self._pace = pace
        self._taken: set[int] = set()
        self.closed = 0
        """Number of alarms that were closed."""

    async def work(self, stop: asyncio.Event) -> None:
        """Work as one operator until ``stop`` is set."""
        while not await self._pause((LOOK_S, LOOK_S), stop):
            try:
                alarm = await self._next()
                if alarm is not None:
                    await self._handle(alarm, stop)
            except UsageError:
                continue  # another operator, perhaps the person who watches, was faster
            except LinkError:
                return  # the receiver is gone

    async def _next(self) -> AlarmFields | None:
        for alarm in (await self._ask(ListAlarms()))["alarms"]:
            if alarm["state"] == State.WAITING and alarm["id"] not in self._taken:
                self._taken.add(alarm["id"])
                return alarm
        return None

    async def _handle(self, alarm: AlarmFields, stop: asyncio.Event) -> None:
        number = alarm["id"]
        try:
            for pause, step in ((REACTION_S, ClaimAlarm(alarm=number)), (PICK_UP_S, AnswerAlarm(alarm=number))):
                if await self._pause(pause, stop):
                    return
                await self._ask(step)
            if await self._pause(TALK_S, stop):
                return
            await self._ask(CloseAlarm(alarm=number, outcome=self._outcome(alarm)))
            self.closed += 1
        finally:
            self._taken.discard(number)

    def _outcome(self, alarm: AlarmFields) -> AlarmOutcome:
        if Priority[alarm["priority"]] >= Priority.TECHNICAL:
            return AlarmOutcome.TECHNICAL
        return self._random.choice(OUTCOMES.get(Kind(alarm["kind"]), (AlarmOutcome.HANDLED_BY_VOICE,)))

    async def _ask(self, request: Request[_A]) -> _A:
        return await asyncio.to_thread(ask, self._state_dir, request)

    async def _pause(self, between: tuple[float, float], stop: asyncio.Event) -> bool:
        """Wait as long as a person would. Return True if ``stop`` was set meanwhile."""
        try:
            async with asyncio.timeout(self._pace * self._random.uniform(*between)):
                await stop.wait()
        except TimeoutError:
            return False
        return True

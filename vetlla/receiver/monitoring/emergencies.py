"""Watches the emergencies in the street for the metrics. Office commands write them to the registry, not the receiver.

It looks at the stamp of the registry every few seconds, and reads the few emergencies that wait only after a change.
Both happen in a thread, so a registry that is locked, damaged or missing costs the receiver nothing: the last figures
stay, and ``vetlla_emergencies_known`` says so. Ages are computed when they are asked for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from vetlla.domain.clock import SECOND_US
from vetlla.domain.emergencies import NO_NEWS_US, EmergencyType
from vetlla.domain.errors import ConfigError, StoreError, VetllaError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from vetlla.domain.clock import Clock
    from vetlla.domain.emergencies import WaitingEmergency
    from vetlla.service.dispatch.order import StreetMarks
    from vetlla.store.ports import EmergencyReader

log = structlog.get_logger()

LOOK_S: Final = 2.0
"""Time between two looks at the registry's stamp. A mark is minutes away, so some seconds do not matter."""
MARKS: Final = ("no_unit", "share", "warn", "limit")
"""Marks after the first communication: a unit is missing for too long; the 30 minutes of the share (type I); the limit
is near; the limit of 35 or 90 minutes. The parameters ``umo.*`` and ``duty.umo_*`` set them."""


def no_marks(_: int) -> StreetMarks:
    """Raise ConfigError: no parameters are known, so only the limit in the registry counts."""
    raise ConfigError("there are no parameters of emergencies", remedy="start the receiver with vetlla receiver")


class EmergencyFigures(NamedTuple):
    """The emergencies that wait for a unit to get in, at one moment."""

    is_known: bool = False
    """Whether the last look could read the registry."""
    open: Mapping[EmergencyType, int] = {}
    without_unit: int = 0
    oldest_s: Mapping[EmergencyType, float] = {}
    """Age of the oldest one since its first communication; a missing type has none."""
    past_mark: Mapping[str, int] = {}
    """How many are past each mark of ``MARKS``; a missing mark means 0.

    One of which nothing was recorded for ``NO_NEWS_US`` is past none."""


NOTHING_KNOWN: Final = EmergencyFigures()
"""Before the first look."""


class EmergencyWatch:
    """Keeps the emergencies of the registry in memory."""

    def __init__(self, reader: EmergencyReader, marks: Callable[[int], StreetMarks], clock: Clock) -> None:
        """Take the reader, and the function that returns the marks in force at a moment. Both are called in a thread.

        ``marks`` may raise ConfigError; then only the limit is known, which the registry has.
        """
        self._reader = reader
        self._marks = marks
        self._clock = clock
        self._waiting: Sequence[tuple[WaitingEmergency, Mapping[str, int]]] = ()
        self._stamp: Hashable = object()
        self._is_known = False
        self._was_there = False
        self._why = ""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.get_running_loop().create_task(self._look_again_and_again())

    async def stop(self) -> None:
        """Look no longer. A read that hangs in its thread is not waited for."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def look(self) -> None:
        """Look once, and read the emergencies if the registry has changed."""
        try:
            self._stamp, self._waiting = await asyncio.to_thread(self._read, self._stamp, self._waiting)
        except Exception as error:  # noqa: BLE001 - a fault of the registry must never end the receiver
            self._failed(error)
            return
        self._is_known, self._why = True, ""

    def figures(self) -> EmergencyFigures:
        """Return the figures of now."""
        now_us = self._clock.now().utc_us
        ages: dict[EmergencyType, float] = {}
        past: Counter[str] = Counter()
        for one, marks in self._waiting:
            ages[one.type] = max(ages.get(one.type, 0.0), (now_us - one.opened_us) / SECOND_US)
            if now_us - one.news_us > NO_NEWS_US:
                continue  # a record without its end must not hide the marks of a person who waits
            past.update(mark for mark, at_us in marks.items() if now_us > at_us)
        return EmergencyFigures(
            is_known=self._is_known,
            open=Counter(one.type for one, _ in self._waiting),
            without_unit=sum(not one.has_unit for one, _ in self._waiting),
            oldest_s=ages,
            past_mark=past,
        )

    async def _look_again_and_again(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    def _read(
        self, stamp: Hashable, waiting: Sequence[tuple[WaitingEmergency, Mapping[str, int]]]
    ) -> tuple[Hashable, Sequence[tuple[WaitingEmergency, Mapping[str, int]]]]:
        found = self._reader.stamp()
        if found is None and self._was_there:
            raise StoreError("the registry is gone, and it was there before", remedy="vetlla db restore")
        if found == stamp:
            return stamp, waiting
        self._was_there = found is not None
        return found, [(one, self._marks_of(one)) for one in self._reader.read()]

    def _marks_of(self, one: WaitingEmergency) -> Mapping[str, int]:
        """Return when an emergency passes each mark that can matter to it."""
        at = {"limit": one.due_us}
        try:
            marks = self._marks(one.opened_us)
        except VetllaError as error:
            log.warning("emergencies.marks_unread", why=str(error))
            return at
        at["warn"] = one.due_us - marks.warn_us
        if one.type is EmergencyType.I:
            at["share"] = one.opened_us + marks.share_us
        if not one.has_unit:
            at["no_unit"] = one.opened_us + marks.escalate_us
        return at

    def _failed(self, error: Exception) -> None:
        self._is_known = False
        self._stamp = object()  # read it again, even if it does not change
        why = str(error) or repr(error)
        if why != self._why:
            self._why = why
            log.warning("emergencies.unread", why=why)

"""Probes all components again and again: each round at its time, all components of a round at the same time."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import StoreError, VetllaError
from vetlla.domain.probes import Probe, ProbeResult, SeenThrough
from vetlla.settings.probes import (
    Dc09Component,
    FileComponent,
    HttpComponent,
    LineComponent,
    MqttComponent,
    SipComponent,
)
from vetlla.simulator.probing import access, signals, sip
from vetlla.simulator.probing.attempt import failed, plain
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.arrivals import Arrived, arrived

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.settings.probes import Component, ProbeSettings, SignalComponent
    from vetlla.simulator.probing.attempt import Attempt, Prober

COUNT_MOST: Final = 100_000
"""Most rounds of a run: a month of rounds each 30 s has 89,280."""
SIGNALS: Final = (Dc09Component, MqttComponent, LineComponent)
"""Kinds of components whose probe is a signal of an account."""
LOOK_S: Final = 0.25
"""Pause between two looks into the journal while the receiver's stamp is awaited."""
UNHEARD: Final = "acknowledged, but the journal of the receiver does not have it"


class Pace(NamedTuple):
    """How often all components are probed."""

    rounds: int = 1
    """How many,  at most ``COUNT_MOST``."""
    interval_s: float = 30.0
    """From the begin of a round to the begin of the next one. A round that takes longer skips those it is too late
    for."""


class ProbeRun:
    """The components of a machine, ready to be probed. Raises ConfigError or UsageError for a key or a file."""

    def __init__(self, settings: ProbeSettings, clock: Clock) -> None:
        self._machine = settings.machine
        self._clock = clock
        self._probers = [(one, _prober(one)) for one in settings.component]

    async def rounds(self, pace: Pace, stop: asyncio.Event, told: Callable[[Probe], None]) -> int:
        """Probe until the rounds are done or ``stop`` is set; return the number of rounds.

        ``told`` is called with each probe. A round that has begun is finished: its timeouts bound it.
        """
        began = time.monotonic()
        turn = done = 0
        while done < min(pace.rounds, COUNT_MOST) and not stop.is_set():
            await self.round(told)
            done += 1
            turn = max(turn + 1, int((time.monotonic() - began) / pace.interval_s) + 1)
            if done < pace.rounds:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), max(0.0, began + turn * pace.interval_s - time.monotonic()))
        return done

    async def round(self, told: Callable[[Probe], None]) -> None:
        """Probe each component once, all at the same time; ``told`` gets each probe as soon as it ends."""
        probing = [asyncio.ensure_future(self._probe(*one)) for one in self._probers]
        try:
            for ended in asyncio.as_completed(probing):
                told(await ended)
        finally:
            for one in probing:
                one.cancel()

    async def _probe(self, component: Component, prober: Prober) -> Probe:
        began = self._clock.now()
        began_ns = time.monotonic_ns()
        try:
            attempt = await prober()
        except (VetllaError, OSError) as error:
            attempt = failed(str(error).partition("\n")[0])
        duration_us = max(0, (attempt.ended_ns or time.monotonic_ns()) - began_ns) // 1_000
        if attempt.result is ProbeResult.OK and isinstance(component, SIGNALS):
            attempt = await _seen_through(component, attempt, began.utc_us)
        return Probe(
            machine=self._machine,
            component=component.name,
            part=component.part,
            started_us=began.utc_us,
            duration_us=duration_us,
            result=attempt.result,
            reason=attempt.reason,
            through=attempt.through,
            account=component.account if isinstance(component, SIGNALS) else "",
        )


def _prober(component: Component) -> Prober:
    match component:
        case Dc09Component():
            return signals.dc09(component)
        case MqttComponent():
            return signals.mqtt(component)
        case LineComponent():
            return signals.line(component)
        case SipComponent():
            return sip.options(component)
        case HttpComponent():
            return access.http(component)
        case FileComponent():
            return access.file(component)


async def _seen_through(component: SignalComponent, attempt: Attempt, since_us: int) -> Attempt:
    """Follow an acknowledged signal into the journal, if this machine can read it.

    A journal that cannot be read is a fault of this machine and not of the service: the acknowledgement still counts.
    """
    if component.state_dir is None:
        return attempt
    until = time.monotonic() + component.ready_s
    try:
        found = await asyncio.to_thread(_look, component.state_dir, component.account, since_us)
        while found is not None and not found.is_ready and time.monotonic() < until:
            await asyncio.sleep(LOOK_S)
            found = await asyncio.to_thread(_look, component.state_dir, component.account, since_us)
    except (StoreError, OSError) as error:
        return attempt._replace(reason=plain(f"the journal was not read: {error.args[0]}"))
    if found is None:
        return attempt._replace(result=ProbeResult.FAILED, reason=UNHEARD)
    reason = f"the test opened alarm {found.alarm}: look at the account's codes" if found.alarm is not None else ""
    return attempt._replace(reason=reason, through=SeenThrough.QUEUE if found.is_ready else SeenThrough.JOURNAL)


def _look(state_dir: Path, account: str, since_us: int) -> Arrived | None:
    with Archive(state_dir) as archive:
        return arrived(archive, account, since_us)

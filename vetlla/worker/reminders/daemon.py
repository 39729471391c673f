"""The process of the reminder service: it runs each pass on its own clock until SIGTERM, and takes webhooks.

A webhook wakes the passes that its delivery concerns. A pass that fails is logged and tried again at its next turn;
that turn reads the store and continues. On SIGTERM the calls under way get ``DRAIN_S``. Settings are read
at the start only: a restart takes seconds, and providers repeat what they could not deliver meanwhile.
"""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from random import uniform
from typing import TYPE_CHECKING, Final, Literal

import structlog

from vetlla import __version__
from vetlla.daemon import systemd
from vetlla.domain.errors import VetllaError
from vetlla.service.reminders.retention import RetentionTimes
from vetlla.store.reminders.opening import keep_out_services
from vetlla.store.reminders.pseudonyms import Pseudonyms
from vetlla.store.secrets.keyring import Keyring
from vetlla.tasks.reminders import retiring
from vetlla.worker.reminders import passes
from vetlla.worker.reminders.webhooks import WebhookServer
from vetlla.worker.reminders.wiring import built

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from vetlla.domain.clock import Clock
    from vetlla.settings.reminders.model import ReminderSettings
    from vetlla.worker.reminders.passes import Office, Service
    from vetlla.worker.reminders.wiring import Parts

log = structlog.get_logger()

KEYS: Final = "keys.toml"
"""The keys of pseudonyms in the state directory, if the settings name no other file."""
DRAIN_S: Final = 20.0
"""How long calls under way may take at the end."""
JITTER: Final = 0.1
"""Largest random change of a pause, as a share of it, so that not all offices are polled in the same second."""
SPREAD_S: Final = 0.2
"""The first polls of all offices are spread over this time for each office."""
POLLS_AT_ONCE: Final = 4
"""Most polls at the same time."""
BEAT_S: Final = 10.0
"""How often the loop feeds a watchdog, if it is not told another time."""


class ReminderDaemon:
    """One running reminder service."""

    def __init__(self, settings: ReminderSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = asyncio.Event()
        self._reply_wake = asyncio.Event()
        self._cancel_wake = asyncio.Event()
        self._send_wake = asyncio.Event()
        self._polls = asyncio.Semaphore(POLLS_AT_ONCE)

    async def run_until_signal(self) -> None:
        """Run until SIGTERM or SIGINT. Raises as ``run``."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        await self.run()

    def stop(self) -> None:
        """Let ``run`` end."""
        self._stop.set()

    async def run(self) -> None:
        """Run until ``stop``. Raises ConfigError or StoreError when the service cannot start."""
        async with AsyncExitStack() as stack:
            stack.enter_context(keep_out_services(self._settings.state_dir))
            parts = await stack.enter_async_context(built(self._settings, self._clock, on_kept=self._reply_wake.set))
            routes = [route for channel in parts.channels.values() for route in channel.routes]
            server = WebhookServer(self._settings.webhooks, routes)
            stack.push_async_callback(server.close)
            await server.start()
            tasks = [asyncio.ensure_future(turn) for turn in self._turns(parts)]
            self._say_ready(server)
            stopped = asyncio.ensure_future(self._stop.wait())
            await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            await self._drain(stopped, tasks)
        log.info("reminders.stopped")

    def _say_ready(self, server: WebhookServer) -> None:
        settings = self._settings
        log.info("reminders.ready", version=__version__, webhooks=server.address, offices=len(settings.office))
        if settings.redirect_to is not None:
            log.warning("reminders.redirected", remedy="remove redirect_to when the trial has ended")
        systemd.notify(f"READY=1\nSTATUS={len(settings.office)} offices, webhooks at {server.address}")

    async def _drain(self, stopped: asyncio.Task[Literal[True]], tasks: Sequence[asyncio.Future[None]]) -> None:
        """End all turns: calls under way may end, what waits for its next turn ends at once."""
        systemd.notify("STOPPING=1")
        self._stop.set()
        stopped.cancel()
        for wake in (self._reply_wake, self._cancel_wake, self._send_wake):
            wake.set()
        done, pending = await asyncio.wait(tasks, timeout=DRAIN_S)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()  # a fault of our own ends the process with its stack

    # --- the turns ------------------------------------------------------------------------------------------------

    def _turns(self, parts: Parts) -> list[Awaitable[None]]:
        service = replace(parts.service, is_stopping=self._stop.is_set)
        pace = self._settings.pace
        turns: list[Awaitable[None]] = [
            self._every(pace.plan_s, "plan", lambda: self._plan(service)),
            self._every(pace.reply_s, "reply", lambda: self._reply(service), wake=self._reply_wake),
            self._every(pace.reply_s, "cancel", lambda: self._cancel(service), wake=self._cancel_wake),
            self._every(pace.send_s, "send", lambda: passes.dispatch(service), wake=self._send_wake),
            self._every(pace.retire_s, "retire", lambda: self._retire(service)),
            self._beat(),
        ]
        for office, given in zip(service.offices, self._settings.office, strict=True):
            turns.append(self._poll_office(service, office, given.poll_every_s))
        turns += [self._while_running(parts.run) for parts in parts.channels.values() if parts.run is not None]
        return turns

    async def _every(
        self, pause_s: float, name: str, turn: Callable[[], Awaitable[object]], *, wake: asyncio.Event | None = None
    ) -> None:
        """Take a turn now, and again after each pause or when woken, until the service stops."""
        while not self._stop.is_set():
            if wake is not None:
                wake.clear()
            await self._tried(name, turn)
            await self._pause(pause_s * uniform(1 - JITTER, 1 + JITTER), wake)  # noqa: S311 - no secret

    async def _tried(self, name: str, turn: Callable[[], Awaitable[object]]) -> None:
        """Take a turn; whatever fails is logged and tried again later, and the other parts work on."""
        try:
            await turn()
        except* (VetllaError, sqlite3.OperationalError) as errors:
            log.error("reminders.pass_failed", part=name, why="; ".join(map(str, errors.exceptions)))  # noqa: TRY400 - no fault of our own
        except* Exception as errors:  # noqa: BLE001 - the other parts work on
            for error in errors.exceptions:
                log.error("reminders.pass_failed", part=name, why="a fault of the program", **passes.place_of(error))  # noqa: TRY400 - its text may quote a citizen

    async def _pause(self, pause_s: float, wake: asyncio.Event | None = None) -> None:
        """Wait until the pause has ended, the turn is woken, or the service stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for((wake or self._stop).wait(), pause_s)

    async def _plan(self, service: Service) -> None:
        if passes.plan(service):
            self._send_wake.set()

    async def _reply(self, service: Service) -> None:
        if passes.reply(service):
            self._cancel_wake.set()
            self._send_wake.set()

    async def _cancel(self, service: Service) -> None:
        if await passes.cancel(service):
            self._send_wake.set()

    async def _retire(self, service: Service) -> None:
        """Remove personal data whose time has ended, in short transactions between which other work is done."""
        settings = self._settings
        file = settings.keys_file or settings.state_dir / KEYS
        times = RetentionTimes(
            personal=timedelta(days=settings.retention.days), reports=timedelta(days=settings.retention.report_days)
        )
        pseudonyms = Pseudonyms(Keyring.read(file) if file.exists() else {})
        for _ in retiring.retire(service.db, times, pseudonyms, "reminders run", service.now()):
            await asyncio.sleep(0)

    async def _poll_office(self, service: Service, office: Office, every_s: float) -> None:
        await self._pause(uniform(0, min(SPREAD_S * len(service.offices), every_s)))  # noqa: S311 - no secret

        async def poll() -> None:
            async with self._polls:
                changes = await passes.poll(service, office)
            if changes is not None and (changes.moved or changes.cancelled):
                self._send_wake.set()

        await self._every(every_s, "poll", poll)

    async def _while_running(self, run: Callable[[], Awaitable[None]]) -> None:
        """Keep a channel's session until the service stops. A fault of the session ends the service."""
        session = asyncio.ensure_future(run())
        stopped = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({session, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if session.done():
                session.result()
        finally:
            stopped.cancel()
            session.cancel()
            await asyncio.wait({session})

    async def _beat(self) -> None:
        """Feed the watchdog while the loop runs."""
        watched_s = systemd.watchdog_interval_s()
        while not self._stop.is_set():
            if watched_s is not None:
                systemd.notify("WATCHDOG=1")
            await self._pause(watched_s / 3 if watched_s else BEAT_S)

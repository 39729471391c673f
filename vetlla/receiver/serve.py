"""The four phases of the daemon: open, serve, drain, close.

The receiver reports READY after recovery, when every listener listens. On SIGHUP it reads configuration, TLS files,
accounts and keys again; it keeps those it has if the next start would refuse any of the new ones. On SIGTERM or SIGINT
it drains: it stops reading, commits, answers and closes within a deadline. A second signal ends the drain at once.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import structlog

from vetlla import __version__
from vetlla.daemon import systemd
from vetlla.domain.errors import VetllaError
from vetlla.protocols.registry import load_protocols
from vetlla.receiver import registry_snapshot
from vetlla.receiver.commit.writer import Writer
from vetlla.receiver.control.server import Control
from vetlla.receiver.counters import Counters
from vetlla.receiver.listening import Listeners
from vetlla.receiver.monitoring.emergencies import EmergencyWatch, no_marks
from vetlla.receiver.monitoring.http import HttpServer
from vetlla.receiver.monitoring.metrics import exposition
from vetlla.receiver.monitoring.status import Standing, View
from vetlla.receiver.reload import Reload, Taken
from vetlla.receiver.requests import ReceiverRequests
from vetlla.receiver.session import SessionServices
from vetlla.receiver.watchers import Watchers
from vetlla.receiver.wiring import build
from vetlla.store.dispatch.waiting import RegistryEmergencies
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.outbox import JournalOutbox
from vetlla.store.registered import RegistryFiles
from vetlla.store.removing import JournalRemovals

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.signals import AccountId, Key
    from vetlla.receiver.startup import Prepared
    from vetlla.receiver.wiring import Parts
    from vetlla.service.dispatch.order import StreetMarks
    from vetlla.settings.model import Settings
    from vetlla.store.ports import RegistryReader

log = structlog.get_logger()

GC_THRESHOLD = 200_000
"""New objects after which the collector looks for cycles: those of some 4,000 frames, instead of Python's 15. Measured:
this saves 15 % of a frame's cost at 1,000 frames, and another 4 % at 4,000."""
PULSE_S = 10.0
"""How often an idle receiver without a watchdog proves that it can commit."""


class Receiver:
    """One running receiver."""

    _journal: Journal
    _registry: registry_snapshot.RegistrySnapshot
    _parts: Parts
    _control: Control

    def __init__(
        self,
        settings: Settings,
        reread: Callable[[], Settings],
        clock: Clock,
        config: Path | None = None,
        *,
        marks: Callable[[int], StreetMarks] = no_marks,
    ) -> None:
        """Take the settings, the function that reads them again, and the file that they are from.

        ``marks`` returns the marks of emergencies in the street in force at a moment; it is called in a thread.
        """
        self._emergencies = EmergencyWatch(RegistryEmergencies(settings.state_dir, clock), marks, clock)
        self._config = str(config.absolute()) if config else ""
        self._clock = clock
        self._protocols = load_protocols()
        self._counters = Counters(self._protocols)
        self._watchers = Watchers()
        self._http = HttpServer()
        self._listeners = Listeners(self._keys_of)
        self._stop = asyncio.Event()
        self._force = asyncio.Event()
        self._pulse: asyncio.TimerHandle | None = None
        self._reloads: set[asyncio.Task[object]] = set()
        self._reload = Reload(
            settings,
            reread,
            protocols=self._protocols,
            counters=self._counters,
            clock=clock,
            registry_of=self._registry_of,
            held=self._held,
            take=self._take,
        )

    async def run(self) -> None:
        """Run the four phases. Raises ConfigError or StoreError when the receiver cannot open."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop_signal)
        loop.add_signal_handler(signal.SIGHUP, self._on_reload_signal)
        async with AsyncExitStack() as parts:
            async with self._reload.in_turn:
                await self._open(loop, parts)  # a failure here ends the process; nothing was acknowledged yet
            await self._stop.wait()
            await self._drain()
        log.info("receiver.stopped")

    # --- open -------------------------------------------------------------------------------------------------------

    async def _open(self, loop: asyncio.AbstractEventLoop, parts: AsyncExitStack) -> None:
        """Open one part after the other; ``parts`` closes the open ones, the last one first."""
        settings, clock = self._reload.settings, self._clock
        prepared = await self._reload.first()
        # In a thread, because this may wait for a process that holds the journal; the loop still serves systemd.
        journal = self._journal = await asyncio.to_thread(
            Journal, settings.state_dir, clock, checkpoint_pages=settings.store.checkpoint_pages
        )
        if journal.is_empty:
            log.warning("journal.empty", path=str(journal.path))
        writer = Writer(journal, loop, clock)
        parts.push_async_callback(asyncio.to_thread, writer.close)
        recovered = await asyncio.to_thread(
            journal.recover,
            round(settings.store.duplicate_window_s * 1e6),
            chain_us=round(settings.queue.chain_window_s * 1e6),
            ports=[line.name for line in settings.line],
        )
        self._registry, unread = await asyncio.to_thread(
            registry_snapshot.first, self._registry_of(settings), settings, clock
        )
        self._reload.registered = len(self._registry.registered.book)
        built = self._parts = build(
            settings,
            writer=writer,
            removals=JournalRemovals(journal, clock),
            outbox=JournalOutbox(settings.state_dir, lambda: journal.file),
            recovered=recovered,
            book=self._registry.book,
            counters=self._counters,
            watchers=self._watchers,
            clock=clock,
            loop=loop,
        )
        await asyncio.to_thread(built.supervision.recover, journal)
        if journal.trouble is not None:
            built.commit.begin_failed(journal.trouble)
        built.desk.resume(clock.now(), built.commit.batch)
        built.supervision.on_new_day = self._day_began
        if unread is None:
            await built.supervision.apply(settings.supervision, self._registry.expectations)
            self._bind(prepared)
        else:
            built.commit.withhold(str(unread))
        await self._open_control_and_http(parts)
        parts.push_async_callback(self._listeners.close)
        if unread is None:
            await self._listeners.start()
        else:
            self._begin(self._listen_when_read(prepared))
        built.commit.on_turn.append(self._tell_manager)
        self._beat()
        built.retention.start()
        built.sinks.start()
        self._emergencies.start()
        self._say_ready()

    def _registry_of(self, settings: Settings) -> RegistryReader:
        return RegistryFiles(settings.state_dir, settings.keys_file, self._clock, with_districts=bool(settings.sink))

    async def _listen_when_read(self, prepared: Prepared) -> None:
        """Try to read accounts and keys until that succeeds, and only then listen; operators work meanwhile.

        A terminal that finds no receiver turns to its second one at once. A terminal that is answered without its key,
        or as an unknown caller, might not.
        """
        while (failure := await self._try_to_listen(prepared)) is not None:
            self._parts.commit.withhold(str(failure))
            await asyncio.sleep(self._reload.settings.store.retry_s)
        self._parts.commit.release()
        self._tell_places()

    async def _try_to_listen(self, prepared: Prepared) -> Exception | None:
        """Read accounts and keys, then listen; return the error if that fails."""
        if (failure := await self._reload.registry()) is not None:
            return failure
        try:
            self._bind(prepared)
            await self._listeners.start()
        except Exception as error:
            # As a rule, another program took a port meanwhile.
            is_ours = not isinstance(error, (VetllaError, OSError))
            log.error("receiver.cannot_listen", why=str(error) or repr(error), exc_info=is_ours)  # noqa: TRY400 - a stack only for faults of our own
            await self._listeners.withdraw()
            return error
        return None

    def _bind(self, prepared: Prepared) -> None:
        commit = self._parts.commit
        services = SessionServices(self._parts.intake, self._parts.budget, self._counters, self._clock)
        self._listeners.bind(prepared, self._reload.settings, services, ready=lambda: commit.ready)

    def _keys_of(self, who: AccountId) -> Sequence[Key]:
        # Look this up each time, because a reload replaces accounts and keys while connections stay open.
        return self._registry.keys_of(who)

    async def _open_control_and_http(self, parts: AsyncExitStack) -> None:
        settings, built = self._reload.settings, self._parts
        view = View(
            desk=built.desk,
            commit=built.commit,
            intake=built.intake,
            counters=self._counters,
            clock=self._clock,
            listeners=self._listeners.bound,
            brokers=self._listeners.brokers,
            lines=self._listeners.line_facts,
            accounts=lambda: len(self._registry.registered.book),
            spools=self._listeners.spools,
            http=self._http,
            supervision=built.supervision_view,
            sinks=built.sinks,
            emergencies=self._emergencies,
            standing=self._standing,
        )
        routes = [
            *built.queue_requests.routes(),
            *built.supervision_requests.routes(),
            *built.sink_requests.routes(),
            *built.retention.routes(),
            *ReceiverRequests(self._reload, view, accounts=lambda: len(built.intake.book)).routes(),
        ]
        self._control = Control(settings.state_dir, settings.control, routes)
        parts.push_async_callback(self._control.close)
        await self._control.start()
        parts.push_async_callback(self._http.close)
        if settings.http.enabled:
            await self._http.start(
                settings.http.host,
                settings.http.port,
                readiness=view.readiness,
                collect=exposition(self._counters, view.gauges),
            )

    def _say_ready(self) -> None:
        # Objects that live until the end need not be searched for garbage again and again. Frames make no cycles.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GC_THRESHOLD)
        if self._listeners.started:
            self._tell_places()
        systemd.notify(f"READY=1\nSTATUS={self._status()}")

    def _tell_places(self) -> None:
        log.info(
            "receiver.ready",
            version=__version__,
            listening=self._listeners.places(),
            accounts=len(self._parts.intake.book),
        )

    def _tell_manager(self) -> None:
        systemd.notify(f"STATUS={self._status()}")

    def _status(self) -> str:
        """Return the line that ``systemctl status`` shows."""
        if self._parts.commit.ready:
            return f"Listening on {', '.join(self._listeners.places())}"
        return f"NOT READY, nothing new is acknowledged: {self._parts.commit.why.partition(chr(10))[0]}"

    def _beat(self) -> None:
        """Prove twice within the watchdog's time that the writer still answers; each answer feeds the watchdog."""
        watched_s = systemd.watchdog_interval_s()
        self._parts.commit.on_answer = lambda: systemd.notify("WATCHDOG=1") if watched_s else False

        def pulse() -> None:
            self._parts.commit.pulse()
            self._begin(self._control.stay())
            self._pulse = asyncio.get_running_loop().call_later(watched_s / 3 if watched_s else PULSE_S, pulse)

        pulse()

    # --- serve ------------------------------------------------------------------------------------------------------

    def _on_stop_signal(self) -> None:
        if self._stop.is_set():
            self._force.set()
        self._stop.set()

    def _on_reload_signal(self) -> None:
        self._begin(self._reload.configuration())

    def _day_began(self) -> None:
        # The suspension of a home's service begins and ends with a day.
        self._begin(self._reload.registry())

    def _begin(self, reading: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(reading)
        self._reloads.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._reloads.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("task.failed", why=repr(failure), exc_info=failure)

    async def _take(self, taken: Taken) -> None:
        """Apply other settings, accounts and keys; if a part cannot apply them, restore all that was in force."""
        before = Taken(self._reload.settings, self._registry, {})
        try:
            await self._apply(taken)
        except Exception:
            await self._apply(before)
            raise

    async def _apply(self, taken: Taken) -> None:
        """Give settings, accounts and keys to the parts; open connections stay open."""
        settings, registry, tls = taken
        await self._parts.supervision.apply(settings.supervision, registry.expectations)
        for part in (*self._parts.reloadable, self._control):
            part.apply(settings, registry.book)
        self._registry = registry
        # This comes last, because it cannot fail. So TLS files in use always match the settings that name them.
        self._listeners.use_tls(tls)

    def _held(self, wanted: Settings) -> set[tuple[str, int, str]]:
        """Return the addresses that the next start can use, because this receiver or systemd holds them now."""
        held = self._listeners.held(wanted)
        if self._http.running:
            held.add((self._reload.settings.http.host, self._http.port, "tcp"))
        return held

    def _standing(self) -> Standing:
        reload = self._reload
        return Standing(
            config=self._config,
            certificates=reload.certificates,
            journal=self._journal.file,
            engine=self._journal.engine,
            refused=reload.refused,
            waiting=reload.waiting,
        )

    # --- drain, close -----------------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Stop reading; commit and answer what was read, within the deadline."""
        systemd.notify("STOPPING=1")
        if self._pulse is not None:
            self._pulse.cancel()
        beside = list(self._reloads)
        for task in beside:
            task.cancel()  # a late start that listens now would take reports that no one commits
        await asyncio.gather(*beside, return_exceptions=True)
        self._listeners.stop()
        self._parts.escalation.stop()
        self._parts.supervision.stop()
        await self._parts.retention.stop()
        await self._parts.sinks.stop()
        await self._emergencies.stop()
        forced = asyncio.ensure_future(self._force.wait())
        closing = asyncio.ensure_future(self._parts.commit.close())
        deadline_s = self._reload.settings.limits.drain_deadline_s
        await asyncio.wait({forced, closing}, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
        drained = closing.done()
        for task in (forced, closing):
            task.cancel()
        log.info("receiver.drained", complete=drained, state=self._parts.commit.state.value)

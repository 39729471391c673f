"""Reads configuration, accounts and keys again while the receiver runs, and applies either all of them or none.

A reload refuses a configuration that the next start would refuse. Accounts and keys are also read alone, after a
command changed them and when a day begins. So a configuration that an engineer is just editing does not delay that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import structlog

from vetlla.daemon import systemd
from vetlla.domain.errors import ConfigError, StoreError, VetllaError
from vetlla.receiver import registry_snapshot
from vetlla.receiver.in_force import in_force
from vetlla.receiver.startup import check_state_directory, prepare, together, unbindable
from vetlla.settings.model import Settings

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Container, Mapping

    from vetlla.domain.clock import Clock
    from vetlla.protocols.decoder import AnyDescription
    from vetlla.receiver.control.messages.receiver import Outlook
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.listeners.tls import Certificate
    from vetlla.receiver.registry_snapshot import RegistrySnapshot
    from vetlla.receiver.startup import Prepared
    from vetlla.store.ports import RegistryReader

log = structlog.get_logger()


class Taken(NamedTuple):
    """What the parts of the receiver use after a reading."""

    settings: Settings
    knowledge: RegistrySnapshot
    tls: Mapping[str, ssl.SSLContext | None]
    """TLS contexts by listener or broker, for those whose files were read again."""


class Reload:
    """The configuration in force, and the ways to replace it."""

    def __init__(
        self,
        settings: Settings,
        reread: Callable[[], Settings],
        *,
        protocols: Mapping[str, AnyDescription],
        counters: Counters,
        clock: Clock,
        registry_of: Callable[[Settings], RegistryReader],
        held: Callable[[Settings], Container[tuple[str, int, str]]],
        take: Callable[[Taken], Awaitable[None]],
    ) -> None:
        self.settings = settings
        self.certificates: tuple[Certificate, ...] = ()
        """Certificates in the TLS files that new connections use."""
        self.refused = ""
        """Why the last configuration was refused; empty if it was applied."""
        self.waiting: list[str] = []
        """Names of settings that only a restart applies."""
        self.registered = 0
        """Number of known accounts. If it is not 0 and the registry is missing, no empty one is applied."""
        self._reread = reread
        self._protocols = protocols
        self._counters = counters
        self._clock = clock
        self._registry_of = registry_of
        self._held = held
        self._take = take
        self.in_turn = asyncio.Lock()
        """Held by one reading at a time, because the older of two might be applied last. Also held during the start."""

    async def first(self) -> Prepared:
        """Return what the receiver needs to start. Raises ConfigError."""
        prepared = await asyncio.to_thread(prepare, self.settings, self._protocols)
        self.certificates = prepared.sound().certificates
        return prepared

    async def configuration(self) -> VetllaError | None:
        """Read everything again; return why all of it was refused, or None."""
        async with self.in_turn:
            systemd.notify("RELOADING=1")
            try:
                await self._all()
            except Exception as error:
                why = _explained(error)
                self._counters.reloads_refused += 1
                self.refused = why.args[0]
                log.error("receiver.reload_refused", why=str(why), exc_info=_stack(why, error))  # noqa: TRY400 - a stack only for faults of our own
                return why
            finally:
                systemd.notify("READY=1")
            return None

    async def registry(self) -> VetllaError | None:
        """Read accounts and keys again with the settings in force; return why they cannot be read, or None."""
        async with self.in_turn:
            try:
                known = await asyncio.to_thread(self._known, self.settings)
                await self._take(Taken(self.settings, known, {}))
            except Exception as error:
                why = _explained(error)
                self._counters.registry_unread += 1
                log.error("receiver.registry_unread", why=str(why), exc_info=_stack(why, error))  # noqa: TRY400 - a stack only for faults of our own
                return why
            self.registered = len(known.registered.book)
            return None

    async def outlook(self) -> Outlook:
        """Return what a reload would do with the configuration now, without accounts and keys, which take long."""
        async with self.in_turn:
            try:
                wanted = await asyncio.to_thread(self._reread)
                await asyncio.to_thread(self._next_start, wanted)
            except VetllaError as error:
                return {"refused": error.args[0], "remedy": error.remedy, "unread": [], "waiting": []}
            settings, waiting, _ = in_force(self.settings, wanted)
            unread = [name for name in Settings.model_fields if getattr(settings, name) != getattr(self.settings, name)]
            return {"refused": "", "remedy": "", "unread": unread, "waiting": waiting}

    async def _all(self) -> None:
        wanted = await asyncio.to_thread(self._reread)
        prepared = await asyncio.to_thread(self._next_start, wanted)
        settings, waiting, renewed = in_force(self.settings, wanted)
        known = await asyncio.to_thread(self._known, settings)
        if waiting:
            log.warning("receiver.restart_needed", changed=waiting)
        contexts = {entrance.listen.name: entrance.tls for entrance in prepared.entrances} | dict(prepared.brokers)
        contexts |= {door.name: context for door, context in prepared.doors}
        await self._take(Taken(settings, known, {name: contexts[name] for name in renewed}))
        stay = (one for one in self.certificates if one.name not in renewed)
        self.certificates = (*stay, *(one for one in prepared.certificates if one.name in renewed))
        self.settings, self.refused, self.waiting = settings, "", waiting
        self.registered = len(known.registered.book)
        self._counters.reloads += 1
        log.info("receiver.reloaded", accounts=self.registered)

    def _known(self, settings: Settings) -> RegistrySnapshot:
        """Return accounts and keys. Raises StoreError if the registry was deleted, since it would read as empty."""
        registry = self._registry_of(settings)
        known = registry_snapshot.read(registry, settings, self._clock)
        if self.registered and not len(known.registered.book) and registry.is_missing():
            raise StoreError(
                f"{registry.name}: the file is missing, and {self.registered} accounts were in it",
                remedy="put the file back; or copy it from the last backup: vetlla db restore",
            )
        return known

    def _next_start(self, wanted: Settings) -> Prepared:
        """Return what the next start would prepare from a configuration. Raises what that start would raise."""
        prepared = prepare(wanted, self._protocols).sound()
        if faults := tuple(unbindable(wanted, self._held(wanted))):
            raise together(faults)
        if wanted.state_dir != self.settings.state_dir:
            check_state_directory(wanted)
            if wanted.state_dir.is_dir():
                registry_snapshot.read(self._registry_of(wanted), wanted, self._clock)
        return prepared


def _stack(why: VetllaError, error: Exception) -> Exception | None:
    """Return the error if the fault is in this program, so that the log shows its stack; otherwise None."""
    return None if why is error else error


def _explained(error: Exception) -> VetllaError:
    """Return why a reading failed, as an error for the person who asked for it."""
    if isinstance(error, VetllaError):
        return error
    why = ConfigError(
        f"the receiver could not apply what it read: {error!r}; all that was in force before stays in force",
        remedy="report this with the stack from the log; restart the receiver if the change must apply now",
    )
    why.__cause__ = error
    return why

"""A spool's listener with the real core, a real directory and real inotify; only the clock is the tests' own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.rigs.core import Core, core, small, until
from tests.rigs.spool import put_away
from vetlla.domain.clock import ManualClock
from vetlla.domain.signals import VerdictOutcome
from vetlla.protocols.asterisk.decoder import AsteriskDecoder
from vetlla.receiver.counters import SpoolCounts, SpoolOutcome
from vetlla.receiver.listeners.spool.listener import SpoolBounds, SpoolListener
from vetlla.receiver.session import SessionServices
from vetlla.settings.spool import Spool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from vetlla.protocols.decoder import MessageDecoder

DECODER = AsteriskDecoder(lambda _: ())
SIGNALS = "SELECT account, kind, code, device, more, identity, peer, transport FROM signals ORDER BY id"


class Site(NamedTuple):
    """A listener on a directory, and the core behind it."""

    core: Core
    listener: SpoolListener
    directory: Path
    clock: ManualClock

    @property
    def counts(self) -> SpoolCounts:
        return self.core.counters.spools["spool"]

    def stored(self) -> int:
        return self.core.counters.signals["asterisk", VerdictOutcome.STORED]

    def repeated(self) -> int:
        return self.core.counters.signals["asterisk", VerdictOutcome.DUPLICATE]

    async def taken(self, count: int, outcome: SpoolOutcome = SpoolOutcome.TAKEN) -> None:
        """Wait until this number of files is put away."""
        folder = "done" if outcome is SpoolOutcome.TAKEN else "quarantine"
        await until(lambda: self.counts.files[outcome] >= count and len(put_away(self.directory, folder)) >= count)

    async def later(self, seconds: float = 5) -> None:
        """Let time pass, and wait until the whole directory was read again."""
        self.clock.advance(seconds)
        await until(lambda: self.listener._sightings._looked == self.clock.now())
        self.clock.advance(seconds)


@asynccontextmanager
async def site(
    tmp_path: Path,
    *,
    clock: ManualClock | None = None,
    decoder: MessageDecoder = DECODER,
    bounds: SpoolBounds = SpoolBounds(retry_s=0.02, unfinished_s=30),
    core_settings: dict[str, Any] | None = None,
    **settings: Any,  # noqa: ANN401 - those of Spool
) -> AsyncIterator[Site]:
    """Yield a listener on the directory ``spool`` that watches already."""
    directory = tmp_path / "spool"
    directory.mkdir(exist_ok=True)
    clock = clock or ManualClock()
    spool = Spool(directory=directory, **{"rescan_s": 0.05, "settle_s": 0.02} | settings)
    sections = small(tmp_path / "state", **(core_settings or {}))
    async with core(tmp_path / "state", clock=clock, settings=sections) as rig:
        services = SessionServices(rig.intake, rig.budget, rig.counters, rig.clock)
        listener = SpoolListener(spool, services, decoder, ready=lambda: rig.commit.ready, bounds=bounds)
        await listener.start()
        try:
            await until(lambda: listener.connected)
            yield Site(rig, listener, directory, clock)
        finally:
            rig.journal.gate.set()
            await listener.close()

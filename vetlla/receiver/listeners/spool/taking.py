"""One file from its items to the verdicts on them; each has a session of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from vetlla.domain.printable import printable
from vetlla.domain.signals import Reject, VerdictOutcome
from vetlla.protocols.asterisk.digits import NAME as PROTOCOL
from vetlla.protocols.asterisk.spool_file import TEXT_MAX
from vetlla.receiver.counters import Refusal, SpoolOutcome
from vetlla.receiver.session import Peer, Session

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vetlla.domain.clock import Instant
    from vetlla.domain.signals import Item, Signal, Verdict
    from vetlla.receiver.listeners.spool.files import Content
    from vetlla.receiver.session import SessionServices

TRANSPORT: Final = "spool"


class Taking:
    """One file whose events go to the intake."""

    def __init__(self, content: Content, items: Sequence[Item]) -> None:
        self.content = content
        self._items = items
        self._is_held = False
        self._is_refused = False
        self._done = asyncio.get_running_loop().create_future()

    def begin(self, services: SessionServices, listener: str, established: Instant) -> None:
        """Hand the items to the intake."""
        # What stands before the last colon is the peer's host, so an odd name must have none.
        name = printable(self.content.found.name)[:TEXT_MAX].replace(":", "_")
        peer = Peer(PROTOCOL, listener, TRANSPORT, f"{listener}:{name}", _nothing_to_send, self._hang_up)
        session = Session(services, peer, self._answer)
        session.take(self._items, established, services.clock.now())
        if session.owed:
            session.on_drained = self._end
        else:
            self._end()

    async def outcome(self) -> SpoolOutcome | None:
        """Wait for the verdicts; return what became of the file. None: nothing can be stored now, so it stays."""
        await self._done
        if self._is_held:
            return None
        if self._is_refused or any(isinstance(item, Reject) for item in self._items):
            return SpoolOutcome.QUARANTINED
        return SpoolOutcome.TAKEN

    def _answer(self, _: Signal, verdict: Verdict, __: datetime) -> bytes:
        self._is_refused = self._is_refused or verdict.outcome is VerdictOutcome.REFUSED
        return b""

    def _hang_up(self, why: Refusal) -> None:
        self._is_held = self._is_held or why is Refusal.NOT_READY

    def _end(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


def _nothing_to_send(_: bytes) -> None:
    """Take an answer, of which a file has none."""

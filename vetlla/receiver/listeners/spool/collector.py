"""Takes files of a spool: reads them, lets their events be committed, and only then puts them away."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from vetlla.domain.clock import SECOND_US, to_datetime
from vetlla.domain.printable import printable
from vetlla.domain.signals import T2_FROM, Reason, Reject, Signal
from vetlla.protocols.asterisk.decoder import unread
from vetlla.protocols.asterisk.digits import NAME as PROTOCOL
from vetlla.protocols.asterisk.spool_file import call_of, setup_s
from vetlla.protocols.decoder import Message
from vetlla.receiver.counters import SpoolOutcome
from vetlla.receiver.listeners.spool import files
from vetlla.receiver.listeners.spool.begun import begun
from vetlla.receiver.listeners.spool.files import Content, Folder, Found
from vetlla.receiver.listeners.spool.taking import Taking

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from pathlib import Path

    from vetlla.domain.signals import Item
    from vetlla.protocols.decoder import MessageDecoder
    from vetlla.receiver.counters import SpoolCounts
    from vetlla.receiver.listeners.spool.sightings import Seen, Sightings
    from vetlla.receiver.session import SessionServices
    from vetlla.settings.spool import Spool

log = structlog.get_logger()

PRUNE_S: Final = 3_600.0
"""How often the folder of taken files is looked through for old ones."""
MOVED_AGAIN_MAX: Final = 100
"""Files that one pass tries to move again after they could not be moved."""
_CLOCK_FIRST_US: Final = 978_307_200 * SECOND_US
_CLOCK_LAST_US: Final = 4_102_444_800 * SECOND_US
"""Years 2001 and 2100: a file with another time was written by a clock that was never set."""


class Collector:
    """Takes the files of one directory."""

    def __init__(
        self,
        spool: Spool,
        services: SessionServices,
        decoder: MessageDecoder,
        sightings: Sightings,
        counts: SpoolCounts,
    ) -> None:
        self._spool = spool
        self._services = services
        self._decoder = decoder
        self._sightings = sightings
        self._counts = counts
        self._done = Folder.DONE if spool.done == "keep" else Folder.NOWHERE
        self._stuck: dict[Found, Folder] = {}
        """Files whose events are on the disk, and that could not be moved."""
        self._shown: set[Found] = set()
        """Files that cannot be opened now, and that operators have seen."""
        self._pruned_us: int | None = None

    async def take(self, several: Sequence[Seen]) -> bool:
        """Read files, let their events be committed, and put them away; return False if some could not be committed."""
        wanted = [seen for seen in several if seen.found not in self._stuck]
        contents = await asyncio.to_thread(_read_all, self._spool.directory, [seen.found for seen in wanted])
        takings: list[Taking] = []
        calls: dict[str, str] = {}
        for seen, content in zip(wanted, contents, strict=True):
            if content is None:
                self._forget(seen.found)
            elif not (content.why and seen.found in self._shown) and self._sightings.is_written(seen, content):
                takings.append(self._begin(seen, content, calls))
        outcomes = [await taking.outcome() for taking in takings]
        await self._settle(list(zip(takings, outcomes, strict=True)))
        return None not in outcomes

    async def tidy(self, there: int | None) -> None:
        """Move what could not be moved before, and delete what is too old. ``there``: the number of files, if known."""
        counts, now = self._counts, self._services.clock.now()
        today = to_datetime(now.utc_us).date()
        again = list(self._stuck.items())[:MOVED_AGAIN_MAX]
        if again:
            moves = [(Content(found, b"", is_complete=True), folder) for found, folder in again]
            self._moved(moves, await asyncio.to_thread(_put_away_all, self._spool.directory, moves, today))
        if there is not None:
            counts.waiting = max(0, there - len(self._stuck))
        if self._pruned_us is None or now.mono_us - self._pruned_us >= PRUNE_S * SECOND_US:
            self._pruned_us = now.mono_us
            await self._prune(today)

    async def _prune(self, today: date) -> None:
        spool = self._spool
        try:
            removed = await asyncio.to_thread(files.prune, spool.directory, today, spool.keep_days)
        except OSError as error:
            log.warning("spool.unpruned", spool=spool.name, why=error.strerror)
            return
        if removed:
            log.info("spool.pruned", spool=spool.name, days=removed)

    # --- before the commit ------------------------------------------------------------------------------------------

    def _begin(self, seen: Seen, content: Content, calls: dict[str, str]) -> Taking:
        """Hand a file to the intake. ``calls`` has the first file of each call among those that are taken together."""
        spool, found = self._spool, seen.found
        first = content.first_of_call or calls.get(content.call)
        if content.call:
            calls.setdefault(content.call, found.origin)
        if first is not None and call_of(found.name) is not None:
            items: list[Item] = []  # the call has reported, so its own file says nothing new
        else:
            items = self._items(content)
        # Only the first event of a call waited since its set-up; for a later one, t2 begins with its own first byte.
        start = begun(
            found.mtime_ns // 1_000, seen.sighting, setup_s(content.call) if first in {None, found.origin} else None
        )
        if start.is_bounded:
            limiter = self._services.budget.log_limiter
            if (suppressed := limiter.ask(("spool.clock", spool.name))) is not None:
                log.warning("spool.clock", spool=spool.name, file=printable(found.name), suppressed=suppressed)
        taking = Taking(content, [_stamped(item, found, start.source) for item in items])
        taking.begin(self._services, spool.name, start.instant)
        return taking

    def _items(self, content: Content) -> list[Item]:
        """Return the items of a file. If it cannot be read, an alarm says so."""
        origin, data = content.found.origin, content.data
        why, reason = content.why, Reason.UNSUPPORTED
        if not why:
            try:
                return self._decoder.read(Message(origin, data))
            except Exception:
                log.exception("decoder.failed", protocol=PROTOCOL, peer=self._spool.name)
                why, reason = "made the decoder fail", Reason.MALFORMED
        reject = Reject(protocol=PROTOCOL, reason=reason, raw=data, text=f"the file of a call {why}")
        return [reject, unread(origin, data, why)]

    # --- after the commit -------------------------------------------------------------------------------------------

    async def _settle(self, takings: Iterable[tuple[Taking, SpoolOutcome | None]]) -> None:
        """Put files away whose events are on the disk."""
        moves: list[tuple[Content, Folder]] = []
        now = self._services.clock.now()
        for taking, outcome in takings:
            if outcome is None:
                continue
            content, found = taking.content, taking.content.found
            self._counts.files[outcome] += 1
            self._counts.last_us = now.utc_us
            if content.why and found.is_plain:
                # It may be readable later, so it stays; an operator knows that something has come.
                self._shown.add(found)
                log.error("spool.unreadable", spool=self._spool.name, file=printable(found.name), why=content.why)
            elif outcome is SpoolOutcome.QUARANTINED:
                moves.append((content, Folder.QUARANTINE))
                log.warning("spool.quarantined", spool=self._spool.name, file=printable(found.name))
            else:
                moves.append((content, self._done))
        if moves:
            today = to_datetime(now.utc_us).date()
            self._moved(moves, await asyncio.to_thread(_put_away_all, self._spool.directory, moves, today))

    def _moved(self, moves: Sequence[tuple[Content, Folder]], failures: Sequence[OSError | None]) -> None:
        """Take note which files are gone. One that has changed since it was read stays, and is read as another one."""
        for (content, folder), failure in zip(moves, failures, strict=True):
            found = content.found
            if failure is None:
                self._stuck.pop(found, None)
                self._forget(found)
                self._counts.waiting = max(0, self._counts.waiting - 1)
            else:
                if not self._stuck:
                    remedy = "let the receiver's user write to the directory: a later run would read the file again"
                    why = f"{printable(found.name)}: {failure.strerror}"
                    log.error("spool.stuck", spool=self._spool.name, why=why, remedy=remedy)
                self._stuck[found] = folder
        self._counts.stuck = len(self._stuck)

    def _forget(self, found: Found) -> None:
        self._shown.discard(found)
        self._sightings.forget(found)


def _stamped(item: Item, found: Found, source: str) -> Item:
    """Return an item with where its *t2* begins, and with the time of its file if it names none of its own."""
    if not isinstance(item, Signal):
        return item
    written_us = found.mtime_ns // 1_000
    at = item.occurred_at
    if at is None and _CLOCK_FIRST_US <= written_us <= _CLOCK_LAST_US:
        at = to_datetime(written_us)
    return item._replace(occurred_at=at, details={**item.details, T2_FROM: source})


def _read_all(directory: Path, several: Iterable[Found]) -> list[Content | None]:
    return [files.read(directory, found) for found in several]


def _put_away_all(directory: Path, moves: Iterable[tuple[Content, Folder]], today: date) -> list[OSError | None]:
    """Note each call that has reported, and put its file away; return the error of each file that stays."""
    failures: list[OSError | None] = []
    for content, folder in moves:
        try:
            if content.call and call_of(content.found.name) is None:
                files.remember_call(directory, content.call, content.found.origin)
            files.put_away(directory, content.found, folder, today)
            failures.append(None)
        except OSError as error:
            failures.append(error)
    return failures

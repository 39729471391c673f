"""A peer of sinks that takes what a test lets it take, behind the contract of a delivery."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.rigs.core import core, signal, small
from vetlla.domain.accounts import Account
from vetlla.receiver.sinks.bounds import SinkBounds
from vetlla.receiver.sinks.contract import RefusedContentError
from vetlla.receiver.wiring import Bounds
from vetlla.settings.model import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.rigs.core import Core
    from vetlla.domain.onward import Onward

QUICK = Bounds(sinks=SinkBounds(first_retry_s=0.001, blocked_retry_s=0.001, goodbye_s=0.5))
"""Bounds with short pauses, because tests do not wait."""
HOMES = (Account(account="1234", home="H-1", labels=("operator:orange",)), Account(account="5678", home="H-2"))


@dataclass
class SinkPeer:
    """A delivery that keeps what it is given, and fails as a test says."""

    at_once: int = 10
    address: str = "peer.example:443"
    taken: list[Onward] = field(default_factory=list)
    """Everything that was taken, in this order, with repetitions."""
    calls: list[list[int]] = field(default_factory=list)
    """Numbers of each call, also of those that failed."""
    answer: Callable[[Sequence[Onward]], int] = len
    """Returns how many are taken, or raises."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """A call waits until it is set."""
    closed: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def begin(self) -> None:
        """Do nothing."""

    async def deliver(self, records: Sequence[Onward]) -> int:
        """Take what the answer says, when the gate is open."""
        self.calls.append([record.number for record in records])
        await self.gate.wait()
        count = self.answer(records)
        self.taken += records[:count]
        return count

    async def close(self) -> None:
        """Count the call."""
        self.closed += 1

    @property
    def numbers(self) -> list[int]:
        """Numbers of all new signals that were taken, in order."""
        return [record.number for record in self.taken if not record.replayed and not record.test]


def refusing(*numbers: int) -> Callable[[Sequence[Onward]], int]:
    """Return the answer of a peer that refuses these signals."""

    def answer(records: Sequence[Onward]) -> int:
        if any(record.number in numbers for record in records):
            raise RefusedContentError("the content is refused", remedy="see its log")
        return len(records)

    return answer


def webhook(name: str = "city", **settings: object) -> dict[str, Any]:
    """Return the settings of a sink; its key file does not exist."""
    return {
        "kind": "webhook", "name": name, "url": "https://city.example/hook", "key_files": ("city.key",), **settings
    }  # fmt: skip


def settings_of(directory: Path, *sinks: dict[str, Any], **sections: dict[str, Any]) -> Settings:
    """Return settings of a receiver with these sinks."""
    plain = small(directory, **sections)
    return Settings.model_validate({**plain.model_dump(exclude_unset=True), "sink": sinks})


def sending(
    directory: Path,
    peer: SinkPeer,
    *,
    bounds: SinkBounds = QUICK.sinks,
    **filters: Any,  # noqa: ANN401 - settings
) -> AbstractAsyncContextManager[Core]:
    """Run a core with one sink to this peer."""
    return core(
        directory,
        settings=settings_of(directory, webhook(**filters)),
        accounts=HOMES,
        districts={"H-1": "01"},
        deliveries=lambda _, __: peer,
        bounds=QUICK._replace(sinks=bounds),
    )


async def report(rig: Core, count: int = 1, account: str = "1234", **said: object) -> None:
    """Let homes report, and wait until all is acknowledged."""
    await asyncio.gather(*(rig.submit(signal(account, **said)) for _ in range(count)))  # type: ignore[arg-type] # fields

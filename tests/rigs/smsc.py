"""Runs the SMSC of ``smsc_process.py`` beside a test, and steers it."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.killing.receiver import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PROGRAM = Path(__file__).with_name("smsc_process.py")
USER, PASSWORD = "omac", "secret"


@dataclass
class Smsc:
    """A running SMSC. ``events`` are what it told."""

    port: int
    process: asyncio.subprocess.Process
    events: list[dict[str, Any]] = field(default_factory=list)

    async def order(self, **order: object) -> None:
        """Send an order, and wait until it was carried out."""
        assert self.process.stdin is not None
        told = len(self.named("done"))
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        await self.until(lambda: len(self.named("done")) > told)

    def named(self, name: str) -> list[Any]:
        """Return what was told under a name."""
        return [event[name] for event in self.events if name in event]

    async def until(self, is_enough: Callable[[], bool]) -> None:
        """Wait for an event."""
        async with asyncio.timeout(30):
            while not is_enough():  # noqa: ASYNC110 - the condition has no event
                await asyncio.sleep(0.01)

    async def listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            if line.startswith(b"{"):  # the library prints a letter for each relative time
                self.events.append(json.loads(line))


@asynccontextmanager
async def running_smsc(port: int = 0) -> AsyncIterator[Smsc]:
    """Run an SMSC during the block."""
    port = port or free_port()
    # -P: the folder of this file has modules with names of the standard library.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-W", "ignore", str(PROGRAM), str(port), USER, PASSWORD,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    smsc = Smsc(port, process)
    listening = asyncio.create_task(smsc.listen())
    try:
        await smsc.until(lambda: bool(smsc.named("listening")))
        yield smsc
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening

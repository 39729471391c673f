"""A control socket over the core, and clients of any user."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from tests.rigs.core import Core, core
from vetlla.domain.errors import ConfigError, LinkError, StoreError, VetllaError
from vetlla.receiver.control.server import LINE_MAX, Control, Request
from vetlla.settings.model import ControlSettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator
    from pathlib import Path


class Client:
    """A client of the control socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def ask(self, do: object, **arguments: object) -> dict[str, Any]:
        """Send a request and return the answer."""
        return await self.say(json.dumps({"do": do, **arguments}).encode() + b"\n")

    async def say(self, line: bytes) -> dict[str, Any]:
        """Send any line and return the answer."""
        self.writer.write(line)
        return await self.hear()

    async def hear(self) -> dict[str, Any]:
        """Return the next line, or an empty dictionary at the end."""
        line = await self._reader.readline()
        answer: dict[str, Any] = json.loads(line) if line else {}
        return answer


class Doors:
    """A control socket over a core, and its clients."""

    def __init__(self, rig: Core, control: Control) -> None:
        self.core = rig
        self.control = control
        self._clients: list[Client] = []

    async def client(self, name: str | None = None) -> Client:
        """Connect, as the named user if there is one."""
        with acting_as(name) if name not in {None, ME} else nullcontext():
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.connect(str(self.control.path))
        client = Client(*await asyncio.open_unix_connection(sock=connection, limit=4 * LINE_MAX))
        self._clients.append(client)
        return client

    async def close(self) -> None:
        """Close both sides."""
        await self.control.close()
        for client in self._clients:
            client.writer.close()


async def fail(request: Request) -> None:
    """Raise the error that the request names."""
    kinds: dict[str, type[VetllaError]] = {"store": StoreError, "link": LinkError, "config": ConfigError}
    raise kinds[request.arguments["how"]]("no", remedy="try again")


async def break_off(_: Request) -> AsyncGenerator[dict[str, Any], None]:
    """Yield one event, then fail."""
    yield {"event": "last"}
    raise LinkError("no answer is left")


async def say_who(request: Request) -> list[object]:
    """Return the asking user, as the socket identifies them."""
    return list(request.caller)


@asynccontextmanager
async def doors(directory: Path, **settings: Any) -> AsyncIterator[Doors]:  # noqa: ANN401 - the settings' own
    async with core(directory) as rig:
        table = rig.requests.table() | {"fail": fail, "who": say_who}
        control = Control(
            directory, ControlSettings(**settings), table, {"watch": rig.requests.watch, "break": break_off}
        )
        await control.start()
        opened = Doors(rig, control)
        try:
            yield opened
        finally:
            rig.journal.gate.set()
            await opened.close()


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Be another user during the block, because the kernel records who connects. Needs root."""
    os.seteuid(pwd.getpwnam(name).pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


ME = pwd.getpwuid(os.geteuid()).pw_name

"""A control socket over the core, and clients of any user."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
from contextlib import asynccontextmanager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal

from tests.rigs.core import Core, core
from tests.rigs.messages import checked
from vetlla.domain.errors import ConfigError, LinkError, StoreError, VetllaError
from vetlla.receiver.control.messages.base import Request, Stream
from vetlla.receiver.control.server import LINE_MAX, OF_ONE_USER_MAX, SILENCE_S, Control
from vetlla.settings.surfaces import ControlSettings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator
    from pathlib import Path

    from vetlla.receiver.control.roles import Caller


class Client:
    """A client of the control socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def ask(self, do: object, **arguments: object) -> dict[str, Any]:
        """Send a request, check the form of the answer and return it."""
        answer = await self.say(json.dumps({"do": do, **arguments}).encode() + b"\n")
        if answer.get("ok"):
            checked(str(do), answer["result"])
        return answer

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


class Fail(Request[None]):
    """A request that fails."""

    do: Literal["fail"] = "fail"
    how: str


class SayWho(Request[list[object]]):
    """A request that names its caller."""

    do: Literal["who"] = "who"


class BreakOff(Stream[dict[str, str]]):
    """A stream that fails."""

    do: Literal["break"] = "break"


async def fail(request: Fail, _: Caller) -> None:
    """Raise the error that the request names."""
    kinds: dict[str, type[VetllaError]] = {"store": StoreError, "link": LinkError, "config": ConfigError}
    raise kinds[request.how]("no", remedy="try again")


async def break_off(_: BreakOff, __: Caller) -> AsyncGenerator[dict[str, str], None]:
    """Yield one event, then fail."""
    yield {"event": "last"}
    raise LinkError("no answer is left")


async def say_who(_: SayWho, caller: Caller) -> list[object]:
    """Return the asking user, as the socket identifies them."""
    return list(caller)


@asynccontextmanager
async def doors(
    directory: Path,
    *,
    of_one_user_max: int = OF_ONE_USER_MAX,
    silence_s: float = SILENCE_S,
    **settings: Any,  # noqa: ANN401 - the settings' own
) -> AsyncIterator[Doors]:
    async with core(directory) as rig:
        ours = (Fail.answered_by(fail), SayWho.answered_by(say_who), BreakOff.told_by(break_off))
        control = Control(
            directory,
            ControlSettings(**settings),
            (*rig.routes.values(), *ours),
            of_one_user_max=of_one_user_max,
            silence_s=silence_s,
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

"""The control socket: how people and their tools reach the queue of a running receiver.

One JSON object per line asks, one per line answers: ``{"do": "queue.claim", "alarm": 7}`` ->
``{"ok": true, "result": {...}}`` or ``{"ok": false, "family": "usage", "error": "...", "remedy": "..."}``. ``watch``
answers with a stream of events. Who asks is known from the kernel (peer credentials), not from what they say; roles are
Unix groups.
"""

from __future__ import annotations

import asyncio
import grp
import json
import os
import pwd
import socket
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from vetlla.errors import ConfigError, LinkError, StoreError, UsageError, VetllaError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from pathlib import Path

    from vetlla.settings.model import ControlSettings

log = structlog.get_logger()

CONTROL_SOCKET = "control.sock"
LINE_MAX = 64 * 1024
"""Bytes of one request: a long note and nothing like a file."""
_CREDENTIALS = struct.Struct("3i")  # struct ucred, unix(7): pid, uid, gid

FAMILIES: Mapping[type[VetllaError], str] = {
    UsageError: "usage",
    StoreError: "store",
    LinkError: "link",
    ConfigError: "config",
}


class Caller(NamedTuple):
    """Who is at the other end, as the kernel says."""

    operator: str
    supervisor: bool
    engineer: bool


class Request(NamedTuple):
    """One call: its arguments, and who makes it."""

    arguments: dict[str, Any]
    caller: Caller


class Control:
    """The listening socket and its table of commands."""

    def __init__(
        self,
        directory: Path,
        settings: ControlSettings,
        commands: Mapping[str, Callable[[Request], Awaitable[Any]]],
        streams: Mapping[str, Callable[[Request], AsyncIterator[dict[str, Any]]]],
    ) -> None:
        self.path = directory / CONTROL_SOCKET
        self._settings = settings
        self._commands = commands
        self._streams = streams
        self._server: asyncio.Server | None = None
        self._calls: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. The journal's lock is held, so a socket that is already there was left by a receiver that died."""
        self.path.unlink(missing_ok=True)
        try:
            self._server = await asyncio.start_unix_server(self._serve, self.path, limit=LINE_MAX)
        except OSError as error:
            raise ConfigError(
                f"{self.path}: cannot listen: {error.strerror or error}",
                remedy="a socket's path holds 107 characters at the most: use a shorter --state-dir",
            ) from error
        self.path.chmod(self._settings.mode)

    async def close(self) -> None:
        """Hang up on everybody and remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call is not None
        self._calls.add(call)
        try:
            connection = writer.get_extra_info("socket")
            while line := await reader.readline():
                await self._call(line, connection, writer)
        except (ConnectionError, ValueError):
            pass  # the caller went away, or sent a line beyond LINE_MAX
        except asyncio.CancelledError:
            log.debug("control.hung_up")
        finally:
            self._calls.discard(call)
            writer.close()

    async def _call(self, line: bytes, connection: socket.socket, writer: asyncio.StreamWriter) -> None:
        try:
            request = _request(line, self._caller(connection))
            name = request.arguments.pop("do", None)
            if name in self._streams:
                async for event in self._streams[name](request):
                    _say(writer, event)
                    await writer.drain()
                return
            if name not in self._commands:
                raise UsageError(f"unknown request {name!r}", remedy=f"one of {', '.join(sorted(self._commands))}")
            _say(writer, {"ok": True, "result": await self._commands[name](request)})
        except VetllaError as error:
            family = next((FAMILIES[kind] for kind in type(error).__mro__ if kind in FAMILIES), "usage")
            _say(writer, {"ok": False, "family": family, "error": error.args[0], "remedy": error.remedy})
        await writer.drain()

    def _caller(self, connection: socket.socket) -> Caller:
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        _, uid, gid = _CREDENTIALS.unpack(raw)
        try:
            name = pwd.getpwuid(uid).pw_name
            groups = {grp.getgrgid(number).gr_name for number in os.getgrouplist(name, gid)}
        except KeyError:
            name, groups = str(uid), set()
        ours = uid in {0, os.geteuid()}

        def holds(group: str | None) -> bool:
            return ours or group is None or group in groups

        if not holds(self._settings.operators):
            raise UsageError(f"{name} is not an operator", remedy=f"add them to group {self._settings.operators}")
        return Caller(name, holds(self._settings.supervisors), holds(self._settings.engineers))


def _request(line: bytes, caller: Caller) -> Request:
    try:
        arguments = json.loads(line)
    except ValueError as error:
        raise UsageError("a request is one JSON object on one line") from error
    if not isinstance(arguments, dict):
        raise UsageError("a request is one JSON object on one line")
    return Request(arguments, caller)


def _say(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    writer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")

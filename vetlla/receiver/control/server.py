"""The control socket, through which commands reach a running receiver.

A request is one JSON object on a line, and so is its answer: ``{"do": "queue.claim", "alarm": 7}`` ->
``{"ok": true, "result": {...}}`` or ``{"ok": false, "family": "usage", "error": "...", "remedy": "..."}``. ``watch``
answers with a stream of events. The kernel names the user who asks (peer credentials), so a user cannot claim to be
another one. Roles are Unix groups.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
import struct
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeAlias

import structlog

from vetlla.domain.errors import ConfigError, LinkError, StoreError, UsageError, VetllaError
from vetlla.domain.inodes import Identity, identity, set_mode
from vetlla.domain.permissions import group_name
from vetlla.receiver.budget import CALLERS_MAX
from vetlla.receiver.control.messages.base import CONTROL_SOCKET, NAME_SHOWN, Stream, failure
from vetlla.receiver.control.roles import User, admit, refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
    from pathlib import Path

    from vetlla.domain.accounts import AccountBook
    from vetlla.receiver.control.messages.base import Failure, Route, Success
    from vetlla.settings.model import Settings
    from vetlla.settings.surfaces import ControlSettings

    Events: TypeAlias = AsyncGenerator[Mapping[str, object], None]

log = structlog.get_logger()

SOCKET_PATH_MAX = 107
"""Bytes of a Unix socket's path (unix(7): sun_path has 108, the last of which is a zero)."""
OF_ONE_USER_MAX = 64
"""Connections of one user, so that one user cannot use them all."""
SILENCE_S = 600.0
"""Longest time for which a caller without a watch may stay connected without a request."""
LINE_MAX = 64 * 1024
"""Bytes of one request: enough for a long note."""
_CREDENTIALS = struct.Struct("3i")  # struct ucred, unix(7): pid, uid, gid


class Control:
    """The listening socket, and the routes of its requests."""

    def __init__(
        self,
        directory: Path,
        settings: ControlSettings,
        routes: Iterable[Route],
        *,
        of_one_user_max: int = OF_ONE_USER_MAX,
        silence_s: float = SILENCE_S,
    ) -> None:
        self.path = directory / CONTROL_SOCKET
        self.settings = settings
        self._routes = {route.kind.wire_name(): route for route in routes}
        self._of_one_user_max = of_one_user_max
        self._silence_s = silence_s
        self._server: asyncio.Server | None = None
        self._identity: Identity | None = None
        """Identity of the socket at the path since this receiver made it; None while it is being made."""
        self._calls: dict[asyncio.Task[None], int] = {}
        """Open connections, with the user id of each."""

    async def start(self) -> None:
        """Listen. The receiver has the journal's lock, so an existing socket was left by a receiver that died."""
        self.path.unlink(missing_ok=True)
        self._identity = None
        try:
            self._server = await asyncio.start_unix_server(self._serve, self.path, limit=LINE_MAX)
        except OSError as error:
            raise path_too_long(self.path, error.strerror or str(error)) from error
        set_mode(self.path, self.settings.mode)
        self._identity = identity(self.path)

    async def stay(self) -> None:
        """Listen again if the socket was deleted or replaced, because without it no operator can work an alarm."""
        server, expected = self._server, self._identity
        if server is None or expected is None:
            return
        try:
            if identity(self.path) == expected:
                return
            server.close()  # open connections stay
            await self.start()
            log.error("control.lost", path=str(self.path))
        except (VetllaError, OSError) as error:
            self._identity = expected  # the next call tries again
            log.error("control.lost", path=str(self.path), why=str(error))  # noqa: TRY400 - not our mistake

    def apply(self, whole: Settings, _: AccountBook) -> None:
        """Apply groups and permissions, also on open connections. Raises StoreError."""
        settings = whole.control
        if settings.mode != self.settings.mode:
            try:
                set_mode(self.path, settings.mode)
            except OSError as error:
                raise StoreError(
                    f"{self.path}: its permissions cannot be set: {error.strerror}", remedy="systemctl restart vetlla"
                ) from error
        self.settings = settings

    async def close(self) -> None:
        """Close all connections and remove the socket."""
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
        uid, gid = _credentials(writer.get_extra_info("socket"))
        is_full = len(self._calls) >= CALLERS_MAX or list(self._calls.values()).count(uid) >= self._of_one_user_max
        self._calls[call] = uid
        try:
            if is_full:
                why = "too many users or watches are connected to this receiver"
                _say(writer, failure(LinkError(why, remedy="end some watches, then try again")))
                await writer.drain()
                return
            # In a thread, because the machine's name service may have to ask another machine.
            user = await asyncio.to_thread(_user, uid, gid)
            while line := await asyncio.wait_for(_line(reader), self._silence_s):
                await self._call(line, user, reader, writer)
        except (ConnectionError, TimeoutError):
            pass  # the caller went away, or sent no request in time
        except asyncio.CancelledError:
            log.debug("control.hung_up")
        finally:
            self._calls.pop(call, None)
            writer.close()

    async def _call(self, line: bytes, user: User, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            given, caller = _arguments(line), admit(user, self.settings)
            name = given.get("do")
            route = self._routes.get(name) if isinstance(name, str) else None
            if route is None:
                raise UsageError(
                    f"unknown request {str(name)[:NAME_SHOWN]!r}", remedy=f"one of {', '.join(sorted(self._routes))}"
                )
            request = route.kind.model_validate(given)
            if issubclass(route.kind, Stream):
                await _tell(route.handle(request, caller), reader, writer)
                return
            _say(writer, {"ok": True, "result": await route.handle(request, caller)})
        except VetllaError as error:
            _say(writer, failure(error))
        await writer.drain()


def path_too_long(path: Path, why: str = "the path is too long") -> ConfigError:
    """Return the error for a control socket that cannot be made."""
    return ConfigError(
        f"{path}: cannot listen: {why}",
        remedy=f"a socket's path has at most {SOCKET_PATH_MAX} characters: use a shorter --state-dir",
    )


async def by_name(name: str) -> User | None:
    """Return a user of this machine with the name that the socket uses for them; None if there is no such user."""
    # In a thread, because the machine's name service may have to ask another machine.
    return await asyncio.to_thread(_by_name, name)


async def colleague(name: str, settings: Settings, known: Callable[[str], Awaitable[User | None]]) -> str:
    """Return the name of an operator who can take over an alarm.

    Raises UsageError if no user has the name or the user cannot open the socket, AccessError if the user may not work
    the queue.
    """
    user = await known(name)
    if user is None:
        raise UsageError(
            f"this machine has no user {name!r}", remedy="use a user name that `getent passwd` lists, such as maria"
        )
    caller = admit(user, settings.control)
    if not caller.works_alarms:
        groups = settings.control
        raise refused(caller, "work alarms", groups.operators, groups.supervisors)
    socket_path = settings.state_dir / CONTROL_SOCKET
    if not user.ours and (remedy := await asyncio.to_thread(_way_to, user, socket_path)):
        raise UsageError(f"{user.name} cannot open {socket_path}", remedy=remedy)
    return user.name


def _credentials(connection: socket.socket) -> tuple[int, int]:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, gid = _CREDENTIALS.unpack(raw)
    return uid, gid


def _user(uid: int, gid: int) -> User:
    ours = uid in {0, os.geteuid()}
    try:
        # Replace bytes that are not UTF-8, because the journal cannot store them.
        name = pwd.getpwuid(uid).pw_name.encode(errors="replace").decode()
    except KeyError:  # a container's user without an entry
        return User(str(uid), frozenset(), ours)
    return User(name, frozenset(map(group_name, os.getgrouplist(name, gid))), ours)


def _by_name(name: str) -> User | None:
    try:
        entry = pwd.getpwnam(name)
    except (KeyError, ValueError):  # there is no such user, or the name has a NUL
        return None
    return _user(entry.pw_uid, entry.pw_gid)


def _way_to(user: User, path: Path) -> str:
    """Return the command that lets a user write to the socket and search its directories; "" if they already can."""
    for place, wanted in (*((parent, os.X_OK) for parent in reversed(path.parents)), (path, os.W_OK)):
        if not _permits(user, place, wanted):
            status = place.stat()
            # Do not suggest the group root, whose members may read files that only root should read.
            if status.st_mode >> 3 & wanted and status.st_gid and group_name(status.st_gid) not in user.groups:
                return f"sudo usermod -aG {group_name(status.st_gid)} {user.name}"
            letter = "x" if wanted == os.X_OK else "w"
            return f"give {place} to a group of {user.name}: sudo chgrp GROUP, then sudo chmod g+{letter}"
    return ""


def _permits(user: User, path: Path, wanted: int) -> bool:
    status = path.stat()
    if _has_access_list(path):
        return True  # the list says more than the mode does; the kernel decides when the user connects
    if _user(status.st_uid, status.st_gid).name == user.name:
        shift = 6
    else:
        shift = 3 if group_name(status.st_gid) in user.groups else 0
    return bool(status.st_mode >> shift & wanted)


def _has_access_list(path: Path) -> bool:
    try:
        return "system.posix_acl_access" in os.listxattr(path)
    except OSError:  # a file system without attributes
        return False


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line; b"" at the end, and for a line longer than LINE_MAX, which no command of Vetlla sends."""
    try:
        return await reader.readline()
    except ValueError:
        return b""


def _arguments(line: bytes) -> dict[str, object]:
    try:
        arguments = json.loads(line)
        # Refuse text that the journal cannot store (lone surrogates): it would fail a batch that others share.
        json.dumps(arguments, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UsageError("a request is one JSON object on one line") from error
    if not isinstance(arguments, dict):
        raise UsageError("a request is one JSON object on one line")
    return arguments


async def _tell(events: Events, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Write every event until the caller closes the connection; without events no write would notice that."""
    telling = asyncio.create_task(_write(events, writer))
    hearing = asyncio.create_task(_until_closed(reader))
    try:
        await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        telling.cancel()
        hearing.cancel()
        await asyncio.gather(telling, hearing, return_exceptions=True)
    if not telling.cancelled() and (failure := telling.exception()) is not None:
        raise failure


async def _write(events: Events, writer: asyncio.StreamWriter) -> None:
    async with aclosing(events):
        async for event in events:
            _say(writer, event)
            await writer.drain()


async def _until_closed(reader: asyncio.StreamReader) -> None:
    while await reader.read(LINE_MAX):
        pass  # a caller with a watch sends no further requests


def _say(writer: asyncio.StreamWriter, message: Success | Failure | Mapping[str, object]) -> None:
    writer.write(json.dumps(message, ensure_ascii=False).encode() + b"\n")

"""A simulated server: it listens, remembers its calls, and breaks the way to it if it was told to."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from aiohttp import web

from vetlla.domain.errors import ConfigError
from vetlla.simulator.web.switches import ROOT
from vetlla.simulator.web.way import LOOPBACK, WayFaults

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from types import TracebackType

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CALLS_KEPT: Final = 1_000
"""Last calls that are remembered for people and tests."""
MAX_BODY: Final = 1 << 20
"""Most bytes of the body of a request."""
SHUTDOWN_S: Final = 1.0
"""Longest time for which the end waits for calls under way."""
F = TypeVar("F", bound=WayFaults)


class SimulatedServer(ABC, Generic[F]):
    """A server that listens while it is entered as a context."""

    faults: F
    """How it behaves; assign to its fields, or assign another value."""

    def __init__(self, *, host: str = LOOPBACK, port: int = 0) -> None:
        """Prepare to listen; port 0 picks a free one."""
        self.calls: deque[tuple[str, str, int]] = deque(maxlen=CALLS_KEPT)
        """Method, path and status of the last calls; 0 for one that had no answer."""
        self._host, self._wanted = host, port
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._port = 0

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]:
        """Yield the routes of the server and of its switches."""

    @abstractmethod
    async def answered(self, request: web.Request, handler: Handler, faults: F) -> web.StreamResponse:
        """Return the answer to a call that arrived."""

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def __aenter__(self) -> Self:
        """Listen. Raises ConfigError if the address cannot be used."""
        app = web.Application(middlewares=[self._gate], client_max_size=MAX_BODY)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._wanted)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigError(
                f"cannot listen on {self._host}:{self._wanted}: {error.strerror}",
                remedy="choose a free port of an address of this machine (port 0 picks one)",
            ) from error
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening; calls under way have no answer."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    @web.middleware
    async def _gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(ROOT):
            return await handler(request)
        faults = self.faults.of_call(request.method)
        if faults.delay_s:
            await self._pause(faults.delay_s)
        if faults.cut_before:
            return self._cut(request)
        answer = await self.answered(request, handler, faults)
        if faults.cut_after:
            return self._cut(request)
        if faults.silent_after:
            self.calls.append((request.method, request.path, 0))
            await self._closing.wait()
            return answer
        if faults.not_json and isinstance(answer, web.Response) and isinstance(answer.body, bytes):
            answer.body = answer.body[: len(answer.body) // 2]
        self.calls.append((request.method, request.path, answer.status))
        return answer

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            pass

    def _cut(self, request: web.Request) -> web.Response:
        self.calls.append((request.method, request.path, 0))
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

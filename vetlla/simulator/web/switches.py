"""Switches of a simulator, for people and tests: ``/simulator``. The system that it stands for has no such thing.

They need no password, so a simulator listens on loopback unless it is told otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from aiohttp import web
from pydantic import ValidationError

from vetlla.simulator.web.bodies import body_of
from vetlla.simulator.web.way import WayFaults

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

ROOT: Final = "/simulator"
F = TypeVar("F", bound=WayFaults)


class Faulty(Protocol[F]):
    """What has faults and remembers its calls."""

    faults: F
    calls: deque[tuple[str, str, int]]


class FaultSwitches(Generic[F]):
    """Shows and changes the faults of a simulator, and shows its last calls."""

    def __init__(self, server: Faulty[F]) -> None:
        self._server = server

    def routes(self) -> Iterable[web.RouteDef]:
        """Yield its routes."""
        yield web.get(f"{ROOT}/faults", self.faults)
        yield web.patch(f"{ROOT}/faults", self.change_faults)
        yield web.delete(f"{ROOT}/faults", self.no_faults)
        yield web.get(f"{ROOT}/calls", self.calls)

    async def faults(self, _: web.Request) -> web.Response:
        """Show how it behaves now."""
        return web.json_response(self._server.faults.model_dump(mode="json"))

    async def change_faults(self, request: web.Request) -> web.Response:
        """Change some faults, and show all."""
        now = self._server.faults
        wanted = {**now.model_dump(mode="json"), **await body_of(request)}
        try:
            self._server.faults = type(now).model_validate(wanted)
        except ValidationError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return await self.faults(request)

    async def no_faults(self, request: web.Request) -> web.Response:
        """Behave well again."""
        self._server.faults = type(self._server.faults)()
        return await self.faults(request)

    async def calls(self, _: web.Request) -> web.Response:
        """Show the last calls: method, path, status."""
        rows = [{"method": method, "path": path, "status": status} for method, path, status in self._server.calls]
        return web.json_response(rows)

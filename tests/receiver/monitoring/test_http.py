"""The three pages for machines, over a real socket."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from vetlla.domain.errors import ConfigError
from vetlla.receiver.budget import VISITORS_MAX
from vetlla.receiver.counters import Counters
from vetlla.receiver.monitoring.http import HttpServer, Readiness
from vetlla.receiver.monitoring.metrics import LIMITS, Gauges, exposition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

EMPTY = Gauges(
    ready=False,
    queue={},
    unattended={},
    oldest_waiting_s={},
    free_bytes=0,
    watermark_bytes=0,
    intake_waiting=0,
    accounts=0,
    accounts_on_test=0,
    alarms_on_test={},
    supervised={},
    incidents_open=0,
    sinks=(),
    limits_s=dict.fromkeys(LIMITS, 1.0),
    certificates=[],
    lines=[],
)


class Page(NamedTuple):
    status: int
    content_type: str
    text: str


@asynccontextmanager
async def _serving(readiness: Callable[[], Readiness]) -> AsyncIterator[Callable[[str], asyncio.Future[Page]]]:
    server = HttpServer()
    await server.start("127.0.0.1", 0, readiness=readiness, collect=exposition(Counters(("dc09",)), lambda: EMPTY))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:

        async def get(path: str) -> Page:
            async with session.get(f"http://127.0.0.1:{server.port}{path}") as response:
                return Page(response.status, response.headers["Content-Type"], await response.text())

        yield lambda path: asyncio.ensure_future(get(path))
    await server.close()


async def test_health_is_the_loop_answering() -> None:
    """A process whose loop runs is alive, whether it is ready or not."""
    async with _serving(lambda: Readiness(ready=False, why="store: disk full")) as get:
        assert await get("/healthz") == (200, "text/plain; charset=utf-8", "ok\n")


async def test_readiness_is_asked_each_time_and_gives_its_reason() -> None:
    """Ready is 200, not ready is 503 with the reason; each answer has the state of that moment."""
    now = Readiness(ready=True)
    async with _serving(lambda: now) as get:
        page = await get("/readyz")
        assert (page.status, page.text) == (200, '{"ready": true, "why": ""}')
        now = Readiness(ready=False, why="free space below the watermark")
        page = await get("/readyz")
        assert (page.status, page.text) == (503, '{"ready": false, "why": "free space below the watermark"}')


async def test_metrics_are_openmetrics() -> None:
    """The page has OpenMetrics' content type, and Prometheus' own parser reads it to the end."""
    async with _serving(lambda: Readiness(ready=True)) as get:
        page = await get("/metrics")
        assert page.status == 200
        assert page.content_type.startswith("application/openmetrics-text; version=1.0.0")
        assert page.text.endswith("# EOF\n")
        families = text_string_to_metric_families(page.text)  # type: ignore[no-untyped-call] # prometheus_client's
        assert "vetlla_ready" in {family.name for family in families}
        assert (await get("/")).status == 404


async def test_a_taken_port_is_a_clear_error() -> None:
    """The error names the address, and a server that never started can be closed."""
    server = HttpServer()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
            await server.start("127.0.0.1", port, readiness=lambda: Readiness(ready=True), collect=lambda: b"# EOF\n")
    await server.close()
    with pytest.raises(RuntimeError, match="not started"):
        assert server.port


async def test_closing_frees_the_port() -> None:
    """After close there is no answer, also on a connection that was kept alive."""
    async with _serving(lambda: Readiness(ready=True)) as get:
        await get("/healthz")
        server = HttpServer()
        await server.start("127.0.0.1", 0, readiness=lambda: Readiness(ready=True), collect=lambda: b"")
        port = server.port
        await server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


async def test_silent_clients_do_not_block_a_scraper() -> None:
    """The server closes the oldest connection to make room for the next one."""
    server = HttpServer()
    page = exposition(Counters(("dc09",)), lambda: EMPTY)
    await server.start("127.0.0.1", 0, readiness=lambda: Readiness(ready=True), collect=page)
    silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(2 * VISITORS_MAX)]
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
        session.get(f"http://127.0.0.1:{server.port}/readyz") as response,
    ):
        assert response.status == 200
        assert len(server._visitors) == VISITORS_MAX
    for _, writer in silent:
        writer.transport.abort()
    await server.close()

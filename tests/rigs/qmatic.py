"""What is recorded of Qmatic (``fixtures/qmatic``), and sources that read from a simulated Orchestra."""

from __future__ import annotations

import copy
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web

from vetlla.gateways.qmatic.access import Basic
from vetlla.gateways.qmatic.calendar_shape import calendar_appointment
from vetlla.gateways.qmatic.client import Connection
from vetlla.gateways.qmatic.orchestra_calendar import CalendarSettings, OrchestraCalendar
from vetlla.gateways.qmatic.orchestra_queue import OrchestraQueue, QueueSettings
from vetlla.gateways.qmatic.queue_shape import queue_appointment
from vetlla.simulator.qmatic.server import Orchestra
from vetlla.simulator.qmatic.world import invented

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import date

    from vetlla.domain.appointments import Appointment
    from vetlla.simulator.qmatic.faults import OrchestraFaults
    from vetlla.simulator.qmatic.world import Booking

FOLDER = Path(__file__).parents[2] / "fixtures" / "qmatic"
MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday."""
TOMORROW = (NOW + timedelta(days=1)).date()
WEEK = (NOW + timedelta(days=7)).date()
BODY = {
    "services": [{"publicId": "Padro_alta"}],
    "customer": {"firstName": "Nom", "lastName": "Cognom", "phone": "600000001"},
    "title": "Cita",
    "custom": '{"phoneNumber":"600000001"}',
}
"""What a booking says."""
PUBLIC = "/calendar-backend/public/api/v1"
QUICK_S = 0.5
"""Time of a call in tests; the simulator answers within milliseconds."""


@cache
def _recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def recorded(name: str) -> dict[str, Any]:
    """Return a recording: source, status, headers and body."""
    return copy.deepcopy(_recorded(name))


def calendar_row(**changes: object) -> dict[str, Any]:
    """Return the recorded appointment of the calendar's list, with these fields changed."""
    row: dict[str, Any] = recorded("calendar-list")["body"]["appointmentList"][0]
    return {**row, **changes}


def queue_row(**changes: object) -> dict[str, Any]:
    """Return the recorded appointment of the queue side, with these fields changed."""
    row: dict[str, Any] = recorded("queue-list")["body"][0]
    return {**row, **changes}


def of_calendar(**changes: object) -> Appointment:
    """Return what the calendar's parser makes of the recorded appointment with these changes."""
    return calendar_appointment(calendar_row(**changes), source="omac", office="46", zone=MADRID)


def of_queue(**changes: object) -> Appointment:
    """Return what the queue side's parser makes of the recorded appointment with these changes."""
    return queue_appointment(queue_row(**changes), source="omac", zone=MADRID)


def orchestra(*, per_day: int = 5, faults: OrchestraFaults | None = None, **more: Any) -> Orchestra:  # noqa: ANN401 - as there
    """Return a simulated Orchestra on the Monday ``NOW``, with few appointments.

    The first one is for a procedure that may be cancelled.
    """
    world = invented(per_day=per_day, days=7, now=lambda: NOW)
    if per_day:
        world.of(world.branches[0], TOMORROW, TOMORROW)[0].services = (world.services[0],)
    return Orchestra(world, faults=faults, **more)


def connection(simulator: Orchestra, **more: Any) -> Connection:  # noqa: ANN401 - as there
    """Return how a simulated Orchestra is reached."""
    access = more.pop("access", Basic(simulator.doors.user, simulator.doors.password))
    return Connection(url=simulator.url, **{"access": access, "answer_s": QUICK_S, "whole_s": 5.0, **more})


def calendar(simulator: Orchestra, *, way: dict[str, Any] | None = None, **more: Any) -> OrchestraCalendar:  # noqa: ANN401 - as there
    """Return a source that reads the simulator's calendar; ``way`` changes the connection."""
    return OrchestraCalendar(CalendarSettings(name="omac", connection=connection(simulator, **(way or {})), **more))


def queue(simulator: Orchestra, *, way: dict[str, Any] | None = None, **more: Any) -> OrchestraQueue:  # noqa: ANN401 - as there
    """Return a source that reads the simulator's queue side."""
    return OrchestraQueue(QueueSettings(name="omac", connection=connection(simulator, **(way or {})), **more))


def some_booking(simulator: Orchestra, day: date = TOMORROW) -> Booking:
    """Return the first appointment of the first office on a day."""
    world = simulator.world
    return world.of(world.branches[0], day, day)[0]


def deletes(simulator: Orchestra) -> int:
    """Return how many DELETE reached the simulator."""
    return sum(method == "DELETE" for method, _, _ in simulator.calls)


async def answer_of(simulator: Orchestra, method: str, path: str, body: object = None) -> tuple[int, Any, Any]:
    """Return status, headers and JSON of a call that is let in."""
    async with (
        aiohttp.ClientSession(headers={"X-Api-Key": simulator.doors.api_key}) as session,
        session.request(method, simulator.url + path, json=body) as response,
    ):
        content = await response.json() if response.content_type == "application/json" else None
        return response.status, response.headers, content


def book_path(simulator: Orchestra) -> str:
    """Return the path that books a slot of the first office, on a Saturday without appointments."""
    branch = simulator.world.branches[0].public_id
    return f"/calendar-backend/public/api/v2/branches/{branch}/dates/2026-12-05/times/09:00/book"


@asynccontextmanager
async def saying(body: object) -> AsyncIterator[Connection]:
    """Listen, and answer every call with this JSON."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=json.dumps(body), content_type="application/json")

    app = web.Application()
    app.add_routes([web.route("*", "/{path:.*}", answer)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Connection(url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()

"""Runs the demo: simulators, service and telephones in one process, on a clock that can be moved."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from vetlla.cli.reminders.demo.settings import written
from vetlla.cli.reminders.handset.program import Handset
from vetlla.domain.clock import to_datetime, to_us
from vetlla.service.reminders.quiet import CITY_ZONE, wall, zone_of
from vetlla.simulator.messaging.clock import MovableClock
from vetlla.simulator.messaging.phones import PhoneBook
from vetlla.simulator.messaging.sms.gateway import SmsGateway
from vetlla.simulator.messaging.whatsapp.approved import approved_templates
from vetlla.simulator.messaging.whatsapp.cloud import WhatsAppCloud
from vetlla.simulator.qmatic.server import Orchestra
from vetlla.simulator.qmatic.world import invented
from vetlla.tasks.reminders.texts import load_texts
from vetlla.worker.reminders.daemon import ReminderDaemon

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.simulator.qmatic.world import Booking, World

WITH_WHATSAPP: Final = "+34600000001"
WITHOUT_CONSENT: Final = "+34600000002"
"""The telephones of the demo: the first citizen agreed to WhatsApp, the second gets SMS. Both are reserved numbers."""
AT: Final = time(10, 4, 55)
"""When the demo begins, on the offices' clock: five seconds before the first reminder is due."""
BOOKED: Final = (time(10, 5), time(10, 6))
"""The hours of the two appointments on the next day."""
THURSDAY: Final = 3
"""The last day whose next day is a working day."""


async def live(directory: Path, lasts: float) -> World:
    """Start everything, let the citizens answer, end everything in order; return what the offices have then."""
    clock = _clock_of_a_working_day()
    world = invented(offices=2, per_day=0, now=lambda: _now(clock))
    book = PhoneBook(clock)
    port = free_port()
    webhooks = f"http://127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        orchestra = await stack.enter_async_context(Orchestra(world))
        _book(world)
        whatsapp = await stack.enter_async_context(WhatsAppCloud(book, templates=approved_templates(load_texts())))
        sms = await stack.enter_async_context(SmsGateway(book, incoming_url=f"{webhooks}/sms"))
        await stack.enter_async_context(book)
        whatsapp.keep_visiting(f"{webhooks}/whatsapp")
        service = ReminderDaemon(written(directory, orchestra, whatsapp, sms, port), clock)
        running = asyncio.ensure_future(service.run())
        using = asyncio.ensure_future(Handset(book, whatsapp, sms, advance=clock.advance, number=WITH_WHATSAPP).use())
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, using.cancel)
        try:
            await asyncio.wait({running, using}, timeout=lasts or None, return_when=asyncio.FIRST_COMPLETED)
        finally:
            using.cancel()
            service.stop()
            await asyncio.wait({running, using})
        running.result()
        if not using.cancelled():
            using.result()
    return world


def _now(clock: MovableClock) -> datetime:
    return to_datetime(clock.now().utc_us)


def _clock_of_a_working_day() -> MovableClock:
    """Return a clock that shows ``AT`` of the next day whose next day is a working day, too."""
    clock = MovableClock()
    now = wall(_now(clock), CITY_ZONE)
    day = now.date() if now.time() < AT else now.date() + timedelta(days=1)
    while day.weekday() > THURSDAY:
        day += timedelta(days=1)
    begins = datetime.combine(day, AT, zone_of(CITY_ZONE))
    clock.advance((to_us(begins) - clock.now().utc_us) / 1e6)
    return clock


def _book(world: World) -> None:
    """Book an appointment for each of the two citizens, a day from now."""
    tomorrow = world.today + timedelta(days=1)
    consent_ms = int(world.now().timestamp() * 1_000)
    for office, hour, phone, language in zip(
        world.branches, BOOKED, (WITH_WHATSAPP, WITHOUT_CONSENT), ("ca", "es"), strict=True
    ):
        customer = world.customer(phone=phone)
        if phone == WITH_WHATSAPP:
            customer = replace(customer, consent_ms=consent_ms)
        start = datetime.combine(tomorrow, hour, world.zone).astimezone(UTC)
        world.book(office, (world.services[0],), start, customer=customer, language=language, at_extra_table=True)


def free_port() -> int:
    """Return a port that is free now. The providers must know the webhooks' address before the service starts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ending(world: World) -> list[str]:
    """Return what the queue system has of the two citizens at the end."""
    known = {WITH_WHATSAPP, WITHOUT_CONSENT}
    return [_line(one) for one in world.bookings.values() if one.customer is not None and one.customer.phone in known]


def _line(booking: Booking) -> str:
    start = f"{wall(booking.start, CITY_ZONE):%d/%m %H:%M}"
    assert booking.customer is not None
    return f"{booking.customer.phone}: {booking.branch.name} {start}, {booking.status.name.lower()} in the queue system"

"""The town around the reminder service: Orchestra, both providers, and the proxy before the service's webhooks.

All of them live in the process of the bench and see each call. The instant of a call may be that of a kill.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
from aiohttp import web
from yarl import URL

from bench.killing.chaos_reminders.seen import Kind, Seen, What, kind_of, start_of
from vetlla.domain.clock import to_datetime, to_us
from vetlla.domain.messages import Channel
from vetlla.simulator.messaging.phones import PhoneBook
from vetlla.simulator.messaging.sms.gateway import SmsGateway
from vetlla.simulator.messaging.whatsapp.approved import approved_templates
from vetlla.simulator.messaging.whatsapp.cloud import WhatsAppCloud
from vetlla.simulator.qmatic.server import Orchestra
from vetlla.simulator.qmatic.world import Status, World
from vetlla.tasks.reminders.texts import load_texts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from bench.killing.chaos_reminders.leaping import LeapingClock
    from vetlla.simulator.messaging.faults import ChannelFaults, SmsFaults, WhatsAppFaults
    from vetlla.simulator.messaging.phones import ChannelEvent
    from vetlla.simulator.qmatic.faults import OrchestraFaults
    from vetlla.simulator.qmatic.world import Booking

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

INSTANTS: Final = (
    "GET asked", "GET answered", "DELETE asked", "DELETE answered", "send asked", "send answered", "webhook asked",
    "webhook answered",
)  # fmt: skip
"""Instants at which the service may be killed: a call is on its way, and its answer is on its way."""
TABLES: Final = 5_000
"""Places of the office, so that there is always a free one."""
WORDS: Final = 24
"""Letters by which two answers of one kind are alike."""
PROXY_S: Final = 8.0
"""Longest time for which the proxy waits for the service."""
_PASSED: Final = ("Content-Type", "X-Hub-Signature-256", "X-Twilio-Signature")


class WatchedOrchestra(Orchestra):
    """Tells each question about one appointment, and each cancellation."""

    town: Town

    async def answered(self, request: web.Request, handler: Handler, faults: OrchestraFaults) -> web.StreamResponse:
        """Return the answer, and tell the town what it says."""
        self.town.passed(f"{request.method} asked")
        answer = await super().answered(request, handler, faults)
        booking = self.world.bookings.get(request.path.rpartition("/")[2])
        if booking is not None and not faults.status and answer.status in {200, 204, 404}:
            start_us = 0 if booking.status is Status.CANCELLED else to_us(booking.start)
            if request.method == "GET":
                self.town.see(What.GOT, phone=phone_of(booking), start_us=start_us)
            else:
                self.town.see(
                    What.DELETED,
                    phone=phone_of(booking),
                    start_us=to_us(booking.start),
                    detail=str(answer.status),
                )
        self.town.passed(f"{request.method} answered")
        return answer


class WatchedCloud(WhatsAppCloud):
    """Tells each call that is answered, and each that is not."""

    town: Town

    async def answered(self, request: web.Request, handler: Handler, faults: WhatsAppFaults) -> web.StreamResponse:
        """Return the answer."""
        return await self.town.sending(Channel.WHATSAPP, faults, super().answered(request, handler, faults))


class WatchedGateway(SmsGateway):
    """The same for SMS."""

    town: Town

    async def answered(self, request: web.Request, handler: Handler, faults: SmsFaults) -> web.StreamResponse:
        """Return the answer."""
        return await self.town.sending(Channel.SMS, faults, super().answered(request, handler, faults))


class Town:
    """What lives on while the service is killed. ``log`` is what it saw."""

    def __init__(self, clock: LeapingClock, *, seed: int, service_port: int, passed: Callable[[str], None]) -> None:
        """Prepare to live. ``passed`` is told the name of each instant."""
        self.clock = clock
        self.log: list[Seen] = []
        self.starts: dict[str, list[int]] = {}
        """The hours that each citizen's appointment ever had, the present one last."""
        self.passed = passed
        self.on_delivered: Callable[[Seen], None] = lambda _: None
        self.world = World(seed=seed, now=self.now, tables=TABLES)
        self.world.found_offices(1)
        self.book = PhoneBook(clock)
        self.orchestra = WatchedOrchestra(self.world)
        self.cloud = WatchedCloud(self.book, templates=approved_templates(load_texts()))
        self.sms = WatchedGateway(self.book)
        for server in (self.orchestra, self.cloud, self.sms):
            server.town = self
        self.proxy_url = ""
        self._service = f"http://127.0.0.1:{service_port}"
        self._client: aiohttp.ClientSession | None = None
        self._stack = AsyncExitStack()
        self._kinds: dict[str, Seen] = {}
        self.book.watch(self._hear)

    async def __aenter__(self) -> Self:
        """Begin to live."""
        for one in (self.orchestra, self.cloud, self.sms, self.book):
            await self._stack.enter_async_context(one)
        connector = aiohttp.TCPConnector(force_close=True)  # a line to a service that was killed is of no use
        self._client = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=PROXY_S))
        self._stack.push_async_callback(self._client.close)
        application = web.Application()
        application.add_routes([web.post("/{path:.*}", self._proxy)])
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.proxy_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self.cloud.callback_url = f"{self.proxy_url}/whatsapp"
        self.sms.incoming_url = f"{self.proxy_url}/sms"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        await self._stack.aclose()

    def now(self) -> datetime:
        """Return the present moment of the town and of the service."""
        return to_datetime(self.clock.now().utc_us).astimezone(UTC)

    def see(self, what: What, **more: Any) -> Seen:  # noqa: ANN401 - the fields of Seen
        """Note that something happened now."""
        seen = Seen(what, self.clock.now().utc_us, **more)
        self.log.append(seen)
        return seen

    # --- the providers ------------------------------------------------------------------------------------------------

    async def sending(
        self, channel: Channel, faults: ChannelFaults, answered: Awaitable[web.StreamResponse]
    ) -> web.StreamResponse:
        """Return a provider's answer to a call that sends a message."""
        self.passed("send asked")
        try:
            answer = await answered
        except ConnectionResetError:  # the service was killed while it wrote the request
            return web.Response(status=400)
        if faults.status or faults.cut_after or faults.silent_after:
            self.see(What.BROKEN, channel=channel)
        self.passed("send answered")
        return answer

    def _hear(self, event: ChannelEvent) -> None:
        if event.what == "accepted":
            reference = event.detail
            if event.channel == Channel.SMS:
                reference = parse_qs(urlsplit(event.detail).query).get("reference", [""])[0]
            start_us = start_of(event.text, reversed(self.starts.get(event.phone, [])))
            self._kinds[event.id] = self.see(
                What.TAKEN,
                phone=event.phone,
                start_us=start_us,
                channel=event.channel,
                id=event.id,
                kind=kind_of(event.text),
                detail=reference,
                words=event.text[:WORDS],
            )
        elif event.what in {"delivered", "failed"} and event.id in self._kinds:
            taken = self._kinds[event.id]
            what = What.DELIVERED if event.what == "delivered" else What.FAILED
            seen = taken._replace(what=what, at_us=self.clock.now().utc_us)
            self.log.append(seen)
            if what is What.DELIVERED and seen.kind is Kind.REMINDER:
                self.on_delivered(seen)

    # --- the proxy before the service ---------------------------------------------------------------------------------

    async def _proxy(self, request: web.Request) -> web.Response:
        """Hand a call of a provider on to the service; 502 if it does not answer."""
        assert self._client is not None
        body = await request.read()
        self.passed("webhook asked")
        url = URL(self._service + request.raw_path, encoded=True)  # the signature covers the address as it is written
        headers = {name: request.headers[name] for name in _PASSED if name in request.headers}
        try:
            async with self._client.post(url, data=body, headers=headers) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return web.Response(status=502)
        if 200 <= status < 300:
            told = _of_whatsapp(body) if request.path == "/whatsapp" else _of_sms(body)
            channel = Channel.WHATSAPP if request.path == "/whatsapp" else Channel.SMS
            for id_, report in told:
                if not report:
                    self.see(What.KEPT, channel=channel, id=id_)
                elif report in {"delivered", "read"}:
                    self.see(What.REPORTED, channel=channel, id=id_)
        elif status < 500:
            self.see(What.TURNED_AWAY, detail=f"{status} {request.path}")
        self.passed("webhook answered")
        return web.Response(status=status)


def phone_of(booking: Booking) -> str:
    """Return the telephone of an appointment of this town."""
    return f"+34{booking.phone_of_booking}"


def _of_whatsapp(body: bytes) -> list[tuple[str, str]]:
    """Return the id of each message and report of a delivery, with the word of a report."""
    values = [change["value"] for entry in json.loads(body)["entry"] for change in entry["changes"]]
    found = [(one["id"], "") for value in values for one in value.get("messages", ())]
    return found + [(one["id"], one["status"]) for value in values for one in value.get("statuses", ())]


def _of_sms(body: bytes) -> list[tuple[str, str]]:
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    return [(form["MessageSid"], form.get("MessageStatus", ""))]

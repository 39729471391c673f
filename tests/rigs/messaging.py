"""Simulated channels with the project's own endpoints behind their callbacks, on a clock that a test moves."""

from __future__ import annotations

from base64 import b64encode
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bench.killing.receiver import free_port
from tests.rigs.script_server import serving
from vetlla.domain.clock import ManualClock, to_datetime
from vetlla.domain.errors import StoreError
from vetlla.domain.messages import Outgoing
from vetlla.gateways.http import HttpCaller
from vetlla.gateways.sms.twilio import TwilioAccount, TwilioGateway
from vetlla.gateways.sms.twilio_endpoint import TwilioEndpoint
from vetlla.gateways.whatsapp.endpoint import WhatsAppEndpoint
from vetlla.gateways.whatsapp.gateway import WhatsAppAccount, WhatsAppGateway
from vetlla.simulator.messaging.phones import ChannelEvent, PhoneBook
from vetlla.simulator.messaging.sms.gateway import SmsGateway
from vetlla.simulator.messaging.whatsapp.cloud import WhatsAppCloud

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from vetlla.domain.messages import DeliveryReport, IncomingReply
    from vetlla.gateways.received import ChannelNotice, Received
    from vetlla.simulator.messaging.faults import SmsFaults, WhatsAppFaults
    from vetlla.simulator.messaging.phones import Phone

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
PHONE = "+34600000001"
TEMPLATE: dict[str, Any] = {
    "name": "cita_recordatori_v1",
    "language": "ca",
    "category": "UTILITY",
    "message_send_ttl_seconds": 43_200,
    "components": [
        {
            "type": "BODY",
            "text": "Ajuntament de Lleida. Teniu cita {{1}}, {{2}}.\n\nResponeu SÍ o ANUL·LAR.",
            "example": {"body_text": [["dimarts 24 de novembre", "a l'OMAC"]]},
        },
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "QUICK_REPLY", "text": "Sí, vindré"},
                {"type": "QUICK_REPLY", "text": "Anul·lar la cita"},
            ],
        },
    ],
}
REMINDER = Outgoing(
    reference="out:01J",
    phone=PHONE,
    template="cita_recordatori_v1",
    parameters=("dimarts 1 de desembre a les 10.30 h", "a l'OMAC"),
    buttons=("v1.C.token", "v1.X.token"),
)
WORDS = Outgoing(reference="out:02J", phone=PHONE, text="Gràcies per confirmar la cita.")


@dataclass
class Channels:
    """Both simulators, both gateways of the project, and what its endpoints took."""

    clock: ManualClock
    book: PhoneBook
    cloud: WhatsAppCloud
    sms: SmsGateway
    whatsapp_gateway: WhatsAppGateway
    sms_gateway: TwilioGateway
    taken: list[Received] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    happened: list[ChannelEvent] = field(default_factory=list)
    broken: int = 0
    """How many deliveries cannot be kept from now on."""

    async def take(self, body: bytes, received: Received) -> None:
        if self.broken:
            self.broken -= 1
            raise StoreError("the disk is full")
        self.bodies.append(body)
        self.taken.append(received)

    @property
    def phone(self) -> Phone:
        return self.book.phone(PHONE)

    @property
    def reports(self) -> list[DeliveryReport]:
        return [one for received in self.taken for one in received.reports]

    @property
    def replies(self) -> list[IncomingReply]:
        return [one for received in self.taken for one in received.replies]

    @property
    def notices(self) -> list[ChannelNotice]:
        return [one for received in self.taken for one in received.notices]

    @property
    def unread(self) -> list[str]:
        return [one.reason for received in self.taken for one in received.unread]

    def states(self) -> list[str]:
        """Return the words of the reports, in their order, with the code of a failure."""
        return [f"{one.delivery} {one.code}".strip() for one in self.reports]

    async def later(self, seconds: float) -> None:
        """Let time pass, and all that is due then happen."""
        self.clock.advance(seconds)
        await self.book.settle()


def basic(user: str, password: str) -> dict[str, str]:
    """Return the header of HTTP Basic."""
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


@asynccontextmanager
async def channels(*, whatsapp: WhatsAppFaults | None = None, sms: SmsFaults | None = None) -> AsyncIterator[Channels]:
    """Run both simulators with our gateways before them and our endpoints behind them."""
    clock = ManualClock(NOW)
    book = PhoneBook(clock)
    http = HttpCaller(answer_s=1.0, whole_s=5.0)
    async with WhatsAppCloud(book, templates=[TEMPLATE], faults=whatsapp) as cloud, SmsGateway(book, faults=sms) as two:
        rig = Channels(clock, book, cloud, two, _whatsapp(cloud, http), _sms(two, http, ""))
        book.watch(rig.happened.append)

        def now() -> datetime:
            return to_datetime(clock.now().utc_us)

        meta = cloud.account
        door = WhatsAppEndpoint(
            verify_token=meta.verify_token,
            app_secret=meta.app_secret,
            phone_number_id=meta.phone_number_id,
            now=now,
            take=rig.take,
        )
        # The address of the other endpoint is a part of its signature, so it is served before it is made.
        async with serving(door.routes("/whatsapp")) as url, _sms_door(rig, now) as sms_url:
            assert await cloud.subscribe(f"{url}/whatsapp")
            two.incoming_url = sms_url
            rig.sms_gateway = _sms(two, http, sms_url)
            rig.happened.clear()
            try:
                yield rig
            finally:
                await http.close()


@asynccontextmanager
async def _sms_door(rig: Channels, now: Callable[[], datetime]) -> AsyncIterator[str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/sms"
    door = TwilioEndpoint(public_url=url, token=rig.sms.account.token, now=now, take=rig.take)
    async with serving(door.routes("/sms"), port=port):
        yield url


def _whatsapp(cloud: WhatsAppCloud, http: HttpCaller) -> WhatsAppGateway:
    meta = cloud.account
    account = WhatsAppAccount(
        phone_number_id=meta.phone_number_id, token=meta.token, business_id=meta.business_id, base_url=cloud.url
    )
    return WhatsAppGateway("whatsapp", account, http)


def _sms(gateway: SmsGateway, http: HttpCaller, callback: str) -> TwilioGateway:
    account = gateway.account
    return TwilioGateway(
        "sms",
        TwilioAccount(
            sid=account.sid, token=account.token, sender=account.number, callback_url=callback, base_url=gateway.url
        ),
        http,
    )

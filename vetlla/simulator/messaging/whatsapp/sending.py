"""Messages to citizens: taken or refused as Meta does, brought to a telephone, and reported."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from vetlla.domain.clock import DAY_US, SECOND_US
from vetlla.domain.messages import Channel
from vetlla.simulator.messaging.faults import WHATSAPP_CALL, Told
from vetlla.simulator.messaging.phones import Bubble, MessageFate, Phone
from vetlla.simulator.messaging.whatsapp.errors import RefusedCall, error_of, no_such_object
from vetlla.simulator.messaging.whatsapp.orders import order_of
from vetlla.simulator.messaging.whatsapp.webhook import Sent, status_change
from vetlla.simulator.web.bodies import body_of

if TYPE_CHECKING:
    from vetlla.simulator.messaging.faults import WhatsAppFaults
    from vetlla.simulator.messaging.whatsapp.orders import Order
    from vetlla.simulator.messaging.whatsapp.state import CloudState

WINDOW_US: Final = DAY_US
"""How long after a person's message free messages are allowed."""


class Sending:
    """Takes the city's messages."""

    def __init__(self, state: CloudState) -> None:
        self._state = state
        self._book = state.book
        self._sent_us: deque[int] = deque()
        self._sent_to_us: dict[str, int] = {}

    async def send(self, request: web.Request) -> web.Response:
        """Take a message. Raises RefusedCall."""
        if request.match_info["object"] != self._state.account.phone_number_id:
            return no_such_object(request.match_info["object"])
        faults = WHATSAPP_CALL.get()
        order = order_of(await body_of(request), self._state.templates)
        phone = self._recipient(order)
        self._check_rates(order, faults)
        code = self._failure(phone, order) if faults.code is None else faults.code
        if code is not None and not is_told_later(code, faults):
            raise RefusedCall(code)
        wamid = self._state.wamid(order.number or order.given, is_incoming=False)
        self._state.orders[wamid] = order
        self._book.happened(
            "accepted",
            channel=Channel.WHATSAPP,
            phone=phone.number if phone else "",
            id=wamid,
            text=order.content.text,
            detail=order.reference,
        )
        if phone is not None and not faults.held:
            _Journey(self._state, Sent(wamid, phone, order), faults).begin(code)
        return web.json_response(_accepted(order, wamid, is_held=faults.held))

    def _recipient(self, order: Order) -> Phone | None:
        """Return the telephone of a message; None for a message that Meta takes and drops in silence.

        An id in ``to`` is such a one (seen by Chatwoot, 2026).
        """
        if order.number:
            return self._book.phone(order.number)
        if not order.person:
            return None
        known = self._book.of_person(order.person)
        return known or Phone(number="", person=order.person, exists=False, hides_number=True)

    def _check_rates(self, order: Order, faults: WhatsAppFaults) -> None:
        now = self._book.agenda.now_us
        while self._sent_us and self._sent_us[0] <= now - SECOND_US:
            self._sent_us.popleft()
        if len(self._sent_us) >= faults.per_second:
            raise RefusedCall(130429)
        before = self._sent_to_us.get(order.given)
        if before is not None and now - before < faults.pair_s * SECOND_US:
            raise RefusedCall(131056)
        self._sent_us.append(now)
        self._sent_to_us[order.given] = now

    def _failure(self, phone: Phone | None, order: Order) -> int | None:
        """Return the code with which a message fails; None if it does not."""
        if phone is None:
            return None
        if not phone.exists or not phone.has_whatsapp:
            return 131026
        wrote = phone.wrote_us.get(Channel.WHATSAPP)
        is_open = wrote is not None and self._book.agenda.now_us - wrote < WINDOW_US
        return None if order.content.is_template or is_open else 131047


class _Journey:
    """The way of one message from Meta to a telephone."""

    def __init__(self, state: CloudState, sent: Sent, faults: WhatsAppFaults) -> None:
        self._state = state
        self._book = state.book
        self._sent = sent
        self._faults = faults

    def begin(self, code: int | None) -> None:
        """Start it; with a code it fails."""
        agenda = self._book.agenda

        async def fail() -> None:
            self._book.happened(
                "failed", channel=Channel.WHATSAPP, phone=self._sent.phone.number, id=self._sent.id, detail=str(code)
            )
            self._report("failed", code)

        async def go() -> None:
            self._report("sent")
            if self._faults.delivery_s:
                agenda.later(self._faults.delivery_s, self._arrive)
            else:
                await self._arrive()

        agenda.soon(go if code is None else fail)

    async def _arrive(self) -> None:
        order = self._sent.order
        bubble = Bubble(
            id=self._sent.id,
            channel=Channel.WHATSAPP,
            text=order.content.text,
            at=self._book.agenda.now,
            buttons=order.content.buttons,
            context=order.context,
            until_us=self._book.agenda.now_us + order.content.ttl_s * SECOND_US,
            told=self._told,
        )
        self._book.deliver(self._sent.phone, bubble)

    def _told(self, fate: MessageFate) -> None:
        # Meta reports nothing about a message whose time ended before the telephone was on.
        if fate is MessageFate.READ or (fate is MessageFate.DELIVERED and not self._faults.skips_delivered):
            self._report(fate.value)

    def _report(self, status: str, code: int | None = None) -> None:
        if not self._faults.no_reports:
            at = self._book.agenda.now
            self._state.callback.tell(status_change(self._state.account, self._sent, status, at, code))


def is_told_later(code: int, faults: WhatsAppFaults) -> bool:
    """Return True if the webhook tells a failure, and not the answer to the call."""
    return error_of(code).comes_later if faults.told is Told.USUAL else faults.told is Told.LATER


def _accepted(order: Order, wamid: str, *, is_held: bool) -> dict[str, Any]:
    """Return Meta's answer. A message to an id has no number in it, and a free message no state."""
    names = {"user_id": order.person} if order.person else {"wa_id": order.number.removeprefix("+") or order.given}
    message = {"id": wamid}
    if order.content.is_template:
        message["message_status"] = "held_for_quality_assessment" if is_held else "accepted"
    return {
        "messaging_product": "whatsapp",
        "contacts": [{"input": order.given, **names}],
        "messages": [message],
    }

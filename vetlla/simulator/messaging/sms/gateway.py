"""The simulated SMS gateway as a server: it takes messages, brings them to telephones, and calls the callbacks."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from itertools import count
from typing import TYPE_CHECKING, Final

from aiohttp import web

from vetlla.domain.clock import SECOND_US
from vetlla.domain.messages import Channel
from vetlla.domain.telephones import gets_messages
from vetlla.simulator.messaging.callback import NOT_REACHED, Callback, Post
from vetlla.simulator.messaging.faults import SMS_CALL, SmsFaults, Told
from vetlla.simulator.messaging.phones import Bubble, MessageFate, Phone
from vetlla.simulator.messaging.sms.orders import sent_of
from vetlla.simulator.messaging.sms.shapes import (
    API,
    GatewayAccount,
    RefusedSms,
    SmsSent,
    error_of,
    incoming,
    refusal,
    report,
    shown,
)
from vetlla.simulator.messaging.switches import PhoneSwitches
from vetlla.simulator.web.server import SimulatedServer
from vetlla.simulator.web.switches import FaultSwitches
from vetlla.simulator.web.way import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from types import TracebackType

    from vetlla.simulator.messaging.phones import PhoneBook

STOP_WORDS: Final = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
START_WORDS: Final = frozenset({"START", "YES", "UNSTOP"})
"""Words that the gateway itself understands, as Twilio does unless an account switches that off."""
PAGE: Final = 50
"""Messages of a page of the list."""


def gateway_waits(status: int, attempt: int) -> float | None:
    """Return 0 for the only other attempt, which follows a connection that failed. A refused call is not repeated."""
    return 0.0 if status == NOT_REACHED and attempt == 1 else None


class SmsGateway(SimulatedServer[SmsFaults]):
    """A gateway of Twilio's shape for one account. It listens while it is entered as a context."""

    def __init__(
        self,
        book: PhoneBook,
        *,
        account: GatewayAccount | None = None,
        incoming_url: str = "",
        faults: SmsFaults | None = None,
        host: str = LOOPBACK,
        port: int = 0,
    ) -> None:
        """Prepare to listen. ``incoming_url`` is the address for messages of citizens, set at the number."""
        super().__init__(host=host, port=port)
        self.account = account or GatewayAccount()
        self.incoming_url = incoming_url
        self.faults = faults or SmsFaults()
        self._book = book
        self._numbers = count(1)
        self._sent: dict[str, SmsSent] = {}
        self._stopped: set[str] = set()
        self._callback: Callback[Post] = Callback(book, Channel.SMS, lambda: self.faults, _as_they_are, gateway_waits)

    # --- the server ---------------------------------------------------------------------------------------------------

    def routes(self) -> Iterable[web.RouteDef]:
        """Yield the routes of the API and of the switches."""
        account = f"/{API}/Accounts/{self.account.sid}"
        yield web.post(f"{account}/Messages.json", self._send)
        yield web.get(f"{account}/Messages.json", self._list)
        yield web.get(f"{account}/Messages/{{sid}}.json", self._show)
        yield from PhoneSwitches(self._book, self).routes()
        yield from FaultSwitches(self).routes()

    async def answered(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
        faults: SmsFaults,
    ) -> web.StreamResponse:
        """Return the answer to a call: the gateway's, or that of a server on the way."""
        if faults.status:
            return web.Response(status=faults.status)
        SMS_CALL.set(faults)
        expected = "Basic " + b64encode(f"{self.account.sid}:{self.account.token}".encode()).decode("ascii")
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
            return self._refused(20003)
        try:
            return await handler(request)
        except RefusedSms as refused:
            return self._refused(refused.code)
        except web.HTTPNotFound:
            return self._refused(20404)

    def _refused(self, code: int) -> web.Response:
        self._book.happened("refused", channel=Channel.SMS, detail=f"{code} {error_of(code).message}")
        return refusal(code)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, and stop calling."""
        await self._callback.close()
        await super().__aexit__(kind, error, trace)

    # --- messages to citizens -----------------------------------------------------------------------------------------

    async def _send(self, request: web.Request) -> web.Response:
        faults = SMS_CALL.get()
        sent = sent_of(await request.post(), self.account, self._sid(), self._book.agenda.now)
        phone = self._book.phone(sent.to)
        code = faults.code or self._failure(phone)
        is_later = error_of(code).comes_later if faults.told is Told.USUAL else faults.told is Told.LATER
        if code and not is_later:
            raise RefusedSms(code)
        self._sent[sent.sid] = sent
        self._book.happened(
            "accepted", channel=Channel.SMS, phone=sent.to, id=sent.sid, text=sent.text, detail=sent.callback
        )
        answer = web.json_response(shown(self.account, sent), status=201)
        self._begin(phone, sent, code, faults)
        return answer

    def _failure(self, phone: Phone) -> int:
        """Return the code with which a message fails; 0 if it does not."""
        if phone.number in self._stopped:
            return 21610
        if not gets_messages(phone.number):
            return 30006
        return 0 if phone.exists else 30005

    def _begin(self, phone: Phone, sent: SmsSent, code: int, faults: SmsFaults) -> None:
        def tell(status: str, failure: int = 0) -> None:
            sent.status, sent.code = status, failure
            if sent.callback and not faults.no_reports:
                self._callback.tell(report(self.account, sent))

        def told(fate: MessageFate) -> None:
            if fate is MessageFate.DELIVERED:
                tell("delivered")
            elif fate is MessageFate.EXPIRED:
                tell("undelivered", 30003)  # the network's word for a telephone that stayed off

        async def arrive() -> None:
            at = self._book.agenda
            until_us = at.now_us + sent.validity_s * SECOND_US
            self._book.deliver(
                phone,
                Bubble(id=sent.sid, channel=Channel.SMS, text=sent.text, at=at.now, until_us=until_us, told=told),
            )

        async def go() -> None:
            if code:
                self._book.happened("failed", channel=Channel.SMS, phone=sent.to, id=sent.sid, detail=str(code))
                tell("undelivered", code)
                return
            tell("sent")
            if faults.delivery_s:
                self._book.agenda.later(faults.delivery_s, arrive)
            else:
                await arrive()

        self._book.agenda.soon(go)

    async def _show(self, request: web.Request) -> web.Response:
        sent = self._sent.get(request.match_info["sid"])
        if sent is None:
            raise RefusedSms(20404)
        return web.json_response(shown(self.account, sent))

    async def _list(self, _: web.Request) -> web.Response:
        last = list(self._sent.values())[-PAGE:]
        return web.json_response(
            {"messages": [shown(self.account, one) for one in reversed(last)], "page": 0, "page_size": PAGE}
        )

    # --- messages of citizens -----------------------------------------------------------------------------------------

    def reply(self, phone: Phone, text: str, *, context: str = "") -> Bubble:
        """Let a citizen write; an SMS quotes nothing, so ``context`` is not told."""
        bubble = Bubble(
            id=self._sid(),
            channel=Channel.SMS,
            text=text,
            at=self._book.agenda.now,
            is_from_city=False,
            context=context,
        )
        self._book.write(phone, bubble)
        if self.faults.keeps_stops:
            word = text.strip().upper()
            if word in STOP_WORDS:
                self._stopped.add(phone.number)
            elif word in START_WORDS:
                self._stopped.discard(phone.number)
        if self.incoming_url:
            self._callback.tell(incoming(self.account, self.incoming_url, bubble.id, phone.number, text))
        return bubble

    def press(self, phone: Phone, message: Bubble, index: int) -> Bubble:
        """Let a citizen write the words of a button: an SMS has no buttons."""
        return self.reply(phone, message.buttons[index].label)

    def _sid(self) -> str:
        return "SM" + hashlib.sha256(b"%d" % next(self._numbers)).hexdigest()[:32]


def _as_they_are(posts: Sequence[Post]) -> Iterable[Post]:
    return posts

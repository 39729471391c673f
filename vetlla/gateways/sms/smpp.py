"""SMS by SMPP 3.4: one session with the SMSC of an operator, for messages, receipts and replies.

smpp34 keeps the session: it sends ``enquire_link``, and tells the end of a session after about 60 seconds if the SMSC
is silent. Making a new one is our part. It acknowledges each packet of the SMSC when it came, before it is on our disk:
if the process ends in that moment, a reply is lost. Gateways of HTTP wait for the disk, so they are the better choice.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import ConfigError, LinkError, VetllaError
from vetlla.domain.failures import FailureTable, failure_table_of
from vetlla.domain.messages import Accepted, Channel
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.received import Received
from vetlla.gateways.sms.coding import Alphabet, Part, bytes_of, coding_of, parts_for
from vetlla.gateways.sms.joining import Joiner
from vetlla.gateways.sms.numbers import recipient
from vetlla.gateways.sms.packets import PAYLOAD, Packet, PacketRules, read, reply
from vetlla.gateways.sms.receipts import IdForm, one_form

try:
    import smpp34
except ModuleNotFoundError as error:  # pragma: no cover - the extra is installed for tests
    raise ConfigError("SMPP is not installed", remedy="pip install 'vetlla[smpp]'") from error

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vetlla.domain.messages import DeliveryReport, Outgoing
    from vetlla.gateways.received import Take

WINDOW: Final = 10
"""Most submits without an answer; operators allow ten to fifty."""
INBOUND: Final = 16
"""Most packets that smpp34 holds for us. It refuses more, and the SMSC sends those again."""
REMEMBERED: Final = 10_000
"""Most messages of which the reference is remembered for their receipts: about a month of one city."""
THROTTLED: Final = frozenset({88, 20})
"""ESME_RTHROTTLED and ESME_RMSGQFUL."""
_PAYLOAD_BYTES: Final = 254
"""Most bytes of a text outside the parameter ``message_payload``."""
_LONGEST_USEFUL_S: Final = 30 * 86_400


class SmppBounds(NamedTuple):
    """Times in seconds, and attempts."""

    bind_s: float = 10.0
    """For connection and bind."""
    answer_s: float = 25.0
    """For the answer to a submit. smpp34 itself gives up after 30."""
    first_wait_s: float = 1.0
    """Before a new session; it doubles with each attempt that fails."""
    longest_wait_s: float = 60.0
    hold_s: float = 5.0
    """How long a receipt waits for the answers of submits that are under way: it may be for one of them."""
    keep_again_s: float = 1.0
    """Before what could not be kept is tried again. Until then no further packet is taken."""
    late_check_s: float = 5.0
    """Between two looks for long texts of which a part did not come."""
    part_tries: int = 5
    """Attempts for a further part of a text whose first part was accepted."""


class LongText(StrEnum):
    """How a text of several parts is handed over."""

    PARTS = "parts"
    """In parts with headers: every SMSC takes them."""
    PAYLOAD = "payload"
    """Whole, in the parameter ``message_payload``; the SMSC cuts it."""


class _Address(NamedTuple):
    text: str
    ton: int
    npi: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppAccount:
    """The access at the operator."""

    host: str
    port: int
    user: str
    """``system_id``; at most 15 characters."""
    password: str = field(repr=False)
    """At most 8 characters."""
    sender: str
    """The number, short number or name that citizens see. Only a number can be answered."""
    system_type: str = ""
    tls: bool = False
    alphabet: Alphabet = Alphabet.GSM_7
    long_text: LongText = LongText.PARTS
    answer_ids: IdForm = IdForm.SAME
    """How ids stand in answers to submits, and in parameters of receipts."""
    receipt_ids: IdForm = IdForm.SAME
    """How ids stand in the text of receipts."""


class SmppGateway:
    """The channel SMS by SMPP. ``run`` keeps the session; ``send`` works while there is one."""

    channel = Channel.SMS

    def __init__(
        self,
        name: str,
        account: SmppAccount,
        *,
        now: Callable[[], datetime],
        take: Take,
        on_change: Callable[[str], None] = lambda _: None,
        bounds: SmppBounds = SmppBounds(),
    ) -> None:
        """``on_change`` is called with "" when there is a session, else with the reason why there is none."""
        self.name = name
        self.fault = "it was not started"
        """Why there is no session; "" while there is one."""
        self._account = account
        self._now = now
        self._take = take
        self._on_change = on_change
        self._bounds = bounds
        self._client: smpp34.Client | None = None
        self._session: smpp34.Smsc | None = None
        self._given_up = asyncio.Event()
        self._window = asyncio.Semaphore(WINDOW)
        self._under_way: set[asyncio.Task[smpp34.SubmitSmResp]] = set()
        self._references: OrderedDict[str, str] = OrderedDict()
        self._joiner = Joiner()
        self._texts = 0
        self._rules = PacketRules(alphabet=account.alphabet, answers=account.answer_ids, receipts=account.receipt_ids)

    # --- the session --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep a session until cancelled, and take what the SMSC sends."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._flush_late())
            group.create_task(self._keep_session())

    async def _keep_session(self) -> None:
        wait = self._bounds.first_wait_s
        while True:
            try:
                await self._bind()
                wait = self._bounds.first_wait_s
                await self._read()
            except (smpp34.SmppError, TimeoutError, OSError) as error:
                self._tell(_bind_fault(error))
            finally:
                await self._leave()
            await asyncio.sleep(wait)
            wait = min(wait * 2, self._bounds.longest_wait_s)

    async def _bind(self) -> None:
        account = self._account
        self._given_up.clear()
        self._client = smpp34.Client(
            account.host,
            account.port,
            account.user,
            account.password,
            bind_type="TRX",
            system_type=account.system_type,
            tls=account.tls,
            window_size=WINDOW,
            inbound_capacity=INBOUND,
            connect_timeout_ms=int(self._bounds.bind_s * 1000),
        )
        async with asyncio.timeout(self._bounds.bind_s + 1):
            self._session = await self._client.connect()
        self._tell("")

    async def _read(self) -> None:
        session = self._session
        while session is not None and session is self._session:
            event = await self._next(session)
            if event is None or isinstance(event, smpp34.Disconnected):
                self._tell("the SMSC ended the session, or did not answer any more")
                return
            await self._receive(event)

    async def _next(self, session: smpp34.Smsc) -> smpp34.DeliverSmEvent | smpp34.Disconnected | None:
        """Return the next event; None if a submit found that the SMSC does not answer. smpp34 would go on waiting."""
        event, given_up = asyncio.ensure_future(session.next()), asyncio.ensure_future(self._given_up.wait())
        try:
            await asyncio.wait({event, given_up}, return_when=asyncio.FIRST_COMPLETED)
            return event.result() if event.done() else None
        finally:
            event.cancel()
            given_up.cancel()

    async def _leave(self) -> None:
        session, client = self._session, self._client
        self._session = self._client = None
        if not self.fault:
            self._tell("the session was ended")
        with suppress(smpp34.SmppError, TimeoutError, OSError):
            async with asyncio.timeout(1):
                if session is not None:
                    await session.unbind()
        with suppress(smpp34.SmppError, TimeoutError, OSError):
            async with asyncio.timeout(1):
                if client is not None:
                    await client.stop()

    def _tell(self, fault: str) -> None:
        if fault != self.fault:
            self.fault = fault
            self._on_change(fault)

    # --- what the SMSC sends ------------------------------------------------------------------------------------------

    async def _receive(self, event: smpp34.DeliverSmEvent) -> None:
        packet = Packet(
            source=event.source_addr,
            destination=event.destination_addr,
            esm_class=event.esm_class,
            coding=event.data_coding,
            text=bytes(event.short_message),
            parameters={one.tag: bytes(one.value) for one in event.tlvs},
        )
        received = read(packet, self._rules, self._joiner, self._now())
        if received.reports:
            received = Received(reports=tuple([await self._with_reference(one) for one in received.reports]))
        if received != Received():
            await self._keep(packet.raw, received)

    async def _with_reference(self, report: DeliveryReport) -> DeliveryReport:
        """Return the report with our reference. A receipt can come before the answer that tells the message's id."""
        if report.provider_id not in self._references and self._under_way:
            await asyncio.wait(set(self._under_way), timeout=self._bounds.hold_s)
            await asyncio.sleep(0)  # the senders note their ids
        return replace(report, reference=self._references.get(report.provider_id, ""))

    async def _keep(self, raw: bytes, received: Received) -> None:
        """Keep what was received. The SMSC has its receipt already, so this is tried until the disk has it."""
        while True:
            try:
                await self._take(raw, received)
            except VetllaError:
                await asyncio.sleep(self._bounds.keep_again_s)
            else:
                return

    async def _flush_late(self) -> None:
        while True:
            await asyncio.sleep(self._bounds.late_check_s)
            for phone, text in self._joiner.late(self._now()):
                await self._keep(b"", Received(replies=(reply(phone, text, self._now()),)))

    # --- what we send -------------------------------------------------------------------------------------------------

    async def send(self, message: Outgoing) -> Accepted:
        """Submit a text, in parts if it is long. The last part's receipt stands for the whole text.

        Raises RefusedError with the SMSC's status, OutcomeUnknownError, or LinkError if nothing was sent.
        """
        if not message.text:
            raise RefusedError("an SMS needs a text")
        recipient(message.phone)
        parts = self._parts(message.text)
        given = ""
        for place, part in enumerate(parts):
            is_last = place == len(parts) - 1
            given = await self._submitted(message, part, is_first=place == 0, is_last=is_last)
        return Accepted(given)

    def _parts(self, text: str) -> list[Part]:
        account = self._account
        if account.long_text is LongText.PAYLOAD:
            coding = coding_of(text, account.alphabet)
            return [Part(bytes_of(text, coding, account.alphabet), coding, 0)]
        self._texts += 1
        try:
            return parts_for(text, account.alphabet, self._texts)
        except ValueError as error:
            raise RefusedError(str(error)) from None

    async def _submitted(self, message: Outgoing, part: Part, *, is_first: bool, is_last: bool) -> str:
        """Return the id of a part. After the first part, the outcome of the text is unknown until the last."""
        for attempt in range(1, self._bounds.part_tries + 1):
            try:
                response = await self._submit(message, part, is_last=is_last)
            except LinkError:
                if is_first:
                    raise
                raise OutcomeUnknownError("the session ended between two parts of a text") from None
            if response.is_success:
                return self._noted(message.reference, response.message_id or "", is_last=is_last)
            if is_first:
                status = response.command_status
                raise RefusedError(f"the SMSC refused the message: status {status}", code=str(status))
            if response.command_status not in THROTTLED or attempt == self._bounds.part_tries:
                break
            await asyncio.sleep(float(attempt))
        raise OutcomeUnknownError("the SMSC accepted a part of the text and refused another")

    def _noted(self, reference: str, given: str, *, is_last: bool) -> str:
        name = one_form(given, self._account.answer_ids)
        if is_last and not name:
            raise OutcomeUnknownError("the SMSC accepted the message and gave it no id")
        if is_last:
            self._references[name] = reference
            if len(self._references) > REMEMBERED:
                self._references.popitem(last=False)
        return name

    async def _submit(self, message: Outgoing, part: Part, *, is_last: bool) -> smpp34.SubmitSmResp:
        """Return the SMSC's answer. Raises LinkError without a session, OutcomeUnknownError without an answer."""
        async with self._window:
            session = self._session
            if session is None:
                raise LinkError(f"SMPP: there is no session with {self._account.host}: {self.fault}")
            task = asyncio.ensure_future(_call(session, self._account, message, part, is_last=is_last))
            self._under_way.add(task)
            try:
                async with asyncio.timeout(self._bounds.answer_s):
                    return await task
            except (smpp34.SmppError, TimeoutError, OSError):
                self._give_up(session)
                raise OutcomeUnknownError("the SMSC did not answer a submit") from None
            finally:
                self._under_way.discard(task)

    def _give_up(self, session: smpp34.Smsc) -> None:
        """End a session that does not answer, so that a new one is made."""
        if session is self._session:
            self._session = None
            self._given_up.set()
            self._tell("the SMSC did not answer a submit")


async def _call(
    session: smpp34.Smsc, account: SmppAccount, message: Outgoing, part: Part, *, is_last: bool
) -> smpp34.SubmitSmResp:
    source = _source(account.sender)
    is_payload = len(part.data) > _PAYLOAD_BYTES or account.long_text is LongText.PAYLOAD
    return await session.submit_sm(
        message.phone.removeprefix("+"),
        b"" if is_payload else part.data,
        source_addr=source.text,
        source_addr_ton=source.ton,
        source_addr_npi=source.npi,
        dest_addr_ton=1,  # international
        dest_addr_npi=1,  # E.164
        esm_class=part.esm_class,
        registered_delivery=1 if is_last else 0,
        data_coding=int(part.coding),
        validity_period=validity(message.useful_s),
        tlvs=[smpp34.Tlv(PAYLOAD, part.data)] if is_payload else [],
    )


def validity(seconds: int) -> str:
    """Return the time in which a message is useful as SMPP writes it (3.4, 7.1.1): relative; "" for no limit."""
    if not seconds:
        return ""
    minutes, rest = divmod(min(seconds, _LONGEST_USEFUL_S), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return f"0000{days:02}{hours:02}{minutes:02}{rest:02}000R"


def _source(given: str) -> _Address:
    """Return the sender with its kind: international number, short number, or name (SMPP 3.4, 5.2.5 and 5.2.6)."""
    digits = given.removeprefix("+")
    if not digits.isdigit():
        return _Address(given, 5, 0)
    return _Address(digits, 1, 1) if len(digits) > 8 else _Address(digits, 3, 0)


def _bind_fault(error: BaseException) -> str:
    """Return why there is no session. smpp34 tells a refused bind as one that took too long."""
    words = str(error)
    if "timed out" in words or isinstance(error, TimeoutError):
        return "the SMSC did not accept the bind: user, password or system type may be wrong, or it does not answer"
    return words or type(error).__name__


def failure_table() -> FailureTable:
    """Return the table of statuses and states that is installed: ``smpp_errors.csv`` beside this file."""
    return failure_table_of(files(__package__).joinpath("smpp_errors.csv").read_text(encoding="utf-8"))

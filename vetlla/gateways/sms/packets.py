"""What an SMSC sends by itself (``deliver_sm`` of SMPP 3.4): receipts and citizens' messages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from vetlla.domain.messages import Channel, Delivery, DeliveryReport, IncomingReply
from vetlla.gateways.received import Received, Unread
from vetlla.gateways.sms.coding import Joint, text_of, without_header
from vetlla.gateways.sms.numbers import sender
from vetlla.gateways.sms.receipts import TYPE, IdForm, receipt_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vetlla.gateways.sms.coding import Alphabet
    from vetlla.gateways.sms.joining import Joiner

PAYLOAD: Final = 0x0424
"""Tag of the parameter ``message_payload``."""
_SAR_NUMBER, _SAR_PARTS, _SAR_PART = 0x020C, 0x020E, 0x020F


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A ``deliver_sm``."""

    source: str
    destination: str
    esm_class: int
    coding: int
    text: bytes
    parameters: Mapping[int, bytes]

    @property
    def data(self) -> bytes:
        """The text, which may stand in a parameter."""
        return self.text or self.parameters.get(PAYLOAD, b"")

    @property
    def raw(self) -> bytes:
        """The packet as JSON, with bytes in hexadecimal."""
        parameters = {f"0x{tag:04x}": value.hex() for tag, value in self.parameters.items()}
        return json.dumps(
            {
                "source": self.source,
                "destination": self.destination,
                "esm_class": self.esm_class,
                "data_coding": self.coding,
                "text": self.text.hex(),
                "parameters": parameters,
            }
        ).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketRules:
    """How this SMSC writes."""

    alphabet: Alphabet
    answers: IdForm
    receipts: IdForm


def read(packet: Packet, rules: PacketRules, joiner: Joiner, now: datetime) -> Received:
    """Return what a packet tells: a report, a reply, nothing yet (a part of a text), or what could not be read.

    The report has no reference: who submitted the message knows it.
    """
    receipt = receipt_of(
        packet.esm_class, packet.data, packet.parameters, answers=rules.answers, receipts=rules.receipts
    )
    if receipt is not None:
        if receipt.delivery is None:
            return _unread("the receipt has a state that says nothing", packet)
        is_failed = receipt.delivery is Delivery.FAILED
        report = DeliveryReport(
            provider_id=receipt.id,
            delivery=receipt.delivery,
            at=now,
            code=receipt.state if is_failed else "",
            detail=receipt.detail,
            phone=sender(packet.source),
        )
        return Received(reports=(report,))
    if packet.esm_class & TYPE:
        return _unread("it is neither a message nor a receipt that names one", packet)
    phone = sender(packet.source)
    if not phone:
        return _unread("the sender cannot be answered", packet)
    data, joint = without_header(packet.data, packet.esm_class)
    joint = joint or _sar(packet.parameters)
    text = text_of(data, packet.coding, rules.alphabet)
    whole = text if joint is None else joiner.add(phone, joint, text, now)
    return Received() if whole is None else Received(replies=(reply(phone, whole, now),))


def reply(phone: str, text: str, now: datetime) -> IncomingReply:
    """Return a citizen's message. SMPP gives it no id, so it gets one of number, text and time."""
    made = sha256(f"{phone}\0{text}\0{now.isoformat()}".encode("utf-8", "replace")).hexdigest()[:32]
    return IncomingReply(provider_id=f"smpp:{made}", channel=Channel.SMS, at=now, phone=phone, text=text)


def _unread(reason: str, packet: Packet) -> Received:
    return Received(unread=(Unread("", reason, packet.raw.decode()),))


def _sar(parameters: Mapping[int, bytes]) -> Joint | None:
    """Return what the parameters say about parts (SMPP 3.4, 5.3.2.22 to 24)."""
    number, parts, part = (
        int.from_bytes(parameters.get(tag, b""), "big") for tag in (_SAR_NUMBER, _SAR_PARTS, _SAR_PART)
    )
    return Joint(number, parts, part) if 1 <= part <= parts and parts > 1 else None

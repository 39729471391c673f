"""Requests of terminals as reports: what happened, to which account, where, and the answer to each.

A request that is broken, or misses what it must have, is a report nevertheless: it may be a call for help. Its answer
says what is wrong (``snu``), and so does the report. A body in which no request is found is one too if it looks like
SCAIP; any other body is evidence.
The topic of a message is the address in From, so that an operator sees who sent it even if the body does not say it.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from vetlla.domain.printable import printable
from vetlla.domain.signals import AccountId, Event, Kind, Phase, Reason, Reject, Signal, VerdictOutcome
from vetlla.protocols.codes.scaip import SCAIP, component, location
from vetlla.protocols.scaip.answer import AnswerStatus, Calling, Media, ScaipAnswer, write_answer
from vetlla.protocols.scaip.markup import MAX_BODY
from vetlla.protocols.scaip.place import position_of
from vetlla.protocols.scaip.request import REF_MOST, MessageType, read_requests
from vetlla.protocols.sip.uri import read_uri

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.signals import Item, Verdict
    from vetlla.protocols.decoder import KeyLookup, Message
    from vetlla.protocols.scaip.request import ScaipRequest

NAME: Final = "scaip"
UNREAD: Final = "unread"
"""Code of a body in which no request was found."""
STATUS: Final = "snu"
"""Detail with the status of the answer, if the request has a fault."""
SENDER: Final = "from"
"""Detail with the user of From, if it is not the controller's id."""
TEXT_MOST: Final = 500
"""Most characters of an element that are shown. The standard's longest has 256, and the raw bytes keep all."""
ACCOUNT_MOST: Final = 64
"""Most characters of an account that are taken."""

_OF_CONTROLLER: Final = frozenset({"0002", "0045", "0048"})
"""Device types of the home unit itself, whose reports are the terminal's own and no device's behind it."""
_BY_TYPE: Final = frozenset({MessageType.HEARTBEAT, MessageType.RESET})
"""Types that say what a request is, whatever its codes are. Information with a code says what the code says."""
_TEXTS: Final = ("stt", "dte", "lte", "ite")
_TAKEN: Final = frozenset({"ref", "cid", "did", *_TEXTS, "lge/geo", "lge/tim", "lge/gga"})
_QUIET: Final = frozenset({
    Kind.HEARTBEAT, Kind.PRESENCE, Kind.STAFF_PRESENCE, Kind.CANCEL, Kind.RESET, Kind.CONFIGURATION, Kind.VITALS,
    Kind.POSITION, Kind.PERIODIC_TEST, Kind.BATTERY_LOW, Kind.MAINS_LOST, Kind.DEVICE_LOST, Kind.TAMPER,
    Kind.PATH_TROUBLE, Kind.JAMMING, Kind.FAULT,
})  # fmt: skip
"""Kinds of reports after which the terminal must not call: no person waits there for a voice."""
_NO_VOICE: Final = "no-voice:"
_WORDS: Final = {
    AnswerStatus.TOO_LONG: "its reference or its id is too long",
    AnswerStatus.BAD_FORMAT: "it is not whole",
    AnswerStatus.WRONG_DATA: "a code is no number, or it says two things at once",
    AnswerStatus.MISSING: "its reference or its id is missing",
}
_LOOKS: Final = (b"mrq", b"scaip")


class ScaipDecoder:
    """Reads one body after the other."""

    def __init__(self, _: KeyLookup) -> None:
        """Take no keys, because only the transport is encrypted, not the bodies."""

    def read(self, message: Message) -> list[Item]:
        """Return the reports of one body, each with an answer of its own. Never raises because of what came."""
        raw = message.payload[:MAX_BODY]
        sender = _user_of(message.topic)
        requests = read_requests(message.payload)
        if requests:
            return [_signal(one, sender, raw) for one in requests]
        if any(word in raw.lower() for word in _LOOKS):
            return [_unread(sender, raw)]
        text = "the body of a MESSAGE is no request of SCAIP"
        who = AccountId("", "", sender) if sender else None
        return [Reject(protocol=NAME, reason=Reason.MALFORMED, raw=raw, text=text, id=who, kind=Kind.UNREADABLE)]

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:  # noqa: ARG002 the contract's
        """Return the body of the answer (``mrs``). It asks for a call only if a person may wait for a voice."""
        if verdict.outcome is VerdictOutcome.REFUSED:
            why = verdict.reason.value if verdict.reason is not None else ""
            return _quiet(signal, AnswerStatus.NOT_TREATED, f"refused: {why}")
        status = AnswerStatus(int(signal.details.get(STATUS, "0")))
        text = _WORDS.get(status, "")
        if not _wants_voice(signal):
            return _quiet(signal, status, text)
        calls_back = signal.details.get("cha", "").lstrip("0") == "1"
        calling = Calling.NONE if calls_back else Calling.PROGRAMMED
        return write_answer(ScaipAnswer(signal.sequence, status, text, Media.DUPLEX, calling))


def _quiet(signal: Signal, status: AnswerStatus, text: str) -> bytes:
    return write_answer(ScaipAnswer(signal.sequence, status, text, Media.NONE, Calling.NONE))


def _wants_voice(signal: Signal) -> bool:
    """Return True if the terminal shall call, or wait for a call."""
    if signal.event.kind in _QUIET or signal.event.phase is not Phase.NEW:
        return False
    addresses = signal.details.get("crd", "")
    return addresses != _NO_VOICE


def _user_of(address: str) -> str:
    """Return the user of an address; "" without one."""
    uri = read_uri(address)
    return _plain(uri.user)[:ACCOUNT_MOST] if uri is not None else ""


def _plain(text: str) -> str:
    """Return a text of a terminal as it can be shown and stored."""
    whole = text if text.isprintable() else printable(text.encode("utf-8", "replace").decode())
    return whole.strip()[:TEXT_MOST]


def _unread(sender: str, raw: bytes) -> Signal:
    row = SCAIP.find(UNREAD)
    return Signal(
        protocol=NAME,
        id=AccountId("", "", sender),
        event=Event(row.kind, row.phase, UNREAD, SCAIP.system),
        raw=raw,
        text="the body could not be read: it may be a call for help",
        details={STATUS: str(AnswerStatus.BAD_FORMAT.value)},
    )


def _signal(request: ScaipRequest, sender: str, raw: bytes) -> Signal:
    cid = _plain(request.cid)[:ACCOUNT_MOST]
    kind, code = request.type, request.code
    dty = code.partition("-")[0]
    if kind in _BY_TYPE or not code:
        code = kind.value
    row = SCAIP.find(code)
    device = "" if dty in _OF_CONTROLLER else _plain(request.first("did"))
    fault = request.objection()
    position, place_details = position_of(request.first)
    texts = [text for name in _TEXTS if (text := _plain(request.first(name)))]
    if fault is not AnswerStatus.ACCEPTED:
        texts.append(f"the request has a fault: {_WORDS[fault]}")
    is_sure = bool(request.ref and cid) and not (request.contradicts("ref") or request.contradicts("cid"))
    return Signal(
        protocol=NAME,
        id=AccountId("", "", cid or sender),
        event=Event(row.kind, row.phase, code, SCAIP.system),
        raw=raw,
        device=device,
        text="; ".join(texts)[:TEXT_MOST],
        sequence=_plain(request.ref)[:REF_MOST],
        position=position,
        details=_details(request) | place_details | _about(fault, cid, sender),
        identity=_identity(cid, request.ref, code, device) if is_sure else b"",
    )


def _details(request: ScaipRequest) -> dict[str, str]:
    """Return every other element under its own name, those that we do not know too, and the names of codes."""
    details = {
        _plain(name): text
        for name, values in request.fields.items()
        if name not in _TAKEN and (text := _plain(", ".join(value.strip() for value in values)))
    }
    names = {"location": location, "component": component}
    for name, code in (("location", "lco"), ("component", "dco")):
        digits = request.first(code)
        if digits.isascii() and digits.isdigit() and (found := names[name](digits)):
            details[name] = found
    return details


def _about(fault: AnswerStatus, cid: str, sender: str) -> dict[str, str]:
    about = {}
    if fault is not AnswerStatus.ACCEPTED:
        about[STATUS] = str(fault.value)
    if sender and sender != cid:
        about[SENDER] = sender
    return about


def _identity(*parts: str) -> bytes:
    """Return what all repetitions of a request have in common: controller, reference, and what it says."""
    whole = "\0".join((NAME, *parts))
    return blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()

"""Vetlla's open convention for telecare over MQTT 5 (docs/protocols/mqtt.md): terminals, UCR auto-presence, events.

    tc/1/TERMINAL/hb            {"boot":7,"seq":120,"ts":"...","rssi":-71,"mains":true,"batt":98}
    tc/1/TERMINAL/DEV/hb        {"boot":7,"seq":44,"ts":"...","batt_mv":2950,"low":false,"rssi":-60,"worn":true}
    tc/1/TERMINAL[/DEV]/ev      {"ref":"7-000451","dty":"0003","stc":"0010","lco":"011","pri":0,"ts":"..."}
    tc/1/TERMINAL/$state        ready        init, sleeping, disconnected, lost (last will); or {"state":"ready",...}
    tc/1/TERMINAL/$info         {"model":"...","firmware":"...","serial":"...","made":"2026-W14"}

    1          version of the convention, as a level of its own, so that two versions can use one broker
    TERMINAL   the account: letters, digits, . _ -; client id, user name and certificate of the connection are the same
    DEV        the device behind the terminal (UCR, detector); without it the message is of the terminal itself
    ref        the event's own reference, which stays the same in every repetition until its receipt has come
    dty, stc   device type and status in the code tables of SCAIP; without stc it is a manual alarm

The listener publishes the receipt (``answer``) when the event was committed.
State words are those of Homie (homieiot.github.io). It was tested with Mosquitto 2.0.11.
"""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import AccountId, Event, Kind, Phase, Reason, Reject, Reply, Signal, VerdictOutcome
from vetlla.protocols.codes.scaip import SCAIP
from vetlla.protocols.codes.tables import MQTT
from vetlla.protocols.mqtt import objects
from vetlla.protocols.mqtt.payload import Payload, Unreadable, clean, echo

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.signals import Item, Verdict
    from vetlla.protocols.decoder import KeyLookup, Message
    from vetlla.protocols.mqtt.values import Json

NAME: Final = "mqtt"
MAX_FRAME: Final = 8192
"""Bytes of a message that are read. An event with every field of the convention at its longest has about 1,500."""
VERSION: Final = "1"
REMOVED: Final = "(null)"
"""What ``mosquitto_sub -v`` prints for an empty payload, by which a retained message was removed."""
LAST_WILLS: Final = frozenset({"lost", "offline", "false", "0"})
"""States that the broker reports of a terminal; the terminal does not report them itself."""
RESERVED: Final = frozenset({"arc", "tc"})
"""Names that no terminal has: the receivers' own branch, and a name that looks like the beginning of a topic."""

_REMOVED: Final = REMOVED.encode()
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_TOPIC: Final = re.compile(rf"tc/{VERSION}/({_NAME.pattern})/(?:([^/]*)/)?([^/]*)", re.ASCII)
"""Groups: terminal, device if there is one, last level."""
_NAMED: Final = "must be 1 to 64 letters, digits and . _ -"
_LEAST: Final = {"ev": '{"ref":"7-000451","dty":"0003"}', "hb": '{"boot":7,"seq":120}', "$info": '{"model":"TC-1"}'}
"""The shortest payloads, as examples for the maker of a device."""


class _Sender(NamedTuple):
    """The terminal and device that a topic names, and its last level, which is the kind of message."""

    who: AccountId
    device: str
    leaf: str


class _Content(NamedTuple):
    """The content of a message: its payload as an object or, if it is no object, as a word."""

    topic: str
    payload: dict[str, Json] | str
    raw: bytes


class MqttDecoder:
    """Reads one message after the other."""

    def __init__(self, _: KeyLookup) -> None:
        """Take no keys, because only the connection to the broker is encrypted, not its messages."""

    def read(self, message: Message) -> list[Item]:
        """Return the items of one message: at most one signal, and only of the terminal that the topic names."""
        items = _read(message.topic, message.payload)
        return [_kept(item) if isinstance(item, Signal) else item for item in items] if message.retained else items

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:  # noqa: ARG002 the contract's
        """Return the receipt of an event; b"" for anything else, because a terminal waits only for these receipts."""
        if signal.event.system != SCAIP.system:
            return b""
        return receipt(signal.sequence, verdict.reason if verdict.outcome is VerdictOutcome.REFUSED else None)


def _kept(signal: Signal) -> Signal:
    """Return a signal that the broker kept, which is no sign of life. A reported loss does not open an alarm again."""
    is_state = signal.event.system == MQTT.system
    return signal._replace(from_broker=True, repeated=is_state and signal.event.phase is Phase.NEW)


def _read(topic: str, payload: bytes) -> list[Item]:
    named = topic.encode("utf-8", "surrogateescape")
    whole = (named + b" " if named else b"") + (payload or _REMOVED)
    raw = whole[:MAX_FRAME]
    found = objects.read(payload[: max(0, MAX_FRAME - len(named) - 1)])
    items = _items(_Content(topic, REMOVED if found.content == "" else found.content, raw))
    if found.trailing:
        text = "a message must hold one object and nothing after it"
        # Another object after an event may be another call.
        kind = Kind.UNREADABLE if _is_event(topic) and "{" in found.trailing else Kind.FAULT
        return [*items, _beside(topic, raw, Reason.MALFORMED, text, kind)]
    if len(whole) > MAX_FRAME:
        text = f"only the first {MAX_FRAME} of {len(whole)} bytes are read: the payload must be shorter"
        return [*items, _beside(topic, raw, Reason.TOO_LONG, text)]
    return items


def _beside(topic: str, raw: bytes, reason: Reason, text: str, kind: Kind = Kind.FAULT) -> Reject:
    """Return a message as evidence, because a part of it is not read."""
    terminal = terminal_of(topic)
    who = AccountId("", "", terminal) if terminal else None
    return Reject(protocol=NAME, reason=reason, raw=raw, text=text, id=who, kind=kind)


def receipt(ref: str, refused: Reason | None = None) -> bytes:
    """Return the receipt for an event: accepted, or refused with the reason."""
    fields = {"ref": ref, "status": "refused" if refused else "accepted"}
    if refused:
        fields["reason"] = refused.value
    return json.dumps(fields, separators=(",", ":")).encode()


def terminal_of(topic: str) -> str:
    """Return the terminal that a topic of this version names; "" if it names none."""
    named = _TOPIC.fullmatch(topic)
    return named[1] if named is not None and named[1] not in RESERVED else ""


def _items(message: _Content) -> list[Item]:
    place = _place(message.topic)
    try:
        if isinstance(place, _Sender):
            return [_signal(message, place)]
        reason, text = Reason.UNSUPPORTED, place
    except Unreadable as error:
        reason, text = Reason.MALFORMED, str(error)
    kind = Kind.UNREADABLE if _is_event(message.topic) else Kind.FAULT
    return [_beside(message.topic, message.raw, reason, text, kind), *_refusal(message, reason)]


def _refusal(message: _Content, reason: Reason) -> list[Item]:
    """Return the receipt that refuses an event, if its reference can be read; a refusal promises nothing."""
    if isinstance(message.payload, str) or not _is_event(message.topic):
        return []
    ref = echo(message.payload.get("ref"))
    return [Reply(data=receipt(ref, reason))] if ref else []


def _is_event(topic: str) -> bool:
    """Return True if a topic is one for events, of a terminal that it names in this version."""
    return topic.endswith("/ev") and bool(terminal_of(topic))


def _place(topic: str) -> _Sender | str:
    """Return what a topic names, or what is wrong with it.

    The text does not repeat the topic, because it is logged and the topic names a home. The raw bytes hold the topic.
    """
    levels = topic.split("/")
    if levels[:2] != ["tc", VERSION]:
        wrong = "of another version of the convention" if levels[0] == "tc" else "not one of the convention"
        return f"the topic is {wrong}; this receiver speaks version {VERSION}"
    match levels[2:]:
        case [terminal, leaf]:
            device = ""
        case [terminal, device, leaf]:
            if not _NAME.fullmatch(device) or device in RESERVED:
                return f"the device's name {_NAMED}"
        case _:
            return f"the topic is not one of tc/{VERSION}/TERMINAL/..., tc/{VERSION}/TERMINAL/DEVICE/..."
    if not _NAME.fullmatch(terminal) or terminal in RESERVED:
        return f"the terminal's name {_NAMED}, and not one of {', '.join(sorted(RESERVED))}"
    known = {"hb", "ev"} if device else {"hb", "ev", "$state", "$info"}
    if leaf not in known:
        return f"the last level of the topic must be one of {', '.join(sorted(known))}"
    return _Sender(AccountId("", "", terminal), device, leaf)


def _signal(message: _Content, place: _Sender) -> Signal:
    payload = message.payload
    if place.leaf == "$state":
        return _state(message, place)
    if payload == REMOVED and place.leaf == "$info":
        return _made(message, place, "$info", details={"info": "removed"})
    if isinstance(payload, str):
        raise Unreadable(f"the payload must be a JSON object, such as {_LEAST[place.leaf]}")
    fields = Payload(payload)
    if place.leaf == "ev":
        return _event(message, place, fields)
    if place.leaf == "$info":
        return _made(message, place, "$info", details=fields.details())
    return _beat(message, place, fields)


def _made(message: _Content, place: _Sender, code: str, *, details: dict[str, str]) -> Signal:
    return Signal(NAME, place.who, MQTT.event(code), message.raw, device=place.device, details=details)


def _event(message: _Content, place: _Sender, fields: Payload) -> Signal:
    ref, code = fields.ref(), fields.code()
    row = SCAIP.find(code)
    return Signal(
        protocol=NAME,
        id=place.who,
        event=Event(row.kind, row.phase, code, SCAIP.system),
        raw=message.raw,
        device=place.device,
        text=fields.text("text"),
        sequence=ref.text,
        occurred_at=fields.moment(),
        position=fields.position(),
        measurements=fields.measurements(),
        details=fields.details(),
        # The identity has the code too, because some firmware gives all events one reference, and a restore must not
        # hide a press. An event with two references may be either of two events, so it has no identity.
        identity=_identity(place, "ev", ref.text, code) if ref.is_certain else b"",
    )


def _beat(message: _Content, place: _Sender, fields: Payload) -> Signal:
    boot, seq = fields.counter("boot"), fields.counter("seq")
    return Signal(
        protocol=NAME,
        id=place.who,
        event=MQTT.event("dev/hb" if place.device else "hb"),
        raw=message.raw,
        device=place.device,
        sequence=seq,
        occurred_at=fields.moment(),
        measurements=fields.measurements(),
        details=_counted(boot, seq) | fields.details(),
        identity=_identity(place, "hb", boot, seq) if boot and seq else b"",
    )


def _state(message: _Content, place: _Sender) -> Signal:
    """Return a state. A bare word has no identity, because two losses with a return between them are two events."""
    if isinstance(message.payload, str):
        return _stated(message, place, clean(message.payload), details={})
    fields = Payload(message.payload)
    word = fields.word("state")
    if not word:
        raise Unreadable('"state" must be one of init, ready, sleeping, disconnected, lost')
    boot, seq, at = fields.counter("boot"), fields.counter("seq"), fields.moment()
    signal = _stated(message, place, word, details=_counted(boot, seq) | fields.details())
    identity = _identity(place, "$state", word, boot, seq) if boot and seq else b""
    return signal._replace(sequence=seq, occurred_at=at, identity=identity)


def _stated(message: _Content, place: _Sender, word: str, *, details: dict[str, str]) -> Signal:
    """Return a state by its word in upper or lower case, because Tasmota changed from one to the other (4652)."""
    code = word.casefold()
    if code not in MQTT.known:
        return _made(message, place, word, details=details)
    if code != word:
        details = details | {"state": word}
    return _made(message, place, code, details=details)._replace(from_broker=code in LAST_WILLS)


def _counted(boot: str, seq: str) -> dict[str, str]:
    return {name: value for name, value in (("boot", boot), ("seq", seq)) if value}


def _identity(place: _Sender, *parts: str) -> bytes:
    """Return what all repetitions of a message have in common."""
    whole = "\0".join((NAME, place.who.account, place.device, *parts))
    return blake2b(whole.encode(), digest_size=16).digest()

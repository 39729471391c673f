"""The form in which sinks send a signal as JSON, in version 1. ``docs/onward.schema.json`` is made from it.

Within a version fields are only added, so a reader must ignore what it does not know.
"""

import json
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict  # pydantic cannot use the one of Python 3.11

from vetlla.domain.clock import iso, to_us
from vetlla.domain.onward import Onward
from vetlla.domain.signals import Flag, Kind, Phase, Priority, Signal
from vetlla.receiver.control.messages.base import OneOf

VERSION: Final = 1
_form = with_config(ConfigDict(extra="allow"))
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Stamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")]
"""ISO 8601 in UTC, with microseconds."""


@_form
class CallerFields(TypedDict):
    """Who reported, as in the report."""

    receiver: str
    line: str
    account: str


@_form
class PlaceFields(TypedDict):
    """Where the device says that it is: degrees WGS 84, metres."""

    latitude: float
    longitude: float
    altitude_m: float | None
    accuracy_m: float | None
    source: str
    at: Stamp | None


@_form
class OnwardFields(TypedDict):
    """A stored signal."""

    number: int
    """Number in the receiver's journal: it rises, and none is used twice. A repetition has the same number."""
    received: Stamp
    occurred: Stamp | None
    """When it happened by the device's clock."""
    sent: Stamp | None
    """When the report was made by the device's clock."""
    caller: CallerFields
    home: str
    """Code of the home; for a caller without one its account or its address."""
    district: str
    """District of the home, as the inventory has it now; empty if it is not known."""
    labels: list[str]
    """Labels of the account, as it is registered now."""
    kind: Annotated[str, OneOf(*Kind)]
    phase: Annotated[str, OneOf(*Phase)]
    code: str
    """The code as received."""
    system: str
    """The system of codes to which it belongs."""
    priority: Annotated[str, OneOf(*Priority.__members__)]
    device: str
    area: str
    text: str
    position: PlaceFields | None
    measurements: dict[str, float]
    details: dict[str, str]
    flags: list[Annotated[str, OneOf(*(flag.name.lower() for flag in Flag if flag.name))]]
    alarm: int | None
    """Number of the alarm that the signal opened or joined."""
    protocol: str
    listener: str
    replayed: bool
    """True if an engineer had it sent again."""
    test: bool
    """True if it is invented, by ``vetlla sinks test``."""


@_form
class SignalsMessage(TypedDict):
    """What a webhook posts."""

    version: Literal[1]
    sink: str
    """Name of the sink."""
    signals: list[OnwardFields]
    """In the order of their numbers."""


@_form
class SignalMessage(TypedDict):
    """What is published under a topic of MQTT."""

    version: Literal[1]
    sink: str
    """Name of the sink."""
    signal: OnwardFields


def fields_of(record: Onward) -> OnwardFields:
    """Return a signal as it is sent."""
    signal = record.signal
    kind, phase, code, system = signal.event
    receiver, line, account = signal.id
    return {
        "number": record.number,
        "received": iso(record.received_us),
        "occurred": None if signal.occurred_at is None else iso(to_us(signal.occurred_at)),
        "sent": None if signal.sent_at is None else iso(to_us(signal.sent_at)),
        "caller": {"receiver": receiver, "line": line, "account": account},
        "home": record.home,
        "district": record.district,
        "labels": list(record.labels),
        "kind": kind.value,
        "phase": phase.value,
        "code": code,
        "system": system,
        "priority": record.priority.name,
        "device": signal.device,
        "area": signal.area,
        "text": signal.text,
        "position": _place_of(signal),
        "measurements": dict(signal.measurements),
        "details": dict(signal.details),
        "flags": [flag.name.lower() for flag in record.flags if flag.name],
        "alarm": record.alarm,
        "protocol": signal.protocol,
        "listener": record.listener,
        "replayed": record.replayed,
        "test": record.test,
    }


def encoded(value: Any) -> bytes:  # noqa: ANN401 - any of the forms above
    """Return a message or a part of it as JSON."""
    return _encode(value).encode()


def one_signal(sink: str, record: Onward) -> bytes:
    """Return the message about one signal (``SignalMessage``)."""
    return encoded({"version": VERSION, "sink": sink, "signal": fields_of(record)})


def several_signals(sink: str, parts: list[bytes]) -> bytes:
    """Return the message about signals that are JSON already (``SignalsMessage``)."""
    head = encoded({"version": VERSION, "sink": sink, "signals": []}).removesuffix(b"]}")
    return head + b",".join(parts) + b"]}"


def _place_of(signal: Signal) -> PlaceFields | None:
    place = signal.position
    if place is None:
        return None
    return {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "altitude_m": place.altitude_m,
        "accuracy_m": place.accuracy_m,
        "source": place.source,
        "at": None if place.at is None else iso(to_us(place.at)),
    }

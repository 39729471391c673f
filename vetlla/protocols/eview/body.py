"""Reads the bodies of Eview frames, ``command (len key value)...``, in which all integers are little-endian.

``len`` counts the key byte, so a value has ``len - 1`` bytes. Only this module uses construct, which ships no types; it
returns our own values. A value that is shorter than its description gives None and never an error, so that it does not
affect other keys. Vendors add bytes after a value, which are ignored. Keys are those of Traccar's decoder and of the
frames in fixtures/eview.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from construct import (
    Bytes,
    ConstructError,
    GreedyBytes,
    If,
    Int8sl,
    Int8ul,
    Int16sl,
    Int16ul,
    Int32sl,
    Int32ul,
    Prefixed,
    Struct,
    this,
)

from vetlla.domain.signals import NO_MEASUREMENTS, NOTHING
from vetlla.protocols.framing.charset import readable
from vetlla.protocols.framing.fields import place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vetlla.domain.signals import Position

ANSWER_TIME: Final = 0x12
ANSWER_PLACE: Final = 0x11


class _Numbers:
    """A layout of numbers and addresses only, described with construct and read with one call of ``struct``.

    The code that construct compiles takes five times as long, and leaves a cycle for the garbage collector each time.
    """

    def __init__(self, layout: Any) -> None:  # noqa: ANN401 construct's fields have no types
        fields = [field.subcon for field in layout.subcons]
        self._names = [field.name for field in layout.subcons]
        self._form = struct.Struct(
            "<" + "".join(f"{field.length}s" if isinstance(field, Bytes) else field.fmtstr[1:] for field in fields)
        )

    def parse(self, value: bytes) -> dict[str, Any]:
        """Return the values by name. Raises struct.error if the bytes are too few."""
        return dict(zip(self._names, self._form.unpack_from(value), strict=True))


_DEGREE: Final = 10_000_000
_MAC: Final = 6
_POINT: Final = Struct("lat" / Int32sl, "lon" / Int32sl)
_POINT_IF_FLAGGED: Final = If(this.flags & 0x80, _POINT)
_ALARM: Final = _Numbers(Struct("code" / Int32ul, "at" / Int32ul))
_ALARM_ALONE: Final = _Numbers(Struct("code" / Int32ul))
_VALUE: Final = _Numbers(Struct("at" / Int32ul, "value" / Int32ul))
_BYTE: Final = _Numbers(Struct("at" / Int32ul, "value" / Int8ul))
_CHARGE: Final = _Numbers(Struct("charge" / Int8ul, "millivolt" / Int16ul))
_CALL: Final = Struct(
    "at" / Int32ul, "status" / Int8ul, "duration" / Int16ul, "result" / Int8ul, "number" / GreedyBytes
).compile()
_WIFI: Final = _Numbers(Struct("rssi" / Int8sl, "mac" / Bytes(_MAC)))
_CELLS_2G: Final = _Numbers(Struct("rssi" / Int8sl, "area" / Int16ul, "cell" / Int16ul))
_CELLS_4G: Final = _Numbers(Struct("rssi" / Int8sl, "area" / Int16ul, "cell" / Int32ul))
_OPERATOR: Final = _Numbers(Struct("mcc" / Int16ul, "mnc" / Int8ul))
_OPERATOR_WIDE: Final = _Numbers(Struct("mcc" / Int16ul, "mnc" / Int16ul))
_PLACES: Final[Mapping[int, tuple[str, Any]]] = {
    0x20: (
        "gps",
        _Numbers(
            Struct(
                "lat" / Int32sl,
                "lon" / Int32sl,
                "speed_kmh" / Int16ul,
                "course" / Int16ul,
                "altitude" / Int16sl,
                "hdop" / Int16ul,
                "odometer_m" / Int32ul,
                "satellites" / Int8ul,
            )
        ),
    ),
    0x23: (
        "home_beacon",
        Struct("mac" / Bytes(_MAC), "lat" / Int32sl, "lon" / Int32sl, "text" / GreedyBytes).compile(),
    ),
    0x26: (
        "home_beacon",
        _Numbers(Struct("mac" / Bytes(_MAC), "lat" / Int32sl, "lon" / Int32sl, "hdop" / Int16ul, "altitude" / Int16sl)),
    ),
    0x27: ("phone", _Numbers(Struct("lat" / Int32sl, "lon" / Int32sl, "hdop" / Int16ul, "altitude" / Int16sl))),
    0x28: (
        "beacon",
        Struct(
            "flags" / Int8ul,
            "mac" / Bytes(_MAC),
            "rssi" / Int8sl,
            "rssi_1m" / Int8sl,
            "point" / _POINT_IF_FLAGGED,
            "text" / If(this.flags & 0x40, GreedyBytes),
        ).compile(),
    ),
    0x2A: (
        "home_wifi",
        Struct(
            "flags" / Int8ul,
            "mac" / Bytes(_MAC),
            "rssi" / Int8sl,
            "point" / _POINT_IF_FLAGGED,
            "text" / If(this.flags & 0x40, GreedyBytes),
        ).compile(),
    ),
    0x2C: (
        "beacon",
        Struct(
            "flags" / Int8ul,
            "mac" / Bytes(_MAC),
            "rssi" / Int8sl,
            "rssi_1m" / Int8sl,
            "beacon_battery" / Int8ul,
            "point" / _POINT_IF_FLAGGED,
            "text" / If(this.flags & 0x40, Prefixed(Int8ul, GreedyBytes)),
        ).compile(),
    ),
}
"""Keys that name a place, with the source of that place and their layout."""
_MAC_ONLY: Final = frozenset({0x23, 0x26})
_REVERSED_MAC: Final = frozenset({0x23, 0x26, 0x28, 0x2C})
_MEASURED: Final = ("speed_kmh", "course", "odometer_m", "satellites", "rssi", "beacon_battery")
_NETWORKS: Final[Mapping[int, tuple[Any, Any]]] = {
    0x21: (_OPERATOR, _CELLS_2G),
    0x29: (_OPERATOR, _CELLS_4G),
    0x2B: (_OPERATOR_WIDE, _CELLS_4G),
}
_WIFI_KEY, _NAMED_WIFI_KEY = 0x22, 0x19


class Whereabouts(NamedTuple):
    """What a key says about the place of the device: coordinates, or only the networks and beacons that it receives."""

    position: Position | None
    measurements: Mapping[str, float] = NO_MEASUREMENTS
    details: Mapping[str, str] = NOTHING


class Call(NamedTuple):
    """A call that the device made or took."""

    at: datetime | None
    details: Mapping[str, str]


def read_keys(body: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the keys after the command with their values, and the bytes at the end that are no key.

    A last key that claims more bytes than there are keeps those that are there, because it may be an alarm. A length of
    0 is no key and is passed over, because an alarm may follow it.
    """
    keys: list[tuple[int, bytes]] = []
    at, size = 1, len(body)
    while at + 1 < size:
        end = at + 1 + body[at]
        if not body[at]:
            at = end
            continue
        keys.append((body[at + 1], body[at + 2 : end]))
        at = end
    return keys, body[at:]


def read_alarm(value: bytes) -> tuple[int, datetime | None] | None:
    """Return the alarm's bits and its own time, which the first firmware did not send; a time of 0 gives None."""
    alarm = _parse(_ALARM, value) or _parse(_ALARM_ALONE, value)
    return (alarm["code"], _time(alarm.get("at", 0))) if alarm else None


def read_status(value: bytes) -> tuple[datetime, int] | None:
    """Return time and status word of a record."""
    status = _parse(_VALUE, value)
    return (datetime.fromtimestamp(status["at"], UTC), status["value"]) if status else None


def read_values(value: bytes, size: int) -> Iterator[tuple[datetime | None, int]]:
    """Return measurements, each with its time: entries of 8 bytes (steps, activity) or 5 (heart rate, saturation)."""
    layout = _VALUE if size == 8 else _BYTE
    for at in range(0, len(value) - size + 1, size):
        entry = _parse(layout, value[at : at + size])
        yield _time(entry["at"]), entry["value"]


def read_charge(value: bytes) -> dict[str, float]:
    """Return the battery's charge and voltage."""
    charge = _parse(_CHARGE, value)
    return {"battery": charge["charge"], "battery_v": charge["millivolt"] / 1000} if charge else {}


def read_call(value: bytes) -> Call | None:
    """Return a call's record."""
    call = _parse(_CALL, value)
    if call is None:
        return None
    fields = {"call_status": call.status, "call_seconds": call.duration, "call_result": call.result}
    return Call(_time(call.at), {**{name: str(n) for name, n in fields.items()}, "number": readable(call.number)})


def read_place(key: int, value: bytes, at: datetime | None) -> Whereabouts | None:
    """Return what a key says about the place; None if it says nothing about it or cannot be read."""
    if key in _PLACES:
        return _read_place(key, value, at)
    if key == _WIFI_KEY:
        heard = (_parse(_WIFI, value[at : at + 7]) for at in range(0, len(value) - 6, 7))
        return Whereabouts(
            None, details={"wifi": ", ".join(f"{_mac(point['mac'])} {point['rssi']}" for point in heard)}
        )
    if key == _NAMED_WIFI_KEY:
        return Whereabouts(None, details={"wifi": ", ".join(_named_wifi(value))})
    if key not in _NETWORKS:
        return None
    operator_layout, layout = _NETWORKS[key]
    operator = _parse(operator_layout, value)
    if operator is None:
        return None
    first, size = (3 if operator_layout is _OPERATOR else 4), (5 if layout is _CELLS_2G else 7)
    cells = (_parse(layout, value[at : at + size]) for at in range(first, len(value) - size + 1, size))
    network = f"{operator['mcc']}-{operator['mnc']}"
    text = ", ".join(f"{network}-{cell['area']}-{cell['cell']} {cell['rssi']}" for cell in cells)
    return Whereabouts(None, details={"cells": text})


def _read_place(key: int, value: bytes, at: datetime | None) -> Whereabouts | None:
    source, layout = _PLACES[key]
    if key in _MAC_ONLY and len(value) == _MAC:
        return Whereabouts(None, details={"place": source, "mac": _mac(value[::-1])})
    read = _parse(layout, value)
    if read is None:
        return None
    point = read.get("point") or read
    details = {"place": source} if source != "gps" else {}
    if "mac" in read:
        details["mac"] = _mac(read["mac"][::-1] if key in _REVERSED_MAC else read["mac"])
    if read.get("text"):
        details["name"] = readable(read["text"]).strip("\0")
    measurements = {name: float(read[name]) for name in _MEASURED if name in read}
    if "hdop" in read:
        measurements["hdop"] = read["hdop"] / 10
    degrees = (point.get("lat"), point.get("lon"))
    position = None
    if None not in degrees:
        position = place(
            degrees[0] / _DEGREE, degrees[1] / _DEGREE, source=source, at=at, altitude_m=read.get("altitude")
        )
    return Whereabouts(position, measurements, details)


def _named_wifi(value: bytes) -> Iterator[str]:
    at = 0
    while at + 8 <= len(value):
        point = _parse(_WIFI, value[at : at + 7])
        end = at + 8 + value[at + 7]
        yield f"{_mac(point['mac'])} {point['rssi']} {readable(value[at + 8 : end])}".rstrip()
        at = end


def _mac(value: bytes) -> str:
    return value.hex(":")


def _time(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _parse(layout: Any, value: bytes) -> Any:  # noqa: ANN401 construct's containers have no types
    """Return what construct reads; None if the value is too short."""
    try:
        return layout.parse(value)
    except (ConstructError, struct.error):
        return None

"""Reads the fields of the MQTT convention. A field that cannot be read is kept as text and does not affect the others.

Only the fields that make an event (``ref``, ``dty``, ``stc``) must be right. A time, a place or a level that a device's
maker writes in another way costs no alarm. A field that the convention does not have is kept under its own name.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.codes.scaip import MANUAL_ALARM, UNKNOWN, location, spelled
from vetlla.protocols.framing.fields import believed, number, place
from vetlla.protocols.mqtt.values import MAX_DIGITS, Contradiction, Unread, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.signals import Position
    from vetlla.protocols.mqtt.values import Json

MAX_TEXT: Final = 500
"""Most characters of ``text`` in the schema. A longer text is kept nevertheless, because the payload has a bound."""

MAX_REF: Final = 64
_REF: Final = re.compile(rf"[A-Za-z0-9._:-]{{1,{MAX_REF}}}", re.ASCII)
_ECHO: Final = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{4 * MAX_REF}}}")
"""References that the convention does not allow. A receipt can repeat them, so that the device recognises its own."""
_CODE: Final = re.compile(r"0{0,4}[0-9]{1,4}", re.ASCII)
_LOCATION: Final = re.compile(r"0{0,3}[0-9]{1,3}", re.ASCII)
_STATES: Final = ("mains", "low", "worn")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Characters that no line of text holds; half of a surrogate pair cannot even be stored."""


class _Measure(NamedTuple):
    """The name of a field here, and the range in which its value is a measurement."""

    name: str
    least: float
    most: float


_MEASURES: Final = {
    "batt": _Measure("battery", 0, 100),  # 255 is "not known" in Zigbee, and no percentage
    "batt_mv": _Measure("battery_mv", 0, 60_000),  # 65,535 is "not known"
    "rssi": _Measure("rssi", -200, 50),  # 127 is "not known" in Bluetooth
}


class Unreadable(Exception):  # noqa: N818 - it never leaves the decoder, but becomes a reject
    """A required field of an event is wrong; the text tells the device's maker what it must be."""


class Ref(NamedTuple):
    """The event's reference, and whether the device gave only this one."""

    text: str
    is_certain: bool


class Payload:
    """The object of one message. Each field is taken once; the fields that are left are kept as they are."""

    def __init__(self, fields: dict[str, Json]) -> None:
        self._left = dict(fields)
        self._clock: Mapping[str, str] = {}
        """Details about the device's clock."""

    # --- fields that must be right ----------------------------------------------------------------------------------

    def ref(self) -> Ref:
        """Return the event's reference; of several, the last valid one. Raises Unreadable if there is none."""
        value = self._left.pop("ref", None)
        is_certain = not isinstance(value, Contradiction)
        if isinstance(value, Contradiction):
            self._left["ref"] = value
        texts = [text for text in _refs(value) if _REF.fullmatch(text)]
        if not texts:
            raise Unreadable(
                f'"ref" must be a text of 1 to {MAX_REF} letters, digits and . _ : -, the same for each repetition'
            )
        return Ref(texts[-1], is_certain=is_certain)

    def code(self) -> str:
        """Return the event's code ``dty-stc``; without a status it is a manual alarm. Raises Unreadable."""
        return spelled(self._code("dty", UNKNOWN), self._code("stc", MANUAL_ALARM))

    def _code(self, name: str, default: str) -> str:
        value = self._left.get(name)
        if isinstance(value, Contradiction):
            return default  # a device that names a call and a restore may mean the call
        self._left.pop(name, None)
        if value is None or value in ("", Unread("")):
            return default
        text = _digits_of(value) if not isinstance(value, str) else value
        if not _CODE.fullmatch(text):
            raise Unreadable(f'"{name}" must be a text of one to four digits, such as "{default}"')
        return text

    # --- fields that may hold anything ------------------------------------------------------------------------------

    def text(self, name: str) -> str:
        """Return a text; "" if the field holds no text, and then the field stays in place."""
        value = self._left.get(name)
        if not isinstance(value, str):
            return ""
        del self._left[name]
        return clean(value)

    def word(self, name: str) -> str:
        """Return a text, a truth value or a number as one word; "" if there is none."""
        value = self._left.get(name)
        if value is None or isinstance(value, Unread | list | dict):
            return ""
        del self._left[name]
        return clean(plain(value))

    def counter(self, name: str) -> str:
        """Return a number that counts something, as text; "" if there is none."""
        digits = _digits_of(self._left.get(name))
        if digits:
            del self._left[name]
        return digits

    def moment(self, name: str = "ts") -> datetime | None:
        """Return a time with its offset (RFC 3339), as UTC; None if it is invalid or its clock was never set."""
        value = self._left.get(name)
        at = _moment(value) if isinstance(value, str) else None
        if at is None:
            return None
        at, self._clock = believed(at)
        del self._left[name]
        return at

    def measurements(self) -> dict[str, float]:
        """Return battery (%), battery_mv (mV) and rssi (dBm)."""
        found: dict[str, float] = {}
        for field, measure in _MEASURES.items():
            value = _number(self._left[field]) if field in self._left else None
            if value is not None and measure.least <= value <= measure.most:
                found[measure.name] = value
                del self._left[field]
        return found

    def position(self) -> Position | None:
        """Return ``pos`` if it is a place on the globe."""
        value = self._left.get("pos")
        if not isinstance(value, dict):
            return None
        source, ts = value.get("src"), value.get("ts")
        found = place(
            _number(value.get("lat")),
            _number(value.get("lon")),
            source=clean(source) if isinstance(source, str) else "",
            at=_moment(ts) if isinstance(ts, str) else None,
            altitude_m=_number(value.get("alt_m")),
            accuracy_m=_number(value.get("acc_m")),
        )
        if found is not None:
            del self._left["pos"]
        return found

    def details(self) -> dict[str, str]:
        """Return all fields that are left, as text under the convention's names. Call it last."""
        details = dict(self._clock)
        for name, value in self._left.items():
            if name in _STATES and isinstance(value, bool):
                details[name] = "yes" if value else "no"
            elif value is not None and (text := clean(plain(value))):
                details[clean(name)] = text
        lco = self._left.get("lco")
        digits = str(lco) if isinstance(lco, int) else lco
        if isinstance(digits, str) and _LOCATION.fullmatch(digits) and (where := location(digits)):
            details["location"] = where
        return details


def clean(text: str) -> str:
    """Return a device's text without the characters that no line holds."""
    return _CONTROLS.sub(" ", text).strip()


def echo(ref: Json) -> str:
    """Return a reference as a receipt can repeat it; "" if there is none."""
    return next((text for text in reversed(_refs(ref)) if _ECHO.fullmatch(text)), "")


def _refs(value: Json) -> list[str]:
    """Return the references in a field: a text, or the digits of a whole number."""
    values = value.values if isinstance(value, Contradiction) else (value,)
    return [one if isinstance(one, str) else _digits_of(one) for one in values]


def _digits_of(value: Json) -> str:
    """Return a whole number, or a text of digits, as text; "" if it is neither."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # Lua and JavaScript have no other numbers
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    text = str(value)
    return text if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else ""


def _number(value: Json) -> float | None:
    if isinstance(value, str):
        return number(value)  # devices put numbers into quotes (Zigbee2MQTT, Home Assistant)
    return None if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def _moment(value: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(value.upper())  # RFC 3339, 5.6: "t" and "z" may be lower case
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None

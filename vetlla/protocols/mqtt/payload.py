"""The fields of the MQTT convention: a field that cannot be read is kept as text and costs nothing beside it.

Only what makes an event an event (``ref``, ``dty``, ``stc``) must be right; a time, a place or a level of which a
device's maker had another idea costs no alarm. A field that the convention does not have is kept under its own name.
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
"""Characters of ``text``, as the schema says; more is kept all the same: the payload's bound holds."""

MAX_REF: Final = 64
_REF: Final = re.compile(rf"[A-Za-z0-9._:-]{{1,{MAX_REF}}}", re.ASCII)
_ECHO: Final = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{4 * MAX_REF}}}")
"""References that the convention does not have, but that a receipt can repeat so that the device knows its own."""
_CODE: Final = re.compile(r"0{0,4}[0-9]{1,4}", re.ASCII)
_LOCATION: Final = re.compile(r"0{0,3}[0-9]{1,3}", re.ASCII)
_STATES: Final = ("mains", "low", "worn")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no line of text holds; half of a surrogate pair can not even be stored."""


class _Measure(NamedTuple):
    """What a field is called here, and between which values it is a measurement."""

    name: str
    least: float
    most: float


_MEASURES: Final = {
    "batt": _Measure("battery", 0, 100),  # 255 is "not known" in Zigbee, and no percentage
    "batt_mv": _Measure("battery_mv", 0, 60_000),  # 65,535 is "not known"
    "rssi": _Measure("rssi", -200, 50),  # 127 is "not known" in Bluetooth
}


class Unreadable(Exception):  # noqa: N818 - never leaves the decoder: it becomes a reject
    """A field without which there is no event is not as it must be; the text tells a device's maker."""


class Ref(NamedTuple):
    """The event's reference, and whether the device gave only this one."""

    text: str
    is_certain: bool


class Payload:
    """The object of one message; each field is taken once, and what is left is kept as it is."""

    def __init__(self, fields: dict[str, Json]) -> None:
        self._left = dict(fields)
        self._clock: Mapping[str, str] = {}
        """What is to be said of the device's clock."""

    # --- what must be right -----------------------------------------------------------------------------------------

    def ref(self) -> Ref:
        """Return the event's reference; of several the last that is one. Raises Unreadable."""
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
            return default  # a call and a restore at once may be a call
        self._left.pop(name, None)
        if value is None or value in ("", Unread("")):
            return default
        text = _digits_of(value) if not isinstance(value, str) else value
        if not _CODE.fullmatch(text):
            raise Unreadable(f'"{name}" must be a text of one to four digits, such as "{default}"')
        return text

    # --- what may be anything ---------------------------------------------------------------------------------------

    def text(self, name: str) -> str:
        """Return a text; anything else stays where it is."""
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
        """Return a time with its offset (RFC 3339), as UTC; None from a clock that was never set."""
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
            value = _number(self._left.get(field))
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
        """Return all that is left, as text under the convention's names; take it last."""
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
    """Return a device's text without what is no character of a line."""
    return _CONTROLS.sub(" ", text).strip()


def echo(ref: Json) -> str:
    """Return a reference as a receipt can repeat it; "" if there is none."""
    return next((text for text in reversed(_refs(ref)) if _ECHO.fullmatch(text)), "")


def _refs(value: Json) -> list[str]:
    """Return what a field gives for a reference: a text, or a whole number's digits."""
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

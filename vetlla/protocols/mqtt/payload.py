"""What the objects of the MQTT convention hold, read leniently: what cannot be read is kept as text, never fatal.

Only what makes an event an event (``ref``, ``dty``, ``stc``) must be right; a time, a place or a level of which a
device's maker had another idea costs no alarm. Whatever is not of the convention is kept under its own name.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vetlla.protocols.scaip_codes import MANUAL_ALARM, UNKNOWN, location, spelled
from vetlla.protocols.terminals import place

if TYPE_CHECKING:
    from vetlla.protocols.mqtt.cutter import Json
    from vetlla.signals import Position

MAX_TEXT: Final = 500
"""Characters of ``text``, as the schema says; more is kept all the same: the payload's bound holds."""

REF: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_CODE: Final = re.compile(r"0{0,4}[0-9]{1,4}", re.ASCII)
_LOCATION: Final = re.compile(r"0{0,3}[0-9]{1,3}", re.ASCII)
_MEASURES: Final = {"batt": "battery", "batt_mv": "battery_mv", "rssi": "rssi"}
_STATES: Final = ("mains", "low", "worn")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What no line of text holds; half of a surrogate pair can not even be stored."""


class Unreadable(Exception):  # noqa: N818 - never leaves the decoder: it becomes a reject
    """A field without which there is no event is not as it must be; the text tells a device's maker."""


class Payload:
    """The object of one message; each field is taken once, and what is left is kept as it is."""

    def __init__(self, fields: dict[str, Json]) -> None:
        self._left = dict(fields)

    # --- what must be right -----------------------------------------------------------------------------------------

    def ref(self) -> str:
        """Return the event's reference. Raises Unreadable."""
        ref = self._left.pop("ref", None)
        if not isinstance(ref, str) or not REF.fullmatch(ref):
            raise Unreadable(
                '"ref" must be a text of 1 to 64 letters, digits and . _ : -, the same for each repetition'
            )
        return ref

    def code(self) -> str:
        """Return the event's code ``dty-stc``; without a status it is a manual alarm. Raises Unreadable."""
        return spelled(self._digits("dty", UNKNOWN), self._digits("stc", MANUAL_ALARM))

    def _digits(self, name: str, default: str) -> str:
        value = self._left.pop(name, default)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not _CODE.fullmatch(value):
            raise Unreadable(f'"{name}" must be a text of one to four digits, such as "{default}"')
        return value

    # --- what may be anything ---------------------------------------------------------------------------------------

    def text(self, name: str) -> str:
        """Return a text; anything else stays where it is."""
        value = self._left.get(name)
        if not isinstance(value, str):
            return ""
        del self._left[name]
        return clean(value)

    def counter(self, name: str) -> str:
        """Return a number that counts something, as text; "" if there is none."""
        value = self._left.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            return ""
        del self._left[name]
        return str(value)

    def moment(self, name: str = "ts") -> datetime | None:
        """Return a time with its offset (RFC 3339), as UTC."""
        value = self._left.get(name)
        at = _moment(value) if isinstance(value, str) else None
        if at is not None:
            del self._left[name]
        return at

    def measurements(self) -> dict[str, float]:
        """Return battery (%), battery_mv (mV) and rssi (dBm)."""
        found = {ours: _number(self._left.get(name)) for name, ours in _MEASURES.items()}
        for name, ours in _MEASURES.items():
            if found[ours] is not None:
                del self._left[name]
        return {name: value for name, value in found.items() if value is not None}

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
        details: dict[str, str] = {}
        for name, value in self._left.items():
            if name in _STATES and isinstance(value, bool):
                details[name] = "yes" if value else "no"
            elif value is not None:
                details[clean(name)] = clean(value if isinstance(value, str) else _plain(value))
        lco = self._left.get("lco")
        digits = str(lco) if isinstance(lco, int) else lco
        if isinstance(digits, str) and _LOCATION.fullmatch(digits) and (where := location(digits)):
            details["location"] = where
        return details


def clean(text: str) -> str:
    """Return a device's text without what is no character of a line."""
    return _CONTROLS.sub(" ", text).strip()


def _plain(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _moment(value: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None

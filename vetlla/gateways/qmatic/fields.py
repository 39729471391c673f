"""Reads single fields of an appointment, as Orchestra has them: absent, null, empty, of another type, or broken."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.appointments import AppointmentStatus
from vetlla.domain.telephones import e164

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST_TEXT: Final = 500
"""Most characters that are kept of a text, such as the name of a procedure; the rest is cut off."""
LONGEST_CUSTOM: Final = 100_000
"""Most characters of a ``custom`` that are read. The booking app writes some hundred."""
LONGEST_ID: Final = 128
"""Most characters of an id. A ``publicId`` has 64."""

_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._~-]{{0,{LONGEST_ID - 1}}}")
"""An id that can stand in a path as it is. No id begins with a dot, so none leads to another folder."""
_PAIR = re.compile(r'"(\w{1,40})"\s*:\s*(?:"([^"]{0,500})"|(true|false))')
"""A simple pair of a ``custom`` that is broken as a whole."""
_LANGUAGES: Final = {"ca": "ca", "cat": "ca", "es": "es", "spa": "es", "esp": "es", "cas": "es"}
NEVER_ARRIVED: Final = 54
"""A public client of Orchestra names this code NEVER_ARRIVED: the citizen did not come."""

STATUS_OF_CODE: Final = {
    10: AppointmentStatus.RESERVED,
    20: AppointmentStatus.CREATED,
    21: AppointmentStatus.RESCHEDULED,
    30: AppointmentStatus.ARRIVED,
    40: AppointmentStatus.CALLED,
    50: AppointmentStatus.COMPLETE,
    51: AppointmentStatus.NO_SHOW,
    52: AppointmentStatus.ENDED_BY_RESET,
    53: AppointmentStatus.CANCELLED,
    NEVER_ARRIVED: AppointmentStatus.NO_SHOW,
}
"""The numbers of the calendar (stech-apps/concierge-agent; 10 and 54 from another public client)."""
_STATUS_OF_WORD: Final = {
    **{status.name: status for status in AppointmentStatus if status is not AppointmentStatus.UNKNOWN},
    "COMPLETED": AppointmentStatus.COMPLETE,
    "CANCELED": AppointmentStatus.CANCELLED,
    "NEVER_ARRIVED": AppointmentStatus.NO_SHOW,
}


class UnreadableFieldError(ValueError):
    """A row that is no appointment. The message names the field and has no personal data."""


def id_in(row: Mapping[str, Any], name: str) -> str:
    """Return an id, a text or a number, that can stand in a path. Raises UnreadableFieldError."""
    found = row.get(name)
    text = str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""
    if not _ID.fullmatch(text):
        raise UnreadableFieldError(f"{name} is no id")
    return text


def is_id(text: str) -> bool:
    """Return True if a text can be an id."""
    return _ID.fullmatch(text) is not None


def text_in(row: Mapping[str, Any], name: str) -> str:
    """Return a text, cut to ``LONGEST_TEXT``; "" if there is none. A number becomes its digits."""
    found = row.get(name)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)[:LONGEST_TEXT]
    return found.strip()[:LONGEST_TEXT] if isinstance(found, str) else ""


def object_in(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object; an empty one if there is none."""
    found = row.get(name)
    return found if isinstance(found, dict) else {}


def objects_in(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return the objects of a list that hold anything; a companion without data is ``{}``."""
    found = row.get(name)
    return [one for one in found if isinstance(one, dict) and one] if isinstance(found, list) else []


def custom_in(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the field ``custom``, which is null, empty, an object, or JSON inside a text.

    The official booking app puts that text together itself, and a quotation mark in a note breaks it. Simple pairs of a
    broken text are still read, the first one of each name.
    """
    found = row.get("custom")
    if isinstance(found, dict):
        return found
    if not isinstance(found, str) or not found.strip():
        return {}
    text = found[:LONGEST_CUSTOM]
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        pairs: dict[str, Any] = {}
        for name, words, truth in _PAIR.findall(text):
            pairs.setdefault(name, truth == "true" if truth else words)
        return pairs
    return held if isinstance(held, dict) else {}


def may_cancel(custom: Mapping[str, Any]) -> bool:
    """Return False if the ``custom`` of a service forbids cancelling; the flag is a truth value or a text."""
    found = custom.get("cancelEnabled")
    return not (found is False or (isinstance(found, str) and found.strip().lower() == "false"))


def language_in(custom: Mapping[str, Any]) -> str | None:
    """Return ``ca`` or ``es`` if ``custom.lang`` names one of them, such as ``ca_ES``; else None."""
    found = custom.get("lang")
    return language_of(found) if isinstance(found, str) else None


def language_of(text: str) -> str | None:
    """Return ``ca`` or ``es`` for the name of a language; None for any other one."""
    return _LANGUAGES.get(re.split(r"[-_]", text.strip().lower())[0])


def status_of(value: object) -> tuple[AppointmentStatus, str]:
    """Return a status, number or word, and how the source wrote it. What is not known is UNKNOWN."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return AppointmentStatus.UNKNOWN, ""
    given = str(value).strip()[:LONGEST_TEXT]
    if given.isascii() and given.isdecimal():
        return STATUS_OF_CODE.get(int(given[:9]), AppointmentStatus.UNKNOWN), given
    word = given.upper().replace(" ", "_").replace("-", "_")
    return _STATUS_OF_WORD.get(word, AppointmentStatus.UNKNOWN), given


def phone_of(candidates: Iterable[str]) -> tuple[str, str]:
    """Return the first number that can be dialled, as E.164 and as it was written.

    Without one the first is "", and the second is the first text that there was.
    """
    first = ""
    for text in candidates:
        if number := e164(text):
            return number, text
        first = first or text
    return "", first

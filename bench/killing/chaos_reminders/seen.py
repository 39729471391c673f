"""What the systems around the reminder service saw, in the order in which it happened."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from vetlla.domain.clock import to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterable

ZONE: Final = ZoneInfo("Europe/Madrid")
_HOUR: Final = re.compile(r"\b(\d{1,2})\.(\d\d) h\b")
_REMINDERS: Final = ("Ajuntament de Lleida. Us recordem que teniu cita", "Ajuntament de Lleida: teniu cita")
_NOTICES: Final = ("Ajuntament de Lleida. La vostra cita", "Ajuntament de Lleida: la ")


class What(StrEnum):
    """What happened."""

    BOOKED = "booked"
    MOVED = "moved"
    """By the office."""
    CANCELLED = "cancelled"
    """By the office."""
    GOT = "got"
    """Orchestra told the service the present hour of the appointment; no hour if it is cancelled."""
    DELETED = "deleted"
    """The service asked Orchestra to cancel it; ``detail`` is the status of the answer."""
    TAKEN = "taken"
    """A provider took a message; ``detail`` is the service's reference."""
    FAILED = "failed"
    """A provider did not deliver a message that it took."""
    BROKEN = "broken"
    """A provider's answer was lost, or said nothing."""
    DELIVERED = "delivered"
    """A message is on the telephone."""
    CANCELS = "cancels"
    """The citizen wrote a cancellation; the hour is that of the message before."""
    CONFIRMS = "confirms"
    KEPT = "kept"
    """The service's receipt (2xx) for a citizen's reply."""
    REPORTED = "reported"
    """The service's receipt (2xx) for a report that a message was delivered."""
    TURNED_AWAY = "turned away"
    """The service refused a delivery (4xx), which is genuine."""
    KILLED = "killed"


class Kind(StrEnum):
    """Kinds of messages, as their texts show them."""

    REMINDER = "reminder"
    NOTICE = "notice"
    ANSWER = "answer"


class Seen(NamedTuple):
    """One thing that happened. Each citizen has one telephone and one appointment."""

    what: What
    at_us: int
    phone: str = ""
    start_us: int = 0
    """The appointment's hour, or that of the message; 0 for none."""
    channel: str = ""
    id: str = ""
    """Of the message or the reply; of the appointment if it is booked."""
    kind: Kind | None = None
    detail: str = ""
    is_button: bool = False
    words: str = ""
    """The first words of a message."""


def kind_of(text: str) -> Kind:
    """Return the kind of a message."""
    if text.startswith(_REMINDERS):
        return Kind.REMINDER
    return Kind.NOTICE if text.startswith(_NOTICES) else Kind.ANSWER


def shown(start_us: int) -> str:
    """Return an hour as messages show it."""
    at = to_datetime(start_us).astimezone(ZONE)
    return f"{at.hour}.{at.minute:02}"


def start_of(text: str, starts_us: Iterable[int]) -> int:
    """Return the hour that a message names, out of those that its appointment ever had; 0 if it names none of them."""
    named = {f"{int(hour)}.{minute}" for hour, minute in _HOUR.findall(text)}
    return next((start for start in starts_us if shown(start) in named), 0)

"""A ticket of the support desk: what the city asked or reported, and what was done about it, in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class ContactWay(StrEnum):
    """How the city reached the desk."""

    PHONE = "phone"
    EMAIL = "email"


class TicketAct(StrEnum):
    """What happened to a ticket."""

    OPENED = "opened"
    ANSWERED = "answered"
    PAUSED = "paused"
    """The city must decide something: the clocks stop."""
    RESUMED = "resumed"
    SOLVED = "solved"
    REOPENED = "reopened"
    """The city says that it was not solved."""
    SEVERITY = "severity"
    """Raised or lowered."""
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent:
    """One act; ``text`` has no personal data."""

    act: TicketAct
    at: datetime
    recorded_at: datetime
    """When it was written down, which may be later."""
    by: str
    text: str = ""
    severity: str = ""
    """The severity from now on, if the act sets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket with its events in order; the first one opened it."""

    id: int
    way: ContactWay
    reference: str
    """The city's own number of it; "" if it has none."""
    events: tuple[TicketEvent, ...]

    @property
    def opened_at(self) -> datetime:
        """When the city called or wrote."""
        return self.events[0].at

    @property
    def title(self) -> str:
        """What it is about."""
        return self.events[0].text

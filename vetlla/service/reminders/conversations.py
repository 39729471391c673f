"""Conversations that the city started, as the tender wants them counted.

WhatsApp no longer reports them reliably. So a message counts if it is a template, the provider took it, and no window
of 24 hours was open for that telephone: neither from the citizen's last message nor from our last one that counted.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOW: Final = timedelta(hours=24)


class WindowEvent(NamedTuple):
    """Something that can open a window for a telephone."""

    at: datetime
    phone: str
    is_reply: bool
    """True: the citizen wrote. False: the provider took a template of ours."""


def is_opening(at: datetime, replied_at: datetime | None, opened_at: datetime | None) -> bool:
    """Return True if a template that is taken at this time starts a conversation."""
    return all(last is None or at - last >= WINDOW for last in (replied_at, opened_at))


def is_window_open(at: datetime, replied_at: datetime | None) -> bool:
    """Return True if a free message may be sent: only the citizen's own message opens this window."""
    return replied_at is not None and at - replied_at < WINDOW


def openings(events: Iterable[WindowEvent]) -> list[WindowEvent]:
    """Return the messages that started a conversation, from all events of all telephones in any order."""
    replied: dict[str, datetime] = {}
    opened: dict[str, datetime] = {}
    found = []
    for event in sorted(events, key=lambda one: (one.at, not one.is_reply, one.phone)):
        if event.is_reply:
            replied[event.phone] = event.at
        elif is_opening(event.at, replied.get(event.phone), opened.get(event.phone)):
            opened[event.phone] = event.at
            found.append(event)
    return found

"""Channels that the service does not use: for a while after failures in a row, or until a person resumes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.messages import Channel
from vetlla.domain.outbox import MessageReason
from vetlla.service.reminders.circuit import Circuit
from vetlla.store.reminders import audit, channels, outbox
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


class ChannelState(NamedTuple):
    """How a channel does."""

    channel: Channel
    circuit: Circuit
    unusable: tuple[str, ...]
    """Templates that the provider refuses, each with its language."""


def states(db: sqlite3.Connection) -> list[ChannelState]:
    """Return how each channel does."""
    unusable = tuple(sorted(" ".join(one) for one in channels.unusable_templates(db)))
    return [
        ChannelState(one, Circuit(*channels.circuit(db, one)), unusable if one is Channel.WHATSAPP else ())
        for one in Channel
    ]


def resume(db: sqlite3.Connection, channel: Channel, by: str, now: datetime) -> bool:
    """Use a channel and its refused templates again; return False if all of it was in use.

    Messages that waited for the channel are due at once.
    """
    with atomic(db):
        circuit = Circuit(*channels.circuit(db, channel))
        templates = channels.all_templates_usable(db) if channel is Channel.WHATSAPP else 0
        if circuit == Circuit() and not templates:
            return False
        channels.put_circuit(db, channel, Circuit())
        due = outbox.hasten(db, None, MessageReason.CHANNEL_CLOSED, now)
        detail = {"why": circuit.why, "due": due, "templates": templates}
        audit.record(db, now, by, "channel_resumed", subject=channel.value, detail=detail)
    return True

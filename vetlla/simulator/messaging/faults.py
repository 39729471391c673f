"""What goes wrong at a channel of messages, beside the faults of the way to it."""

from __future__ import annotations

from contextvars import ContextVar
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import Field

from vetlla.simulator.web.way import Seconds, WayFaults


class Told(StrEnum):
    """When a provider tells that a message failed."""

    USUAL = "usual"
    """As the provider does for this code."""
    AT_ONCE = "at_once"
    """The answer to the call is an error."""
    LATER = "later"
    """The message is accepted, and a report says that it failed."""


class ChannelFaults(WayFaults):
    """How a channel behaves. Without changes it is well."""

    WAY: ClassVar[tuple[str, ...]] = (*WayFaults.WAY, "code")

    code: Annotated[int, Field(ge=0)] | None = None
    """Each message fails with this code of the provider."""
    told: Told = Told.USUAL
    """When a failure is told."""
    delivery_s: Seconds = 0.0
    """Seconds until a message reaches a telephone that is on."""
    no_reports: bool = False
    """Nothing is told about what becomes of a message."""
    repeats: Annotated[int, Field(ge=0, le=100)] = 0
    """How often each call of the callback is made again after it was taken."""
    out_of_order: bool = False
    """Calls of the callback that are due together are made in the wrong order."""


class WhatsAppFaults(ChannelFaults):
    """How the Cloud API behaves."""

    per_second: Annotated[int, Field(ge=1)] = 80
    """Messages that the number may send in a second; 130429 for each further one."""
    pair_s: Seconds = 0.0
    """Seconds that must lie between two messages to one person; 131056 before. Meta's is about six after a burst."""
    held: bool = False
    """Meta keeps messages back to look at their quality."""
    skips_delivered: bool = False
    """A message is reported as read and never as delivered."""
    together: bool = False
    """All that is due together comes in one delivery of the webhook."""


class SmsFaults(ChannelFaults):
    """How the SMS gateway behaves."""

    keeps_stops: bool = False
    """The gateway itself keeps a list of people who sent STOP, and refuses messages to them (21610)."""


WHATSAPP_CALL: Final[ContextVar[WhatsAppFaults]] = ContextVar("whatsapp_call")
"""The faults of the call that is being answered."""
SMS_CALL: Final[ContextVar[SmsFaults]] = ContextVar("sms_call")

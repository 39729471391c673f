"""What to do when a provider refuses a message, or reports that it was not delivered: words of the tables of codes."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class FailureAction(StrEnum):
    """What follows from a failure. Where it says "SMS", the same content goes by SMS if that is still useful."""

    SMS = "sms"
    """SMS now; the other channel is not tried again for this message."""
    SMS_NO_WHATSAPP = "sms_no_whatsapp"
    """SMS now, and no WhatsApp to this telephone for 30 days."""
    SMS_ALERT = "sms_alert"
    """SMS now, and an engineer looks at it: a text, a parameter or a kind of message is wrong."""
    TEMPLATE = "template"
    """Send it again as a template, because the window for free messages is closed; then SMS."""
    TO_PHONE = "to_phone"
    """Send it again to the telephone number instead of the provider's id of the person; then SMS."""
    BACK_OFF = "back_off"
    """Send it again later, each time after a longer wait; SMS if the time in which it is useful nears its end."""
    PAIR_WAIT = "pair_wait"
    """As ``BACK_OFF``, with the waits that the provider demands between two messages to one person."""
    OPEN_CIRCUIT = "open_circuit"
    """SMS for all messages until a person closes the circuit, and an alert."""
    STOP_CHANNEL = "stop_channel"
    """As ``OPEN_CIRCUIT``: the access itself is refused (token, permission)."""
    TEMPLATE_UNUSABLE = "template_unusable"
    """SMS for all messages of this template until it is approved again, and an alert."""
    CONFIGURATION = "configuration"
    """No SMS: the fault is in the settings of a trial, such as a number outside the test list. An alert."""
    ALERT = "alert"
    """Neither try again nor SMS: the request is wrong. An alert."""
    DEAD_NUMBER = "dead_number"
    """The number does not exist or is switched off for good: neither try again nor SMS."""
    OPTED_OUT = "opted_out"
    """The person opted out at the provider: as an opt-out of this channel."""


class FailureRule(NamedTuple):
    """One row of a channel's table of codes."""

    code: str
    """A provider's code (``131026``), or the first and last of several (``200-299``, ``http-500-599``)."""
    action: FailureAction

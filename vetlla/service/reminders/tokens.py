"""The payload of a button: its message and what it does, signed so that only the city can have made it.

The payload holds the reference of our message and no id of the source, so that it tells nothing to others.
"""

from __future__ import annotations

import hmac
import re
from hashlib import sha256
from typing import Final, NamedTuple

from vetlla.service.reminders.lexicon import Intent

_LETTERS: Final = {"C": Intent.CONFIRM, "X": Intent.CANCEL, "L": Intent.LANGUAGE}
_ACTIONS: Final = {intent: letter for letter, intent in _LETTERS.items()}
_TOKEN: Final = re.compile(r"v1\.([CXL])\.([0-9a-z-]{1,64})\.([0-9a-f]{32})", re.ASCII)


class Pressed(NamedTuple):
    """What a button says."""

    reference: str
    """Our id of the message that had the button."""
    intent: Intent


def token(secret: bytes, reference: str, intent: Intent) -> str:
    """Return the payload of a button, at most 103 characters; WhatsApp takes 256."""
    body = f"v1.{_ACTIONS[intent]}.{reference}"
    return f"{body}.{_signature(secret, body)}"


def read_token(secret: bytes, payload: str) -> Pressed | None:
    """Return what a payload says; None if this service did not make it."""
    found = _TOKEN.fullmatch(payload)
    if found is None or not hmac.compare_digest(_signature(secret, payload.rpartition(".")[0]), found[3]):
        return None
    return Pressed(found[2], _LETTERS[found[1]])


def _signature(secret: bytes, body: str) -> str:
    return hmac.new(secret, body.encode(), sha256).hexdigest()[:32]

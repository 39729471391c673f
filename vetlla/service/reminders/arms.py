"""A share of appointments gets no reminder, so that an office can measure what reminders change.

A keyed hash of the appointment's name chooses, so the choice is stable, needs no memory, and cannot be foreseen.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vetlla.domain.appointments import AppointmentKey

_BYTES: Final = 8


def is_held_back(key: AppointmentKey, share: float, secret: bytes) -> bool:
    """Return True if an appointment belongs to the share (0 to 1) that gets no reminder.

    Every appointment that a smaller share holds back is also held back by a larger one.
    """
    if share <= 0:
        return False
    name = f"{len(key.source)}:{key.source}{key.id}".encode()
    digest = hmac.digest(secret, name, hashlib.sha256)
    return int.from_bytes(digest[:_BYTES], "big") < share * (1 << 8 * _BYTES)

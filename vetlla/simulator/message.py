"""One thing a terminal has to tell, and what became of it as its sender knows it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vetlla.domain.signals import AccountId


class Fate(StrEnum):
    """What became of a message, as its sender knows it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SENT = "sent"
    """The protocol has no acknowledgement for it; the receiver's machine took its bytes. More nobody can know."""
    REFUSED = "refused"
    LOST = "lost"


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """One thing a home has to tell, and how far it got. The sender's working copy, hence not frozen."""

    home: AccountId
    token: str
    sequence: str
    """The number an answer repeats; "" in protocols without one."""
    data: bytes
    """What was said, as ASCII: the ledger's copy."""
    frame: bytes = b""
    answer: bytes = b""
    """The acknowledgement, byte for byte, where the protocol fixes it."""
    is_answered: bool = True
    """Whether the protocol has an acknowledgement for it at all."""
    due_ns: int = 0
    """Monotonic, as are the others; 0: not yet."""
    sent_ns: int = 0
    """When it was first handed to a line."""
    settled_ns: int = 0
    attempts: int = 0
    fate: Fate = Fate.OPEN


def wall_us(monotonic_ns: int) -> int | None:
    """Return a message's stamp as microseconds since 1970, or None for a moment that never was."""
    return (time.time_ns() - time.monotonic_ns() + monotonic_ns) // 1000 if monotonic_ns else None

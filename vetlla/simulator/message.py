"""One message of a terminal, and its outcome as far as the sender knows it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vetlla.domain.signals import AccountId


class Fate(StrEnum):
    """Outcome of a message, as far as its sender knows it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SENT = "sent"
    """The protocol has no acknowledgement for it. The sender knows only that the receiver's machine took its bytes."""
    REFUSED = "refused"
    LOST = "lost"


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """One message of a home and how far it got. It is the sender's working copy, so it is not frozen."""

    home: AccountId
    token: str
    sequence: str
    """The number that an answer repeats, or "" in protocols without one."""
    data: bytes
    """The content as ASCII, for the ledger."""
    frame: bytes = b""
    answer: bytes = b""
    """The acknowledgement, byte for byte, where the protocol fixes it."""
    is_answered: bool = True
    """Whether the protocol has an acknowledgement for it."""
    due_ns: int = 0
    """Monotonic time, as in the two fields below; 0 means not yet."""
    sent_ns: int = 0
    """When it was first written to a line."""
    settled_ns: int = 0
    attempts: int = 0
    fate: Fate = Fate.OPEN


def wall_us(monotonic_ns: int) -> int | None:
    """Return a message's stamp as microseconds since 1970, or None if the stamp is 0."""
    return (time.time_ns() - time.monotonic_ns() + monotonic_ns) // 1000 if monotonic_ns else None

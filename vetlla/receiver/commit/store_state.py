"""States of the store, as the receiver, its operators and its monitoring name them."""

from __future__ import annotations

from enum import StrEnum


class StoreState(StrEnum):
    """State of the store. Reports are taken only in OK."""

    OK = "ok"
    LOW = "low"
    STALLED = "stalled"
    """The disk neither completes nor refuses a write; operators must wait, too."""
    FAILED = "failed"
    UNREAD = "unread"
    """Accounts and keys could not be read since the start, so the receiver does not know the registered accounts."""
    CLOSED = "closed"

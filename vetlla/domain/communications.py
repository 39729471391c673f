"""A communication as ANS 5 and 6 count it: a report of a terminal, or a telephone call that comes in."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class CommunicationSource(StrEnum):
    """How it came."""

    TERMINAL = "terminal"
    PHONE = "phone"


class Communication(NamedTuple):
    """One communication. Times are microseconds UTC, durations microseconds."""

    source: CommunicationSource
    number: int
    """Of the signal in the journal, or of the call in the registry."""
    home: str
    begun_us: int
    """It was established, or the call came in."""
    priority: str
    """Priority of a signal as a word; empty for a call."""
    t2_us: int | None
    """From established to ready; None if it was not measured. A PBX does not measure it."""
    t3_us: int | None
    """From ready to answered; None if it is not answered, or if it was not measured."""
    waits_since_us: int | None
    """When it was ready, if it still waits for an operator."""
    is_routine: bool
    """The receiver itself answered it."""
    on_test: bool
    was_abandoned: bool
    """The caller hung up, or the queue gave the call up, before an operator answered."""

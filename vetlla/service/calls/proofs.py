"""What ANS 7 asks of each call: that it is registered, recorded and kept in a file (tender 20220428, section 16.7)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from vetlla.domain.calls import ERASED, CallOutcome, number_of

if TYPE_CHECKING:
    from vetlla.domain.calls import PhoneCall


class Proof(StrEnum):
    """One of the three parts of ANS 7."""

    REGISTERED = "registered"
    """The start, the number of the other side and the outcome are known."""
    RECORDED = "recorded"
    """The recording and the hash of its bytes are known. Only an answered call can have one."""
    FILED = "filed"
    """It is in the file of a home, or of a party that has none."""


def lacks(call: PhoneCall) -> list[Proof]:
    """Return the parts of ANS 7 that a call lacks. A number that was erased with its home was registered."""
    record = call.record
    found = []
    has_number = bool(number_of(record)) or is_erased(call)
    if record.started is None or not has_number or record.outcome in {None, CallOutcome.QUEUED}:
        found.append(Proof.REGISTERED)
    if record.outcome is CallOutcome.ANSWERED and not call.is_recorded:
        found.append(Proof.RECORDED)
    if not call.is_filed:
        found.append(Proof.FILED)
    return found


def is_erased(call: PhoneCall) -> bool:
    """Return True if a number or the name of the recording was erased with a home."""
    return ERASED in {call.record.caller, call.record.called, call.record.recording}

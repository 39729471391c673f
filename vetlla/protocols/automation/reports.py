"""What a line receiver can say, and why it cannot; the values that the writers of all dialects take and return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from vetlla.domain.signals import Phase

NO_AREA: Final = "00"
NO_DEVICE: Final = "000"


class ContactId(NamedTuple):
    """An event of Contact ID: three digits of code, two of partition, three of zone or user."""

    phase: Phase
    code: str
    area: str = NO_AREA
    device: str = NO_DEVICE


class SiaData(NamedTuple):
    """Blocks of SIA as a panel sent them, without account and brackets: ``Nri1/BA01``."""

    text: str


class EventReport(NamedTuple):
    """An event of a home. ``receiver`` and ``line`` are hexadecimal digits; leading zeros do not matter."""

    receiver: str
    line: str
    account: str
    event: ContactId | SiaData


class CallerId(NamedTuple):
    """The telephone number of a home's call, in a frame before its event."""

    receiver: str
    line: str
    account: str
    number: str


class TwoWayAudio(NamedTuple):
    """A line is in speech now."""

    receiver: str
    line: str


class OwnStatus(NamedTuple):
    """The receiver's own status: a code of SIA, and up to four digits."""

    receiver: str
    line: str
    code: str
    number: str = ""


class Heartbeat(NamedTuple):
    """The receiver works."""

    receiver: str


LineReport: TypeAlias = EventReport | CallerId | TwoWayAudio | OwnStatus | Heartbeat


class Unwritable(NamedTuple):
    """A report that a dialect with these settings cannot carry. ``field`` has the name of the field at fault."""

    field: str
    why: str
    """A sentence without the value, so that it can be logged."""

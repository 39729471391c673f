"""What is known of supervised devices: what the registry expects, and what the journal keeps of each device and day."""

from __future__ import annotations

from array import array
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from vetlla.domain.devices import DeviceType, Place

STRETCH = 1_024
"""Devices whose signs of life and days are recorded together, by number. Gathering them takes a millisecond or two, so
no alarm waits for a whole fleet."""


# --- what the registry expects ----------------------------------------------------------------------------------------


class Terminal(NamedTuple):
    """The terminal that an account names, according to the inventory."""

    type: DeviceType
    place: Place


class Ucr(NamedTuple):
    """A UCR that is installed in a home, and the id in the reports about it.

    The id is its account in the inventory, which is the zone under which a panel knows it, or else its serial.
    """

    type: DeviceType
    id: str


class Expected(NamedTuple):
    """Terminals by account (upper case), and UCRs by home. ``resting`` are homes that are suspended or not active."""

    terminals: dict[str, Terminal]
    ucrs: dict[str, list[Ucr]]
    resting: Collection[str]
    gone: Mapping[str, Mapping[str, Place]] = MappingProxyType({})
    """By home and id (upper case): UCRs whose last home it was, and where they are now."""


NOTHING = Expected({}, {}, frozenset())


# --- what the journal keeps -------------------------------------------------------------------------------------------


class KeptDevice(NamedTuple):
    """One device as the journal keeps it, with its signs of life when it is read back.

    ``day`` and the fields after it hold the current day until the ledger has that day.
    """

    id: int
    account: str
    receiver: str
    line: str
    device: str
    state: int
    since_us: int
    heard_us: int
    pause: int
    interval_s: int
    allowed_misses: int
    day: str
    received: int
    longest_s: int
    unsupervised_s: int
    reasons: int
    silent_since_us: int = 0
    """When its silence begins, if the device did not report later."""


class KeptChange(NamedTuple):
    """One change of a device's state."""

    at_us: int
    unit: int
    before: int
    state: int
    pause: int
    heard_us: int
    missed: int
    incident: int | None
    alarm_id: int | None


class KeptIncident(NamedTuple):
    """One incident: many devices that were lost at once."""

    id: int
    label: str
    opened_us: int
    closed_us: int | None
    least: int
    members: int
    alarm_id: int | None


class OrderedPause(NamedTuple):
    """A pause that a person ordered; ``until_us`` is None if it lasts until a person ends it."""

    unit: int
    since_us: int
    until_us: int | None
    operator: str
    reason: str


class LostIn(NamedTuple):
    """A lost device (or one that was lost before its terminal) with the incident and alarm of that loss."""

    unit: int
    incident: int | None
    alarm_id: int | None


class KeptSupervision(NamedTuple):
    """What the previous run left of supervision, except the devices themselves."""

    alive_us: int | None
    """When the previous run last recorded that it was alive; None in the first run."""
    incidents: list[KeptIncident]
    next_incident: int
    lost: list[LostIn]
    members: list[tuple[int, int]]
    """Incident and device, for each open incident."""
    pauses: list[OrderedPause]
    down_s: dict[str, int]
    """Seconds without a receiver, by day."""


# --- the ledger -------------------------------------------------------------------------------------------------------


class LedgerDay(NamedTuple):
    """What holds for all devices of one day."""

    day: str
    down_s: int
    """Seconds without a receiver."""
    tolerance_s: float


class DayOf(NamedTuple):
    """One device's day. ``reasons`` are the flags of all its pauses; ``state`` is that at the end of the day."""

    unit: int
    interval_s: int
    allowed_misses: int
    supervised_s: int
    received: int
    longest_s: int
    reasons: int
    state: int


STRETCH_COLUMNS = (
    ("interval_s", "I"),
    ("allowed_misses", "B"),
    ("supervised_s", "I"),
    ("received", "I"),
    ("longest_s", "I"),
    ("reasons", "B"),
    ("state", "B"),
)
"""Names of a stretch's columns, those of ``DayOf`` after the device's number, with the types of their arrays."""


class Stretch:
    """One day of up to ``STRETCH`` devices, in columns named as the fields of ``DayOf``."""

    __slots__ = ("columns", "first", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.first = number * STRETCH
        """The number of its first device."""
        self.columns = {name: array(kind, bytes(STRETCH * array(kind).itemsize)) for name, kind in STRETCH_COLUMNS}

    def put(self, day: DayOf) -> None:
        """Write one device's day."""
        for name, column in self.columns.items():
            column[day.unit - self.first] = getattr(day, name)

    def fill(self, name: str, values: Iterable[int]) -> None:
        """Write a column from its first device on; ``values`` may be shorter than the stretch."""
        column = self.columns[name]
        some = array(column.typecode, values)
        column[: len(some)] = some

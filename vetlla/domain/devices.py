"""Values of the inventory: homes, the people in them, devices, and every movement of a device.

A device's place is not stored: it is the place in which its last movement left it. So the fleet of any past day
follows from the last movement of each device up to that day, and no second record can disagree with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

LAST_WEEK = 53
"""An ISO 8601 year has 52 or 53 weeks."""


class DeviceType(StrEnum):
    """All types that the Barcelona contract prices (tender, section 5); analog terminals are split by network."""

    TERMINAL_PSTN = "terminal_pstn"
    TERMINAL_GSM = "terminal_gsm"
    """Analog signalling over GSM; it counts as analog."""
    TERMINAL_IP = "terminal_ip"
    """GSM-IP, the contract's digital terminal."""
    UCR = "ucr"
    """Remote control unit: the pendant or wristband with the button."""
    SMOKE = "smoke"
    GAS = "gas"
    """Gas or carbon monoxide."""
    PASSIVITY = "passivity"
    DOOR = "door"
    GEOLOCATOR = "geolocator"
    FALL_UCR = "fall_ucr"
    """Fall detector with the function of a UCR."""
    ORAL = "oral"
    """Device for people with difficulty in oral communication."""
    SMARTWATCH = "smartwatch"
    REMOTE_FALL = "remote_fall"
    VOICE_EXTENDER = "voice_extender"
    CHOICE = "choice"
    """Device of the contractor's choice, such as a routine detector."""


TERMINALS = frozenset({DeviceType.TERMINAL_PSTN, DeviceType.TERMINAL_GSM, DeviceType.TERMINAL_IP})
DIGITAL = DeviceType.TERMINAL_IP
BUTTONS = frozenset({DeviceType.UCR, DeviceType.FALL_UCR, DeviceType.SMARTWATCH})
"""Types that give a user a button: any of these is that user's UCR."""


class Ownership(StrEnum):
    """Who owns a device, and so who pays for it."""

    MUNICIPAL = "municipal"
    LEASED = "leased"
    OFFERED = "offered"
    """Installed at no cost, as an improvement in the offer (tender, 13.2.c); municipal from its first day."""


class Place(StrEnum):
    """Where a movement leaves a device."""

    WAREHOUSE = "warehouse"
    HOME = "home"
    RETIRED = "retired"


class MovementKind(StrEnum):
    """What happened to a device."""

    RECEIVED = "received"
    INSTALLED = "installed"
    MOVED = "moved"
    REMOVED = "removed"
    REPAIRED = "repaired"
    REPLACED_BY = "replaced_by"
    REPLACES = "replaces"
    TRANSFERRED = "transferred"
    """The device changed its owner, for example because leased equipment was bought at the end of a contract."""
    RETIRED = "retired"


class UpkeepKind(StrEnum):
    """Work that leaves a device in its place and restarts the time until the next such work."""

    BATTERY = "battery"
    MAINTENANCE = "maintenance"


class Manufacture(NamedTuple):
    """ISO year and week in which a device was made: its label says it, and the monthly inventory must show it."""

    year: int
    week: int

    def __str__(self) -> str:
        return f"{self.year}-W{self.week:02}"


class Device(NamedTuple):
    """One device as its label and the contract describe it; its movements say where it is."""

    type: DeviceType
    serial: str
    """Unique within its type."""
    model: str = ""
    imei: str = ""
    account: str = ""
    """Account under which the receiver hears it. For a UCR: the id by which its terminal reports it, if that is not its
    serial."""
    made: Manufacture | None = None
    first_installed: date | None = None
    """Day of the first installation in the municipal service, in any home."""
    cost_from: date | None = None
    """Day from which its purchase cost counts; inherited from the device that it replaced (tender, section 5)."""
    guarantee_until: date | None = None


class Standing(NamedTuple):
    """Where a device is on some day: the effect of its last movement."""

    place: Place
    home: str
    """Code of the home; empty if it is not in a home."""
    ownership: Ownership
    last_moved: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One line of a device's history: what happened, and the state of the device afterwards."""

    day: date
    kind: MovementKind
    place: Place
    home: str
    ownership: Ownership
    other: int | None = None
    """The device that it replaced, or that replaced it."""
    note: str = ""


class DeviceHistory(NamedTuple):
    """A device with its movements up to some day, oldest first."""

    number: int
    type: DeviceType
    serial: str
    movements: Sequence[Movement]

    @property
    def name(self) -> str:
        """Its name for people and on the command line."""
        return f"{self.type}:{self.serial}"


class DeviceRecord(NamedTuple):
    """A device with its number in the registry, its standing and its last upkeep as of the requested day."""

    id: int
    device: Device
    standing: Standing
    last_battery: date | None = None
    last_maintenance: date | None = None


class Change(NamedTuple):
    """The effect of a movement: the device's number, the device with its new dates, and the movement."""

    id: int
    device: Device
    movement: Movement


IMPORTED: Final = "import"
"""Note of a movement that an import recorded; the other movements were recorded by hand."""


class ImportedDevice(NamedTuple):
    """A device and its state according to a file."""

    device: Device
    place: Place
    home: str
    ownership: Ownership
    since: date
    """Day since which it is in that place, as far as the file says."""
    moved: date | None
    """The same day, if the file gives it; None otherwise."""
    last_battery: date | None
    last_maintenance: date | None

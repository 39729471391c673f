"""What the inventory keeps: homes, the people in them, devices, and every movement a device made.

A device's place is never stored beside its history: it is the place its last movement left it in. So the fleet of any
past day is the last movement of each device up to that day, and there is no second truth to disagree with.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date

LAST_WEEK = 53
"""ISO 8601 years have 52 or 53 weeks."""


class DeviceType(StrEnum):
    """Every type the Barcelona contract prices (tender, section 5), analog terminals apart by their network."""

    TERMINAL_PSTN = "terminal_pstn"
    TERMINAL_GSM = "terminal_gsm"
    """Analog signalling over GSM: counts as analog."""
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
"""What gives a person a button: any of these is that person's UCR."""


class Ownership(StrEnum):
    """Who owns a device, and so who pays for it."""

    MUNICIPAL = "municipal"
    LEASED = "leased"
    OFFERED = "offered"
    """Installed at no cost to make good an offered improvement (tender, 13.2.c): municipal from its first day."""


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
    """Changed owner, as when leased equipment is bought at the end of a contract."""
    RETIRED = "retired"


class UpkeepKind(StrEnum):
    """Work that leaves a device where it is and resets a clock."""

    BATTERY = "battery"
    MAINTENANCE = "maintenance"


class UserType(StrEnum):
    """How the service classes a person; type C shares the home and has no UCR (tender, 13.1.g)."""

    A = "A"
    B = "B"
    C = "C"


class Period(NamedTuple):
    """From a day to another, both included; ``until`` None: still running."""

    since: date
    until: date | None = None

    def covers(self, day: date) -> bool:
        """Return whether the day falls inside."""
        return self.since <= day and (self.until is None or day <= self.until)


class Programme(NamedTuple):
    """A person's time in a programme of personalised telecare (home_safety, mimal ...)."""

    name: str
    period: Period


class Manufacture(NamedTuple):
    """ISO year and week in which a device was made, as its label says and the monthly inventory must show."""

    year: int
    week: int

    def __str__(self) -> str:
        return f"{self.year}-W{self.week:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A home the service attends, known by its code; no name and no address are kept here."""

    code: str
    district: str
    base: str
    """Intervention base whose technicians visit it."""
    level: int
    """Support level, 1 to 3."""
    alone: bool
    language: str = ""
    phones: tuple[str, ...] = ()
    active: tuple[Period, ...] = ()
    suspended: tuple[Period, ...] = ()

    def active_on(self, day: date) -> bool:
        """Return whether the home is attended that day, suspended or not."""
        return any(period.covers(day) for period in self.active)

    def active_from(self, day: date) -> bool:
        """Return whether the home is attended that day or on a later one, as far as is known."""
        return any(period.until is None or day <= period.until for period in self.active)

    def suspended_on(self, day: date) -> bool:
        """Return whether the home's service is suspended that day."""
        return any(period.covers(day) for period in self.suspended)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone the service attends, known by a code."""

    code: str
    home: str
    user_type: UserType
    programmes: tuple[Programme, ...] = ()


class Device(NamedTuple):
    """One piece of equipment as its label and the contract describe it; where it is, its movements say."""

    type: DeviceType
    serial: str
    """Unique within its type."""
    model: str = ""
    imei: str = ""
    account: str = ""
    """Under which the receiver hears it, as registered there; a UCR: the id by which its terminal
    reports it, where that is not its serial."""
    made: Manufacture | None = None
    first_installed: date | None = None
    """First installation in the municipal service, in any home."""
    cost_from: date | None = None
    """Day from which its purchase cost counts: inherited from the device it replaced (tender, section 5)."""
    guarantee_until: date | None = None


class Standing(NamedTuple):
    """Where a device is on some day: the effect of its last movement."""

    place: Place
    home: str
    """Code of the home; empty elsewhere."""
    ownership: Ownership
    last_moved: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One line of a device's history: what happened, and how it stood afterwards."""

    day: date
    kind: MovementKind
    place: Place
    home: str
    ownership: Ownership
    other: int | None = None
    """The device that it replaced, or that replaced it."""
    note: str = ""


class Kept(NamedTuple):
    """A device with its number in the registry, its standing and its last upkeep on the day asked about."""

    id: int
    device: Device
    standing: Standing
    last_battery: date | None = None
    last_maintenance: date | None = None


class Change(NamedTuple):
    """What a movement does to a device: its number, the device with the dates it gained, the movement itself."""

    id: int
    device: Device
    movement: Movement

"""What a plan of renewals is made of: visits to homes, the work done in each, and why it is on its day."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from vetlla.domain.devices import DeviceType


class Work(StrEnum):
    """What is done to a device in a visit."""

    RENEWAL = "renewal"
    BATTERY = "battery"
    MAINTENANCE = "maintenance"
    INSTALLATION = "installation"
    """Of a home that joins the service: expected growth, no device yet."""


class Rank(StrEnum):
    """Why a home's turn comes before another's (tender, 13.1.g); in this order."""

    LEVEL_3 = "level 3: must be digital"
    LEVEL_2_ALONE = "level 2, lives alone: first of those who must be digital"
    LEVEL_2 = "level 2: half of them must be digital"
    NONE = "no priority"


RANKS = tuple(Rank)


class Task(NamedTuple):
    """Work on one device. ``device`` 0: equipment of a home that is still to come."""

    work: Work
    device: int
    type: DeviceType
    due: date
    """End of life, or day on which the upkeep falls due: done before it."""
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The reasons for a visit's day."""

    earliest: date
    latest: date
    """First and last working day on which the visit may be."""
    stretch_first: date
    stretch_last: date
    stretch_minutes: int
    stretch_days: int
    """The critical stretch that sets the day's level: so many minutes must fall in so many of its working days."""
    rank: Rank = Rank.NONE
    instead_of: date | None = None
    """Day it had before it was exchanged with a home of lower rank."""
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A technician's visit to a home on a day."""

    home: str
    """Empty: a home that is still to join."""
    base: str
    day: date
    minutes: int
    tasks: tuple[Task, ...]
    digital: bool | None
    """Whether the terminal it brings is GSM-IP; None: it brings no terminal."""
    agreed: bool
    """Agreed with the people of the home: stays on its day whatever else is planned anew."""
    why: Why
    number: int = 0
    """Number in the registry; 0: not kept yet."""

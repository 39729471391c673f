"""Values of a renewal plan: visits to homes, the work in each, and the reasons for its day."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date

    from vetlla.domain.devices import DeviceType


class Work(StrEnum):
    """Work on a device during a visit."""

    RENEWAL = "renewal"
    BATTERY = "battery"
    MAINTENANCE = "maintenance"
    INSTALLATION = "installation"
    """For a home that joins the service: expected growth, without a device so far."""


class Rank(StrEnum):
    """Reasons why a home comes before other homes (tender, 13.1.g), the strongest reason first."""

    LEVEL_3 = "level 3: must be digital"
    LEVEL_2_ALONE = "level 2, lives alone: first of those who must be digital"
    LEVEL_2 = "level 2: half of them must be digital"
    NONE = "no priority"


RANKS = tuple(Rank)


class Task(NamedTuple):
    """Work on one device. ``device`` is 0 for a device that a future home will need."""

    work: Work
    device: int
    type: DeviceType
    due: date
    """End of life, or day on which the upkeep is due. The work must be done before it."""
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """The reasons for a visit's day."""

    earliest: date
    latest: date
    """``earliest`` and ``latest``: first and last working day on which the visit may be."""
    stretch_first: date
    stretch_last: date
    stretch_minutes: int
    stretch_days: int
    """Critical stretch that sets the day's level: ``stretch_minutes`` in ``stretch_days`` of its working days."""
    rank: Rank = Rank.NONE
    instead_of: date | None = None
    """Its day before it was exchanged with a home of lower rank."""
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A technician's visit to a home on one day."""

    home: str
    """Empty for a home that has not joined yet."""
    base: str
    day: date
    minutes: int
    tasks: tuple[Task, ...]
    digital: bool | None
    """Whether the new terminal is GSM-IP; None if the visit brings no terminal."""
    agreed: bool
    """Whether the day is agreed with the people of the home. Then a new plan leaves it on its day."""
    why: Why
    number: int = 0
    """Number in the registry; 0 if it is not stored yet."""

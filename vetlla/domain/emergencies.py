"""Values of emergencies in the street: the units that go, and the emergencies that wait. Times: microseconds UTC."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from vetlla.domain.clock import DAY_US


class EmergencyType(StrEnum):
    """Type of an emergency that a unit attends (tender 20220428, 13.2.b and 16.11 to 16.12)."""

    I = "I"  # noqa: E741 - the tender's name
    II = "II"

    @property
    def kind(self) -> str:
        """The kind of duty of this type."""
        return "umo_1" if self is EmergencyType.I else "umo_2"


TYPE_OF_KIND: Final = {one.kind: one for one in EmergencyType}
"""The type of each kind of duty that is an emergency in the street."""


NO_NEWS_US: Final = DAY_US
"""An open emergency of which nothing was recorded for this long is a record without its end, and no person who waits.

The limits are 35 and 90 minutes, and every call, unit and decision is news. A day is longer than any shift, so that no
emergency that is worked on is put apart.
"""


class UnitEvent(NamedTuple):
    """What was recorded about a unit: it was added, or went on or off duty."""

    unit: str
    event: str
    """``added``, ``on`` or ``off``."""
    base: str
    """The base from which it works; empty: as before."""
    vehicle: str
    at_us: int
    by: str
    note: str = ""


class UnitState(StrEnum):
    """Where a unit is."""

    FREE = "free"
    ON_THE_WAY = "on_the_way"
    AT_HOME = "at_home"
    OFF_DUTY = "off_duty"


class WaitingEmergency(NamedTuple):
    """An emergency to whose home no unit has got in yet, as the receiver needs it for its metrics."""

    type: EmergencyType
    opened_us: int
    """Its first communication."""
    due_us: int
    """End of the limit: 35 or 90 minutes."""
    has_unit: bool
    news_us: int
    """When the last of its events happened."""

"""On which days a device is rented, and why not on the others (tender 20220428, section 5): the one rule.

A device is where its last movement up to the end of a day left it. It is rented on each day on which it is leased and
in a home that is in the service; parameters decide about suspended homes, homes that left, and the warehouse. Municipal
and offered equipment is not rented, and ``inventory replace`` makes the replacement of such a device within its life
municipal or offered, too. Of each pilot device the first ones that were installed are not rented (``pilots``). The
invoice counts these days in a month, and the purchase option counts them since the device was installed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import Ownership, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from vetlla.domain.devices import Movement, Standing
    from vetlla.domain.homes import Home
    from vetlla.service.homes.attended import DaySpan
    from vetlla.service.inventory.rent_share import ProRata


class RentReason(StrEnum):
    """Whether a device is rented, and why not."""

    RENTED = "rented"
    MUNICIPAL = "municipal"
    OFFERED = "offered"
    PILOT = "pilot"
    HOME_LEFT = "home_left"
    SUSPENDED = "suspended"
    WAREHOUSE = "warehouse"


class RentTerms(NamedTuple):
    """What decides about the rents of a span of days."""

    span: DaySpan
    pro_rata: ProRata
    when_suspended: bool
    when_home_left: bool
    in_warehouse: bool
    pilot_lines: Collection[str]
    pilot_free: int
    """Devices of each pilot line that are not rented, in the order of their installation."""
    homes: Mapping[str, Home]
    attended: Mapping[str, int]
    """By home: days (bits) on which a user is in the service and not suspended. Not looked at if ``when_suspended``."""


class Stay(NamedTuple):
    """A movement, and the days on which it was the last one."""

    move: Movement
    parts: tuple[tuple[RentReason, int], ...]
    """Days (bits) of the span by what they are; no day is in two of them."""


def stays(movements: Sequence[Movement], terms: RentTerms) -> Iterator[Stay]:
    """Yield the stays of a device in homes, and in the warehouse after a home, that have a day in the span."""
    span, was_in_home = terms.span, False
    ends: Sequence[Movement | None] = [*movements[1:], None]
    for move, following in zip(movements, ends, strict=True):
        was_in_home = was_in_home or move.place is Place.HOME
        days = span.between(move.day, None)
        if following is not None:
            days &= ~span.between(following.day, None)
        is_stay = move.place is Place.HOME or (move.place is Place.WAREHOUSE and was_in_home)
        if days and is_stay:
            yield Stay(move, tuple((reason, some) for reason, some in parts(move, days, terms) if some))


def parts(place: Movement | Standing, days: int, terms: RentTerms) -> Iterator[tuple[RentReason, int]]:
    """Yield the days (bits) of a device in a home, or in the warehouse after a home, by what they are."""
    if place.ownership is not Ownership.LEASED:
        yield (RentReason.MUNICIPAL if place.ownership is Ownership.MUNICIPAL else RentReason.OFFERED), days
        return
    if place.place is Place.WAREHOUSE:
        yield (RentReason.RENTED if terms.in_warehouse else RentReason.WAREHOUSE), days
        return
    home = terms.homes.get(place.home)
    served = terms.span.covered(home.active) if home else 0
    left = 0 if terms.when_home_left else days & ~served
    resting = 0 if terms.when_suspended else days & served & ~terms.attended.get(place.home, 0)
    yield RentReason.HOME_LEFT, left
    yield RentReason.SUSPENDED, resting
    yield RentReason.RENTED, days & ~left & ~resting

"""Which devices are rented in a month, from their movements (tender 20220428, section 5).

A device is where its last movement up to the end of a day left it. It is rented on each day on which it is leased and
in a home that is in the service; parameters decide about suspended homes, homes that left, and the warehouse. Municipal
and offered equipment is not rented, and ``inventory replace`` makes the replacement of such a device within its life
municipal or offered, too. Of each pilot device the first ones that were installed are not rented.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import MovementKind, Ownership, Place
from vetlla.service.inventory.rent_share import as_decimal, month_share, rounded_months

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from vetlla.domain.devices import DeviceHistory, Movement
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
    """What decides about the rents of a month."""

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
    """By home: days (bits) on which a user is in the service and not suspended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMonth:
    """What a device was in the month."""

    device: DeviceHistory
    home: str
    """The last home of the month in which it was; empty if it was in none."""
    days: int
    """Rented days, as bits."""
    reason: RentReason | None
    """``rented`` if it has a rented day, else why not; None if it was neither in a home nor paid in the warehouse."""
    others: Mapping[RentReason, int]
    """Days (bits) on which it was not rented, by reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RentPosition:
    """Devices of one line that are paid as one: a device, and those that came in its place in the same month."""

    devices: tuple[DeviceMonth, ...]
    """In the order in which they came, each with the days on which it had this position."""
    days: int
    """Rented days, as bits."""

    @property
    def home(self) -> str:
        """The last home in which it was."""
        return self.devices[-1].home


def device_month(device: DeviceHistory, terms: RentTerms) -> DeviceMonth:
    """Return what a device was in the month. Pilots are not looked at here (``without_pilots``)."""
    span, rented, home = terms.span, 0, ""
    others: dict[RentReason, int] = {}
    was_in_home = False
    ends: Sequence[Movement | None] = [*device.movements[1:], None]
    for move, following in zip(device.movements, ends, strict=True):
        was_in_home = was_in_home or move.place is Place.HOME
        days = span.between(move.day, None)
        if following is not None:
            days &= ~span.between(following.day, None)
        if not days or (move.place is not Place.HOME and not (move.place is Place.WAREHOUSE and was_in_home)):
            continue
        home = move.home or home
        for found, some in _parts(move, days, terms):
            if found is RentReason.RENTED:
                rented |= some
            elif some:
                others[found] = others.get(found, 0) | some
    in_home = (other for other in others if other is not RentReason.WAREHOUSE)
    reason = RentReason.RENTED if rented else next(in_home, None)
    return DeviceMonth(device=device, home=home, days=rented, reason=reason, others=others)


def _parts(move: Movement, days: int, terms: RentTerms) -> Iterator[tuple[RentReason, int]]:
    """Yield the days of a stay by what they are."""
    if move.ownership is not Ownership.LEASED:
        yield (RentReason.MUNICIPAL if move.ownership is Ownership.MUNICIPAL else RentReason.OFFERED), days
        return
    if move.place is Place.WAREHOUSE:
        yield (RentReason.RENTED if terms.in_warehouse else RentReason.WAREHOUSE), days
        return
    home = terms.homes.get(move.home)
    served = terms.span.covered(home.active) if home else 0
    suspended = served & ~terms.attended.get(move.home, 0)
    left = 0 if terms.when_home_left else days & ~served
    resting = 0 if terms.when_suspended else days & suspended
    yield RentReason.HOME_LEFT, left
    yield RentReason.SUSPENDED, resting
    yield RentReason.RENTED, days & ~left & ~resting


def without_pilots(found: Iterable[DeviceMonth], free: Collection[int]) -> Iterator[DeviceMonth]:
    """Yield devices; those whose number is in ``free`` are not rented."""
    for one in found:
        if one.days and one.device.number in free:
            others = {**one.others, RentReason.PILOT: one.days}
            yield replace(one, days=0, reason=RentReason.PILOT, others=others)
        else:
            yield one


def positions(found: Iterable[DeviceMonth], span: DaySpan) -> list[RentPosition]:
    """Return the rented devices of one line as positions, by home and device.

    Each rented device has a position, and two of them exchange theirs when one replaces the other. So a replacement is
    paid once, whatever becomes of the old device, and there are never more positions than rented devices. A device
    without a rented day stands for the one that it replaced.
    """
    every = {one.device.number: one for one in found}
    held = {number: [_Holding(span.first, number)] for number, one in every.items() if one.days}
    stands_for: dict[int, int] = {}
    for day, replaced, new in _replacements(every, span):
        old = replaced if replaced in held else stands_for.get(replaced)
        if old is None:
            continue
        if new in held:
            mine, theirs = held[new][-1].position, held[old][-1].position
            held[new].append(_Holding(day, theirs))
            held[old].append(_Holding(day, mine))
        else:
            stands_for[new] = old
    parts: dict[int, list[DeviceMonth]] = {}
    for number, holdings in held.items():
        ends = [*(span.between(one.since, None) for one in holdings[1:]), 0]
        for one, after in zip(holdings, ends, strict=True):
            days = every[number].days & span.between(one.since, None) & ~after
            if days:
                parts.setdefault(one.position, []).append(replace(every[number], days=days))
    made = (_position(some) for some in parts.values())
    return sorted(made, key=lambda one: (one.home, one.devices[0].device.number))


class _Holding(NamedTuple):
    """The position that a device has from a day on."""

    since: date
    position: int


def _position(parts: list[DeviceMonth]) -> RentPosition:
    parts.sort(key=lambda one: one.days & -one.days)  # by the first day
    days = 0
    for one in parts:
        days |= one.days
    return RentPosition(devices=tuple(parts), days=days)


def _replacements(every: Mapping[int, DeviceMonth], span: DaySpan) -> list[tuple[date, int, int]]:
    """Return day, old and new device of each replacement by a leased device in the month, in the order of events.

    Movements have no time, so of one day only the order in the history of each device is known.
    """
    places: dict[tuple[date, int, int], int] = {}
    for new, one in every.items():
        for move in one.device.movements:
            old = move.other
            if move.kind is not MovementKind.REPLACES or not span.first <= move.day <= span.last:
                continue
            if old is None or old not in every or move.ownership is not Ownership.LEASED:
                continue
            sides = ((one.device.movements, old), (every[old].device.movements, new))
            places[move.day, old, new] = max(_place_in_day(history, move.day, other) for history, other in sides)
    return sorted(places, key=lambda event: (event[0], places[event]))


def _place_in_day(movements: Sequence[Movement], day: date, other: int) -> int:
    """Return how many movements of that day come before the one that names the other device."""
    of_day = [move.other for move in movements if move.day == day]
    return of_day.index(other) if other in of_day else 0


def rent_units(found: Iterable[RentPosition], span: DaySpan, pro_rata: ProRata) -> Decimal:
    """Return the units of a line: months of devices, rounded to ``FINEST``."""
    lengths = Counter(one.days.bit_count() for one in found)
    shares = (month_share(days, span.length, pro_rata) * number for days, number in lengths.items())
    return rounded_months(sum(shares, Fraction(0)))


def position_units(one: RentPosition, span: DaySpan, pro_rata: ProRata) -> Decimal:
    """Return the units of a position, not rounded."""
    return as_decimal(month_share(one.days.bit_count(), span.length, pro_rata))

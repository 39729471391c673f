"""Which devices are rented in a month, and the positions and units of each line (tender 20220428, section 5).

``inventory.stays`` says which day of a device is rented. Of each pilot device the first ones that were installed are
not rented.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import MovementKind, Ownership
from vetlla.service.inventory.rent_share import as_decimal, month_share, rounded_months
from vetlla.service.inventory.stays import RentReason, stays

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from vetlla.domain.devices import DeviceHistory, Movement
    from vetlla.service.homes.attended import DaySpan
    from vetlla.service.inventory.rent_share import ProRata
    from vetlla.service.inventory.stays import RentTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMonth:
    """What a device was in the month."""

    device: DeviceHistory
    home: str
    """The last home of the month in which it was; empty if it was in none."""
    places: tuple[tuple[str, int], ...]
    """The homes in which it was, in their order, each with its days (bits); with an empty text the warehouse."""
    days: int
    """Rented days, as bits."""
    reason: RentReason | None
    """``rented`` if it has a rented day, else why not; None if it was neither in a home nor paid in the warehouse."""
    others: Mapping[RentReason, int]
    """Days (bits) on which it was not rented, by reason."""

    def days_in(self, home: str) -> int:
        """Return the days (bits) on which it was in a home."""
        return joined(days for place, days in self.places if place == home)


@dataclass(frozen=True, slots=True, kw_only=True)
class RentPosition:
    """Devices of one line that are paid as one: a device, and those that came in its place in the same month."""

    devices: tuple[DeviceMonth, ...]
    """In the order in which they came, each with the days on which it had this position."""
    days: int
    """Rented days, as bits."""

    @property
    def homes(self) -> tuple[str, ...]:
        """The homes in which it was rented, in the order of days; of days in the warehouse the home before them."""
        found: list[str] = []
        for one in self.devices:
            there = [place for place, days in one.places if place and days & one.days]
            found += [home for home in there or [one.home] if home not in found]
        return tuple(found)


def device_month(device: DeviceHistory, terms: RentTerms) -> DeviceMonth:
    """Return what a device was in the month. Pilots are not looked at here (``without_pilots``)."""
    rented, home = 0, ""
    others: dict[RentReason, int] = {}
    places: list[tuple[str, int]] = []
    for stay in stays(device.movements, terms):
        home = stay.move.home or home
        places.append((stay.move.home, joined(days for _, days in stay.parts)))
        for found, some in stay.parts:
            if found is RentReason.RENTED:
                rented |= some
            else:
                others[found] = others.get(found, 0) | some
    in_home = (other for other in others if other is not RentReason.WAREHOUSE)
    reason = RentReason.RENTED if rented else next(in_home, None)
    return DeviceMonth(device=device, home=home, places=tuple(places), days=rented, reason=reason, others=others)


def joined(parts: Iterable[int]) -> int:
    """Return all days (bits) of some parts."""
    found = 0
    for days in parts:
        found |= days
    return found


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
    return sorted(made, key=lambda one: (one.homes, one.devices[0].device.number))


class _Holding(NamedTuple):
    """The position that a device has from a day on."""

    since: date
    position: int


def _position(parts: list[DeviceMonth]) -> RentPosition:
    parts.sort(key=lambda one: one.days & -one.days)  # by the first day
    return RentPosition(devices=tuple(parts), days=joined(one.days for one in parts))


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


def rent_units(found: Iterable[RentPosition], month_days: int, pro_rata: ProRata) -> Decimal:
    """Return the units of a line: months of ``month_days`` days of devices, rounded to ``FINEST``."""
    lengths = Counter(one.days.bit_count() for one in found)
    shares = (month_share(days, month_days, pro_rata) * number for days, number in lengths.items())
    return rounded_months(sum(shares, Fraction(0)))


def position_units(one: RentPosition, month_days: int, pro_rata: ProRata) -> Decimal:
    """Return the units of a position in a month of ``month_days`` days, not rounded."""
    return as_decimal(month_share(one.days.bit_count(), month_days, pro_rata))

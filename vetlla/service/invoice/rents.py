"""Which devices are rented in a month, and the positions and units of each line (tender 20220428, section 5).

``inventory.stays`` says which day of a device is rented. Of each pilot device the first ones that were installed are
not rented.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from vetlla.domain.devices import MovementKind
from vetlla.service.inventory.rent_share import as_decimal, month_share, rounded_months
from vetlla.service.inventory.stays import RentReason, stays

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from datetime import date
    from decimal import Decimal

    from vetlla.domain.devices import DeviceHistory
    from vetlla.service.homes.attended import DaySpan
    from vetlla.service.inventory.rent_share import ProRata
    from vetlla.service.inventory.stays import RentTerms


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
    """In the order in which they came."""
    days: int
    """Rented days, as bits."""

    @property
    def home(self) -> str:
        """The last home in which it was."""
        return self.devices[-1].home


def device_month(device: DeviceHistory, terms: RentTerms) -> DeviceMonth:
    """Return what a device was in the month. Pilots are not looked at here (``without_pilots``)."""
    rented, home = 0, ""
    others: dict[RentReason, int] = {}
    for stay in stays(device.movements, terms):
        home = stay.move.home or home
        for found, some in stay.parts:
            if found is RentReason.RENTED:
                rented |= some
            else:
                others[found] = others.get(found, 0) | some
    in_home = (other for other in others if other is not RentReason.WAREHOUSE)
    reason = RentReason.RENTED if rented else next(in_home, None)
    return DeviceMonth(device=device, home=home, days=rented, reason=reason, others=others)


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

    A device that replaced another one in the month joins its position, unless both were rented on one day.
    """
    every = {one.device.number: one for one in found}
    came = {number: _came(one, span) for number, one in every.items()}
    head_of: dict[int, int] = {}
    joined: dict[int, list[DeviceMonth]] = {}
    days: dict[int, int] = {}
    for number in sorted(every, key=lambda number: (came[number][0], number)):
        one, old = every[number], came[number][1]
        head = head_of.get(old, number) if old is not None else number
        if days.get(head, 0) & one.days:
            head = number
        head_of[number] = head
        if one.days:
            joined.setdefault(head, []).append(one)
            days[head] = days.get(head, 0) | one.days
    made = (RentPosition(devices=tuple(some), days=days[head]) for head, some in joined.items())
    return sorted(made, key=lambda one: (one.home, one.devices[0].device.number))


def _came(one: DeviceMonth, span: DaySpan) -> tuple[date, int | None]:
    """Return when a device replaced another one in the month, and which; the first day and None for others."""
    found = [
        (move.day, move.other)
        for move in one.device.movements
        if move.kind is MovementKind.REPLACES and span.first <= move.day <= span.last
    ]
    return max(found, key=lambda pair: pair[0], default=(span.first, None))


def rent_units(found: Iterable[RentPosition], span: DaySpan, pro_rata: ProRata) -> Decimal:
    """Return the units of a line: months of devices, rounded to ``FINEST``."""
    lengths = Counter(one.days.bit_count() for one in found)
    shares = (month_share(days, span.length, pro_rata) * number for days, number in lengths.items())
    return rounded_months(sum(shares, Fraction(0)))


def position_units(one: RentPosition, span: DaySpan, pro_rata: ProRata) -> Decimal:
    """Return the units of a position, not rounded."""
    return as_decimal(month_share(one.days.bit_count(), span.length, pro_rata))

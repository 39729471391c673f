"""The days on which a device and those before it in its chain of replacements were rented (tender 20220428, section 5).

The days are those of the invoice (``inventory.stays``). What a device costs counts from the first installation of the
first device of its chain, so the rent of all of them is deducted from the price.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

from vetlla.domain.devices import MovementKind, Ownership, Place
from vetlla.service.inventory.rent_lines import rent_line
from vetlla.service.inventory.rent_share import RentedDays, clipped, merged
from vetlla.service.inventory.stays import RentReason, stays

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from vetlla.domain.devices import Device, DeviceHistory, Movement
    from vetlla.service.inventory.stays import RentTerms


class Chains:
    """Finds the rented days of chains of replacements."""

    def __init__(
        self,
        histories: Mapping[int, DeviceHistory],
        devices: Mapping[int, Device],
        terms: RentTerms,
        free: Collection[int],
    ) -> None:
        """Take the devices that were ever leased, by number: their movements, and their dates.

        ``free`` are the pilots that are not rented.
        """
        self._histories = histories
        self._devices = devices
        self._terms = terms
        self._free = free

    def rented(self, number: int, after: date) -> dict[str, tuple[RentedDays, ...]]:
        """Return the rented days of a device's chain before a day, by line.

        Days before the cost date do not count. The days from the cost date to the first recorded movement of the chain
        count as rented, because the registry knows nothing else of them. A pilot that is not rented has no such days.
        """
        cost_from = self._devices[number].cost_from
        if cost_from is None:
            return {}
        found: defaultdict[str, list[RentedDays]] = defaultdict(list)
        earliest: tuple[date, str] | None = None
        has_pilot = False
        for one, end in self._chain(number, cost_from, after):
            line = rent_line(one.type)
            if line is None or not one.movements:
                continue
            if one.number in self._free:
                has_pilot = True
                continue
            found[line] += self._own(one, end)
            begun = one.movements[0]
            is_rented = begun.ownership is Ownership.LEASED and begun.place is Place.HOME
            if is_rented and (earliest is None or begun.day < earliest[0]):
                earliest = begun.day, line
        if (
            earliest is not None
            and not has_pilot
            and not any(one.first < earliest[0] for some in found.values() for one in some)
        ):
            found[earliest[1]].append(RentedDays(cost_from, earliest[0]))
        return _of_cost(found, cost_from, after)

    def _chain(self, number: int, cost_from: date, end: date) -> Iterator[tuple[DeviceHistory, date]]:
        """Yield a device and those before it in its chain, each with the day from which the next one had its place."""
        seen: set[int] = set()
        while number in self._histories and number not in seen:
            seen.add(number)
            one = self._histories[number]
            yield one, end
            for move in reversed(one.movements):
                if move.other is not None and move.day < end and self._took_over(one, move, cost_from):
                    number, end = move.other, move.day
                    break

    def _took_over(self, one: DeviceHistory, move: Movement, cost_from: date) -> bool:
        """Return True if a device took the cost date of its chain over with a movement. A renewal takes none over.

        A device that came from the warehouse for the first time has a cost date before that day only from another one.
        One that was in a home before may have its own; then the date of the other device decides.
        """
        if move.kind is not MovementKind.REPLACES or cost_from >= move.day:
            return False
        first = next(before for before in one.movements if before.place is Place.HOME)
        before = self._devices.get(move.other or 0)
        return first is move or (before is not None and cost_from == (before.cost_from or before.first_installed))

    def _own(self, one: DeviceHistory, after: date) -> Iterator[RentedDays]:
        """Yield the rented days of a device by itself."""
        span = self._terms.span
        for stay in stays(one.movements, self._terms):
            for reason, days in stay.parts:
                if reason is RentReason.RENTED:
                    for since, until in span.stretches(days):
                        end = min((until or span.last) + timedelta(days=1), after)
                        if since < end:
                            yield RentedDays(since, end)


def _of_cost(found: Mapping[str, list[RentedDays]], cost_from: date, after: date) -> dict[str, tuple[RentedDays, ...]]:
    return {line: merged(clipped(some, cost_from, after)) for line, some in found.items()}

"""The days on which a device and those before it in its chain of replacements were rented (tender 20220428, section 5).

The days are those of the invoice: a device is where its last movement up to the end of a day left it, and it is rented
on each day on which it is leased and in a home that is in the service. What a device costs counts from the first
installation of the first device of its chain, so the rent of all of them is deducted from the price.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import MovementKind, Ownership, Place
from vetlla.service.inventory.rent_lines import rent_line
from vetlla.service.inventory.rent_share import RentedDays, clipped, merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vetlla.domain.devices import Device, DeviceHistory, Movement
    from vetlla.domain.homes import Home


class RentRules(NamedTuple):
    """What decides whether a day is rented (parameters ``rent.home_left`` and ``rent.warehouse``)."""

    when_home_left: bool
    in_warehouse: bool


class Chains:
    """Finds the rented days of chains of replacements."""

    def __init__(
        self,
        histories: Mapping[int, DeviceHistory],
        devices: Mapping[int, Device],
        homes: Mapping[str, Home],
        rules: RentRules,
    ) -> None:
        """Take the devices that were ever leased, by number: their movements, and their dates."""
        self._histories = histories
        self._devices = devices
        self._homes = homes
        self._rules = rules

    def rented(self, number: int, after: date) -> dict[str, tuple[RentedDays, ...]]:
        """Return the rented days of a device's chain before a day, by line.

        Days before the cost date do not count. The days from the cost date to the first recorded movement of the chain
        count as rented, because the registry knows nothing else of them.
        """
        cost_from = self._devices[number].cost_from
        if cost_from is None:
            return {}
        found: defaultdict[str, list[RentedDays]] = defaultdict(list)
        earliest: tuple[date, str] | None = None
        for one, end in self._chain(number, cost_from, after):
            line = rent_line(one.type)
            if line is None or not one.movements:
                continue
            found[line] += self._own(one, end)
            begun = one.movements[0]
            is_rented = begun.ownership is Ownership.LEASED and begun.place is Place.HOME
            if is_rented and (earliest is None or begun.day < earliest[0]):
                earliest = begun.day, line
        if earliest is not None and not any(one.first < earliest[0] for some in found.values() for one in some):
            found[earliest[1]].append(RentedDays(cost_from, earliest[0]))
        return {line: merged(clipped(some, cost_from, after)) for line, some in found.items()}

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
        was_in_home = False
        ends = [*(move.day for move in one.movements[1:]), after]
        for move, following in zip(one.movements, ends, strict=True):
            end = min(following, after)
            was_in_home = was_in_home or move.place is Place.HOME
            if move.ownership is not Ownership.LEASED or move.day >= end:
                continue
            if move.place is Place.HOME:
                yield from self._in_service(move.home, RentedDays(move.day, end))
            elif move.place is Place.WAREHOUSE and was_in_home and self._rules.in_warehouse:
                yield RentedDays(move.day, end)

    def _in_service(self, code: str, stay: RentedDays) -> Iterator[RentedDays]:
        """Yield the days of a stay on which its home is in the service."""
        if self._rules.when_home_left:
            yield stay
            return
        home = self._homes.get(code)
        for period in home.active if home else ():
            end = stay.after if period.until is None else min(stay.after, period.until + timedelta(days=1))
            yield from clipped([stay], period.since, end)

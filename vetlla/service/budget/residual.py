"""The residual value of the rented devices on a day: what the city pays if it buys them (tender 20220428, section 5).

The price of a device is 60 monthly rents without interest, and the rent that was paid is deducted. The city does not
buy what it owns already, what was offered at no cost, the first pilot devices, and devices whose useful life has ended.
What is not rented on that day, because it is in the warehouse or in a home that left, is not bought either.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import last_of_month
from vetlla.domain.devices import Ownership, Place
from vetlla.domain.money import cents
from vetlla.service.budget.rented import Chains
from vetlla.service.calendar import add_months, months_of
from vetlla.service.homes.attended import DaySpan
from vetlla.service.inventory.lifetimes import Lives
from vetlla.service.inventory.movements import name
from vetlla.service.inventory.pilots import free_pilots
from vetlla.service.inventory.rent_lines import RENT_LINES, rent_line
from vetlla.service.inventory.rent_share import RentedDays, as_decimal, clipped, rented_months, rounded_months
from vetlla.service.inventory.renting import behind, price_names, rent_price, rent_terms
from vetlla.service.inventory.stays import RentReason, parts
from vetlla.service.parameters import Basis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vetlla.domain.devices import DeviceHistory, DeviceRecord, DeviceType
    from vetlla.domain.homes import Home
    from vetlla.service.parameters import Reading

_ZERO: Final = Decimal("0.00")
_BEHIND: Final = ("purchase.rents", "life.from.default")


class NotBought(StrEnum):
    """Why a device is no part of the purchase."""

    MUNICIPAL = "municipal"
    OFFERED = "offered"
    PILOT = "pilot"
    PAST_LIFE = "past_life"
    WAREHOUSE = "warehouse"
    HOME_LEFT = "home_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """A leased device on the day of the purchase. Amounts are EUR without VAT."""

    device: str
    """``type:serial``."""
    line: str
    home: str
    cost_from: date | None
    months: Decimal
    """Monthly rents that were paid for it and for the devices before it in its chain, rounded; ``paid`` is exact."""
    price: Decimal
    paid: Decimal
    residual: Decimal
    """Price less rent, and not below zero; zero for a device that is not bought."""
    reason: NotBought | None
    """Why it is not bought; None if it is."""
    assumed: tuple[str, ...]
    """Names of the parameters behind it that no contract says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualTotal:
    """All devices of a line; ``total`` for all lines."""

    line: str
    devices: int
    """Those that are bought."""
    price: Decimal
    paid: Decimal
    residual: Decimal
    left_out: Mapping[NotBought, int]
    """Devices in homes and in the warehouse that are not bought, by reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseOption:
    """The purchase option on a day."""

    on: date
    devices: Sequence[Residual]
    """Every leased device, and pilot devices of any owner that are free, by line and number."""
    totals: Sequence[ResidualTotal]
    """By line, those with a device only; the last one is that of all lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    """What is known of the devices on a day."""

    fleet: Sequence[DeviceRecord]
    """Also retired ones, because a device may have taken over their cost date."""
    histories: Sequence[DeviceHistory]
    """Those that were ever leased, and all of the types of pilots."""
    homes: Mapping[str, Home]
    attended: Mapping[str, int]
    """By home: the days of ``rent_span`` (bits) with a user in the service and not suspended. It may be empty if rent
    is paid in a suspension."""


def rent_span(histories: Iterable[DeviceHistory], on: date) -> DaySpan:
    """Return the days that count for a purchase: from the first movement of these devices to its day."""
    return DaySpan(min((one.movements[0].day for one in histories if one.movements), default=on), on)


def purchase(park: Park, on: date, reading: Reading) -> PurchaseOption:
    """Return the purchase option on a day. For a day to come every device stays where it is, and is rented until then.

    ``reading``: the parameters in force on the day. Raises UsageError or ConfigError for a parameter that cannot be
    used.
    """
    valuer = _Valuer(park, on, reading)
    left_out: Counter[tuple[str, NotBought]] = Counter()
    found: list[tuple[int, Residual]] = []
    for kept in park.fleet:
        line = rent_line(kept.device.type)
        if line is None or kept.standing.place is Place.RETIRED:
            continue
        reason = valuer.reason(kept)
        if reason is not None:
            left_out[line, reason] += 1
        if reason not in {NotBought.MUNICIPAL, NotBought.OFFERED}:
            found.append((kept.id, valuer.value(kept, line, reason)))
    order = {line: place for place, line in enumerate(RENT_LINES)}
    devices = [one for _, one in sorted(found, key=lambda pair: (order[pair[1].line], pair[0]))]
    return PurchaseOption(on=on, devices=devices, totals=list(_totals(devices, left_out)))


class _Valuer:
    """Values devices on a day."""

    def __init__(self, park: Park, on: date, reading: Reading) -> None:
        self._on, self._reading = on, reading
        self._lives = Lives(reading)
        self._terms = rent_terms(reading, rent_span(park.histories, on), park.homes, park.attended)
        self._rents = reading.integer("purchase.rents", least=1)
        self._free = free_pilots(park.histories, self._terms.pilot_lines, self._terms.pilot_free)
        self._start = reading.the_date("contract.start")
        self._prices: dict[str, list[tuple[RentedDays, Fraction]]] = {}
        self._behind: dict[tuple[DeviceType, frozenset[str]], tuple[str, ...]] = {}
        histories = {one.number: one for one in park.histories}
        devices = {kept.id: kept.device for kept in park.fleet if kept.id in histories}
        self._chains = Chains(histories, devices, self._terms, self._free)

    def reason(self, kept: DeviceRecord) -> NotBought | None:
        """Return why a device is not bought; None if it is."""
        if kept.id in self._free:
            return NotBought.PILOT
        found = self._state(kept)
        if found in {RentReason.MUNICIPAL, RentReason.OFFERED}:
            return NotBought(found)
        ends = self._lives.end(kept)
        if ends is not None and ends <= self._on:
            return NotBought.PAST_LIFE
        return None if found in {RentReason.RENTED, RentReason.SUSPENDED} else NotBought(found)

    def _state(self, kept: DeviceRecord) -> RentReason:
        """Return what a device is on the day, pilots apart."""
        standing, span = kept.standing, self._terms.span
        is_new = standing.place is Place.WAREHOUSE and not kept.device.first_installed
        if is_new and standing.ownership is Ownership.LEASED:
            return RentReason.WAREHOUSE
        day = span.between(self._on, self._on)
        return next(reason for reason, some in parts(standing, day, self._terms) if some)

    def value(self, kept: DeviceRecord, line: str, reason: NotBought | None) -> Residual:
        """Return what a device costs, and what was paid for it."""
        reading = self._reading
        price = rent_price(line, reading) * self._rents
        is_free = reason is NotBought.PILOT
        rented = {} if is_free else self._chains.rented(kept.id, self._on + timedelta(days=1))
        months, paid = Fraction(0), Fraction(0)
        for of_line, stretches in rented.items():
            for span, rent in self._rents_of(of_line):
                part = rented_months(tuple(clipped(stretches, *span)), self._terms.pro_rata)
                months += part
                paid += part * rent
        deducted = cents(as_decimal(paid))
        return Residual(
            device=name(kept.device),
            line=line,
            home=kept.standing.home,
            cost_from=kept.device.cost_from,
            months=Decimal(f"{rounded_months(months).normalize():f}"),
            price=cents(price),
            paid=deducted,
            residual=_ZERO if reason is not None else max(cents(price) - deducted, _ZERO),
            reason=reason,
            assumed=self._assumed(kept.device.type, frozenset({line, *rented})),
        )

    def _rents_of(self, line: str) -> list[tuple[RentedDays, Fraction]]:
        """Return the rents of a line with their months. As in the invoice, the last day of a month decides about it.

        No price is known of days before the contract, so the first one counts for them.
        """
        if line not in self._prices:
            found: list[tuple[RentedDays, Fraction]] = []
            for month in months_of(self._start.replace(day=1), max(self._on, self._start)):
                rent = Fraction(rent_price(line, self._reading.at(max(last_of_month(month), self._start))))
                begun, after = (found[-1][0].first if found else date.min), add_months(month, 1)
                if found and found[-1][1] == rent:
                    found[-1] = RentedDays(begun, after), rent
                else:
                    found.append((RentedDays(found[-1][0].after if found else date.min, after), rent))
            self._prices[line] = found
        return self._prices[line]

    def _assumed(self, kind: DeviceType, lines: frozenset[str]) -> tuple[str, ...]:
        """Return the names of the parameters behind a value that no contract says."""
        key = kind, lines
        if key not in self._behind:
            of_lines = {name for line in lines for name in self._names_of(line)}
            names = [*_BEHIND, f"life.{kind}", *sorted(of_lines)]
            entries = (self._reading.entry(name) for name in names)
            self._behind[key] = tuple(sorted(one.name for one in entries if one.basis is not Basis.CONTRACT))
        return self._behind[key]

    def _names_of(self, line: str) -> tuple[str, ...]:
        return *behind(line, self._reading), *price_names(line, self._reading)


def _totals(devices: Iterable[Residual], left_out: Mapping[tuple[str, NotBought], int]) -> Iterator[ResidualTotal]:
    bought: dict[str, list[Residual]] = {line: [] for line in RENT_LINES}
    for one in devices:
        if one.reason is None:
            bought[one.line].append(one)
    out = {line: {why: left_out[line, why] for why in NotBought if left_out.get((line, why))} for line in RENT_LINES}
    for line in RENT_LINES:
        if bought[line] or out[line]:
            yield _total(line, bought[line], out[line])
    every = Counter[NotBought]()
    for some in out.values():
        every.update(some)
    yield _total("total", [one for some in bought.values() for one in some], every)


def _total(line: str, bought: Sequence[Residual], out: Mapping[NotBought, int]) -> ResidualTotal:
    return ResidualTotal(
        line=line,
        devices=len(bought),
        price=sum((one.price for one in bought), _ZERO),
        paid=sum((one.paid for one in bought), _ZERO),
        residual=sum((one.residual for one in bought), _ZERO),
        left_out={why: out[why] for why in NotBought if out.get(why)},
    )

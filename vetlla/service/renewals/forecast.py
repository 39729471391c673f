"""Forecasts installations and rent for each year of the contract, by the tender's method.

A device is renewed in the year in which its life ends; homes and pilot devices join as expected. Every new or renewed
terminal is digital until the target share is reached (tender, sections 5 and 13.1.g). The rent of a year is for the
devices rented at its start plus half of those that join during it, times the months of the year (tender, section 5:
growth and renewals come evenly over the year). Municipal equipment is not rented. The digital terminals offered at no
cost are not rented either, and they are installed first (tender, 13.2.c).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.devices import DIGITAL, TERMINALS, DeviceRecord, DeviceType, Ownership, Place
from vetlla.domain.money import cents
from vetlla.service.calendar import add_months
from vetlla.service.inventory.lifetimes import Lives
from vetlla.service.inventory.rent_lines import ANALOG_LINE, DEVICE_LINES, DIGITAL_LINE, rent_line
from vetlla.service.percent import count_for, percent_of
from vetlla.service.renewals.growth import expected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vetlla.service.parameters import Reading

PILOTS = (DeviceType.SMARTWATCH, DeviceType.REMOTE_FALL, DeviceType.VOICE_EXTENDER, DeviceType.CHOICE)


class Span(NamedTuple):
    """The part of a calendar year that the forecast covers."""

    first: date
    last: date

    @property
    def months(self) -> int:
        """Number of whole months."""
        return self.last.month - self.first.month + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Year:
    """Forecast of one year."""

    span: Span
    homes: int
    """Homes attended at the end of the year."""
    renewals: int
    renewals_gsm: int
    growth: int
    digital: int
    analog: int
    held_digital: int
    """Digital terminals in homes at the end of the year."""
    devices: Mapping[DeviceType, int]
    """Other devices to install, renewed and new ones."""
    costs: Mapping[str, Decimal]
    """Rent by priced line, EUR without VAT."""

    @property
    def terminals(self) -> int:
        """Terminals to install."""
        return self.renewals + self.growth

    @property
    def share(self) -> Decimal:
        """Digital terminals in % of homes at the end of the year, with one decimal as in the tender."""
        return percent_of(self.held_digital, self.homes)

    @property
    def cost(self) -> Decimal:
        """The year's rent, EUR without VAT."""
        return sum(self.costs.values(), Decimal(0))


def spans(start: date, end: date) -> list[Span]:
    """Return the calendar years from start to end; the first and the last may be partial."""
    return [
        Span(max(start, date(year, 1, 1)), min(end, date(year, 12, 31))) for year in range(start.year, end.year + 1)
    ]


def forecast(fleet: Iterable[DeviceRecord], homes: int, reading: Reading, start: date, end: date) -> list[Year]:
    """Return the forecast of each year. ``homes`` and ``fleet``: those in the service at the start."""
    years = spans(start, end)
    ends = _endings(fleet, Lives(reading), years)
    held, rented, free = ends.digital, ends.rented, ends.offered
    offered = reading.integer("digital.offered")
    target = reading.integer("digital.target") + offered
    found = []
    for span in years:
        growth = expected(span.first, span.last, reading)
        homes += growth
        renewals = sum(ends.ending[span, kind] for kind in TERMINALS)
        held -= ends.ending[span, DIGITAL]
        digital = min(max(count_for(target, homes) - held, 0), renewals + growth)
        held += digital
        at_no_cost = min(max(count_for(offered, homes) - free, 0), digital)
        free += at_no_cost
        devices = {kind: ends.ending[span, kind] + _joining(span, kind, reading) for kind in DEVICE_LINES}
        joining = Counter({ANALOG_LINE: renewals + growth - digital, DIGITAL_LINE: digital - at_no_cost})
        joining.update({kind.value: number for kind, number in devices.items()})
        joining.subtract(ends.leaving[span])
        found.append(
            Year(
                span=span,
                homes=homes,
                renewals=renewals,
                renewals_gsm=ends.ending[span, DeviceType.TERMINAL_GSM],
                growth=growth,
                digital=digital,
                analog=renewals + growth - digital,
                held_digital=held,
                devices={kind: number for kind, number in devices.items() if number},
                costs=_rents(rented, joining, span, reading),
            )
        )
        rented.update(joining)
    return found


def rent(price: Decimal, opening: int, joining: int, months: int) -> Decimal:
    """Return the rent of a line in a year: for all devices at its start, and half of those that join."""
    return cents(price * months * (2 * opening + joining) / 2)


class _Endings(NamedTuple):
    """Ending lives by year and type, leaving rented devices by year and line, and the state at the start."""

    ending: Counter[tuple[Span, DeviceType]]
    leaving: defaultdict[Span, Counter[str]]
    digital: int
    offered: int
    """Digital terminals at no cost."""
    rented: Counter[str]


def _endings(fleet: Iterable[DeviceRecord], lives: Lives, years: list[Span]) -> _Endings:
    found = _Endings(Counter(), defaultdict(Counter), 0, 0, Counter())
    by_end: Counter[tuple[DeviceType, date, bool]] = Counter()
    digital = offered = 0
    for kept in fleet:
        if kept.standing.place is not Place.HOME:
            continue
        kind, leased = kept.device.type, kept.standing.ownership is Ownership.LEASED
        line = rent_line(kind)
        digital += kind is DIGITAL
        offered += kind is DIGITAL and kept.standing.ownership is Ownership.OFFERED
        if leased and line is not None:
            found.rented[line] += 1
        ends = lives.end(kept)
        if ends is not None:
            by_end[kind, max(ends, years[0].first), leased] += 1
    for (kind, first_end, leased), number in by_end.items():
        ends, rents, line = first_end, leased, rent_line(kind)
        while ends <= years[-1].last:
            span = years[ends.year - years[0].first.year]
            found.ending[span, kind] += number
            if rents and line is not None:
                found.leaving[span][line] += number
            # Its replacement is rented, and the life of that ends later.
            ends, rents = add_months(ends, lives.months(kind)), True
    return found._replace(digital=digital, offered=offered)


def _rents(rented: Mapping[str, int], joining: Mapping[str, int], span: Span, reading: Reading) -> dict[str, Decimal]:
    prices = reading.at(span.first)
    return {
        line: rent(prices.money(f"price.rent.{line}"), rented.get(line, 0), number, span.months)
        for line, number in joining.items()
        if number or rented.get(line, 0)
    }


def _joining(span: Span, kind: DeviceType, reading: Reading) -> int:
    return expected(span.first, span.last, reading, kind.value) if kind in PILOTS else 0

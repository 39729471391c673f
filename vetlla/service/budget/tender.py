"""Computes the cost tables of the tender from its own formulas (Barcelona 20220428, section 5).

* Essential telecare: active homes (mean of begin and end of the period) x price x days.
* Agendas: calls a month by support level of the active homes, without two for each active person of the integrated
  programmes, x price x months.
* Other services: units x price x months.
* Rent: devices at the begin of the period and half of those installed in it, x rent x months.
* Purchase option: 60 rents for each installed device, less the rent that was paid.

Units are not rounded before they are multiplied; amounts are rounded half up to the cent.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from vetlla.domain.money import cents, tax_of
from vetlla.domain.tomlmodel import validated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Amount: TypeAlias = Annotated[Decimal, Field(ge=0)]
Count: TypeAlias = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Homes(_Part):
    """Homes of the contract, and the share of them that is not suspended."""

    opening: Count
    growth: tuple[Count, ...]
    active: Amount


class Agendas(_Part):
    """How many calls a home gets."""

    shares: tuple[Amount, Amount, Amount]
    calls_a_year: tuple[Count, Count, Count]
    without: Count


class Prices(_Part):
    """Prices of the services."""

    essential: Amount
    agendas: Amount
    umo: Amount
    home_safety: Amount
    mimal: Amount
    integrated: Amount


class Units(_Part):
    """Monthly units of the services that are not computed from homes."""

    umo: tuple[Count, ...]
    home_safety: tuple[Count, ...]
    mimal: tuple[Count, ...]
    integrated: tuple[Count, ...]


class Vat(_Part):
    """Rates of VAT in percent."""

    services: Amount
    rent: Amount


class Purchase(_Part):
    """The price of a device in monthly rents."""

    rents: Count


class RentLine(_Part):
    """One line of rented devices."""

    price: Amount
    installed: tuple[Count, ...]
    calendar_installed: tuple[Count, ...] | None = None


class TenderTables(_Part):
    """The values of the tender, one for each of its periods."""

    years: tuple[int, ...] = Field(min_length=1)
    months: tuple[Count, ...]
    days: tuple[Count, ...]
    calendar_days: tuple[Count, ...]
    homes: Homes
    agendas: Agendas
    prices: Prices
    units: Units
    vat: Vat
    purchase: Purchase
    rent: dict[str, RentLine] = Field(min_length=1)

    @model_validator(mode="after")
    def _same_length(self) -> TenderTables:
        lists: list[Sequence[object]] = [self.months, self.days, self.calendar_days, self.homes.growth]
        lists += [self.units.umo, self.units.home_safety, self.units.mimal, self.units.integrated]
        for line in self.rent.values():
            lists += [line.installed, line.calendar_installed or line.installed]
        if any(len(one) != len(self.years) for one in lists):
            raise ValueError(f"each list needs {len(self.years)} values, one for each of years")
        return self


class Cell(NamedTuple):
    """One cell of the tables."""

    year: int | None
    """None for the sum of all periods."""
    concept: str
    units: Decimal | None
    """Not rounded; None for sums and VAT."""
    amount: Decimal


_FILE: Final = TypeAdapter(TenderTables)
RENT: Final = "rent."
"""Begin of the concepts of rent, such as ``rent.smoke``."""
SUMS: Final = ("services", "rent", "net", "vat_4", "vat_21", "total")


def parse_tender(document: Mapping[str, object], source: str) -> TenderTables:
    """Return the tables of a TOML document that was read with exact decimals. Raises ConfigError."""
    return validated(_FILE, document, source, remedy="correct it; the installed tender.toml has all keys")


def cells(tables: TenderTables, *, calendar: bool = False) -> Iterator[Cell]:
    """Yield all cells: by period the services, the rents, their sums and VAT; then the sums of all periods.

    With ``calendar`` the days of the calendar and the printed installations replace the tender's two oddities.
    """
    found = [cell for place in range(len(tables.years)) for cell in _period(tables, place, calendar=calendar)]
    yield from found
    for concept in dict.fromkeys(cell.concept for cell in found):
        amount = sum((cell.amount for cell in found if cell.concept == concept), Decimal(0))
        yield Cell(None, concept, None, amount)
    yield Cell(None, "purchase_option", None, purchase_option(tables, calendar=calendar))


def purchase_option(tables: TenderTables, *, calendar: bool = False) -> Decimal:
    """Return what the devices cost when the contract ends: their price, less the rent that was paid for them."""
    price = sum(
        (
            line.price * tables.purchase.rents * sum(_installed(line, calendar=calendar))
            for line in tables.rent.values()
        ),
        Decimal(0),
    )
    paid = sum(
        (
            _rent(tables, line, place, calendar=calendar).amount
            for line in tables.rent
            for place in range(len(tables.years))
        ),
        Decimal(0),
    )
    return price - paid


def _period(tables: TenderTables, place: int, *, calendar: bool) -> Iterator[Cell]:
    year = tables.years[place]
    services = list(_services(tables, place, calendar=calendar))
    rents = [_rent(tables, line, place, calendar=calendar) for line in tables.rent]
    yield from services
    yield from rents
    net_services = sum((cell.amount for cell in services), Decimal(0))
    net_rents = sum((cell.amount for cell in rents), Decimal(0))
    vat = [tax_of(net_services, tables.vat.services), tax_of(net_rents, tables.vat.rent)]
    sums = (net_services, net_rents, net_services + net_rents, *vat, net_services + net_rents + sum(vat))
    for concept, amount in zip(SUMS, sums, strict=True):
        yield Cell(year, concept, None, amount)


def _services(tables: TenderTables, place: int, *, calendar: bool) -> Iterator[Cell]:
    year, prices, months = tables.years[place], tables.prices, tables.months[place]
    homes = tables.homes
    mean = homes.opening + sum(homes.growth[:place]) + Decimal(homes.growth[place]) / 2
    days = (tables.calendar_days if calendar else tables.days)[place]
    yield _cell(year, "essential", homes.active * mean, prices.essential * days)
    by_level = sum(
        (share * calls / 12 for share, calls in zip(tables.agendas.shares, tables.agendas.calls_a_year, strict=True)),
        Decimal(0),
    )
    integrated = tables.units.integrated[place]
    agendas = homes.active * (mean * by_level - tables.agendas.without * integrated)
    yield _cell(year, "agendas", agendas, prices.agendas * months)
    for concept in ("umo", "home_safety", "mimal", "integrated"):
        units = Decimal(getattr(tables.units, concept)[place])
        yield _cell(year, concept, units, getattr(prices, concept) * months)


def _rent(tables: TenderTables, name: str, place: int, *, calendar: bool) -> Cell:
    line = tables.rent[name]
    installed = _installed(line, calendar=calendar)
    units = sum(installed[:place]) + Decimal(installed[place]) / 2
    return _cell(tables.years[place], f"rent.{name}", units, line.price * tables.months[place])


def _installed(line: RentLine, *, calendar: bool) -> tuple[int, ...]:
    return line.calendar_installed if calendar and line.calendar_installed else line.installed


def _cell(year: int, concept: str, units: Decimal, price: Decimal) -> Cell:
    return Cell(year, concept, units, cents(units * price))

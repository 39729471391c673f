"""Reads the parameters of the invoice. Every one that is read is a footnote of the line that it decides about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import ConfigError, UsageError
from vetlla.service.agenda.figures import LEVELS
from vetlla.service.homes.attended import DaySpan
from vetlla.service.inventory import renting
from vetlla.service.invoice.concepts import AGENDAS, PROGRAMMES, RENT, UMO
from vetlla.service.invoice.lines import ReductionVat, VatRates

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.parameters import Reading

_REMEDY: Final = "correct it in the parameters file"


class UmoTerms(NamedTuple):
    """Which emergencies are paid."""

    must_arrive: bool
    each_unit: bool

    def units(self, one: StreetEmergency) -> int:
        """Return how many units of the invoice an emergency is."""
        if not one.is_mobilised or (self.must_arrive and not one.has_arrived):
            return 0
        return len(one.units_sent()) if self.each_unit else 1


_BEHIND: Final = {
    AGENDAS: ("agenda.excluded_programmes", *(f"agenda.follow_up.level_{level}" for level in LEVELS)),
    UMO: ("invoice.umo.counts", "invoice.umo.each"),
    **{concept: (f"invoice.programme.{concept}",) for concept in PROGRAMMES},
}


def behind(concept: str, reading: Reading) -> tuple[str, ...]:
    """Return the names of the parameters that decide about a line, and that no contract says."""
    names = _BEHIND.get(concept, ())
    if concept.startswith(RENT):
        names = renting.behind(concept.removeprefix(RENT), reading)
    for name in names:
        reading.entry(name)
    return reading.assumed()


def _contract(reading: Reading) -> tuple[date, date]:
    """Return the first and the last day of the contract."""
    return reading.the_date("contract.start"), reading.the_date("contract.end")


def has_contract(month: date, last: date, reading: Reading) -> bool:
    """Return True if there is a contract on a day of a month, given by its first and its last day."""
    start, end = _contract(reading)
    return start <= last and month <= end


def contract_days(month: date, last: date, reading: Reading) -> DaySpan:
    """Return the days of a month, from its first to its last one, on which there is a contract.

    An extension is a further value of ``contract.end``. Raises UsageError if the contract has no day of the month.
    """
    start, end = _contract(reading)
    if last < start:
        raise UsageError(
            f"{month:%Y-%m} cannot be invoiced: the contract starts on {start}",
            remedy="give a later --month; parameter contract.start has the day",
        )
    if end < month:
        raise UsageError(
            f"{month:%Y-%m} cannot be invoiced: the contract ended on {end}",
            remedy="give an earlier --month; an extension is a further value of contract.end in the parameters file",
        )
    return DaySpan(max(month, start), min(last, end))


def vat_rates(reading: Reading) -> VatRates:
    """Return the rates of VAT."""
    return VatRates(reading.money("vat.services"), reading.money("vat.rent"))


def price_of(concept: str, reading: Reading) -> Decimal:
    """Return the price of a unit."""
    if concept.startswith(RENT):
        return renting.rent_price(concept.removeprefix(RENT), reading)
    return reading.money(f"price.{concept}")


def programmes_of(reading: Reading) -> dict[str, tuple[str, ...]]:
    """Return the codes of the programmes of each concept. Raises ConfigError if two concepts have the same one."""
    found = {concept: reading.names(f"invoice.programme.{concept}") for concept in PROGRAMMES}
    every = [name for names in found.values() for name in names]
    if twice := next((name for name in every if every.count(name) > 1), None):
        raise ConfigError(f"programme {twice} is in two parameters invoice.programme", remedy=_REMEDY)
    return found


def umo_terms(reading: Reading) -> UmoTerms:
    """Return which emergencies are paid."""
    counts = reading.choice("invoice.umo.counts", ("sent", "arrived"))
    return UmoTerms(counts == "arrived", reading.choice("invoice.umo.each", ("emergency", "unit")) == "unit")


def reduction_vat(reading: Reading) -> ReductionVat:
    """Return which VAT a reduction has."""
    return reading.choice("invoice.reduction_vat", ReductionVat)

"""Reads the parameters of the invoice. Every one that is read is a footnote of the line that it decides about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import ConfigError
from vetlla.service.agenda.figures import LEVELS
from vetlla.service.inventory.rent_lines import RENT_LINES
from vetlla.service.inventory.rent_share import ProRata
from vetlla.service.invoice.concepts import AGENDAS, PROGRAMMES, RENT, UMO
from vetlla.service.invoice.lines import ReductionVat, VatRates
from vetlla.service.invoice.rents import RentTerms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from vetlla.domain.homes import Home
    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.homes.attended import DaySpan
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
_BEHIND_RENT: Final = ("rent.pro_rata", "rent.suspended", "rent.home_left", "rent.warehouse")
_BEHIND_PILOTS: Final = ("rent.pilot_lines", "rent.pilot_free")


def behind(concept: str, reading: Reading) -> tuple[str, ...]:
    """Return the names of the parameters that decide about a line, and that no contract says."""
    names = _BEHIND.get(concept, ())
    if concept.startswith(RENT):
        pilots = concept.removeprefix(RENT) in reading.names("rent.pilot_lines")
        names = (*_BEHIND_RENT, *(_BEHIND_PILOTS if pilots else ()))
    for name in names:
        reading.entry(name)
    return reading.assumed()


def vat_rates(reading: Reading) -> VatRates:
    """Return the rates of VAT."""
    return VatRates(reading.money("vat.services"), reading.money("vat.rent"))


def price_of(concept: str, reading: Reading) -> Decimal:
    """Return the price of a unit. A geolocator costs what the line says that ``rent.geolocator_at`` names."""
    if concept == f"{RENT}geolocator":
        return reading.money(f"price.rent.{reading.choice('rent.geolocator_at', RENT_LINES)}")
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


def rent_terms(reading: Reading, span: DaySpan, homes: Mapping[str, Home], attended: Mapping[str, int]) -> RentTerms:
    """Return what decides about the rents of a month. Raises ConfigError or UsageError."""
    lines = reading.names("rent.pilot_lines")
    if unknown := next((line for line in lines if line not in RENT_LINES), None):
        raise ConfigError(f"parameter rent.pilot_lines: {unknown} is no line of rent", remedy=_REMEDY)
    return RentTerms(
        span=span,
        pro_rata=reading.choice("rent.pro_rata", ProRata),
        when_suspended=reading.is_yes("rent.suspended"),
        when_home_left=reading.is_yes("rent.home_left"),
        in_warehouse=reading.is_yes("rent.warehouse"),
        pilot_lines=frozenset(lines),
        pilot_free=reading.integer("rent.pilot_free"),
        homes=homes,
        attended=attended,
    )


def reduction_vat(reading: Reading) -> ReductionVat:
    """Return which VAT a reduction has."""
    return reading.choice("invoice.reduction_vat", ReductionVat)

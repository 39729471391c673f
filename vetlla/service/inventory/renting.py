"""Reads the parameters of rents: for the invoice of a month, and for the purchase option."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.devices import DeviceType
from vetlla.domain.errors import ConfigError
from vetlla.service.inventory.rent_lines import RENT_LINES
from vetlla.service.inventory.rent_share import ProRata
from vetlla.service.inventory.stays import RentTerms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from vetlla.domain.homes import Home
    from vetlla.service.homes.attended import DaySpan
    from vetlla.service.parameters import Reading

PILOT_LINES: Final = "rent.pilot_lines"
GEOLOCATOR_AT: Final = "rent.geolocator_at"
BEHIND: Final = ("rent.pro_rata", "rent.suspended", "rent.home_left", "rent.warehouse")
"""The parameters behind the rented days of every line."""
BEHIND_PILOTS: Final = (PILOT_LINES, "rent.pilot_free")
"""Those behind the lines of a pilot, besides."""


def rent_terms(reading: Reading, span: DaySpan, homes: Mapping[str, Home], attended: Mapping[str, int]) -> RentTerms:
    """Return what decides about the rents of a span. Raises ConfigError or UsageError."""
    return RentTerms(
        span=span,
        pro_rata=ProRata(reading.choice("rent.pro_rata", tuple(ProRata))),
        when_suspended=is_rented_when_suspended(reading),
        when_home_left=reading.is_yes("rent.home_left"),
        in_warehouse=reading.is_yes("rent.warehouse"),
        pilot_lines=pilot_lines(reading),
        pilot_free=reading.integer("rent.pilot_free"),
        homes=homes,
        attended=attended,
    )


def is_rented_when_suspended(reading: Reading) -> bool:
    """Return True if rent is paid while a home has no attended user. Then attended days need not be counted."""
    return reading.is_yes("rent.suspended")


def pilot_lines(reading: Reading) -> frozenset[str]:
    """Return the lines of the pilot devices. Raises ConfigError for a word that is no line."""
    lines = reading.names(PILOT_LINES)
    if unknown := next((line for line in lines if line not in RENT_LINES), None):
        raise ConfigError(
            f"parameter {PILOT_LINES}: {unknown} is no line of rent", remedy="correct it in the parameters file"
        )
    return frozenset(lines)


def rent_price(line: str, reading: Reading) -> Decimal:
    """Return the rent of a month. A geolocator costs what the line says that ``rent.geolocator_at`` names."""
    return reading.money(price_names(line, reading)[-1])


def price_names(line: str, reading: Reading) -> tuple[str, ...]:
    """Return the names of the parameters that decide about the rent of a line; the last one is the amount."""
    if line == DeviceType.GEOLOCATOR:
        return GEOLOCATOR_AT, f"price.rent.{reading.choice(GEOLOCATOR_AT, RENT_LINES)}"
    return (f"price.rent.{line}",)


def behind(line: str, reading: Reading) -> tuple[str, ...]:
    """Return the names of the parameters that decide about the rented days of a line, without its price."""
    return (*BEHIND, *(BEHIND_PILOTS if line in pilot_lines(reading) else ()))

"""The concepts of the invoice in their order, and what is counted of each (tender 20220428, sections 5 and 11)."""

from __future__ import annotations

from typing import Final

from vetlla.service.inventory.rent_lines import RENT_LINES

ESSENTIAL: Final = "essential"
AGENDAS: Final = "agendas"
UMO: Final = "umo"
HOME_SAFETY: Final = "home_safety"
MIMAL: Final = "mimal"
INTEGRATED: Final = "integrated"
SERVICES: Final = (ESSENTIAL, AGENDAS, UMO, HOME_SAFETY, MIMAL, INTEGRATED)
PROGRAMMES: Final = (HOME_SAFETY, MIMAL, INTEGRATED)
RENT: Final = "rent."
"""Begin of the concepts of rent: ``rent.smoke``."""
RENTS: Final = tuple(RENT + line for line in RENT_LINES)
REDUCTION: Final = "ans_reduction"
DEDUCTION: Final = "deduction"
"""What a control found and the city deducts (tender 20220428, 20.2.d)."""
REPEATED: Final = frozenset({REDUCTION, DEDUCTION})
"""Concepts of which an invoice may have several lines."""
COUNTED: Final = (*SERVICES, *RENTS)
"""Concepts that the invoice counts. Section 11 asks for each of them apart, so a line without a unit stays."""

_UNITS: Final = {
    ESSENTIAL: "home_day",
    AGENDAS: "communication",
    UMO: "emergency",
    HOME_SAFETY: "home_month",
    MIMAL: "user_month",
    INTEGRATED: "user_month",
}


def unit_of(concept: str) -> str:
    """Return the word for what is counted of a concept."""
    if concept.startswith(RENT):
        return "device_month"
    return _UNITS.get(concept, "month")

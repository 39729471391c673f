"""The lines of an invoice as the fields of JSON, which are fixed; a closed month keeps exactly these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vetlla.service.invoice.lines import CountedLine, MonthInvoice


def line_fields(made: MonthInvoice, one: CountedLine) -> dict[str, Any]:
    """Return a line for a machine: the fixed fields first; numbers are texts."""
    line = one.line
    return {
        "month": f"{made.month:%Y-%m}",
        "concept": line.concept,
        "units": f"{line.units.normalize():f}",
        "price": f"{line.price:f}",
        "amount": f"{line.amount:f}",
        "vat": f"{line.vat:f}",
        "unit": line.unit,
        "assumed": list(one.assumed),
        "notes": [note._asdict() for note in one.notes],
    }

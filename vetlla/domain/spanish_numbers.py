"""Numbers with check characters that an invoice has: tax numbers of Spain, and bank accounts."""

from __future__ import annotations

from stdnum import iban
from stdnum.es import nif


def is_tax_number(text: str) -> bool:
    """Return True if a text is a tax number of Spain (NIF) of a person, a company or a public body."""
    return bool(nif.is_valid(text))


def is_iban(text: str) -> bool:
    """Return True if a text is the number of a bank account of any country (ISO 13616)."""
    return bool(iban.is_valid(text))

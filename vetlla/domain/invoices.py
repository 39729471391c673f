"""Values of an invoice: who invoices what to which office, line by line. Amounts are EUR as exact decimals.

Tender 20220428: sections 5 (concepts and prices) and 11 (header and parts of the invoice).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal


class InvoiceLine(NamedTuple):
    """A concept of the invoice."""

    concept: str
    """``essential``, ``agendas``, ``umo``, ``home_safety``, ``mimal``, ``integrated``, ``rent.LINE`` or
    ``ans_reduction``."""
    units: Decimal
    unit: str
    """Word for what is counted, such as ``home_day``; documents say it in their language."""
    price: Decimal
    """Without VAT, of one unit."""
    amount: Decimal
    """Without VAT, to the cent. A deduction is negative."""
    vat: Decimal
    """Rate in percent."""


class VatGroup(NamedTuple):
    """All lines of one rate."""

    rate: Decimal
    """Percent."""
    base: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceParty:
    """Who issues or gets the invoice, as public registers name it."""

    name: str
    tax_id: str
    address: str
    postcode: str
    town: str
    province: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicOffices:
    """The three offices of the buyer by their codes in the DIR3 directory."""

    accounting: str
    managing: str
    processing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceHeader:
    """What stands above the lines."""

    series: str
    number: str
    issued: date
    month: date
    """First day of the month that is invoiced."""
    seller: InvoiceParty
    buyer: InvoiceParty
    offices: PublicOffices
    contract: str
    """Code of the contract."""
    file: str
    """Number of the file of the tender (*expedient*)."""
    contracting_body: str
    economic_department: str
    recipient_department: str
    iban: str = ""
    """Account to which it is paid; empty if the invoice does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice of a month."""

    header: InvoiceHeader
    lines: tuple[InvoiceLine, ...]
    vat: tuple[VatGroup, ...]
    """By rate, the lowest first."""
    net: Decimal
    total: Decimal
    assumed: tuple[str, ...] = ()
    """Names of the parameters behind it that no contract says."""

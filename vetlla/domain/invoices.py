"""Values of an invoice: who invoices what to which office, line by line. Amounts are EUR as exact decimals.

Tender 20220428: sections 5 (concepts and prices) and 11 (header and parts of the invoice).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

NAME_MOST: Final = 80
"""Most characters of the name and of the address of a party (schema of Facturae 3.2.2)."""
TOWN_MOST: Final = 50
PROVINCE_MOST: Final = 20
REFERENCE_MOST: Final = 20
"""Most characters of a series, a number, and the references to contract and tender (schema of Facturae 3.2.2)."""


class InvoiceLine(NamedTuple):
    """A concept of the invoice."""

    concept: str
    """``essential``, ``agendas``, ``umo``, ``home_safety``, ``mimal``, ``integrated``, ``rent.LINE``,
    ``ans_reduction`` or ``deduction``."""
    units: Decimal
    unit: str
    """Word for what is counted, such as ``home_day``; documents say it in their language."""
    price: Decimal
    """Without VAT, of one unit."""
    amount: Decimal
    """Without VAT, to the cent. A deduction is negative."""
    vat: Decimal
    """Rate in percent."""
    reason: str = ""
    """Why a reduction or a deduction was made."""


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
class CorrectedInvoice:
    """The earlier invoice that a corrective invoice corrects (RD 1619/2012, article 15)."""

    series: str
    number: str
    issued: date
    month: date
    """First day of the month that the earlier invoice was for."""
    reason: str
    """Code of the reason in Facturae: ``01`` to ``16`` (RD 1619/2012) or ``80`` to ``85`` (article 80 of the VAT law),
    such as ``16`` for the taxable base and ``83`` for discounts."""
    differences: bool = True
    """Whether the lines say only what changes; else they replace all lines of the earlier invoice."""


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
    corrects: CorrectedInvoice | None = None
    """The earlier invoice, if this is a corrective one."""


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


class ReceivedLine(NamedTuple):
    """A line of the file of an invoice."""

    text: str
    concept: str
    """As in ``InvoiceLine``; empty if the line has none of our codes."""
    units: Decimal
    price: Decimal
    amount: Decimal
    """After the line's own discounts and charges."""
    vat: tuple[Decimal, ...]
    """Rates in percent; an invoice of the service has one on each line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedInvoice:
    """An invoice as its file says it, whatever program wrote it. What the file does not say is empty."""

    series: str
    number: str
    issued: date
    period: tuple[date, date] | None
    """First and last day that are invoiced."""
    seller: InvoiceParty
    buyer: InvoiceParty
    offices: PublicOffices
    contract: str
    file: str
    contracting_body: str
    economic_department: str
    recipient_department: str
    iban: str
    corrects: str
    """Series and number of the invoice that it corrects, with a space between; empty if it corrects none."""
    lines: tuple[ReceivedLine, ...]
    vat: tuple[VatGroup, ...]
    net: Decimal
    total: Decimal

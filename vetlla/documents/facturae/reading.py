"""Reads an invoice in Facturae 3.2.2, whatever program wrote it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from vetlla.documents.facturae import codes
from vetlla.documents.facturae.figures import number_from
from vetlla.domain.errors import UsageError
from vetlla.domain.invoices import InvoiceParty, PublicOffices, ReceivedInvoice, ReceivedLine, VatGroup

if TYPE_CHECKING:
    from decimal import Decimal

    from vetlla.documents.facturae.tree import Element

_WHOLE_FILE = "ask the seller for a file with one valid invoice"


def read(xml: bytes) -> ReceivedInvoice:
    """Return what a file says. The signature is not looked at (``faults_of``, ``signer_of``).

    Raises UsageError if the file is no valid Facturae 3.2.2, or holds several invoices.
    """
    from vetlla.documents.facturae import tree  # noqa: PLC0415 - an extra

    try:
        root = tree.parsed(xml)
    except tree.NotXmlError as error:
        raise UsageError(f"the invoice cannot be read: {error}", remedy=_WHOLE_FILE) from error
    if faults := tree.schema_faults(root):
        raise UsageError(f"the invoice is no valid Facturae {codes.VERSION}: {faults[0]}", remedy=_WHOLE_FILE)
    invoices = root.findall("Invoices/Invoice")
    if len(invoices) != 1:
        raise UsageError(f"the file holds {len(invoices)} invoices", remedy=_WHOLE_FILE)
    try:
        return _received(root, invoices[0])
    except ValueError as error:
        raise UsageError(f"the invoice cannot be read: {error}", remedy=_WHOLE_FILE) from error


def _received(root: Element, invoice: Element) -> ReceivedInvoice:
    issue = _child(invoice, "InvoiceIssueData")
    buyer = _child(root, "Parties/BuyerParty")
    centres = {
        text(centre, "RoleTypeCode"): centre for centre in buyer.findall("AdministrativeCentres/AdministrativeCentre")
    }
    period = issue.find("InvoicingPeriod")
    corrected = (text(invoice, f"InvoiceHeader/Corrective/{name}") for name in ("InvoiceSeriesCode", "InvoiceNumber"))
    return ReceivedInvoice(
        series=text(invoice, "InvoiceHeader/InvoiceSeriesCode"),
        number=text(invoice, "InvoiceHeader/InvoiceNumber"),
        issued=_day(text(issue, "IssueDate")),
        period=None if period is None else (_day(text(period, "StartDate")), _day(text(period, "EndDate"))),
        seller=_party(_child(root, "Parties/SellerParty")),
        buyer=_party(buyer),
        offices=PublicOffices(
            accounting=_of(centres, codes.ACCOUNTING, "CentreCode"),
            managing=_of(centres, codes.MANAGING, "CentreCode"),
            processing=_of(centres, codes.PROCESSING, "CentreCode"),
        ),
        contract=_anywhere(invoice, "ReceiverContractReference"),
        file=_anywhere(invoice, "FileReference"),
        contracting_body=_of(centres, codes.MANAGING, "CentreDescription"),
        economic_department=_of(centres, codes.ACCOUNTING, "CentreDescription"),
        recipient_department=_of(centres, codes.PROCESSING, "CentreDescription"),
        iban=text(invoice, "PaymentDetails/Installment/AccountToBeCredited/IBAN"),
        corrects=" ".join(part for part in corrected if part),
        lines=tuple(_line(line) for line in invoice.findall("Items/InvoiceLine")),
        vat=tuple(_group(tax) for tax in taxes(invoice)),
        net=amount(invoice, "InvoiceTotals/TotalGrossAmountBeforeTaxes"),
        total=amount(invoice, "InvoiceTotals/InvoiceTotal"),
    )


def text(element: Element, path: str) -> str:
    """Return the text at a path, without spaces around it; empty if there is none."""
    return (element.findtext(path) or "").strip()


def amount(element: Element, path: str) -> Decimal:
    """Return the number at a path. Raises ValueError, also if there is none."""
    return number_from(text(element, path))


def taxes(element: Element) -> list[Element]:
    """Return the value added taxes of an invoice or of a line."""
    return [tax for tax in element.findall("TaxesOutputs/Tax") if text(tax, "TaxTypeCode") == codes.VAT]


def _line(line: Element) -> ReceivedLine:
    return ReceivedLine(
        text=text(line, "ItemDescription"),
        concept=codes.concept_of(text(line, "ArticleCode")),
        units=amount(line, "Quantity"),
        price=amount(line, "UnitPriceWithoutTax"),
        amount=amount(line, "GrossAmount"),
        vat=tuple(amount(tax, "TaxRate") for tax in taxes(line)),
    )


def _group(tax: Element) -> VatGroup:
    return VatGroup(
        rate=amount(tax, "TaxRate"),
        base=amount(tax, "TaxableBase/TotalAmount"),
        tax=amount(tax, "TaxAmount/TotalAmount") if tax.find("TaxAmount") is not None else number_from("0"),
    )


def _party(party: Element) -> InvoiceParty:
    entity, person = party.find("LegalEntity"), party.find("Individual")
    holder = entity if entity is not None else person
    assert holder is not None
    names = ("CorporateName",) if entity is not None else ("Name", "FirstSurname", "SecondSurname")
    address = next((found for found in holder if found.tag in {"AddressInSpain", "OverseasAddress"}), holder)
    return InvoiceParty(
        name=" ".join(filter(None, (text(holder, name) for name in names))),
        tax_id=text(party, "TaxIdentification/TaxIdentificationNumber"),
        address=text(address, "Address"),
        postcode=text(address, "PostCode"),
        town=text(address, "Town") or text(address, "PostCodeAndTown"),
        province=text(address, "Province"),
    )


def _anywhere(invoice: Element, name: str) -> str:
    """Return a reference of the invoice, or the one that all its lines share: programs write it in either place."""
    own = text(invoice, f"InvoiceIssueData/{name}")
    of_lines = {text(line, name) for line in invoice.findall("Items/InvoiceLine")}
    return own or (of_lines.pop() if len(of_lines) == 1 else "")


def _of(centres: dict[str, Element], role: str, name: str) -> str:
    return text(centres[role], name) if role in centres else ""


def _child(element: Element, path: str) -> Element:
    found = element.find(path)
    assert found is not None, path
    return found


def _day(value: str) -> date:
    """Return a day; the schema allows a time zone behind it, which says nothing about a day in Spain."""
    return date.fromisoformat(value[:10])

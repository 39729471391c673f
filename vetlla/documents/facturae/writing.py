"""Writes an invoice as Facturae 3.2.2. docs/invoice-facturae.md says which value stands in which field.

A value that the format cannot hold is refused with its length and its limit. The sums are checked as those who receive
the invoice check them (``figures``), because they refuse the whole file for a cent.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from vetlla.documents.facturae import codes
from vetlla.documents.facturae.fields import Node, day, field, optional
from vetlla.documents.facturae.lines import invoice_line
from vetlla.documents.facturae.parties import parties
from vetlla.documents.facturae.sums import amount, check_sums
from vetlla.documents.words import Language, words_of
from vetlla.domain.errors import UsageError
from vetlla.domain.invoices import REFERENCE_MOST
from vetlla.domain.spanish_numbers import is_iban

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from vetlla.documents.words import Words
    from vetlla.domain.invoices import CorrectedInvoice, Invoice, InvoiceHeader, VatGroup

PAYMENT: Final = timedelta(days=30)
"""Added to the day of issue for the due date, which the schema requires beside an account: the term of article 198.4 of
Ley 9/2017. The term begins with the approval, which no invoice knows, so this is the earliest due date."""


def facturae(invoice: Invoice, *, language: Language = Language.CA) -> bytes:
    """Return an invoice as Facturae 3.2.2 without a signature; ``language`` is the one of its descriptions.

    Raises UsageError for a value that the format cannot hold, for sums that do not agree, and if lxml is missing.
    """
    from vetlla.documents.facturae import tree  # noqa: PLC0415 - an extra

    check_sums(invoice)
    words = words_of(files(__package__), language)
    content = (_file_header(invoice), parties(invoice.header), Node("Invoices", (_invoice(invoice, words),)))
    return tree.written(Node(codes.ROOT, content), {"fe": codes.NAMESPACE, "ds": codes.DS})


def _file_header(invoice: Invoice) -> Node:
    """Return the head of a file with one invoice, whose totals it repeats."""
    header = invoice.header
    total = (Node("TotalAmount", amount(invoice.total)),)
    return Node(
        "FileHeader",
        (
            Node("SchemaVersion", codes.VERSION),
            Node("Modality", "I"),
            Node("InvoiceIssuerType", "EM"),
            Node(
                "Batch",
                (
                    field("BatchIdentifier", header.seller.tax_id + header.number + header.series, 70),
                    Node("InvoicesCount", "1"),
                    Node("TotalInvoicesAmount", total),
                    Node("TotalOutstandingAmount", total),
                    Node("TotalExecutableAmount", total),
                    Node("InvoiceCurrencyCode", "EUR"),
                ),
            ),
        ),
    )


def _invoice(invoice: Invoice, words: Words) -> Node:
    lines = tuple(invoice_line(line, invoice.header, words) for line in invoice.lines)
    return Node(
        "Invoice",
        (
            _head(invoice.header),
            _issue(invoice.header, words),
            Node("TaxesOutputs", tuple(_tax(group) for group in invoice.vat)),
            _totals(invoice),
            Node("Items", lines),
            *_payment(invoice),
        ),
    )


def _head(header: InvoiceHeader) -> Node:
    corrects = header.corrects
    return Node(
        "InvoiceHeader",
        (
            field("InvoiceNumber", header.number, REFERENCE_MOST),
            *optional("InvoiceSeriesCode", header.series, REFERENCE_MOST),
            Node("InvoiceDocumentType", "FC"),
            Node("InvoiceClass", "OR" if corrects else "OO"),
            *((_corrective(corrects),) if corrects else ()),
        ),
    )


def _corrective(corrects: CorrectedInvoice) -> Node:
    if corrects.reason not in codes.REASONS:
        raise UsageError(
            f"{corrects.reason!r} is no reason of a correction", remedy=f"give one of {', '.join(codes.REASONS)}"
        )
    method = codes.DIFFERENCES if corrects.differences else codes.WHOLE
    return Node(
        "Corrective",
        (
            field("InvoiceNumber", corrects.number, REFERENCE_MOST),
            *optional("InvoiceSeriesCode", corrects.series, REFERENCE_MOST),
            Node("ReasonCode", corrects.reason),
            Node("ReasonDescription", codes.REASONS[corrects.reason]),
            _period("TaxPeriod", corrects.month),
            Node("CorrectionMethod", method),
            Node("CorrectionMethodDescription", codes.METHODS[method]),
            day("InvoiceIssueDate", corrects.issued),
        ),
    )


def _issue(header: InvoiceHeader, words: Words) -> Node:
    month = words.text(
        "invoice", month=words.data["dates"]["months"][header.month.month - 1], year=str(header.month.year)
    )
    corrects = header.corrects
    told = (
        words.text("correction", invoice=month, corrected=f"{corrects.series} {corrects.number}".strip())
        if corrects
        else month
    )
    return Node(
        "InvoiceIssueData",
        (
            day("IssueDate", header.issued),
            _period("InvoicingPeriod", header.month),
            Node("InvoiceCurrencyCode", "EUR"),
            Node("TaxCurrencyCode", "EUR"),
            Node("LanguageName", words.language.value),
            field("InvoiceDescription", told, 2500),
            field("FileReference", header.file, REFERENCE_MOST),
            field("ReceiverContractReference", header.contract, REFERENCE_MOST),
        ),
    )


def _period(name: str, month: date) -> Node:
    last = month.replace(day=monthrange(month.year, month.month)[1])
    return Node(name, (day("StartDate", month.replace(day=1)), day("EndDate", last)))


def _tax(group: VatGroup) -> Node:
    return Node(
        "Tax",
        (
            Node("TaxTypeCode", codes.VAT),
            Node("TaxRate", amount(group.rate)),
            Node("TaxableBase", (Node("TotalAmount", amount(group.base)),)),
            Node("TaxAmount", (Node("TotalAmount", amount(group.tax)),)),
        ),
    )


def _totals(invoice: Invoice) -> Node:
    values: tuple[tuple[str, Decimal], ...] = (
        ("TotalGrossAmount", invoice.net),
        ("TotalGrossAmountBeforeTaxes", invoice.net),
        ("TotalTaxOutputs", invoice.total - invoice.net),
        ("TotalTaxesWithheld", invoice.net * 0),
        ("InvoiceTotal", invoice.total),
        ("TotalOutstandingAmount", invoice.total),
        ("TotalExecutableAmount", invoice.total),
    )
    return Node("InvoiceTotals", tuple(Node(name, amount(value)) for name, value in values))


def _payment(invoice: Invoice) -> tuple[Node, ...]:
    account = "".join(invoice.header.iban.split())
    if not account:
        return ()
    if not is_iban(account):
        raise UsageError(f"IBAN {account} is not valid", remedy="give the account of the contract; its digits check it")
    installment = (
        day("InstallmentDueDate", invoice.header.issued + PAYMENT),
        Node("InstallmentAmount", amount(invoice.total)),
        Node("PaymentMeans", codes.TRANSFER),
        Node("AccountToBeCredited", (Node("IBAN", account),)),
    )
    return (Node("PaymentDetails", (Node("Installment", installment),)),)

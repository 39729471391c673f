"""What public bodies check after the schema: annex II of Orden HAP/1650/2015, by its own numbers, and Facturae's sums.

Not looked at, because only the receiver can: whether the invoice was sent before (3b), and whether an office exists in
DIR3 (8). All amounts of the service are in euros, so another currency is a fault.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from vetlla.documents.facturae import codes
from vetlla.documents.facturae.reading import amount, taxes, text
from vetlla.domain.money import cents, tax_of
from vetlla.domain.spanish_numbers import is_dir3, is_tax_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.documents.facturae.tree import Element

_NOTHING: Final = Decimal(0)
_ROLES: Final = (codes.ACCOUNTING, codes.MANAGING, codes.PROCESSING)
_CENTS: Final = 2
_EUROS: Final = "EUR"
_INSTALLMENT: Final = "PaymentDetails/Installment/InstallmentAmount"
_TAX: Final = "TaxesOutputs/Tax/TaxAmount/TotalAmount"
_AMOUNTS_OF_TAX: Final = ("TaxesOutputs/Tax/TaxableBase/TotalAmount", _TAX)
_AMOUNTS_OF_LINE: Final = (
    "TotalCost",
    "DiscountsAndRebates/Discount/DiscountAmount",
    "Charges/Charge/ChargeAmount",
    "GrossAmount",
    *_AMOUNTS_OF_TAX,
)
"""Amounts with two decimals by rule 6a; price, rates and percentages may have more."""


def rule_faults(root: Element) -> Iterator[str]:
    """Yield what breaks a rule in a file that the schema takes. Raises ValueError for a number out of proportion."""
    yield from _parties(root)
    for invoice in root.findall("Invoices/Invoice"):
        yield from _invoice(invoice)
    yield from _batch(root)


def _parties(root: Element) -> Iterator[str]:
    for name in ("SellerParty", "BuyerParty"):
        tax = f"Parties/{name}/TaxIdentification"
        number = text(root, f"{tax}/TaxIdentificationNumber")
        if text(root, f"{tax}/ResidenceTypeCode") == "R" and not is_tax_number(number):
            yield f"rule 5b: {name}: {number} is no Spanish tax number, by its check character"
    centres = root.findall("Parties/BuyerParty/AdministrativeCentres/AdministrativeCentre")
    roles = {text(centre, "RoleTypeCode") for centre in centres if text(centre, "CentreCode")}
    if missing := [role for role in _ROLES if role not in roles]:
        yield f"rule 8: the buyer has no office with its DIR3 code in role {', '.join(missing)}"
    for centre in centres:
        code = text(centre, "CentreCode")
        if code and not is_dir3(code):
            yield f"rule 8: the office in role {text(centre, 'RoleTypeCode')} has {code}, which is no DIR3 code"


def _invoice(invoice: Element) -> Iterator[str]:
    if not text(invoice, "InvoiceHeader/InvoiceNumber"):
        yield "rule 3a: the invoice has no number"
    corrective = text(invoice, "InvoiceHeader/InvoiceClass") in {"OR", "CR"}
    method = text(invoice, "InvoiceHeader/Corrective/CorrectionMethod")
    if corrective and not method:
        yield "rule 4a: a corrective invoice has no block Corrective"
    elif method in codes.METHODS and not text(invoice, "InvoiceHeader/Corrective/InvoiceNumber"):
        yield "rule 4b: a corrective invoice does not name the invoice that it corrects"
    yield from _currency(invoice, "InvoiceIssueData/InvoiceCurrencyCode", "InvoiceIssueData/TaxCurrencyCode")
    lines = invoice.findall("Items/InvoiceLine")
    for place, line in enumerate(lines, 1):
        yield from (f"line {place}: {fault}" for fault in _line(line))
    gross = sum((amount(line, "GrossAmount") for line in lines), _NOTHING)
    yield from _totals(invoice, gross)
    yield from _vat(invoice, lines)


def _line(line: Element) -> Iterator[str]:
    if not text(line, "ItemDescription"):
        yield "rule 9b: it has no description"
    cost = amount(line, "TotalCost")
    units, price = amount(line, "Quantity"), amount(line, "UnitPriceWithoutTax")
    if cents(units * price) != cost:
        yield f"rule 6a: {units} units by {price} are {cents(units * price)}, not the TotalCost {cost}"
    discounts = _sum(line, "DiscountsAndRebates/Discount/DiscountAmount")
    charges = _sum(line, "Charges/Charge/ChargeAmount")
    gross = amount(line, "GrossAmount")
    if cost - discounts + charges != gross:
        yield f"rule 6a: TotalCost less discounts and plus charges is {cost - discounts + charges}, not {gross}"
    yield from (f"rule 6a: {fault}" for name in _AMOUNTS_OF_LINE for fault in _fine(line, name))


def _totals(invoice: Element, gross: Decimal) -> Iterator[str]:
    totals = invoice.find("InvoiceTotals")
    assert totals is not None
    amounts = [f"InvoiceTotals/{element.tag!s}" for element in totals if not len(element)]
    yield from (f"rule 6b: {fault}" for name in (*amounts, *_AMOUNTS_OF_TAX) for fault in _fine(invoice, name))

    def of(name: str) -> Decimal:
        return amount(totals, name) if totals.find(name) is not None else _NOTHING

    before, total, outstanding = of("TotalGrossAmountBeforeTaxes"), of("InvoiceTotal"), of("TotalOutstandingAmount")
    if before > 0 > of("TotalTaxesWithheld"):
        yield "rule 6d: TotalTaxesWithheld is below zero"
    discounted = of("TotalGrossAmount") - of("TotalGeneralDiscounts") + of("TotalGeneralSurcharges")
    paid = _sum(totals, "Subsidies/Subsidy/SubsidyAmount") + of("TotalPaymentsOnAccount")
    kept = of("AmountsWithheld/WithholdingAmount") + of("PaymentInKind/PaymentInKindAmount")
    added = of("TotalReimbursableExpenses") + of("TotalFinancialExpenses")
    surcharges = _sum(invoice, "TaxesOutputs/Tax/EquivalenceSurchargeAmount/TotalAmount")
    for rule, name, found, right in (
        ("6b", "TotalGrossAmount", of("TotalGrossAmount"), gross),
        ("6e", "TotalGrossAmountBeforeTaxes", before, discounted),
        ("6f", "InvoiceTotal", total, before + of("TotalTaxOutputs") - of("TotalTaxesWithheld")),
        ("Facturae", "TotalTaxOutputs", of("TotalTaxOutputs"), _sum(invoice, _TAX) + surcharges),
        (
            "Facturae",
            "TotalTaxesWithheld",
            of("TotalTaxesWithheld"),
            _sum(invoice, _TAX.replace("Outputs", "Withheld")),
        ),
        ("Facturae", "TotalOutstandingAmount", outstanding, total - paid),
        ("Facturae", "TotalExecutableAmount", of("TotalExecutableAmount"), outstanding - kept + added),
    ):
        if found != right:
            yield f"rule {rule}: {name} is {found}, and its parts give {right}"
    yield from _payment(invoice, of("TotalExecutableAmount"))


def _payment(invoice: Element, executable: Decimal) -> Iterator[str]:
    """Yield whether the payments are not what is to be paid; an invoice may leave them out."""
    if invoice.find(_INSTALLMENT) is not None and (paid := _sum(invoice, _INSTALLMENT)) != executable:
        yield f"rule Facturae: all InstallmentAmount are {paid}, and TotalExecutableAmount is {executable}"


def _currency(element: Element, *paths: str) -> Iterator[str]:
    for path in paths:
        if (code := text(element, path)) != _EUROS:
            yield f"rule 6: {path.rpartition('/')[2]} is {code}, and the contract is in {_EUROS}"


def _vat(invoice: Element, lines: list[Element]) -> Iterator[str]:
    """Yield groups whose tax is not the rate of their base, or whose base is not that of their lines."""
    bases: dict[Decimal, Decimal] = {}
    for line in lines:
        for tax in taxes(line):
            rate = amount(tax, "TaxRate")
            bases[rate] = bases.get(rate, _NOTHING) + amount(tax, "TaxableBase/TotalAmount")
    general = invoice.find("InvoiceTotals/GeneralDiscounts") is not None
    general = general or invoice.find("InvoiceTotals/GeneralSurcharges") is not None
    for tax in taxes(invoice):
        rate, base = amount(tax, "TaxRate"), amount(tax, "TaxableBase/TotalAmount")
        found = amount(tax, "TaxAmount/TotalAmount") if tax.find("TaxAmount") is not None else _NOTHING
        if found != tax_of(base, rate):
            yield f"rule Facturae: {rate} % of {base} is {tax_of(base, rate)}, not {found}"
        of_lines = bases.pop(rate, _NOTHING)
        if of_lines != base and not general:
            yield f"rule Facturae: lines of {rate} % have a base of {of_lines}, and the invoice has {base}"
    for rate in sorted(bases):
        yield f"rule Facturae: lines have {rate} % VAT, and the invoice has no such tax"


def _batch(root: Element) -> Iterator[str]:
    batch, invoices = "FileHeader/Batch", root.findall("Invoices/Invoice")
    yield from _currency(root, f"{batch}/InvoiceCurrencyCode")
    count = text(root, f"{batch}/InvoicesCount")
    if count != str(len(invoices)):
        yield f"rule Facturae: InvoicesCount is {count}, and the file has {len(invoices)}"
    for name, total in (
        ("TotalInvoicesAmount", "InvoiceTotal"),
        ("TotalOutstandingAmount", "TotalOutstandingAmount"),
        ("TotalExecutableAmount", "TotalExecutableAmount"),
    ):
        right = sum((amount(invoice, f"InvoiceTotals/{total}") for invoice in invoices), _NOTHING)
        found = amount(root, f"{batch}/{name}/TotalAmount")
        if found != right:
            yield f"rule Facturae: {name} of the file is {found}, and its invoices have {right}"


def _fine(element: Element, path: str) -> Iterator[str]:
    """Yield the amounts at a path that are written with more than two decimals, also if these are zeros."""
    for found in element.findall(path):
        value = (found.text or "").strip()
        if len(value.partition(".")[2]) > _CENTS:
            yield f"{path} {value} has more than two decimals"


def _sum(element: Element, path: str) -> Decimal:
    return sum((amount(found, ".") for found in element.findall(path)), _NOTHING)

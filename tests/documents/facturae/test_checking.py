"""Files of other programs: what is wrong with them is told, and what they say is read."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal
from importlib.resources import files

import pytest

from tests.rigs import invoices
from vetlla.documents.facturae import tree
from vetlla.documents.facturae.checking import faults_of
from vetlla.documents.facturae.figures import number, number_from
from vetlla.documents.facturae.reading import read
from vetlla.documents.facturae.writing import facturae
from vetlla.domain.errors import UsageError
from vetlla.domain.money import cents, tax_of

PLAIN = facturae(invoices.invoice())


def test_the_schemas_are_as_published() -> None:
    """The note beside them has their digests, so that no edit goes unnoticed."""
    folder = files("vetlla.documents.facturae") / "schema"
    note = (folder / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^ {4}([0-9a-f]{64}) {2}(\S+)$", note, re.MULTILINE)
    assert {name for _, name in rows} == {"Facturaev3_2_2.xsd", "xmldsig-core-schema.xsd"}
    for digest, name in rows:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def changed(*pairs: tuple[str, str]) -> bytes:
    """Return the sample with replacements, each at its first place."""
    text = PLAIN.decode()
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text.encode()


@pytest.mark.parametrize(
    ("pairs", "fault"),
    [
        ([("<TotalCost>121382.07", "<TotalCost>121382.08")], "line 2: rule 6a: 66329.00 units by 1.83 are 121382.07"),
        ([("<GrossAmount>121382.07", "<GrossAmount>121382.00")], "line 2: rule 6a: TotalCost less discounts"),
        (
            [("<TotalCost>121382.07", "<TotalCost>121382.07000000")],
            "line 2: rule 6a: TotalCost 121382.07000000 has more",
        ),
        (
            [("<TotalAmount>715135.71", "<TotalAmount>715135.710")],
            "rule 6b: TaxesOutputs/Tax/TaxableBase/TotalAmount 71",
        ),
        ([("<TotalGrossAmount>", "<TotalGrossAmount>1")], "rule 6b: TotalGrossAmount is 1"),
        ([("<TotalTaxOutputs>", "<TotalTaxOutputs>1")], "rule Facturae: TotalTaxOutputs is 1"),
        ([("<TotalTaxesWithheld>0.00", "<TotalTaxesWithheld>-0.01")], "rule 6d: TotalTaxesWithheld is below zero"),
        (
            [("<TotalTaxesWithheld>0.00", "<TotalTaxesWithheld>0.000")],
            "rule 6b: InvoiceTotals/TotalTaxesWithheld 0.000 has more",
        ),
        ([("BeforeTaxes>", "BeforeTaxes>1")], "rule 6e: TotalGrossAmountBeforeTaxes is 1"),
        ([("<InvoiceTotal>", "<InvoiceTotal>1")], "rule 6f: InvoiceTotal is 1"),
        ([("<InvoicesCount>1", "<InvoicesCount>2")], "rule Facturae: InvoicesCount is 2, and the file has 1"),
        ([("<TotalAmount>", "<TotalAmount>1")], "rule Facturae: TotalInvoicesAmount of the file is 1"),
        (
            [("<TaxRate>21.00", "<TaxRate>10.00")],
            "rule Facturae: lines have 21.00 % VAT, and the invoice has no such tax",
        ),
        ([(">B00000000<", ">B00000001<")], "rule 5b: SellerParty: B00000001 is no Spanish tax number"),
        ([("<RoleTypeCode>03", "<RoleTypeCode>04")], "rule 8: the buyer has no office with its DIR3 code in role 03"),
        ([("<ItemDescription>", "<ItemDescription> </ItemDescription><X>")], "schema: "),
        ([("<InvoiceNumber>2026-0010", "<InvoiceNumber> ")], "rule 3a: the invoice has no number"),
        ([("<InvoiceClass>OO", "<InvoiceClass>OR")], "rule 4a: a corrective invoice has no block Corrective"),
        ([("<Quantity>2573001.00", "<Quantity>INF")], "rule 6: 'INF' is no amount of an invoice"),
        ([("<Quantity>2573001.00", "<Quantity>1E99999999")], "rule 6: '1E99999999' is no amount of an invoice"),
        ([("<Quantity>2573001.00", f"<Quantity>{'9' * 5000}")], "rule 6: a number has 5000 characters"),
        ([("3_2_2.xml", "3_2_1.xml")], "schema: the file is {http"),
        ([("LA0007817", "LA000781700")], "schema: line 2: "),
        ([("<fe:Facturae", "<!DOCTYPE fe [<!ENTITY a 'b'>]><fe:Facturae")], "schema: it has a document type (DOCTYPE)"),
        ([("</Invoices>", "")], "schema: it is no XML: "),
    ],
)
def test_a_fault_is_told(pairs: list[tuple[str, str]], fault: str) -> None:
    """The fault begins with the rule that the file breaks; the untouched file has none."""
    assert [found for found in faults_of(changed(*pairs), unsigned=True) if found.startswith(fault)]
    assert faults_of(PLAIN, unsigned=True) == []


def test_a_file_without_a_signature_is_told() -> None:
    """Public bodies take no file without one (rule 2)."""
    assert faults_of(PLAIN) == ["signature: the file is not signed"]


def test_a_huge_file_is_not_parsed() -> None:
    """A bound comes before all work."""
    assert faults_of(b"<a>" + b" " * tree.LARGEST) == ["schema: it is larger than 16 MiB"]


def test_units_in_any_form_of_a_double_are_read() -> None:
    """The schema's type of a quantity allows an exponent, and spaces around."""
    found = read(changed(("<Quantity>812.00", "<Quantity> 8.12E2 ")))
    assert found.lines[2].units == Decimal(812)
    assert faults_of(changed(("<Quantity>812.00", "<Quantity> 8.12E2 ")), unsigned=True) == []


def test_an_invoice_of_another_program_is_read() -> None:
    """Codes that are not ours, references on lines alone, no offices, no period: the rest is read all the same."""
    text = PLAIN.decode()
    for name in ("AdministrativeCentres", "InvoicingPeriod", "PaymentDetails"):
        start, end = text.index(f"<{name}>"), text.index(f"</{name}>") + len(name) + 3
        text = text[:start] + text[end:]
    start = text.index("<FileReference>")
    text = text[:start] + text[text.index("</InvoiceIssueData>") :]
    text = text.replace("<ArticleCode>umo", "<ArticleCode>A-17").replace("<ArticleCode>agendas</ArticleCode>", "")
    person = "<Individual><Name>Núria</Name><FirstSurname>Exemple</FirstSurname><AddressInSpain>"
    company = text[text.index("<LegalEntity>") : text.index("<AddressInSpain>") + len("<AddressInSpain>")]
    text = (
        text.replace(company, person, 1)
        .replace("</LegalEntity>", "</Individual>", 1)
        .replace("B00000000<", "00000000T<")
    )
    found = read(text.replace("<PersonTypeCode>J", "<PersonTypeCode>F", 1).encode())
    assert (found.seller.name, found.seller.tax_id, found.seller.town) == ("Núria Exemple", "00000000T", "Barcelona")
    assert (found.period, found.iban, found.offices.managing, found.contracting_body) == (None, "", "", "")
    assert (found.file, found.contract) == ("20220428", "24000123")
    assert [line.concept for line in found.lines[:3]] == ["essential", "", ""]
    assert found.lines[2].text.startswith("Atenció a emergències")


@pytest.mark.parametrize(
    ("xml", "told"),
    [
        (b"no", "cannot be read: it is no XML"),
        (b"<a/>", "no valid Facturae 3.2.2"),
        (changed(("<Quantity>2573001.00", "<Quantity>NaN")), "'NaN' is no amount"),
        (
            PLAIN.replace(
                b"</Invoice>", b"</Invoice>" + PLAIN[PLAIN.index(b"<Invoice>") : PLAIN.index(b"</Invoices>")]
            ),
            "holds 2 invoices",
        ),
    ],
)
def test_what_cannot_be_read_is_told(xml: bytes, told: str) -> None:
    """The error says why."""
    with pytest.raises(UsageError, match=told):
        read(xml)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.2", "0.20"),
        ("0.20000", "0.20"),
        ("12", "12.00"),
        ("1E3", "1000.00"),
        ("-0", "0.00"),
        ("0.12345678", "0.12345678"),
    ],
)
def test_a_number_is_written_in_one_form(value: str, text: str) -> None:
    """Equal values give equal texts with two to eight decimals, and read back the same."""
    assert number(Decimal(value)) == text
    assert number_from(text) == Decimal(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0.125", "0.13"), ("0.115", "0.12"), ("-0.125", "-0.13"), ("0.1249", "0.12"), ("-0.001", "0.00")],
)
def test_half_a_cent_is_rounded_away_from_zero(value: str, expected: str) -> None:
    """This is the common rounding that rule 6 names; half to even would lose cents."""
    assert f"{cents(Decimal(value))}" == expected
    assert f"{tax_of(Decimal(value) * 25, Decimal(4))}" == expected

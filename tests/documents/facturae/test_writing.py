"""An invoice becomes a file that three validators take, and that says the same when it is read again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs import invoices
from vetlla.documents.facturae import codes, tree
from vetlla.documents.facturae.checking import faults_of
from vetlla.documents.facturae.reading import read
from vetlla.documents.facturae.writing import facturae
from vetlla.documents.words import Language
from vetlla.domain.errors import UsageError
from vetlla.domain.invoices import CorrectedInvoice, Invoice, InvoiceHeader, InvoiceLine, InvoiceParty, VatGroup
from vetlla.domain.money import cents

SCHEMA = Path(str(files("vetlla.documents.facturae") / "schema" / "Facturaev3_2_2.xsd"))
CORRECTION = CorrectedInvoice(
    series="TA", number="2026-0009", issued=date(2026, 10, 3), month=date(2026, 9, 1), reason="83", differences=True
)


@cache
def independent() -> xmlschema.XMLSchema:
    """Return the schema in a validator that shares no code with lxml."""
    return xmlschema.XMLSchema(SCHEMA)


def check(xml: bytes) -> None:
    """Fail unless both validators in Python take a file, and no rule is broken."""
    assert tree.schema_faults(tree.parsed(xml)) == []
    independent().validate(xml.decode())
    assert faults_of(xml, unsigned=True) == []


# --- the file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("corrects", [None, CORRECTION, replace(CORRECTION, differences=False, series="")])
def test_an_invoice_is_valid(tmp_path: Path, language: Language, corrects: CorrectedInvoice | None) -> None:
    """xmllint, lxml and xmlschema take the invoice, also a corrective one, in each language."""
    xml = facturae(invoices.invoice(header=replace(invoices.HEADER, corrects=corrects)), language=language)
    check(xml)
    file = tmp_path / "invoice.xml"
    file.write_bytes(xml)
    done = subprocess.run(
        ["xmllint", "--nonet", "--noout", "--schema", str(SCHEMA), str(file)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_file_says_what_the_invoice_says() -> None:
    """Header, offices, lines, taxes and totals are the same after reading; the description is for people."""
    invoice = invoices.invoice(header=replace(invoices.HEADER, corrects=CORRECTION))
    found = read(facturae(invoice))
    header = invoice.header
    for name in (
        "series", "number", "issued", "seller", "buyer", "offices", "contract", "file", "contracting_body",
        "economic_department", "recipient_department",
    ):  # fmt: skip
        assert getattr(found, name) == getattr(header, name)
    assert found.period == (date(2026, 10, 1), date(2026, 10, 31))
    assert found.iban == "ES9121000418450200051332"
    assert found.corrects == "TA 2026-0009"
    assert (found.vat, found.net, found.total) == (invoice.vat, invoice.net, invoice.total)
    assert [line[1:5] for line in found.lines] == [(i.concept, i.units, i.price, i.amount) for i in invoice.lines]
    assert [line.vat for line in found.lines] == [(line.vat,) for line in invoice.lines]
    assert found.lines[0].text == "Teleassistència essencial per domicili en actiu (domicili i dia)"
    assert found.lines[3].text == "Disminució de la factura en concepte d\u2019aplicació dels ANS (mes)"


def test_each_concept_has_a_name_and_fits() -> None:
    """All concepts of the tender are written in words, come back by their codes, and have a text in each language."""
    concepts = [*codes.SERVICES, *(f"rent.{rent}" for rent in codes.RENTS)]
    lines = [invoices.line(concept, "1", "month", "2", 4) for concept in concepts]
    for language in Language:
        found = read(facturae(invoices.invoice(lines), language=language)).lines
        assert [line.concept for line in found] == concepts
        assert not [line.text for line in found if line.text.startswith(line.concept)]
        assert len({line.text for line in found}) == len(concepts)


def test_equal_invoices_give_the_same_bytes() -> None:
    """Neither trailing zeros nor the clock enter the file."""
    longer = invoices.LINES[0]._replace(price=Decimal("0.20000"), units=Decimal("2573001.0"))
    assert facturae(invoices.invoice()) == facturae(invoices.invoice((longer, *invoices.LINES[1:])))


def test_an_amount_rounded_for_each_unit_is_written_with_its_difference() -> None:
    """TotalCost stays units by price; the difference is a discount or a charge, so both rules of 6a hold."""
    line = invoices.line("rent.gas", "3", "device_month", "0.925", 21)
    for amount, kind in (
        ("2.76", b"<DiscountAmount>0.02"),
        ("2.79", b"<ChargeAmount>0.01"),
        ("2.78", b"<GrossAmount>2.78"),
    ):
        xml = facturae(invoices.invoice([line._replace(amount=Decimal(amount))]))
        check(xml)
        assert kind in xml
        assert b"<TotalCost>2.78</TotalCost>" in xml
        assert read(xml).lines[0].amount == Decimal(amount)


def test_without_an_account_no_payment_is_written() -> None:
    """The account is optional."""
    xml = facturae(invoices.invoice(header=replace(invoices.HEADER, iban="")))
    check(xml)
    assert b"PaymentDetails" not in xml


# --- what is refused --------------------------------------------------------------------------------------------------


def long(name: str, length: int) -> InvoiceHeader:
    """Return a header with one field of that many characters."""
    return replace(invoices.HEADER, **{name: "x" * length})  # type: ignore[arg-type]


def seller(**fields: str) -> InvoiceHeader:
    """Return a header with another seller."""
    return replace(invoices.HEADER, seller=replace(invoices.SELLER, **fields))


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (long("contract", 21), "ReceiverContractReference has 21 characters, and Facturae .* takes 20"),
        (long("file", 21), "FileReference has 21 characters"),
        (long("number", 21), "InvoiceNumber has 21 characters"),
        (long("series", 21), "InvoiceSeriesCode has 21 characters"),
        (long("contracting_body", 2501), "CentreDescription has 2501 characters"),
        (long("number", 0), "InvoiceNumber is empty"),
        (long("recipient_department", 0), "CentreDescription is empty"),
        (replace(invoices.HEADER, file=" "), "FileReference is empty"),
        (replace(invoices.HEADER, contract="a\x01b"), r"the character U\+0001"),
        (replace(invoices.HEADER, contract="a\ud800"), r"the character U\+D800"),
        (
            replace(invoices.HEADER, offices=replace(invoices.HEADER.offices, managing="LA000781799")),
            "CentreCode has 11",
        ),
        (seller(name="x" * 81), "CorporateName has 81 characters"),
        (seller(address="x" * 81), "Address has 81 characters"),
        (seller(town="x" * 51), "Town has 51 characters"),
        (seller(province="x" * 21), "Province has 21 characters"),
        (seller(postcode="0800"), "PostCode '0800' .* is not five digits"),
        (seller(postcode="\uff108001"), "is not five digits"),
        (seller(tax_id="B1"), "TaxIdentificationNumber has 2 characters, .* at least 3"),
        (seller(tax_id="00000000T"), "tax number of a person"),
        (replace(invoices.HEADER, iban="ES9121000418450200051333"), "IBAN ES9121000418450200051333 is not valid"),
        (replace(invoices.HEADER, corrects=replace(CORRECTION, reason="17")), "'17' is no reason"),
        (replace(invoices.HEADER, corrects=replace(CORRECTION, number="")), "InvoiceNumber is empty"),
    ],
)
def test_what_the_format_cannot_hold_is_refused(header: InvoiceHeader, told: str) -> None:
    """The error names the field of Facturae with the length and the limit; nothing is cut off."""
    with pytest.raises(UsageError, match=told):
        facturae(invoices.invoice(header=header))


GOOD = invoices.invoice()
FOUR, TWENTY_ONE = GOOD.vat


@pytest.mark.parametrize(
    ("invoice", "told"),
    [
        (replace(GOOD, lines=()), "without lines"),
        (replace(GOOD, net=GOOD.net + 1), "all lines are .* EUR, and the net total is"),
        (replace(GOOD, total=GOOD.total + Decimal("0.01")), "net and taxes are .* and the total is"),
        (replace(GOOD, vat=(FOUR,)), "the VAT rates 4, 21 %, and the invoice has groups of 4 %"),
        (replace(GOOD, vat=(FOUR._replace(tax=FOUR.tax - Decimal("0.01")), TWENTY_ONE)), "and the tax is"),
        (replace(GOOD, vat=(FOUR._replace(base=FOUR.base + 1), TWENTY_ONE)), "and their base of 4 % is"),
        (invoices.invoice([invoices.LINES[0]._replace(amount=Decimal("514600.204"))]), "has more than two decimals"),
        (invoices.invoice([invoices.LINES[0]._replace(price=Decimal("0.123456789"))]), "more than eight decimals"),
        (invoices.invoice([invoices.LINES[2]._replace(amount=Decimal("80394.00"))]), "units by 99.00 EUR are"),
        (invoices.invoice([invoices.LINES[0]._replace(amount=Decimal("NaN"))]), "no figure of an invoice"),
        (invoices.invoice([invoices.LINES[0]._replace(units=Decimal("1E+999999"))]), "no figure of an invoice"),
    ],
)
def test_sums_that_do_not_agree_are_refused(invoice: Invoice, told: str) -> None:
    """Both figures are told. A public body would refuse the file for a cent."""
    with pytest.raises(UsageError, match=told):
        facturae(invoice)


def test_without_the_extra_its_installation_is_told() -> None:
    """The module is imported without lxml and signxml; the call names the command that installs them."""
    for missing, call in (
        ("lxml", "facturae(invoice())"),
        ("signxml", "signed(facturae(invoice()), None, (), at=SIGNED)"),
    ):
        script = f"""
import sys
sys.modules[{missing!r}] = None
from tests.rigs.invoices import SIGNED, invoice
from vetlla.documents.facturae.signing import signed
from vetlla.documents.facturae.writing import facturae
from vetlla.domain.errors import UsageError
try:
    {call}
except UsageError as error:
    print(error)
"""
        done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
        assert f"need {missing}, which is not installed" in done.stdout
        assert "pip install 'vetlla[invoice]'" in done.stdout


# --- any invoice ------------------------------------------------------------------------------------------------------

WORDS = st.text(
    st.one_of(
        st.sampled_from("àéíïòúüç·lŀ\u2019«»€<>&\"']]>\u00a0\t\n\r"), st.characters(exclude_categories=["Cs", "Cc"])
    ),
    min_size=1,
    max_size=20,
).filter(lambda text: text.strip() == text and "\ufffe" not in text and "\uffff" not in text)
NAMES = dict.fromkeys(("contract", "file", "contracting_body", "economic_department", "recipient_department"), WORDS)
PARTIES = st.builds(
    InvoiceParty,
    name=WORDS,
    tax_id=st.sampled_from(["B00000000", "Q0000000J"]),
    address=WORDS,
    postcode=st.from_regex(r"[0-9]{5}", fullmatch=True).filter(str.isascii),
    town=WORDS,
    province=WORDS,
)


@st.composite
def lines(draw: st.DrawFn) -> InvoiceLine:
    """Return any line: a price of up to four decimals, units of up to eight, below zero for a reduction."""
    concept = draw(st.sampled_from([*codes.SERVICES, *(f"rent.{rent}" for rent in codes.RENTS)]))
    units = draw(st.decimals(0, 3_000_000, places=draw(st.sampled_from([0, 3, 8]))))
    price = draw(st.decimals(0, 500, places=draw(st.sampled_from([2, 4]))))
    if concept == "ans_reduction":
        units, price = draw(st.sampled_from([(units, -price), (-units, price)]))
    return InvoiceLine(
        concept, units, "month", price, cents(units * price), draw(st.sampled_from([Decimal(4), Decimal(21)]))
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(lines(), min_size=1, max_size=6),
    st.fixed_dictionaries(NAMES),
    PARTIES,
    PARTIES,
    st.dates(date(2024, 1, 1), date(2099, 12, 1)),
)
def test_any_invoice_is_valid_and_reads_back(
    parts: list[InvoiceLine], names: dict[str, str], one: InvoiceParty, other: InvoiceParty, month: date
) -> None:
    """Accents, signs of markup, small prices and deductions keep their values in both directions."""
    other = replace(other, tax_id="B65410011")
    header = replace(invoices.HEADER, seller=one, buyer=other, month=month.replace(day=1), **names)  # type: ignore[arg-type]
    invoice = invoices.invoice(parts, header)
    xml = facturae(invoice)
    check(xml)
    found = read(xml)
    assert (found.seller, found.buyer) == (one, other)
    assert {name: getattr(found, name) for name in names} == names
    assert [line[1:5] for line in found.lines] == [(i.concept, i.units, i.price, i.amount) for i in parts]
    assert (found.vat, found.net, found.total) == (invoice.vat, invoice.net, invoice.total)
    assert isinstance(found.vat[0], VatGroup)

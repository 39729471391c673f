"""An invented invoice, and a signer whose key and certificates are new for each run and worth nothing elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from vetlla.domain.invoices import Invoice, InvoiceHeader, InvoiceLine, InvoiceParty, PublicOffices, VatGroup
from vetlla.domain.money import cents, tax_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SIGNED = datetime(2026, 11, 4, 9, 30, 15, tzinfo=UTC)
SELLER = InvoiceParty(
    name="Teleassistència de l'Exemple, SL",
    tax_id="B00000000",
    address="Carrer Inventat, 1",
    postcode="08001",
    town="Barcelona",
    province="Barcelona",
)
BUYER = replace(SELLER, name="Institut de l'Exemple", tax_id="Q0000000J", address="Plaça Inventada, 2")
HEADER = InvoiceHeader(
    series="TA",
    number="2026-0010",
    issued=date(2026, 11, 3),
    month=date(2026, 10, 1),
    seller=SELLER,
    buyer=BUYER,
    offices=PublicOffices(accounting="LA0007817", managing="LA0007818", processing="LA0007819"),
    contract="24000123",
    file="20220428",
    contracting_body="Gerència de l'Exemple",
    economic_department="Departament d'Administració <Econòmica> & Pressupost",
    recipient_department="Direcció de l'Exemple",
    iban="ES91 2100 0418 4502 0005 1332",
)


def line(concept: str, units: str, unit: str, price: str, vat: int) -> InvoiceLine:
    """Return a line whose amount is units by price."""
    amount = cents(Decimal(units) * Decimal(price))
    return InvoiceLine(concept, Decimal(units), unit, Decimal(price), amount, Decimal(vat))


LINES = (
    line("essential", "2573001", "home_day", "0.2000", 4),
    line("agendas", "66329", "communication", "1.83", 4),
    line("umo", "812", "emergency", "99.00", 4),
    line("ans_reduction", "1", "month", "-1234.56", 4),
    line("rent.terminal_digital", "975.516129", "device_month", "3.17", 21),
    line("rent.smoke", "142", "device_month", "0.58", 21),
)


def invoice(lines: Sequence[InvoiceLine] = LINES, header: InvoiceHeader = HEADER) -> Invoice:
    """Return an invoice of these lines, with its sums."""
    rates = sorted({line.vat for line in lines})
    bases = [(rate, sum((line.amount for line in lines if line.vat == rate), Decimal(0))) for rate in rates]
    vat = tuple(VatGroup(rate, base, tax_of(base, rate)) for rate, base in bases)
    net = sum((group.base for group in vat), Decimal(0))
    return Invoice(header=header, lines=tuple(lines), vat=vat, net=net, total=net + sum(group.tax for group in vat))


class Signatory(NamedTuple):
    """A key with its certificate and the certificate of its issuer."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    issuer: x509.Certificate

    @property
    def chain(self) -> list[x509.Certificate]:
        return [self.certificate, self.issuer]


@cache
def signer() -> Signatory:
    """Return a signer; making its keys takes some tenths of a second."""
    authority, key = new_key(), new_key()
    return Signatory(
        key, certificate(key, authority), certificate(authority, authority, "Autoritat de l'exemple", ca=True)
    )


def new_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return a new RSA key."""
    return rsa.generate_private_key(65537, bits)


def certificate(
    key: rsa.RSAPrivateKey,
    authority: rsa.RSAPrivateKey,
    name: str = "Núria Exemple, representant",
    *,
    since: datetime = datetime(2020, 1, 1, tzinfo=UTC),
    until: datetime = datetime(2040, 1, 1, tzinfo=UTC),
    ca: bool = False,
    extensions: Iterable[x509.ExtensionType] = (),
) -> x509.Certificate:
    """Return a certificate of a key, signed by an authority."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name("Autoritat de l'exemple"))
        .public_key(key.public_key())
        .serial_number(20260 if ca else 20261)
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(authority, SHA256())


def _name(name: str) -> x509.Name:
    parts = ((NameOID.COUNTRY_NAME, "ES"), (NameOID.ORGANIZATION_NAME, "Exemple, «SL»"), (NameOID.COMMON_NAME, name))
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])

"""A signed invoice is verified by xmlsec1 and by signxml, and no byte of it can change."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from signxml.algorithms import DigestAlgorithm
from signxml.xades.xades import XAdESSignaturePolicy, XAdESSigner, XAdESVerifier

from tests.rigs import invoices
from vetlla.documents.facturae import codes, tree, xades
from vetlla.documents.facturae.checking import faults_of
from vetlla.documents.facturae.reading import read
from vetlla.documents.facturae.signing import signed, signer_of
from vetlla.documents.facturae.writing import facturae
from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

SECOND = timedelta(seconds=1)


@cache
def sample() -> bytes:
    """Return a signed invoice."""
    signer = invoices.signer()
    return signed(facturae(invoices.invoice()), signer.key, signer.chain, at=invoices.SIGNED)


def xmlsec1(folder: Path, xml: bytes) -> subprocess.CompletedProcess[str]:
    """Let xmlsec1 verify a file and its certificate, which the authority of the test issued."""
    file, authority = folder / "invoice.xsig", folder / "authority.pem"
    file.write_bytes(xml)
    authority.write_bytes(invoices.signer().issuer.public_bytes(Encoding.PEM))
    ids = [f"--id-attr:Id={codes.XADES}:SignedProperties", f"--id-attr:Id={codes.DS}:KeyInfo"]
    options = [part for each in ids for part in each.split("=", 1)]
    command = [
        "xmlsec1",
        "--verify",
        "--trusted-pem",
        str(authority),
        "--enabled-key-data",
        "x509",
        *options,
        str(file),
    ]
    return subprocess.run(command, check=False, capture_output=True, text=True)


# --- signatures that hold ---------------------------------------------------------------------------------------------


def test_xmlsec1_verifies_all_three_references(tmp_path: Path) -> None:
    """An independent program verifies the invoice, the signed properties and the certificate, up to the authority."""
    done = xmlsec1(tmp_path, sample())
    assert done.returncode == 0, done.stderr
    assert "SignedInfo References (ok/all): 3/3" in done.stdout + done.stderr


def test_signxml_verifies_the_policy() -> None:
    """The library's verifier follows the chain to the authority and finds policy 3.1 of Facturae."""
    policy = XAdESSignaturePolicy(
        Identifier="http://www.facturae.es/politica_de_firma_formato_facturae/politica_de_firma_formato_facturae_v3_1.pdf",
        Description="",
        DigestMethod=DigestAlgorithm.SHA1,
        DigestValue="Ohixl6upD6av8N7pEvDABhEL6hM=",
    )
    results = XAdESVerifier().verify(sample(), x509_cert=invoices.signer().certificate, expect_signature_policy=policy)
    assert len(results) == 3


def test_a_signed_invoice_has_no_fault_and_says_who_signed() -> None:
    """It is still valid by the schema; signer and time are those that were given."""
    assert faults_of(sample()) == []
    signer = signer_of(sample())
    assert signer.subject == "CN=Núria Exemple\\, representant,O=Exemple\\, «SL»,C=ES"
    assert signer.issuer == "CN=Autoritat de l'exemple,O=Exemple\\, «SL»,C=ES"
    assert (signer.serial, signer.at, signer.valid_until.year) == (20261, invoices.SIGNED, 2040)


def test_the_content_is_what_was_written() -> None:
    """All bytes before the signature are those of the file without it."""
    plain = facturae(invoices.invoice())
    assert sample().startswith(plain.removesuffix(b"</fe:Facturae>"))
    assert read(sample()) == read(plain)


def test_the_same_invoice_key_and_second_give_the_same_bytes() -> None:
    """The time is given; another time zone or another part of the second changes nothing, another second does."""
    signer, plain = invoices.signer(), facturae(invoices.invoice())
    elsewhere = invoices.SIGNED.astimezone(tz=None) + timedelta(microseconds=999_999)
    assert signed(plain, signer.key, signer.chain, at=elsewhere) == sample()
    assert signed(plain, signer.key, signer.chain, at=invoices.SIGNED + SECOND) != sample()


# --- signatures that do not -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<TotalCost>514600.20", b"<TotalCost>514600.21"),
        (b"LA0007818", b"LA0007817"),
        (b"2026-11-04T09:30:15", b"2026-11-04T09:30:16"),
        (b">emisor<", b">tercero<"),
        (b"<xades:Description>Pol", b"<xades:Description>pol"),
        (b"X509SerialNumber>20261", b"X509SerialNumber>20262"),
        (b"ES9121000418450200051332", b"ES7921000813610123456789"),
        (b"</FileHeader>", b"</FileHeader> "),
    ],
)
def test_a_changed_byte_breaks_it(tmp_path: Path, old: bytes, new: bytes) -> None:
    """Both verifiers refuse a change in the invoice, in the signed properties or between elements."""
    assert sample().count(old) >= 1
    changed = sample().replace(old, new, 1)
    assert [fault for fault in faults_of(changed) if fault.startswith("signature: ")]
    assert xmlsec1(tmp_path, changed).returncode != 0
    with pytest.raises(UsageError, match="no valid signature"):
        signer_of(changed)


def body() -> tuple[bytes, bytes]:
    """Return the signed invoice in two parts: before the signature, and the signature."""
    start = sample().index(b"<ds:Signature ")
    end = sample().index(b"</ds:Signature>") + len(b"</ds:Signature>")
    return sample()[:start], sample()[start:end]


def test_a_second_signature_or_one_elsewhere_is_refused() -> None:
    """Only one signature, as the last element, can be the one of the invoice."""
    invoice, signature = body()
    twice = invoice + signature + signature + b"</fe:Facturae>"
    assert "signature: the file has 2 signatures" in faults_of(twice)
    nested = invoice.replace(b"<Invoices>", b"<Invoices>" + signature) + b"</fe:Facturae>"
    assert "signature: the file is not signed" in faults_of(nested)
    with pytest.raises(UsageError, match="the signature is not the last element of the file"):
        signer_of(nested)


def test_a_time_that_is_not_signed_is_not_believed() -> None:
    """A second block of properties in front, with another time, does not count."""
    invoice, signature = body()
    time = b"<xades:SigningTime>2026-11-03T00:00:00+00:00</xades:SigningTime>"
    false = b"<ds:Object><x xmlns:xades='%b'>" + time + b"</x></ds:Object>"
    changed = signature.replace(b"<ds:Object>", false % codes.XADES.encode() + b"<ds:Object>", 1)
    assert faults_of(invoice + changed + b"</fe:Facturae>") == ["signature: the file states two times of signing"]


def other(signer: type[XAdESSigner], **settings: str) -> list[str]:
    """Return the faults of the sample with a signature of another program."""
    key = invoices.signer()
    root = tree.parsed(facturae(invoices.invoice()).replace(b"<FileHeader>", b"<FileHeader Id='head'>"))
    made = signer(key.certificate, invoices.SIGNED).sign(root, key=key.key, cert=key.chain, **settings)  # type: ignore[arg-type]
    return [fault for fault in faults_of(tree.serialised(made)) if fault.startswith("signature: ")]


def test_a_signature_by_another_policy_or_by_none_is_refused() -> None:
    """XAdES-BES, which has no policy, is not what rule 2 asks for, though its digests hold."""

    class Bare(xades._Signer):
        def add_signature_policy_identifier(self, *_args: object, **_settings: object) -> None:
            """Write no policy."""

    class Other(xades._Signer):
        def __init__(self, certificate: x509.Certificate, at: datetime) -> None:
            super().__init__(certificate, at)
            assert self.signature_policy
            self.signature_policy = replace(self.signature_policy, DigestValue="T76hEwl/oPYW7o0EdCXjEWki4as=")

    assert other(xades._Signer) == []
    assert other(Bare) == ["signature: the signature names no policy (XAdES-EPES)"]
    assert other(Other) == ["signature: Digest mismatch for signature policy hash"]


def test_a_signature_of_a_part_is_refused() -> None:
    """Only a signature of the whole file says that the amounts are the seller's."""
    assert other(xades._Signer, reference_uri="head") == ["signature: the signature does not cover the whole invoice"]


def test_a_certificate_that_has_expired_since_is_no_fault() -> None:
    """An old invoice stays valid: the time of its signature decides."""
    at, key = datetime(2021, 6, 1, tzinfo=UTC), invoices.signer().key
    old = invoices.certificate(key, key, until=datetime(2022, 1, 1, tzinfo=UTC))
    header = replace(invoices.HEADER, issued=date(2021, 6, 1), month=date(2021, 5, 1))
    assert faults_of(signed(facturae(invoices.invoice(header=header)), key, [old], at=at)) == []


def test_an_expired_certificate_is_refused_when_it_is_verified() -> None:
    """The time of the signature decides, not today."""
    signer = invoices.signer()
    old = invoices.certificate(signer.key, signer.key, until=invoices.SIGNED - SECOND)
    root = xades.sign(tree.parsed(facturae(invoices.invoice())), signer.key, [old], invoices.SIGNED)
    (fault,) = faults_of(tree.serialised(root))
    assert "certificate has expired" in fault


# --- what cannot sign -------------------------------------------------------------------------------------------------


def usage(*, signs: bool) -> x509.KeyUsage:
    """Return a key usage for signatures, or only for encryption."""
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=signs,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def refusal(key: PrivateKeyTypes, chain: Sequence[x509.Certificate], at: datetime = invoices.SIGNED) -> str:
    """Return the error of signing with these."""
    with pytest.raises(UsageError) as caught:
        signed(facturae(invoices.invoice()), key, chain, at=at)
    return str(caught.value)


def test_what_cannot_sign_is_refused() -> None:
    """Each error says what is wrong with the key or the certificate at the time of signing."""
    signer = invoices.signer()
    key, chain = signer.key, signer.chain
    assert "there is no certificate" in refusal(key, ())
    assert "the key does not belong to the first certificate (CN=Autoritat" in refusal(key, chain[::-1])
    assert "no RSA key" in refusal(ec.generate_private_key(ec.SECP256R1()), chain)
    weak = invoices.new_key(1024)
    assert "the key has 1024 bits, fewer than 2048" in refusal(weak, [invoices.certificate(weak, key)])
    assert "expired on 2040-01-01 00:00 UTC" in refusal(key, chain, datetime(2040, 1, 1, 0, 0, 1, tzinfo=UTC))
    assert "valid only from 2026-11-05" in refusal(
        key, [invoices.certificate(key, key, since=datetime(2026, 11, 5, tzinfo=UTC))]
    )
    assert "not for signatures" in refusal(key, [invoices.certificate(key, key, extensions=[usage(signs=False)])])
    good = [invoices.certificate(key, key, extensions=[usage(signs=True)])]
    assert faults_of(signed(facturae(invoices.invoice()), key, good, at=invoices.SIGNED)) == []


def test_an_invoice_is_signed_once_and_not_before_its_day() -> None:
    """The day is that of Spain, where an evening in UTC is tomorrow."""
    signer = invoices.signer()
    with pytest.raises(UsageError, match="signed already"):
        signed(sample(), signer.key, signer.chain, at=invoices.SIGNED)
    with pytest.raises(UsageError, match="cannot be signed: it is no XML"):
        signed(b"%PDF-1.7", signer.key, signer.chain, at=invoices.SIGNED)
    evening = datetime(2026, 11, 2, 22, 59, 59, tzinfo=UTC)
    assert "dated 2026-11-03, after the day of its signature" in refusal(signer.key, signer.chain, evening)
    signed(facturae(invoices.invoice()), signer.key, signer.chain, at=evening + SECOND)


def test_an_invoice_dated_after_its_signature_is_found() -> None:
    """A file of another program breaks rule 7a if its day is later than its signature, by the days of Spain."""
    signer, later = invoices.signer(), replace(invoices.HEADER, issued=date(2026, 11, 5))
    root = tree.parsed(facturae(invoices.invoice(header=later)))
    evening = datetime(2026, 11, 4, 22, 59, 59, tzinfo=UTC)
    made = [tree.serialised(xades.sign(root, signer.key, signer.chain, at)) for at in (evening, evening + SECOND)]
    fault = "rule 7a: the invoice is dated 2026-11-05, after its signature of 2026-11-04"
    assert [faults_of(xml) for xml in made] == [[fault], []]


# --- damage -----------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damage_is_a_fault_and_never_a_crash(data: st.DataObject) -> None:
    """Bytes that are replaced, removed or added anywhere give faults, or leave the signed content as it was."""
    xml = sample()
    start = data.draw(st.integers(0, len(xml)))
    end = data.draw(st.integers(start, min(len(xml), start + 40)))
    changed = xml[:start] + data.draw(st.binary(max_size=20) | st.sampled_from([b"<", b"&amp;", b"1", b""])) + xml[end:]
    faults = faults_of(changed)
    if faults:
        return
    assert read(changed) == read(xml)
    assert signer_of(changed) == signer_of(xml)

"""Signs an invoice and names its signer. The signature comes last: a file that is written again after it is void."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509 import ExtensionNotFound, KeyUsage

from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

WEAKEST: Final = 2048
"""Fewest bits of an RSA key (ETSI TS 119 312, clause 6.2; NIST SP 800-131A)."""
_SPAIN: Final = ZoneInfo("Europe/Madrid")
_RENEW: Final = "get a certificate for electronic signatures, such as the FNMT's of a representative"


class Signer(NamedTuple):
    """Who signed a file. Neither the issuer nor a revocation was looked at."""

    subject: str
    """As RFC 4514 writes it."""
    issuer: str
    serial: int
    valid_until: datetime
    at: datetime
    """When the signer says that it was signed; aware UTC."""


def signed(xml: bytes, key: PrivateKeyTypes, chain: Sequence[Certificate], *, at: datetime) -> bytes:
    """Return an invoice with its signature (XAdES-EPES, policy 3.1 of Facturae, RSA with SHA-256).

    The signer's certificate is the first of the chain. The same invoice, key and time (to the second) give the same
    bytes. Raises UsageError if key or certificate cannot sign at that time, if the invoice is dated later, and if the
    file is signed already.
    """
    from vetlla.documents.facturae import codes, tree, xades  # noqa: PLC0415 - an extra

    try:
        root = tree.parsed(xml)
    except tree.NotXmlError as error:
        raise UsageError(f"the invoice cannot be signed: {error}", remedy="make it again") from error
    if root.find(f"{{{codes.DS}}}Signature") is not None:
        raise UsageError("the invoice is signed already", remedy="sign the file without a signature")
    rsa = _checked(key, chain, at)
    issued = root.findtext("Invoices/Invoice/InvoiceIssueData/IssueDate")
    if issued and date.fromisoformat(issued) > at.astimezone(_SPAIN).date():
        raise UsageError(
            f"the invoice is dated {issued}, after the day of its signature", remedy="sign it on that day or later"
        )
    return tree.serialised(xades.sign(root, rsa, chain, at))


def signer_of(xml: bytes) -> Signer:
    """Return who signed a file. Raises UsageError if it has no signature that holds."""
    from vetlla.documents.facturae import tree, xades  # noqa: PLC0415 - an extra

    try:
        certificate, at = xades.verified(tree.parsed(xml))
    except (tree.NotXmlError, xades.NotVerifiedError) as error:
        raise UsageError(
            f"no valid signature: {error}", remedy="ask the seller for the file as it was signed"
        ) from error
    return Signer(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=certificate.serial_number,
        valid_until=certificate.not_valid_after_utc,
        at=at.astimezone(UTC),
    )


def _checked(key: PrivateKeyTypes, chain: Sequence[Certificate], at: datetime) -> RSAPrivateKey:
    """Return the key if it and its certificate can sign at that time. Raises UsageError."""
    if not chain:
        raise UsageError("there is no certificate to sign with", remedy=_RENEW)
    certificate = chain[0]
    name = certificate.subject.rfc4514_string() or f"serial number {certificate.serial_number}"
    if not isinstance(key, RSAPrivateKey):
        raise UsageError("the key is no RSA key, and only RSA signatures can be repeated to the byte", remedy=_RENEW)
    if key.key_size < WEAKEST:
        raise UsageError(f"the key has {key.key_size} bits, fewer than {WEAKEST}", remedy=_RENEW)
    if certificate.public_key() != key.public_key():
        raise UsageError(
            f"the key does not belong to the first certificate ({name})",
            remedy="put the signer's certificate first, or give its own key",
        )
    if at < certificate.not_valid_before_utc:
        raise UsageError(
            f"the certificate ({name}) is valid only from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            remedy="sign from that time on",
        )
    if at > certificate.not_valid_after_utc:
        raise UsageError(
            f"the certificate ({name}) expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC", remedy=_RENEW
        )
    _check_usage(certificate, name)
    return key


def _check_usage(certificate: Certificate, name: str) -> None:
    """Check that the certificate may sign documents, if it says what it is for (RFC 5280, 4.2.1.3)."""
    try:
        usage = certificate.extensions.get_extension_for_class(KeyUsage).value
    except ExtensionNotFound:
        return
    if not (usage.digital_signature or usage.content_commitment):
        raise UsageError(f"the certificate ({name}) is not for signatures, by its key usage", remedy=_RENEW)

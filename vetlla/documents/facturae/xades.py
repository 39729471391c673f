"""Signatures of XML by signxml: this module alone knows it, because only ``vetlla[invoice]`` installs it.

XAdES-EPES (ETSI TS 101 903 1.3.2) as the signature policy 3.1 of Facturae asks for it: enveloped, with the time, the
signing certificate, the policy and the signer's role. The certificate stands in ``SigningCertificate`` with its issuer
and serial number: the policy is older than ``SigningCertificateV2``, which signxml would write. Identifiers are fixed,
so that the same invoice, key and time give the same bytes.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.hashes import SHA256
from typing_extensions import override

from vetlla.documents.facturae import codes, tree
from vetlla.documents.facturae.fields import Node
from vetlla.domain.errors import UsageError

try:
    from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
    from signxml.exceptions import SignXMLException
    from signxml.xades.xades import (
        XAdESDataObjectFormat,
        XAdESSignatureConfiguration,
        XAdESSignaturePolicy,
        XAdESSigner,
        XAdESVerifier,
        XAdESVerifyResult,
    )
except ImportError as error:
    raise UsageError(
        "signatures of invoices need signxml, which is not installed", remedy="pip install 'vetlla[invoice]'"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from signxml.util import SigningSettings

_NAMES: Final = {"ds": codes.DS, "xades": codes.XADES}
_ID: Final = "Signature"
_POLICY: Final = XAdESSignaturePolicy(
    Identifier=codes.POLICY_URL,
    Description=codes.POLICY_NAME,
    DigestMethod=DigestAlgorithm.SHA1,  # of the policy's text alone, and the policy publishes this one
    DigestValue=codes.POLICY_SHA1,
)
_FORMAT: Final = XAdESDataObjectFormat(Description="Factura electrónica", MimeType="text/xml")
_ROLE: Final = "emisor"
"""The signer is the seller; the policy's other roles are ``receptor`` and ``tercero``."""
_SHA256: Final = Node(f"{{{codes.DS}}}DigestMethod", (), (("Algorithm", DigestAlgorithm.SHA256.value),))
_DAMAGED: Final = (ValueError, TypeError, AttributeError, KeyError)
"""What signxml raises for elements that are not as it expects them."""
_LONGEST: Final = 300
"""Most characters of a reason; some quote a whole certificate."""
_EXPECTED: Final = XAdESSignatureConfiguration(expect_references=True)


class NotVerifiedError(ValueError):
    """A signature that does not hold; the text says why."""


def sign(root: tree.Element, key: RSAPrivateKey, chain: Sequence[x509.Certificate], at: datetime) -> tree.Element:
    """Return a signed copy of a document; the signer's certificate is the first of the chain."""
    return _Signer(chain[0], at).sign(root, key=key, cert=list(chain))


def verified(root: tree.Element) -> tuple[x509.Certificate, datetime]:
    """Verify a document's signature; return the signer's certificate and the stated time. Raises NotVerifiedError.

    The signature must cover the whole document, follow the policy of Facturae 3.1 and have been made while the
    certificate was valid. Who issued the certificate, and whether it was revoked, is not looked at.
    """
    signatures = root.findall(".//ds:Signature", _NAMES)
    if len(signatures) != 1:
        raise NotVerifiedError(f"the file has {len(signatures)} signatures")
    if signatures[0] is not root[-1]:
        raise NotVerifiedError("the signature is not the last element of the file")
    certificate, at = _certificate_of(root), _time_of(root)
    try:
        results = XAdESVerifier().verify(
            root,
            x509_cert=certificate,
            expect_signature_policy=_POLICY,
            expect_config=replace(_EXPECTED, verification_time=at),
        )
    except (SignXMLException, UnsupportedAlgorithm, tree.XmlError, *_DAMAGED) as error:
        raise NotVerifiedError((str(error) or type(error).__name__)[:_LONGEST]) from error
    if not any(result.signed_xml is not None and result.signed_xml.tag == root.tag for result in results):
        raise NotVerifiedError("the signature does not cover the whole invoice")
    (properties,) = [result.signed_properties for result in results if isinstance(result, XAdESVerifyResult)]
    if properties.find(".//xades:SigPolicyId/xades:Identifier", _NAMES) is None:
        raise NotVerifiedError("the signature names no policy (XAdES-EPES)")
    if _time(properties.findtext("xades:SigningTime", None, _NAMES)) != at:
        raise NotVerifiedError("the file states two times of signing")
    return certificate, at


class _Signer(XAdESSigner):
    """Writes what the policy asks for instead of what signxml would write, with fixed identifiers and a given time."""

    def __init__(self, certificate: x509.Certificate, at: datetime) -> None:
        super().__init__(
            signature_policy=_POLICY,
            claimed_roles=[_ROLE],
            data_object_format=_FORMAT,
            signature_algorithm=SignatureMethod.RSA_SHA256,
            digest_algorithm=DigestAlgorithm.SHA256,
            c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0,
        )
        self._certificate, self._at = certificate, at
        self.signature_annotators.insert(1, _identify)  # KeyInfo exists now, and the properties refer to it next

    @override
    def add_signing_time(
        self, signed_signature_properties: tree.Element, sig_root: tree.Element, signing_settings: SigningSettings
    ) -> None:
        parent = signed_signature_properties.getparent()
        assert parent is not None
        parent.set("Id", f"{_ID}-SignedProperties")
        time = self._at.astimezone(UTC).isoformat(timespec="seconds")
        tree.append(signed_signature_properties, Node(_xades("SigningTime"), time))

    @override
    def add_signing_certificate(
        self, signed_signature_properties: tree.Element, sig_root: tree.Element, signing_settings: SigningSettings
    ) -> None:
        content = (_certificate(self._certificate),)
        tree.append(signed_signature_properties, Node(_xades("SigningCertificate"), content))


def _identify(signature: tree.Element, signing_settings: SigningSettings) -> None:  # noqa: ARG001 - signxml gives it
    signature.set("Id", _ID)
    for path, name in (("ds:KeyInfo", "KeyInfo"), ("ds:SignedInfo/ds:Reference", "Reference")):
        found = signature.find(path, _NAMES)
        assert found is not None
        found.set("Id", f"{_ID}-{name}")


def _certificate(certificate: x509.Certificate) -> Node:
    digest = b64encode(certificate.fingerprint(SHA256())).decode()
    return Node(
        _xades("Cert"),
        (
            Node(_xades("CertDigest"), (_SHA256, Node(_ds("DigestValue"), digest))),
            Node(
                _xades("IssuerSerial"),
                (
                    Node(_ds("X509IssuerName"), certificate.issuer.rfc4514_string()),
                    Node(_ds("X509SerialNumber"), str(certificate.serial_number)),
                ),
            ),
        ),
    )


def _ds(name: str) -> str:
    return f"{{{codes.DS}}}{name}"


def _xades(name: str) -> str:
    return f"{{{codes.XADES}}}{name}"


def _certificate_of(root: tree.Element) -> x509.Certificate:
    found = root.findtext("ds:Signature/ds:KeyInfo/ds:X509Data/ds:X509Certificate", None, _NAMES)
    if not found:
        raise NotVerifiedError("the signature has no certificate")
    try:
        return x509.load_der_x509_certificate(b64decode(found))
    except ValueError as error:
        raise NotVerifiedError(f"the certificate of the signature cannot be read: {error}") from error


def _time_of(root: tree.Element) -> datetime:
    """Return the stated time as found, before it is known whether the signature covers it."""
    return _time(root.findtext("ds:Signature/ds:Object//xades:SigningTime", None, _NAMES))


def _time(found: str | None) -> datetime:
    try:
        at = datetime.fromisoformat((found or "").strip())
    except ValueError as error:
        raise NotVerifiedError("the signature has no time") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)

"""Reads the key and the certificates that sign invoices: PEM files, or a PKCS#12 file as authorities give it out.

The password stands in a file of its own or in a credential of systemd, never in an argument. No error repeats it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12
from cryptography.x509 import load_pem_x509_certificates

from vetlla.domain.errors import ConfigError
from vetlla.domain.plainfile import open_file
from vetlla.settings.secret import read_secret

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
    from cryptography.x509 import Certificate

FILE_MAX: Final = 1 << 20
"""Most bytes of a file; a key with its whole chain has 20 kB."""
_PEM: Final = b"-----BEGIN "
_WHO: Final = "signing key"


class SigningKey(NamedTuple):
    """What signs an invoice."""

    key: PrivateKeyTypes
    chain: tuple[Certificate, ...]
    """The signer's certificate, then those of its issuers as far as the file has them."""


def read_signing_key(file: Path, *, certificates: Path | None = None, password: Path | str | None = None) -> SigningKey:
    """Return the key of a file with its certificates.

    A PEM file has the key and, if ``certificates`` names no file of their own, the certificates too. Any other file is
    PKCS#12 (``.p12``, ``.pfx``). ``password`` is a file, or the name of a credential. Raises ConfigError if a file
    cannot be used, every user can read the key, or the password does not open it.
    """
    content = _content(file, secret=True)
    secret = None if password is None else read_secret(password, _WHO).encode()
    if _PEM in content:
        key = _pem_key(file, content, secret)
        source = certificates or file
        chain = _pem_certificates(source, content if certificates is None else _content(source, secret=False))
    else:
        key, chain = _pkcs12(file, content, secret)
    return SigningKey(key, _signer_first(key, chain))


def _content(file: Path, *, secret: bool) -> bytes:
    try:
        if secret and file.stat().st_mode & 0o007:
            raise ConfigError(f"{_WHO}: every user can read {file}", remedy=f"chmod o= {file}")
        with open_file(file) as opened:
            content = opened.read(FILE_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{_WHO}: {file}: {error.strerror}", remedy="name the file of the certificate") from error
    if len(content) > FILE_MAX:
        raise ConfigError(f"{_WHO}: {file} is larger than {FILE_MAX >> 20} MiB", remedy="name the file of the key")
    return content


def _pem_key(file: Path, content: bytes, secret: bytes | None) -> PrivateKeyTypes:
    try:
        return load_pem_private_key(content, secret)
    except TypeError:
        raise _password_error(file, secret) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(
            f"{_WHO}: {file} has no private key that can be read" + (" with this password" if secret else ""),
            remedy=f"openssl pkey -in {file} -noout checks it",
        ) from None


def _pem_certificates(file: Path, content: bytes) -> list[Certificate]:
    try:
        return load_pem_x509_certificates(content)
    except ValueError:
        raise ConfigError(
            f"{_WHO}: {file} has no certificate", remedy="put it into the key's file, or name its own file"
        ) from None


def _pkcs12(file: Path, content: bytes, secret: bytes | None) -> tuple[PrivateKeyTypes, list[Certificate]]:
    try:
        found = load_pkcs12(content, secret)
    except UnsupportedAlgorithm:
        raise ConfigError(
            f"{_WHO}: {file} is sealed with a cipher that is not supported any longer",
            remedy=f"openssl pkcs12 -legacy -in {file} -out key.pem makes a PEM file of it",
        ) from None
    except (TypeError, ValueError):
        raise ConfigError(
            f"{_WHO}: {file} is no PKCS#12 file, or the password does not open it",
            remedy="name the file of its password, and check it with: openssl pkcs12 -noout -in FILE",
        ) from None
    if found.key is None or found.cert is None:
        raise ConfigError(f"{_WHO}: {file} has no key with its certificate", remedy="export both from the keystore")
    return found.key, [found.cert.certificate, *(more.certificate for more in found.additional_certs)]


def _signer_first(key: PrivateKeyTypes, chain: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Return the certificates with the key's own first; a file may have them in any order."""
    own = key.public_key()
    return tuple(sorted(chain, key=lambda certificate: not _has(certificate, own)))


def _has(certificate: Certificate, public: PublicKeyTypes) -> bool:
    try:
        return certificate.public_key() == public
    except (ValueError, UnsupportedAlgorithm):
        return False  # a curve of an issuer that this version does not know


def _password_error(file: Path, secret: bytes | None) -> ConfigError:
    if secret is None:
        return ConfigError(f"{_WHO}: {file} is encrypted", remedy="name the file of its password")
    return ConfigError(f"{_WHO}: {file} is not encrypted, and a password is named", remedy="leave the password out")

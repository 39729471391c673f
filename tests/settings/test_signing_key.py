"""The key that signs invoices is read from the files that authorities give out, and no error repeats a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from tests.rigs import invoices
from vetlla.domain.errors import ConfigError
from vetlla.settings.signing_key import FILE_MAX, read_signing_key

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD = "clau-inventada-àé"


def write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    """Write a file that only its owner can read, unless told otherwise."""
    path.write_bytes(content)
    path.chmod(mode)
    return path


def key_pem(encryption: KeySerializationEncryption | None = None) -> bytes:
    """Return the key as PEM."""
    return invoices.signer().key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def chain_pem() -> bytes:
    """Return the certificates as PEM, the issuer's first."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in reversed(invoices.signer().chain))


def sealed() -> bytes:
    """Return the key with both certificates as PKCS#12."""
    signer = invoices.signer()
    return pkcs12.serialize_key_and_certificates(
        b"exemple", signer.key, signer.certificate, [signer.issuer], BestAvailableEncryption(PASSWORD.encode())
    )


def password(folder: Path, text: str = PASSWORD) -> Path:
    """Write the file of the password."""
    return write(folder / "password", f"{text}\n".encode())


def test_a_pkcs12_file_is_opened_with_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The password stands in a file, or in a credential of systemd."""
    file = write(tmp_path / "representant.p12", sealed())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    for source in (password(tmp_path), "password"):
        found = read_signing_key(file, password=source)
        assert found.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) == key_pem()
        assert list(found.chain) == invoices.signer().chain


def test_pem_files_are_read_in_any_order(tmp_path: Path) -> None:
    """Key and certificates stand in one file or in two; the signer's certificate comes first."""
    together = write(tmp_path / "all.pem", chain_pem() + key_pem())
    alone = write(tmp_path / "key.pem", key_pem(BestAvailableEncryption(PASSWORD.encode())))
    beside = write(tmp_path / "chain.pem", chain_pem(), mode=0o644)
    assert list(read_signing_key(together).chain) == invoices.signer().chain
    found = read_signing_key(alone, certificates=beside, password=password(tmp_path))
    assert list(found.chain) == invoices.signer().chain


def test_what_cannot_be_read_is_told_without_the_password(tmp_path: Path) -> None:
    """Each error names the file and the remedy."""
    p12, plain = write(tmp_path / "a.p12", sealed()), write(tmp_path / "plain.pem", key_pem() + chain_pem())
    locked = write(tmp_path / "locked.pem", key_pem(BestAvailableEncryption(b"another")) + chain_pem())
    right, wrong = password(tmp_path), write(tmp_path / "wrong", b"clau-equivocada\n")
    signer = invoices.signer()
    no_key = write(
        tmp_path / "b.p12", pkcs12.serialize_key_and_certificates(None, None, signer.certificate, None, NoEncryption())
    )
    for file, certificates, secret, told in (
        (p12, None, None, "is no PKCS#12 file, or the password does not open it"),
        (p12, None, wrong, "is no PKCS#12 file, or the password does not open it"),
        (write(tmp_path / "x.p12", b"x"), None, right, "is no PKCS#12 file"),
        (no_key, None, None, "has no key with its certificate"),
        (locked, None, None, "is encrypted"),
        (locked, None, right, "has no private key that can be read with this password"),
        (plain, None, right, "is not encrypted, and a password is named"),
        (write(tmp_path / "k.pem", key_pem()), None, None, "has no certificate"),
        (plain, write(tmp_path / "none.pem", b"x"), None, "none.pem has no certificate"),
        (write(tmp_path / "c.pem", chain_pem()), None, None, "has no private key that can be read"),
        (tmp_path / "absent.p12", None, None, "absent.p12: No such file"),
        (write(tmp_path / "open.pem", key_pem(), mode=0o604), None, None, "every user can read"),
        (write(tmp_path / "huge.pem", b"-----BEGIN " + b"x" * FILE_MAX), None, None, "is larger than 1 MiB"),
    ):
        with pytest.raises(ConfigError) as caught:
            read_signing_key(file, certificates=certificates, password=secret)
        assert told in str(caught.value)
        assert "->" in str(caught.value)
        assert "clau" not in str(caught.value)

"""``vetlla check-config`` tries the TLS files of a listener, and reports when its certificate expires."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.rigs.checked_config import add, warnings
from tests.rigs.permissions import reachable_directory, unprivileged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def make_certificate(folder: Path, days: float = 89) -> tuple[Path, Path]:
    """Write a certificate that signs itself and is valid for this number of days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver.example")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now + timedelta(days=days - 90))
    builder = builder.not_valid_after(now + timedelta(days=days))
    files = folder / "chain.pem", folder / "key.pem"
    files[0].write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files[1].chmod(0o600)
    return files


def test_tls_files_are_tried(vetlla: Vetlla, config: Path, tmp_path: Path) -> None:
    """Missing files are an error; good ones are not mentioned, except for a key that others can read."""
    certificate, key = make_certificate(tmp_path)
    add(config, f'tls = {{ certificate = "{certificate}", key = "{key}" }}\n')
    assert not warnings(vetlla)
    assert "over tcp with TLS on" in vetlla("check-config").out

    key.chmod(0o604)
    assert "can read the private key" in warnings(vetlla)["listen dc09"]

    key.unlink()
    done = vetlla("check-config")
    assert (done.status, f"listen dc09: tls: {key}: no such file" in done.error) == (os.EX_CONFIG, True)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda certificate, key: certificate.unlink(), "chain.pem: no such file"),
        (lambda certificate, key: certificate.write_bytes(b""), "chain.pem: holds nothing that can be used here"),
        (lambda certificate, key: certificate.write_bytes(certificate.read_bytes()[:200]), "chain.pem: holds nothing"),
        (lambda certificate, key: key.write_bytes(certificate.read_bytes()), "key.pem: holds nothing"),
        (lambda certificate, key: key.write_text("no key", encoding="ascii"), "key.pem: holds nothing"),
        (lambda certificate, key: (key.unlink(), key.mkdir()), "key.pem: is no regular file"),
        (lambda certificate, key: make_certificate(key.parent / "other")[1].replace(key), "is not the key of"),
        (lambda certificate, key: lock(key), "key.pem: is encrypted with a passphrase"),
    ],
)
def test_tls_files_that_a_start_cannot_use_are_errors(
    vetlla: Vetlla, config: Path, tmp_path: Path, spoil: Callable[[Path, Path], object], told: str
) -> None:
    """A file is missing, broken, of another kind, locked, or does not fit the other: the error names it."""
    (tmp_path / "other").mkdir()
    certificate, key = make_certificate(tmp_path)
    add(config, f'tls = {{ certificate = "{certificate}", key = "{key}" }}\n')
    spoil(certificate, key)

    done = vetlla("check-config")

    assert done.status == os.EX_CONFIG
    assert told in done.error
    assert "listen dc09: tls: " in done.error
    assert "\n  -> " in done.error


def lock(key: Path) -> None:
    """Encrypt a private key with a passphrase."""
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    form = serialization.PrivateFormat.PKCS8
    secret = serialization.BestAvailableEncryption(b"invented")
    key.write_bytes(private.private_bytes(serialization.Encoding.PEM, form, secret))


def test_a_tls_key_of_another_user_was_not_checked(vetlla: Vetlla, config: Path) -> None:
    """The receiver may well read it: it is not an error of the configuration, but it counts as not checked."""
    with reachable_directory() as folder:
        certificate, key = make_certificate(folder)
        there = folder / "vetlla.toml"
        there.write_bytes(config.read_bytes())
        add(there, f'tls = {{ certificate = "{certificate}", key = "{key}" }}\n')
        key.chmod(0o000)
        folder.chmod(0o777)
        with unprivileged():
            done = vetlla("check-config", "--config", there, "--state-dir", folder)

    assert done.status == os.EX_NOPERM
    assert f"{key}: Permission denied" in done.error


@pytest.mark.parametrize(
    ("days", "told"), [(89, None), (13, "expires on 20"), (-1, "expired on 20"), (100, "is not valid before 20")]
)
def test_the_time_of_a_certificate_is_reported(
    vetlla: Vetlla, config: Path, tmp_path: Path, days: int, told: str | None
) -> None:
    """Terminals refuse a certificate outside its time. This is no fault, but a risk from two weeks before its end."""
    certificate, key = make_certificate(tmp_path, days)
    add(config, f'tls = {{ certificate = "{certificate}", key = "{key}" }}\n')

    found = warnings(vetlla)

    assert told is None or told in found["dc09"]
    assert (told is None) == ("dc09" not in found)

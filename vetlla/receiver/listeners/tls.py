"""TLS from files: the contexts of listeners and brokers, and how long their certificates are valid.

The start, each reload and ``vetlla check-config`` read the files. All three refuse a file that a start could not use,
and name it.
"""

from __future__ import annotations

import ssl
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from cryptography import x509

from vetlla.domain.errors import ConfigError
from vetlla.domain.plainfile import open_file
from vetlla.settings.sinks.mqtt import MqttSink
from vetlla.settings.sinks.webhook import WebhookSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from vetlla.settings.broker import BrokerTls, Mqtt
    from vetlla.settings.listen import Listen, Tls
    from vetlla.settings.model import Settings
    from vetlla.settings.sinks.model import Sink

EXPIRES_SOON = timedelta(days=14)
"""Time left from which the receiver warns of a certificate; people can then repeat a renewal that failed once."""
EXPIRES_NOW = timedelta(days=2)
"""Time left from which the warning is critical, because terminals cannot connect after the end."""
FILE_MAX = 4 << 20
"""Most bytes of a PEM file; a machine's whole bundle of authorities has a quarter of a mebibyte."""
_PEM = "openssl x509 -in FILE -noout -subject -enddate shows a certificate, openssl pkey -in FILE -noout checks a key"


class Use(StrEnum):
    """The purpose of a certificate, in the configuration's word for its file."""

    CERTIFICATE = "certificate"
    """The receiver's own certificate, for terminals or a broker."""
    CLIENT_CA = "client_ca"
    CA = "ca"


class Certificate(NamedTuple):
    """A file of certificates in use, and when it is valid."""

    name: str
    """Name of the listener or broker."""
    use: Use
    file: Path
    not_before: datetime
    not_after: datetime
    """In a chain the first end, since all of it must be valid; for authorities the last, since one is enough."""


def server_context(tls: Tls) -> ssl.SSLContext:
    """Return a listener's TLS context. Raises a ConfigError that names the file that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load_chain(context, tls.certificate, tls.key)
    if tls.client_ca is not None:
        _load_authorities(context, tls.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def names_in(certificate: Mapping[str, Any]) -> frozenset[str]:
    """Return the common names and DNS names of a peer's certificate (``ssl.SSLSocket.getpeercert``), in capitals."""
    subject = (pair for parts in certificate.get("subject", ()) for pair in parts)
    names = [*subject, *certificate.get("subjectAltName", ())]
    return frozenset(value.upper() for kind, value in names if kind in {"commonName", "DNS"})


def client_context(tls: BrokerTls) -> ssl.SSLContext:
    """Return the TLS context for a broker. Raises a ConfigError that names the file that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load_authorities(context, tls.ca)
    if tls.certificate and tls.key:
        _load_chain(context, tls.certificate, tls.key)
    return context


def certificates(settings: Settings) -> Iterator[Certificate]:
    """Yield the certificates that a configuration names. Unreadable files are left out; loading them reports them."""
    for listen in (*settings.listen, *settings.sip):
        yield from of_listener(listen)
    for broker in settings.mqtt:
        yield from of_broker(broker)


def of_listener(listen: Listen) -> Iterator[Certificate]:
    """Yield a listener's certificates."""
    if listen.tls:
        yield from _certificate(listen.name, Use.CERTIFICATE, listen.tls.certificate)
        yield from _certificate(listen.name, Use.CLIENT_CA, listen.tls.client_ca)


def of_sink(sink: Sink) -> Iterator[Certificate]:
    """Yield the certificates for the connection of a sink to its peer."""
    if isinstance(sink, MqttSink):
        yield from of_broker(sink)
    elif isinstance(sink, WebhookSink):
        yield from _certificate(sink.name, Use.CA, sink.ca)


def of_broker(broker: Mqtt | MqttSink) -> Iterator[Certificate]:
    """Yield the certificates for the connection to a broker."""
    if broker.tls:
        yield from _certificate(broker.name, Use.CA, broker.tls.ca)
        yield from _certificate(broker.name, Use.CERTIFICATE, broker.tls.certificate)


def _certificate(name: str, use: Use, file: Path | None) -> Iterator[Certificate]:
    found = _parsed(file) if file else []
    if file and found:
        ends = [one.not_valid_after_utc for one in found]
        last = min(ends) if use is Use.CERTIFICATE else max(ends)
        yield Certificate(name, use, file, found[0].not_valid_before_utc, last)


def _load_chain(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    _content(certificate)
    _content(key)

    def locked() -> NoReturn:
        # Without this OpenSSL asks for the passphrase on the console, and waits.
        raise ConfigError(
            f"tls: {key}: is encrypted with a passphrase",
            remedy=f"openssl pkey -in {key} -out {key}.open, and name that file",
        )

    try:
        context.load_cert_chain(certificate, key, password=locked)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise ConfigError(
                f"tls: {key} is not the key of {certificate}", remedy="name two files that belong together"
            ) from error
        raise _useless(key if _parsed(certificate) else certificate, error) from error


def _load_authorities(context: ssl.SSLContext, file: Path) -> None:
    _content(file)
    try:
        context.load_verify_locations(file)
    except ssl.SSLError as error:
        raise _useless(file, error) from error


def _useless(file: Path, error: ssl.SSLError) -> ConfigError:
    why = (error.reason or "no PEM").replace("_", " ").lower()
    return ConfigError(f"tls: {file}: holds nothing that can be used here ({why})", remedy=_PEM)


def _parsed(file: Path) -> list[x509.Certificate]:
    """Return the certificates of a file; an empty list if none of them can be read."""
    try:
        return x509.load_pem_x509_certificates(_content(file))
    except (ConfigError, ValueError):
        return []


def _content(file: Path) -> bytes:
    """Return a file's bytes. Raises a ConfigError that names the file, which ssl itself does not do."""
    try:
        if not file.is_file():
            what = "is no regular file" if file.exists() else "no such file"
            raise ConfigError(f"tls: {file}: {what}", remedy="name a PEM file")
        with open_file(file) as opened:
            return opened.read(FILE_MAX)
    except OSError as error:
        raise ConfigError(
            f"tls: {file}: {error.strerror}", remedy="let the user that runs the receiver read it"
        ) from error

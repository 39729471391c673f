"""Settings of the addresses on which the receiver listens."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from vetlla.settings.line import Line
from vetlla.settings.section import AbsolutePath, Host, Port, Section, Word, spelled


def _one_or_both(transports: tuple[str, ...]) -> tuple[str, ...]:
    if not transports or len(set(transports)) != len(transports):
        raise ValueError("should name tcp, udp, or both")
    return transports


class Tls(Section):
    """Certificate chain and key of one listener, PEM. With ``client_ca``, peers must present a certificate from it."""

    certificate: AbsolutePath
    key: AbsolutePath
    client_ca: AbsolutePath | None = None
    client_accounts: Literal["named", "any"] = "named"
    """Accounts for which a peer with a certificate may report: those that the certificate names (common name or a DNS
    name), or any, which a gateway of many homes needs."""


class Listen(Section):
    """One address to listen on. ``port`` 0 picks a free one. With TLS there is no UDP, because it is not encrypted."""

    protocol: Word
    name: Word = Field(default_factory=lambda data: str(data["protocol"]))
    """Name of this listener in logs, metrics and signals."""
    host: Host
    port: Port
    tls: Tls | None = None
    transports: Annotated[tuple[Literal["tcp", "udp"], ...], AfterValidator(_one_or_both)] = Field(
        default_factory=lambda data: ("tcp",) if data.get("tls") else ("tcp", "udp")
    )

    @property
    def address(self) -> str:
        """Return ``HOST:PORT``, an IPv6 host in brackets."""
        return spelled(self.host, self.port)

    @model_validator(mode="after")
    def _tls_has_tcp_alone(self) -> "Listen":
        if self.tls and self.transports != ("tcp",):
            raise ValueError('tls applies to tcp: set transports = ["tcp"]; plain udp needs a [[listen]] of its own')
        return self


def accepting(line: Line) -> Listen:
    """Return the address on which the receiver waits for a line receiver that connects to it."""
    assert line.accept is not None
    return Listen(
        protocol=line.protocol, name=line.name, host=line.accept.host, port=line.accept.port, transports=("tcp",)
    )

"""The Via header: the way that the answer takes, with what the receiver adds to the topmost one (RFC 3261, 18.2)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vetlla.protocols.sip.uri import PORT, PORT_MOST
from vetlla.protocols.sip.values import read_number, read_parameters, written_parameters

COOKIE: Final = "z9hG4bK"
"""Begin of the branch of a sender that makes its branches unique (RFC 3261, 8.1.1.7)."""

_VIA: Final = re.compile(
    r"SIP\s*+/\s*+2\.0\s*+/\s*+([^\s;,/]+)\s++(\[[^\]\s]*\]|[^\s;:,\[\]]+)(?:\s*+:\s*+([0-9]+))?\s*+(;.*)?",
    re.IGNORECASE | re.DOTALL | re.ASCII,
)


class Source(NamedTuple):
    """Where a message came from: the address and port of its packet or connection."""

    host: str
    port: int


class Via(NamedTuple):
    """One Via."""

    transport: str
    """In capitals: UDP, TCP, TLS."""
    host: str
    """Where its sender says that it is: a name, an IPv4 address, or an IPv6 address in brackets."""
    port: int | None
    parameters: dict[str, str]

    @property
    def branch(self) -> str:
        """The mark of its transaction."""
        return self.parameters.get("branch", "")

    @property
    def sent_by(self) -> str:
        """Host and port, as a part of the transaction's key."""
        return f"{self.host.lower()}:{self.port if self.port is not None else PORT}"

    def text(self) -> str:
        """Return it as a header has it."""
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{written_parameters(self.parameters.items())}"

    def received_from(self, source: Source) -> Via:
        """Return it with what the receiver knows: ``received`` (18.2.1), and ``rport`` if that was asked (RFC 3581)."""
        wants_port = "rport" in self.parameters
        bare = self.host.strip("[]").lower()
        if not wants_port and bare == source.host.lower():
            return self
        parameters = dict(self.parameters)
        parameters["received"] = source.host
        if wants_port:
            parameters["rport"] = str(source.port)
        return self._replace(parameters=parameters)

    def answer_to(self, source: Source) -> Source:
        """Return where the answer to a datagram goes (18.2.2; RFC 3581): always to the host that the packet came from.

        ``maddr`` is not followed: it would let one packet send our answers to any machine.
        """
        if "rport" in self.parameters:
            return source
        return Source(source.host, self.port or PORT)


def read_via(value: str) -> Via | None:
    """Return one Via; None for a text that is none."""
    found = _VIA.fullmatch(value.strip())
    if found is None:
        return None
    port = read_number(found[3]) if found[3] else None
    if found[3] and (port is None or not 1 <= port <= PORT_MOST):
        return None
    return Via(found[1].upper(), found[2], port, read_parameters(found[4] or ""))

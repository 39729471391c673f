"""What all connections and datagrams of one ``[[sip]]`` table share; it serves the requests that are no reports."""

from __future__ import annotations

import secrets
from ipaddress import ip_address, ip_network
from itertools import count
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import AccountId
from vetlla.protocols.sip.checking import Abilities
from vetlla.protocols.sip.uri import read_uri
from vetlla.protocols.sip.values import read_address
from vetlla.receiver.listeners.sip.registrar import Registrar
from vetlla.receiver.listeners.sip.told import Answers

if TYPE_CHECKING:
    from vetlla.protocols.decoder import MessageDecoder
    from vetlla.protocols.sip.message import Request
    from vetlla.protocols.sip.via import Source
    from vetlla.receiver.session import SessionServices
    from vetlla.settings.sip import Sip

MESSAGE: Final = "MESSAGE"
TYPE: Final = "application/scaip+xml"
"""The usual type of a report. Others are read too, because some terminals say text/plain."""
ABILITIES: Final = Abilities((MESSAGE, "OPTIONS", "REGISTER", "INVITE", "ACK", "BYE", "CANCEL"))
ACCEPT: Final = ("Accept", TYPE)
RETRY_S: Final = 5
"""Seconds after which a terminal may try again when nothing could be kept. It has a second receiver to try first."""
RETRY: Final = ("Retry-After", str(RETRY_S))


class SipServer:
    """One door: its settings, the answers under way, and the bindings of terminals."""

    def __init__(self, sip: Sip, services: SessionServices, decoder: MessageDecoder) -> None:
        self.sip = sip
        self.services = services
        self.decoder = decoder
        self.answers = Answers(services)
        self.registrar = Registrar()
        self._networks = [ip_network(one) for one in sip.accept_from]
        self._prefix = secrets.token_hex(8)
        self._numbers = count(1)

    def token(self) -> str:
        """Return a text that no other message has, and that strangers cannot guess."""
        return f"{self._prefix}{next(self._numbers):x}"

    def may_come_from(self, host: str) -> bool:
        """Return True if requests from this address are served."""
        if not self._networks:
            return True
        address = ip_address(host.partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._networks)

    def plain(self, request: Request, source: Source, way: str) -> tuple[int, tuple[tuple[str, str], ...]]:
        """Return status and headers of the answer to a request that is no report."""
        match request.method:
            case "OPTIONS":
                return 200, (ABILITIES.allow, ACCEPT)
            case "REGISTER":
                return self._register(request, source, way)
            case "INVITE" if self.sip.pbx:
                return 302, (("Contact", f"<{self.sip.pbx}>"),)
            case "INVITE":
                return 480, ()
            case _:
                return 481, ()

    def _register(self, request: Request, source: Source, way: str) -> tuple[int, tuple[tuple[str, str], ...]]:
        """Take the registration of a terminal whose account is known. Others would only fill the memory."""
        address = read_address(request.headers.first("to"))
        uri = read_uri(address.uri) if address is not None else None
        if uri is None or self.services.intake.book.find(AccountId("", "", uri.user)) is None:
            return 403, ()
        now_us = self.services.clock.now().mono_us
        return self.registrar.register(request, uri.user, f"{way} {source.host}:{source.port}", now_us)

"""Settings of ``[[sip]]``: the addresses at which terminals report over SIP (SCAIP, CLC/TS 50134-9)."""

from ipaddress import ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from vetlla.settings.listen import Listen
from vetlla.settings.section import Port, Word

NETWORKS_MOST = 1_000
"""Most networks of one door. Each MESSAGE is compared with them."""


def _network(text: str) -> str:
    try:
        ip_network(text)
    except ValueError as error:
        raise ValueError('should be an address or a network, such as "10.20.0.0/16"') from error
    return text


def _sip_address(text: str) -> str:
    scheme, _, rest = text.partition(":")
    if scheme not in {"sip", "sips"} or not rest or any(one.isspace() or one in "<>" for one in text):
        raise ValueError('should be an address such as "sip:alarms@pbx.example"')
    return text


class Sip(Listen):
    """One door for SIP. Its protocol is SCAIP; transports, TLS and client certificates are those of ``[[listen]]``."""

    protocol: Literal["scaip"] = "scaip"
    name: Word = "sip"
    port: Port = 5060
    """5061 is usual with TLS."""
    reply: Literal["separate", "inline"] = "separate"
    """How a terminal gets the answer to a report: as a MESSAGE of its own, or in the 200 for peers that expect that."""
    accept_from: Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], Field(max_length=NETWORKS_MOST)] = ()
    """Networks from which requests are served; none: all."""
    pbx: Annotated[str, AfterValidator(_sip_address)] | None = None
    """Where a terminal that calls this address by voice is sent (302); without it, it gets 480."""

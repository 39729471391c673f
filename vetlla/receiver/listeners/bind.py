"""Binds the sockets that listeners use, unless systemd hands them over."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from vetlla.domain.errors import ConfigError

if TYPE_CHECKING:
    from vetlla.protocols.decoder import Description
    from vetlla.settings.listen import Listen

BACKLOG = 4_096
"""Connections the kernel may queue, for a district that calls after an outage (Linux caps the number at somaxconn)."""
DATAGRAM_BUFFER = 4 << 20
"""Bytes the kernel may hold for a UDP listener while a batch is planned: some 10,000 datagrams."""
SAME_PORT_TRIES = 20
"""Tries for port 0, which takes any free TCP port whose UDP port is free, too."""

_KINDS = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}


def spoken(listen: Listen, description: Description) -> Listen:
    """Return a listener without the transports that its protocol does not have. Raises ConfigError if none is left.

    No device would use a port of such a transport; only senders of forged datagrams would.
    """
    transports = tuple(transport for transport in listen.transports if transport in description.transports)
    if not transports:
        over = " and ".join(description.transports)
        raise ConfigError(
            f"listen {listen.name}: {listen.protocol} is not spoken over {' or '.join(listen.transports)}",
            remedy=f"its transports: {over}",
        )
    return listen.model_copy(update={"transports": transports})


def bind(listen: Listen) -> dict[str, socket.socket]:
    """Return the bound sockets of a listener by transport, all on one port. Raises ConfigError."""
    for attempt in range(SAME_PORT_TRIES):
        bound: dict[str, socket.socket] = {}
        try:
            port = listen.port
            for transport in listen.transports:
                bound[transport] = _bind(listen.host, port, transport)
                port = bound[transport].getsockname()[1]
        except OSError as error:
            for open_socket in bound.values():
                open_socket.close()
            if listen.port == 0 and error.errno == errno.EADDRINUSE and attempt < SAME_PORT_TRIES - 1:
                continue
            raise _refused(f"listen {listen.name}", listen, error) from error
        else:
            return bound
    raise AssertionError("unreachable: the last try returns or raises")


def try_to_bind(where: str, listen: Listen, transport: str) -> None:
    """Bind an address and free it again at once. Raises ConfigError if it cannot be bound."""
    try:
        _bind(listen.host, listen.port, transport, backlog=0).close()
    except OSError as error:
        raise _refused(where, listen, error) from error


def _refused(where: str, listen: Listen, error: OSError) -> ConfigError:
    return ConfigError(f"{where}: cannot listen on {listen.address}: {error.strerror or error}", remedy=_remedy(error))


def _bind(host: str, port: int, transport: str, backlog: int = BACKLOG) -> socket.socket:
    family, kind, proto, _, address = socket.getaddrinfo(
        host, port, type=_KINDS[transport], flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
    )[0]
    bound = socket.socket(family, kind, proto)
    try:
        bound.settimeout(0)  # asyncio needs it non-blocking
        if transport == "tcp":
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, DATAGRAM_BUFFER)
        bound.bind(address)
        if transport == "tcp" and backlog:
            bound.listen(backlog)
    except OSError:
        bound.close()
        raise
    return bound


def _remedy(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "another program uses the port: `ss -ltunp` shows which one; stop it or choose another port"
        case errno.EACCES:
            return "ports below 1024 need CAP_NET_BIND_SERVICE, or socket activation (config/systemd/vetlla.socket)"
        case _:
            return "use an address of this machine: `ip address` shows them"

"""All listeners of the receiver together: they are bound, started, stopped and closed as one."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from vetlla.daemon import systemd
from vetlla.domain.errors import ConfigError
from vetlla.protocols.asterisk.decoder import AsteriskDecoder
from vetlla.protocols.asterisk.digits import NAME as ASTERISK
from vetlla.protocols.mqtt.decoder import NAME as MQTT
from vetlla.protocols.mqtt.decoder import MqttDecoder
from vetlla.receiver.listeners.bind import bind
from vetlla.receiver.listeners.mqtt.listener import MqttListener
from vetlla.receiver.listeners.spool.listener import SpoolListener
from vetlla.receiver.listeners.tcp import TcpListener
from vetlla.receiver.listeners.udp import UdpListener

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vetlla.domain.signals import AccountId, Key
    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.session import SessionServices
    from vetlla.receiver.startup import Entrance, Prepared
    from vetlla.settings.model import Settings


class Listeners:
    """The bound sockets, the brokers and the directories through which reports come."""

    def __init__(self, keys_of: Callable[[AccountId], Sequence[Key]]) -> None:
        self.bound: list[TcpListener | UdpListener] = []
        self.brokers: list[MqttListener] = []
        self.spools: list[SpoolListener] = []
        self.started = False
        """True after reports can come in."""
        self._keys_of = keys_of
        self._inherited: list[systemd.Inherited] | None = None
        """Sockets that systemd handed over, which it does once; None until the receiver has asked for them."""

    def bind(
        self,
        prepared: Prepared,
        settings: Settings,
        services: SessionServices,
        *,
        ready: Callable[[], bool],
    ) -> None:
        """Bind every socket, or take it from systemd, and make what reads brokers and spools. Raises ConfigError."""
        if self._inherited is None:
            self._inherited = systemd.inherited_sockets()
        known = {entrance.listen.name for entrance in prepared.entrances}
        if stray := {one.name for one in self._inherited} - known:
            raise ConfigError(
                f"systemd hands over sockets for {', '.join(stray)}, but no [[listen]] table has that name",
                remedy="set FileDescriptorName= in the socket unit to the name of a listener",
            )
        for entrance in prepared.entrances:
            self._bind_entrance(entrance, self._inherited, services)
        for broker in settings.mqtt:
            tls = prepared.brokers[broker.name]
            self.brokers.append(MqttListener(broker, services, MqttDecoder(self._keys_of), ready=ready, tls=tls))
        for spool in settings.spool:
            self.spools.append(SpoolListener(spool, services, AsteriskDecoder(self._keys_of), ready=ready))

    def _bind_entrance(
        self, entrance: Entrance, handed: Iterable[systemd.Inherited], services: SessionServices
    ) -> None:
        listen, description, tls = entrance
        given = {_transport(one.socket): one.socket for one in handed if one.name == listen.name}

        def make() -> Decoder:
            return description.make(self._keys_of)

        if unspoken := set(given) - set(description.transports):
            raise ConfigError(
                f"systemd hands over a {unspoken.pop()} socket for {listen.name}",
                remedy=f"remove it from the socket unit: {listen.protocol} does not use that transport",
            )
        # Use a copy, because a listener closes its socket at its end, and another try may need what systemd gave.
        for transport, bound in ({way: one.dup() for way, one in given.items()} or bind(listen)).items():
            if transport == "tcp":
                self.bound.append(TcpListener(listen, services, make, bound, tls))
            else:
                self.bound.append(UdpListener(listen, services, make, bound))

    async def start(self) -> None:
        """Start to take reports on every bound socket, from every broker and out of every spool."""
        for listener in self.bound:
            await listener.start()
        for broker in self.brokers:
            await broker.start()
        for spool in self.spools:
            await spool.start()
        self.started = True

    def stop(self) -> None:
        """Take no further reports; what was read is still answered."""
        for listener in (*self.bound, *self.brokers, *self.spools) if self.started else ():
            listener.stop()

    async def close(self) -> None:
        """Close every bound socket, the connection to every broker, and the watch of every spool."""
        for broker in self.brokers:
            await broker.close()
        for spool in self.spools:
            await spool.close()
        for listener in self.bound:
            listener.stop()
            listener.abort()

    async def withdraw(self) -> None:
        """Close all listeners and forget them, because our own ports must be free for the next try."""
        await self.close()
        self.bound.clear()
        self.brokers.clear()
        self.spools.clear()

    def use_tls(self, contexts: Mapping[str, ssl.SSLContext | None]) -> None:
        """Use other TLS contexts, by listener or broker, for new connections; open ones keep theirs."""
        for listener in self.bound:
            if isinstance(listener, TcpListener) and listener.listen.name in contexts:
                listener.use_tls(contexts[listener.listen.name])
        for broker in self.brokers:
            if broker.broker.name in contexts:
                broker.use_tls(contexts[broker.broker.name])

    def held(self, wanted: Settings) -> set[tuple[str, int, str]]:
        """Return the addresses that the next start can use, because this receiver or systemd holds them now."""
        # Compare the port that was bound: the configuration may have 0 now, and that port next time.
        held = {(one.listen.host, one.port, one.transport.replace("tls", "tcp")) for one in self.bound}
        handed = {one.name for one in self._inherited or ()}
        given = (one for one in wanted.listen if one.name in handed)
        return held | {(one.host, one.port, transport) for one in given for transport in one.transports}

    def places(self) -> list[str]:
        """Return the addresses as the log and ``systemctl status`` show them."""
        places = [f"{one.listen.protocol}/{one.transport} {one.host}:{one.port}" for one in self.bound]
        places += [f"{MQTT} at {one.broker.address}" for one in self.brokers]
        return places + [f"{ASTERISK} in {one.spool.directory}" for one in self.spools]


def _transport(bound: socket.socket) -> str:
    return "tcp" if bound.type == socket.SOCK_STREAM else "udp"

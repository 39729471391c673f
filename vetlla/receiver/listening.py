"""All listeners of the receiver together: they are bound, started, stopped and closed as one."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING

import structlog

from vetlla.daemon import systemd
from vetlla.domain.clock import iso
from vetlla.domain.errors import ConfigError
from vetlla.protocols.asterisk.decoder import AsteriskDecoder
from vetlla.protocols.asterisk.digits import NAME as ASTERISK
from vetlla.protocols.mqtt.decoder import NAME as MQTT
from vetlla.protocols.mqtt.decoder import MqttDecoder
from vetlla.protocols.scaip.decoder import ScaipDecoder
from vetlla.protocols.sip.via import Source
from vetlla.receiver.listeners.bind import bind
from vetlla.receiver.listeners.line.port import LinePort
from vetlla.receiver.listeners.line.port_decoder import PortDecoder
from vetlla.receiver.listeners.line.state import PortState
from vetlla.receiver.listeners.mqtt.listener import MqttListener
from vetlla.receiver.listeners.sip.dialogue import StreamDialogue
from vetlla.receiver.listeners.sip.listeners import SipConnection, SipUdpListener
from vetlla.receiver.listeners.sip.server import SipServer
from vetlla.receiver.listeners.spool.listener import SpoolListener
from vetlla.receiver.listeners.tcp import TcpListener
from vetlla.receiver.listeners.udp import UdpListener
from vetlla.settings.listen import accepting

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vetlla.domain.signals import AccountId, Key
    from vetlla.protocols.decoder import Decoder
    from vetlla.receiver.control.messages.receiver import LinePortFacts
    from vetlla.receiver.session import SessionServices
    from vetlla.receiver.startup import Entrance, Prepared, PreparedLine
    from vetlla.settings.line import Line
    from vetlla.settings.model import Settings
    from vetlla.settings.sip import Sip

log = structlog.get_logger()


class Listeners:
    """The bound sockets, the brokers and the directories through which reports come."""

    def __init__(self, keys_of: Callable[[AccountId], Sequence[Key]]) -> None:
        self.bound: list[TcpListener | UdpListener] = []
        self._doors: list[SipServer] = []
        """What the bound sockets of each door for SIP share."""
        self.brokers: list[MqttListener] = []
        self.ports: list[LinePort] = []
        """The ports of line receivers that Vetlla opens; those to which a receiver connects are bound."""
        self._lines: list[tuple[Line, PortState]] = []
        """Every port of a line receiver, and its state."""
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
        known |= {door.name for door, _ in prepared.doors}
        known |= {line.name for line, _ in prepared.lines if line.accept is not None}
        if stray := {one.name for one in self._inherited} - known:
            raise ConfigError(
                f"systemd hands over sockets for {', '.join(stray)}, but no [[listen]] or [[sip]] table has that name",
                remedy="set FileDescriptorName= in the socket unit to the name of a listener",
            )
        for entrance in prepared.entrances:
            self._bind_entrance(entrance, self._inherited, services)
        for door, tls in prepared.doors:
            self._bind_door(door, tls, self._inherited, services)
        for line in prepared.lines:
            self._add_line(line, services)
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

    def _bind_door(
        self, door: Sip, tls: ssl.SSLContext | None, handed: Iterable[systemd.Inherited], services: SessionServices
    ) -> None:
        server = SipServer(door, services, ScaipDecoder(self._keys_of))
        self._doors.append(server)
        given = {_transport(one.socket): one.socket.dup() for one in handed if one.name == door.name}
        for transport, bound in (given or bind(door)).items():
            if transport == "udp":
                self.bound.append(SipUdpListener(server, bound))
                continue

            def overheard() -> Decoder:
                return StreamDialogue(server, Source("", 0), "TLS")

            make_connection = partial(SipConnection, server)
            self.bound.append(TcpListener(door, services, overheard, bound, tls, make_connection=make_connection))

    def _add_line(self, prepared: PreparedLine, services: SessionServices) -> None:
        line, description = prepared
        state = PortState()
        self._lines.append((line, state))

        def make() -> Decoder:
            return PortDecoder(line, description.make(self._keys_of), state, services.clock)

        listeners: list[TcpListener] = []

        def accepted() -> Decoder:
            # A receiver that lost its power leaves a connection without an end. Its next one replaces it.
            for listener in listeners:
                if listener.connections:
                    log.warning("line.replaced", line=line.name)
                    listener.abort()
            state.openings += 1
            services.intake.last_frames.opened(line.name, services.clock.now().mono_us)
            return make()

        if line.accept is None:
            self.ports.append(LinePort(line, services, make, state))
        else:
            listen = accepting(line)
            handed = next((one.socket.dup() for one in self._inherited or () if one.name == line.name), None)
            bound = handed or bind(listen)["tcp"]
            silence_s = float(line.interval_s * line.allowed_misses)
            listener = TcpListener(listen, services, accepted, bound, None, silence_s=silence_s)
            listeners.append(listener)
            self.bound.append(listener)

    async def start(self) -> None:
        """Start to take reports on every bound socket and port, from every broker and out of every spool."""
        for listener in self.bound:
            await listener.start()
        for broker in self.brokers:
            await broker.start()
        for port in self.ports:
            await port.start()
        for spool in self.spools:
            await spool.start()
        self.started = True

    def stop(self) -> None:
        """Take no further reports; what was read is still answered."""
        for listener in (*self.bound, *self.brokers, *self.ports, *self.spools) if self.started else ():
            listener.stop()

    async def close(self) -> None:
        """Close every bound socket, the connection to every broker, and the watch of every spool."""
        for broker in self.brokers:
            await broker.close()
        for port in self.ports:
            await port.close()
        for spool in self.spools:
            await spool.close()
        for listener in self.bound:
            listener.stop()
            listener.abort()
        for door in self._doors:
            door.answers.close()

    async def withdraw(self) -> None:
        """Close all listeners and forget them, because our own ports must be free for the next try."""
        await self.close()
        self.bound.clear()
        self._doors.clear()
        self.brokers.clear()
        self.ports.clear()
        self._lines.clear()
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
        given = (one for one in wanted.addresses if one.name in handed)
        return held | {(one.host, one.port, transport) for one in given for transport in one.transports}

    def line_facts(self) -> list[LinePortFacts]:
        """Return the state of each line receiver's port, as ``vetlla status`` shows it."""
        connected = {one.listen.name: bool(one.connections) for one in self.bound if isinstance(one, TcpListener)}
        for line, state in self._lines:
            if line.accept is not None:
                state.open = connected[line.name]
                state.why = "" if state.open else "no receiver is connected"
        return [_facts(line, state) for line, state in self._lines]

    def places(self) -> list[str]:
        """Return the addresses as the log and ``systemctl status`` show them."""
        places = [f"{one.listen.protocol}/{one.transport} {one.host}:{one.port}" for one in self.bound]
        places += [f"{one.line.protocol} at {one.line.place}" for one in self.ports]
        places += [f"{MQTT} at {one.broker.address}" for one in self.brokers]
        return places + [f"{ASTERISK} in {one.spool.directory}" for one in self.spools]


def _facts(line: Line, state: PortState) -> LinePortFacts:
    return {
        "name": line.name,
        "protocol": line.protocol,
        "way": "serial" if line.serial else "connect" if line.connect else "accept",
        "place": line.place,
        "open": state.open,
        "why": state.why,
        "openings": state.openings,
        "heard": iso(state.heard_us) if state.heard_us else None,
        "frames": state.frames,
        "damaged": state.damaged,
        "parity": state.parity,
    }


def _transport(bound: socket.socket) -> str:
    return "tcp" if bound.type == socket.SOCK_STREAM else "udp"

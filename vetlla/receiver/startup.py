"""Checks a configuration and prepares what a start needs, before anything opens.

The start, a reload and ``vetlla check-config`` use the same function. So what the next start would refuse is refused
while the receiver still runs.
"""

from __future__ import annotations

import grp
import os
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain import permissions
from vetlla.domain.errors import ConfigError, StoreError, UsageError
from vetlla.domain.signals import Priority
from vetlla.protocols.decoder import LINE, MessageDescription
from vetlla.receiver.control.messages.base import CONTROL_SOCKET
from vetlla.receiver.control.server import SOCKET_PATH_MAX, path_too_long
from vetlla.receiver.listeners import tls
from vetlla.receiver.listeners.bind import spoken, try_to_bind
from vetlla.receiver.listeners.mqtt.listener import read_password
from vetlla.receiver.sinks.automation import writer_for
from vetlla.service.queue.triage import PRIORITIES
from vetlla.settings.listen import Listen
from vetlla.settings.sinks.automation import AutomationSink
from vetlla.store.journal.archive import refuse_unusable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Container, Iterable, Iterator, Mapping

    from vetlla.protocols.decoder import AnyDescription, Description
    from vetlla.settings.line import Line
    from vetlla.settings.model import Settings
    from vetlla.settings.queue import QueueSettings
    from vetlla.settings.sinks.model import Sink
    from vetlla.settings.sip import Sip
    from vetlla.settings.surfaces import ControlSettings

OWN_TABLES = {"asterisk": "name the directory in a [[spool]] table", "scaip": "name the address in a [[sip]] table"}
"""Remedy for each protocol of messages that comes by another way than a broker."""
ROLES = ("operators", "supervisors", "engineers")


class Entrance(NamedTuple):
    """A listener that can be opened."""

    listen: Listen
    """The listener's settings, with only those transports that its protocol has."""
    description: Description
    tls: ssl.SSLContext | None


class PreparedLine(NamedTuple):
    """A port of a line receiver that can be opened."""

    line: Line
    description: Description
    """The protocol with the options of this port."""


class Prepared(NamedTuple):
    """What a start needs from a configuration, and the faults of the configuration."""

    entrances: tuple[Entrance, ...]
    brokers: Mapping[str, ssl.SSLContext | None]
    """TLS context for each broker, by the broker's name; None without TLS."""
    doors: tuple[tuple[Sip, ssl.SSLContext | None], ...]
    """The doors for SIP, each with its TLS context; None without TLS."""
    lines: tuple[PreparedLine, ...]
    certificates: tuple[tls.Certificate, ...]
    faults: tuple[ConfigError, ...]
    """What a start refuses; the other fields leave it out."""

    def sound(self) -> Prepared:
        """Return this object if it has no faults. Raises a ConfigError that names all faults at once."""
        if self.faults:
            raise together(self.faults)
        return self


def prepare(settings: Settings, protocols: Mapping[str, AnyDescription]) -> Prepared:
    """Return what a start needs from a configuration, and all faults. Blocks, because it reads files and groups."""
    faults: list[ConfigError] = []
    if not (settings.listen or settings.sip or settings.mqtt or settings.line or settings.spool):
        faults.append(ConfigError("nothing to listen on", remedy="add a [[listen]] table, or --listen dc09=HOST:PORT"))
    entrances = tuple(_entrances(settings, protocols, faults))
    brokers = dict(_brokers(settings, faults))
    doors = tuple((one, _server_tls("sip", one, faults)) for one in settings.sip)
    lines = tuple(_lines(settings, protocols, faults))
    faults += _sinks(settings.sink)
    faults += _groups(settings.control)
    faults += _hidden_calls(settings.queue)
    return Prepared(entrances, brokers, doors, lines, tuple(tls.certificates(settings)), tuple(faults))


def check_state_directory(settings: Settings) -> None:
    """Check a state directory for the start that will use it. Raises what that start would raise. Blocks.

    Accounts and keys are not checked here, but when they are read.
    """
    directory = settings.state_dir
    if len(os.fsencode(directory / CONTROL_SOCKET)) > SOCKET_PATH_MAX:
        raise path_too_long(directory / CONTROL_SOCKET)
    there = next(path for path in (directory, *directory.parents) if path.exists())
    if not there.is_dir():
        raise StoreError(f"{directory}: {there} is not a directory", remedy="name another state_dir")
    if permissions.obstacle(there):
        raise permissions.refusal(there, "a start writes there")
    refuse_unusable(directory)


def together(faults: tuple[ConfigError, ...]) -> ConfigError:
    """Return one error for several."""
    if len(faults) == 1:
        return faults[0]
    lines = (f"{fault.args[0]} ({fault.remedy})" for fault in faults)
    return ConfigError("\n  ".join([f"{len(faults)} settings cannot be used", *lines]), remedy="correct all of them")


def unbindable(settings: Settings, held: Container[tuple[str, int, str]] = ()) -> Iterator[ConfigError]:
    """Yield an error for each address of a configuration that cannot be listened on, except for addresses in ``held``.

    ``held`` contains host, port and transport. Blocks.
    """
    places = [(f"listen {listen.name}", listen) for listen in settings.addresses]
    if settings.http.enabled:
        places.append(("http", http_address(settings)))
    for where, listen in places:
        for transport in listen.transports:
            if (listen.host, listen.port, transport) not in held:
                try:
                    try_to_bind(where, listen, transport)
                except ConfigError as error:
                    yield error


def http_address(settings: Settings) -> Listen:
    """Return the address of health and metrics in the form of a listener."""
    return Listen(protocol="http", host=settings.http.host, port=settings.http.port, transports=("tcp",))


def _entrances(
    settings: Settings, protocols: Mapping[str, AnyDescription], faults: list[ConfigError]
) -> Iterator[Entrance]:
    for listen in settings.listen:
        try:
            description = _description(listen, protocols)
            ours = spoken(listen, description)
        except ConfigError as error:
            faults.append(error)
            continue
        yield Entrance(ours, description, _server_tls("listen", listen, faults))


def _server_tls(table: str, listen: Listen, faults: list[ConfigError]) -> ssl.SSLContext | None:
    try:
        return tls.server_context(listen.tls) if listen.tls else None
    except ConfigError as error:
        faults.append(_at(f"{table} {listen.name}", error))
        return None


def _brokers(settings: Settings, faults: list[ConfigError]) -> Iterator[tuple[str, ssl.SSLContext | None]]:
    for broker in settings.mqtt:
        try:
            read_password(broker)
        except ConfigError as error:
            faults.append(error)
        try:
            yield broker.name, tls.client_context(broker.tls) if broker.tls else None
        except ConfigError as error:
            faults.append(_at(f"mqtt {broker.name}", error))


def _lines(
    settings: Settings, protocols: Mapping[str, AnyDescription], faults: list[ConfigError]
) -> Iterator[PreparedLine]:
    for line in settings.line:
        try:
            yield PreparedLine(line, _of_line(line, protocols))
        except ConfigError as error:
            faults.append(error)


def _of_line(line: Line, protocols: Mapping[str, AnyDescription]) -> Description:
    where = f"line {line.name}"
    description = _known(where, line.protocol, protocols)
    if isinstance(description, MessageDescription) or LINE not in description.transports:
        ours = (one.name for one in protocols.values() if LINE in getattr(one, "transports", ()))
        raise ConfigError(
            f"{where}: {line.protocol} is no protocol of line receivers", remedy=f"one of {', '.join(ours)}"
        )
    try:
        return description.tuned(line.options)
    except UsageError as error:
        raise _at(where, error) from error


def _known(where: str, protocol: str, protocols: Mapping[str, AnyDescription]) -> AnyDescription:
    if protocol not in protocols:
        close = get_close_matches(protocol, protocols, n=1)
        raise ConfigError(
            f"{where}: unknown protocol {protocol!r}",
            remedy=f'did you mean "{close[0]}"?' if close else f"one of {', '.join(protocols)}",
        )
    return protocols[protocol]


def _description(listen: Listen, protocols: Mapping[str, AnyDescription]) -> Description:
    description = _known(f"listen {listen.name}", listen.protocol, protocols)
    if isinstance(description, MessageDescription):
        raise ConfigError(
            f"listen {listen.name}: {listen.protocol} is not spoken over {' or '.join(listen.transports)}",
            remedy=OWN_TABLES.get(listen.protocol, "name the broker in a [[mqtt]] table"),
        )
    return description


def _sinks(sinks: Iterable[Sink]) -> Iterator[ConfigError]:
    for sink in sinks:
        if isinstance(sink, AutomationSink):
            try:
                writer_for(sink)
            except UsageError as error:
                yield _at(f"sink {sink.name}", error)


def _groups(control: ControlSettings) -> Iterator[ConfigError]:
    # If operators cannot reach their alarms, the receiver would acknowledge reports that no person answers. So it does
    # not start, and terminals turn to their second receiver.
    for role in ROLES:
        group = getattr(control, role)
        if group is not None:
            try:
                grp.getgrnam(group)
            except KeyError:
                yield ConfigError(
                    f"control.{role}: there is no group {group} on this machine", remedy=f"groupadd --system {group}"
                )


def _hidden_calls(queue: QueueSettings) -> Iterator[ConfigError]:
    # No person would answer a call for help that is acknowledged but opens no alarm.
    for kind, priority in queue.priorities.items():
        if priority is Priority.ROUTINE and PRIORITIES[kind] is Priority.LIFE:
            yield ConfigError(
                f"queue.priorities: {kind.value} is a call for help, and as ROUTINE it would open no alarm",
                remedy="use TECHNICAL or a higher priority; for a single code of one home: vetlla accounts set --remap",
            )


def _at(where: str, error: ConfigError | UsageError) -> ConfigError:
    located = ConfigError(f"{where}: {error.args[0]}", remedy=error.remedy)
    located.__cause__ = error.__cause__  # so that a missing permission is still reported as one
    return located

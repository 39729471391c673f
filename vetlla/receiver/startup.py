"""What a start makes of a configuration before anything opens, or refuses in it.

One function, used by the start, by a reload and by ``vetlla check-config``: what the next start would refuse is refused
while the receiver still runs.
"""

from __future__ import annotations

import grp
import os
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain import access
from vetlla.domain.errors import ConfigError, StoreError
from vetlla.domain.signals import Priority
from vetlla.protocols.decoder import MessageDescription
from vetlla.receiver.control.server import CONTROL_SOCKET, SOCKET_PATH_MAX, path_too_long
from vetlla.receiver.listeners import tls
from vetlla.receiver.listeners.bind import spoken, try_to_bind
from vetlla.receiver.listeners.mqtt.listener import read_password
from vetlla.service.queue.triage import PRIORITIES
from vetlla.settings.model import Listen
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.journal import JOURNAL

if TYPE_CHECKING:
    import ssl
    from collections.abc import Container, Iterator, Mapping

    from vetlla.protocols.decoder import AnyDescription, Description
    from vetlla.settings.model import ControlSettings, QueueSettings, Settings

ROLES = ("operators", "supervisors", "engineers")


class Entrance(NamedTuple):
    """A listener that can be opened."""

    listen: Listen
    """With the transports alone that its protocol has."""
    description: Description
    tls: ssl.SSLContext | None


class Prepared(NamedTuple):
    """What a configuration comes to."""

    entrances: tuple[Entrance, ...]
    brokers: Mapping[str, ssl.SSLContext | None]
    """TLS towards each broker, by its name."""
    certificates: tuple[tls.Certificate, ...]
    faults: tuple[ConfigError, ...]
    """What a start refuses; the other fields hold what there is without it."""

    def sound(self) -> Prepared:
        """Return this when nothing is wrong. Raises ConfigError that tells all faults at once."""
        if self.faults:
            raise together(self.faults)
        return self


def prepare(settings: Settings, protocols: Mapping[str, AnyDescription]) -> Prepared:
    """Return what a configuration comes to, with all its faults. Blocks: it reads files and asks for groups."""
    faults: list[ConfigError] = []
    if not settings.listen and not settings.mqtt:
        faults.append(ConfigError("nothing to listen on", remedy="add a [[listen]] table, or --listen dc09=HOST:PORT"))
    entrances = tuple(_entrances(settings, protocols, faults))
    brokers = dict(_brokers(settings, faults))
    faults += _groups(settings.control)
    faults += _hidden_calls(settings.queue)
    return Prepared(entrances, brokers, tuple(tls.certificates(settings)), tuple(faults))


def check_state_directory(settings: Settings) -> None:
    """Look at a state directory as the start that will use it. Raises what that start would raise. Blocks.

    Accounts and keys are left to those who read them.
    """
    directory = settings.state_dir
    if len(os.fsencode(directory / CONTROL_SOCKET)) > SOCKET_PATH_MAX:
        raise path_too_long(directory / CONTROL_SOCKET)
    there = next(path for path in (directory, *directory.parents) if path.exists())
    if not there.is_dir():
        raise StoreError(f"{directory}: {there} is no directory", remedy="name another state_dir")
    if access.obstacle(there):
        raise access.refusal(there, "a start writes there")
    if (directory / JOURNAL).exists():
        Archive(directory, older=True).close()


def together(faults: tuple[ConfigError, ...]) -> ConfigError:
    """Return one error for several."""
    if len(faults) == 1:
        return faults[0]
    lines = (f"{fault.args[0]} ({fault.remedy})" for fault in faults)
    return ConfigError("\n  ".join([f"{len(faults)} settings cannot be used", *lines]), remedy="correct them all")


def unbindable(settings: Settings, held: Container[tuple[str, int, str]] = ()) -> Iterator[ConfigError]:
    """Yield what keeps the addresses of a configuration from being listened on, but for those that are held already.

    ``held`` has host, port and transport. Blocks.
    """
    places = [(f"listen {listen.name}", listen) for listen in settings.listen]
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
    """Return where health and metrics are served, as a listener."""
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
        context = None
        try:
            context = tls.server_context(listen.tls) if listen.tls else None
        except ConfigError as error:
            faults.append(_at(f"listen {listen.name}", error))
        yield Entrance(ours, description, context)


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


def _description(listen: Listen, protocols: Mapping[str, AnyDescription]) -> Description:
    if listen.protocol not in protocols:
        close = get_close_matches(listen.protocol, protocols, n=1)
        raise ConfigError(
            f"listen {listen.name}: unknown protocol {listen.protocol!r}",
            remedy=f'did you mean "{close[0]}"?' if close else f"one of {', '.join(protocols)}",
        )
    description = protocols[listen.protocol]
    if isinstance(description, MessageDescription):
        raise ConfigError(
            f"listen {listen.name}: {listen.protocol} is not spoken over {' or '.join(listen.transports)}",
            remedy="name the broker in a [[mqtt]] table",
        )
    return description


def _groups(control: ControlSettings) -> Iterator[ConfigError]:
    # A receiver whose operators cannot reach their alarms acknowledges what no person will answer: it does not start,
    # and terminals turn to their second receiver.
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
    # A call for help that is acknowledged and opens no alarm would be answered by no person.
    for kind, priority in queue.priorities.items():
        if priority is Priority.ROUTINE and PRIORITIES[kind] is Priority.LIFE:
            yield ConfigError(
                f"queue.priorities: {kind.value} is a call for help, and as ROUTINE it would open no alarm",
                remedy="TECHNICAL is the least urgent one; for a single code of one home: vetlla accounts set --remap",
            )


def _at(where: str, error: ConfigError) -> ConfigError:
    told = ConfigError(f"{where}: {error.args[0]}", remedy=error.remedy)
    told.__cause__ = error.__cause__  # a missing permission is told as one
    return told

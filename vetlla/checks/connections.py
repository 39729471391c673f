"""Checks of the receiver's connections: listeners, brokers, the health page, certificates."""

from __future__ import annotations

import asyncio
import errno
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vetlla.checks.config import trouble
from vetlla.domain.errors import ConfigError, LinkError
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.receiver.listeners.bind import try_to_bind
from vetlla.receiver.listeners.mqtt.listener import probe
from vetlla.receiver.listeners.tls import EXPIRES_NOW, Certificate, Use, certificates
from vetlla.receiver.startup import http_address
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.receiver.control.messages.receiver import ListeningAddress, Status
    from vetlla.settings.broker import Mqtt
    from vetlla.settings.listen import Listen
    from vetlla.settings.model import Settings

HTTP_S = 3.0
"""Time in which the health page must answer."""
WAITING_MANY = 1_000
"""If more connections than this wait to be accepted, there is overload. Normally each waits for less than a turn of the
loop."""
_LISTENING = "0A"
"""State of a listening socket in proc(5)'s net/tcp."""


class Socket(NamedTuple):
    """Counts that the kernel keeps of a socket."""

    waiting: int
    """Connections that wait to be accepted (TCP), or bytes that wait to be read (UDP)."""
    dropped: int


def listener(listen: Listen, status: Status | None, unasked: Finding | None) -> Finding:
    """Check the running receiver's socket for a listener or, without a receiver, whether its address is free.

    ``unasked`` says why the status is missing although a receiver may run. Then an address in use may be its own.
    """
    name = f"listener {listen.name}"
    if status is None:
        try:
            for transport in listen.transports:
                try_to_bind(name, listen, transport)
        except ConfigError as error:
            if unasked is not None and getattr(error.__cause__, "errno", None) == errno.EADDRINUSE:
                text = f"{listen.address} is in use by the receiver, which did not answer, or by another program"
                return Finding(check=name, level=Level.UNKNOWN, text=text, remedy=unasked.remedy)
            return of_error(name, error)
        return Finding(check=name, level=Level.OK, text=f"{listen.address} is free")
    held = {place["transport"].replace("tls", "tcp"): place for place in _places(status, listen.name)}
    lacking = [way for way in listen.transports if way not in held]
    elsewhere = [place for place in held.values() if listen.port not in {0, place["port"]}]
    if not held or elsewhere:
        where = ", ".join(spelled(place["host"], place["port"]) for place in elsewhere)
        return Finding(
            check=name,
            level=Level.CRITICAL,
            text=f"the receiver does not listen on {listen.address}" + (f", but on {where}" if where else ""),
            remedy="systemctl restart vetlla: the receiver reads listeners at its start",
        )
    for way, place in held.items():
        if (found := _of_socket(name, way, place)) is not None:
            return found
    ways = ", ".join(sorted(held)) + (f" (not {', '.join(lacking)})" if lacking else "")
    return Finding(check=name, level=Level.OK, text=f"{listen.address}, the receiver listens over {ways}")


def _places(status: Status, name: str) -> list[ListeningAddress]:
    return [place for place in status["listening"] if place["name"] == name and "connected" not in place]


def _of_socket(name: str, transport: str, place: ListeningAddress) -> Finding | None:
    """Return what is wrong with a socket that the receiver reports as its own; None if it is in order."""
    where = f"{transport} {spelled(place['host'], place['port'])}"
    found = kernel_socket(transport, place["port"])
    if found is None:
        return Finding(
            check=name,
            level=Level.UNKNOWN,
            text=f"{where}: the receiver says that it listens, but this process does not see the socket",
            remedy="run this in the receiver's network namespace (container)",
        )
    if transport == "tcp" and found.waiting > WAITING_MANY:
        return Finding(
            check=name,
            level=Level.CRITICAL,
            text=f"{where}: {found.waiting} connections wait to be accepted",
            remedy="the receiver is overloaded: look at top and at the dashboard's rows on commits",
        )
    if transport == "udp" and found.dropped:
        return Finding(
            check=name,
            level=Level.WARNING,
            text=f"{where}: the kernel dropped {found.dropped} datagrams since the start",
            remedy="raise net.core.rmem_max (sysctl), then restart the receiver",
        )
    return None


def kernel_socket(transport: str, port: int) -> Socket | None:
    """Return the kernel's counts of the listening socket of a port; None if this process sees no such socket."""
    found = [
        Socket(int(fields[4].partition(":")[2], 16), int(fields[-1]) if transport == "udp" else 0)
        for file in (transport, f"{transport}6")
        for fields in _table(Path("/proc/net") / file)
        if fields[1].endswith(f":{port:04X}") and (transport == "udp" or fields[3] == _LISTENING)
    ]
    return max(found, default=None)


def _table(file: Path) -> Iterator[list[str]]:
    try:
        lines = file.read_text(encoding="ascii").splitlines()
    except OSError:  # a machine without IPv6 does not have the file
        return
    for line in lines[1:]:
        yield line.split()


def http(settings: Settings, status: Status | None, unasked: Finding | None) -> Finding:
    """Fetch the health page of the running receiver or, without a receiver, check whether its address is free."""
    address = http_address(settings)
    if status is None:
        return listener(address, None, unasked)
    name, place = f"listener {address.name}", status["http"]
    if place is None:
        text = f"health and metrics are not served on {address.address}"
        remedy = "systemctl restart vetlla: the receiver reads [http] at its start"
        return Finding(check=name, level=Level.WARNING, text=text, remedy=remedy)
    where = spelled({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(place["host"], place["host"]), place["port"])  # noqa: S104
    try:
        with urllib.request.urlopen(f"http://{where}/healthz", timeout=HTTP_S):
            pass
    except (urllib.error.URLError, OSError) as error:
        why = getattr(error, "reason", error)
        return Finding(
            check=name,
            level=Level.CRITICAL,
            text=f"{where} does not answer: {why}",
            remedy="check for a firewall or another network namespace in between; monitoring needs this page",
        )
    return Finding(check=name, level=Level.OK, text=f"{where} answers")


def broker(mqtt: Mqtt, status: Status | None, unasked: Finding | None) -> Finding:
    """Connect to an MQTT broker and leave, unless a receiver may be connected: the broker would disconnect it."""
    name = f"broker {mqtt.name}"
    if unasked is not None:
        text = f"{mqtt.address} was not tried: that would disconnect a receiver, and one may be connected"
        return Finding(check=name, level=Level.UNKNOWN, text=text, remedy=unasked.remedy)
    if any(place["name"] == mqtt.name and place.get("connected") for place in (status["listening"] if status else ())):
        return Finding(check=name, level=Level.OK, text=f"{mqtt.address}, the receiver is connected")
    try:
        asyncio.run(probe(mqtt))
    except (ConfigError, LinkError) as error:
        found = of_error(name, error)
        return Finding(check=name, level=found.level, text=f"{mqtt.address}: {found.text}", remedy=found.remedy)
    level, text = Level.OK, f"{mqtt.address} accepts {mqtt.node}"
    if status is not None:
        level, text = Level.CRITICAL, f"{text}, but the receiver is not connected"
    return Finding(check=name, level=level, text=text, remedy="see mqtt.lost in the receiver's log" if level else "")


def of_certificates(settings: Settings, status: Status | None, now: datetime) -> Iterator[Finding]:
    """Check the certificates for new connections: the running receiver's or, without a receiver, those on the disk."""
    on_disk = {(one.name, one.use, one.file): one for one in certificates(settings)}
    if status is None or "certificates" not in status:
        for one in on_disk.values():
            yield _certificate(one, now)
        return
    for fields in status["certificates"]:
        end = datetime.fromisoformat(fields["not_after"])
        key = (fields["name"], Use(fields["use"]), Path(fields["file"]))
        in_use = Certificate(*key, datetime.fromisoformat(fields["not_before"]), end)
        found, there = _certificate(in_use, now), on_disk.get(key)
        if there is not None and there.not_after != end:
            renewed = f"the file is valid until {there.not_after:%Y-%m-%d}, the receiver still uses the previous one"
            level = max(found.level, Level.WARNING)
            text = f"{found.text}; {renewed}"
            found = Finding(check=found.check, level=level, text=text, remedy="systemctl reload vetlla")
        yield found


def _certificate(one: Certificate, now: datetime) -> Finding:
    check = f"certificate {one.name}"
    what = trouble(one, now)
    if what is None:
        return Finding(check=check, level=Level.OK, text=f"{one.file} ({one.use}), until {one.not_after:%Y-%m-%d}")
    level = Level.CRITICAL if trouble(one, now, EXPIRES_NOW) else Level.WARNING
    remedy = "renew it, then: systemctl reload vetlla"
    return Finding(check=check, level=level, text=f"{one.file} ({one.use}) {what}", remedy=remedy)

"""Where the receiver hears, and is heard: listeners, brokers, the page of metrics, certificates."""

from __future__ import annotations

import asyncio
import errno
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.checks.config import trouble
from vetlla.checks.finding import Finding, Level, of_error
from vetlla.domain.errors import ConfigError, LinkError
from vetlla.receiver.listeners.bind import try_to_bind
from vetlla.receiver.listeners.mqtt.listener import probe
from vetlla.receiver.listeners.tls import EXPIRES_NOW, Certificate, Use, certificates
from vetlla.receiver.startup import http_address
from vetlla.settings.section import spelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vetlla.checks.running import Status
    from vetlla.settings.broker import Mqtt
    from vetlla.settings.model import Listen, Settings

HTTP_S = 3.0
"""Time the receiver has to answer on its page of health."""
WAITING_MANY = 1_000
"""Connections that wait to be accepted: in good order each waits for less than a turn of the loop."""
_LISTENING = "0A"
"""State of a listening socket in proc(5)'s net/tcp."""


class Socket(NamedTuple):
    """A socket as the kernel counts it."""

    waiting: int
    """TCP: connections to be accepted; UDP: bytes to be read."""
    dropped: int


def listener(listen: Listen, status: Status | None, unasked: Finding | None) -> Finding:
    """Judge a listener: the running receiver's socket, or, without a receiver, whether the address can be had.

    ``unasked`` says why the receiver did not tell its status although one may run: then its address is taken by it.
    """
    name = f"listener {listen.name}"
    if status is None:
        try:
            for transport in listen.transports:
                try_to_bind(name, listen, transport)
        except ConfigError as error:
            if unasked is not None and getattr(error.__cause__, "errno", None) == errno.EADDRINUSE:
                text = f"{listen.address} is taken: by the receiver, which did not tell, or by another program"
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
            remedy="systemctl restart vetlla: it reads listeners at the start",
        )
    for transport, place in held.items():
        if (found := _of_socket(name, transport, place)) is not None:
            return found
    ways = ", ".join(sorted(held)) + (f" (not {', '.join(lacking)})" if lacking else "")
    return Finding(check=name, level=Level.OK, text=f"{listen.address}, held by the receiver over {ways}")


def _places(status: Status, name: str) -> list[Mapping[str, Any]]:
    return [place for place in status["listening"] if place["name"] == name and "connected" not in place]


def _of_socket(name: str, transport: str, place: Mapping[str, Any]) -> Finding | None:
    """Return what is wrong with a socket that the receiver says it holds; None where nothing is."""
    where = f"{transport} {spelled(place['host'], place['port'])}"
    found = kernel_socket(transport, place["port"])
    if found is None:
        return Finding(
            check=name,
            level=Level.UNKNOWN,
            text=f"{where}: the receiver says it listens, and this process does not see the socket",
            remedy="run this in the receiver's own network namespace (container)",
        )
    if transport == "tcp" and found.waiting > WAITING_MANY:
        return Finding(
            check=name,
            level=Level.CRITICAL,
            text=f"{where}: {found.waiting} connections wait to be accepted",
            remedy="the receiver is overloaded: top, and the dashboard's rows on commits",
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
    """Return what the kernel knows of a listening socket of a port; None where this process sees none."""
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
    except OSError:  # without IPv6
        return
    for line in lines[1:]:
        yield line.split()


def http(settings: Settings, status: Status | None, unasked: Finding | None) -> Finding:
    """Fetch the page of health from the running receiver; without one, see whether its address can be had."""
    address = http_address(settings)
    if status is None:
        return listener(address, None, unasked)
    name, place = f"listener {address.name}", status["http"]
    if place is None:
        text = f"health and metrics are not served on {address.address}"
        remedy = "systemctl restart vetlla: it reads [http] at the start"
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
            remedy="does a firewall stand between, or another network namespace? monitoring is blind without it",
        )
    return Finding(check=name, level=Level.OK, text=f"{where} answers")


def broker(mqtt: Mqtt, status: Status | None, unasked: Finding | None) -> Finding:
    """Connect to an MQTT broker and leave, unless a running receiver is or may be connected: it would be pushed off."""
    name = f"broker {mqtt.name}"
    if unasked is not None:
        text = f"{mqtt.address} was not tried: a receiver that did not tell may be connected, and would be pushed off"
        return Finding(check=name, level=Level.UNKNOWN, text=text, remedy=unasked.remedy)
    if any(place["name"] == mqtt.name and place.get("connected") for place in (status or {}).get("listening", ())):
        return Finding(check=name, level=Level.OK, text=f"{mqtt.address}, the receiver is connected")
    try:
        asyncio.run(probe(mqtt))
    except (ConfigError, LinkError) as error:
        found = of_error(name, error)
        return Finding(check=name, level=found.level, text=f"{mqtt.address}: {found.text}", remedy=found.remedy)
    level, text = Level.OK, f"{mqtt.address} takes {mqtt.node}"
    if status is not None:
        level, text = Level.CRITICAL, f"{text}, but the receiver is not connected"
    return Finding(check=name, level=level, text=text, remedy="its log says why: mqtt.lost" if level else "")


def of_certificates(settings: Settings, status: Status | None, now: datetime) -> Iterator[Finding]:
    """Judge the certificates that new connections use: the running receiver's, or those on the disk without one."""
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
            renewed = f"the file is valid until {there.not_after:%Y-%m-%d}, the receiver still uses the one before"
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

"""Runs the checks of ``vetlla doctor``: whether a receiver works on this machine, or could work."""

from __future__ import annotations

import platform
import sqlite3
from typing import TYPE_CHECKING

from vetlla.checks import connections, machine, running, sinks, spools, state_files
from vetlla.checks.cards import cards
from vetlla.checks.line_ports import line_port
from vetlla.domain.clock import to_datetime
from vetlla.domain.findings import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vetlla.checks.running import Ask
    from vetlla.domain.clock import Clock
    from vetlla.protocols.decoder import AnyDescription
    from vetlla.settings.model import Settings


def examine(
    settings: Settings, ask: Ask, clock: Clock, *, path: Path | None, protocols: Mapping[str, AnyDescription]
) -> Iterator[Finding]:
    """Yield the findings of every check. ``ask`` asks the running receiver; ``path`` is the configuration's file."""
    status, daemon = running.ask_status(ask)
    unasked = daemon if running.is_unasked(status, daemon) else None
    process = running.process_of(status)
    yield daemon
    yield from running.configuration(ask, status, settings, path, protocols)
    yield Finding(
        check="python", level=Level.OK, text=f"Python {process['python'] if process else platform.python_version()}"
    )
    version = process["sqlite"] if process else sqlite3.sqlite_version
    yield state_files.sqlite(settings.state_dir, tuple(map(int, version.split("."))))
    yield from machine.state_directory(settings)
    yield state_files.owners(settings.state_dir, settings.keys_file)
    yield state_files.journal(settings.state_dir, status)
    yield state_files.registry(settings.state_dir, status, clock)
    yield state_files.keys(settings, status, clock)
    yield cards(settings)
    if process:
        yield machine.descriptors(process["connections"], process["descriptors"], "for the receiver")
    else:
        yield machine.descriptors(settings.limits.connections, machine.own_descriptors(), "here")
    yield machine.clock()
    for listen in settings.addresses:
        yield connections.listener(listen, status, unasked)
    for line in settings.line:
        yield line_port(line, status, unasked)
    for mqtt in settings.mqtt:
        yield connections.broker(mqtt, status, unasked)
    for spool in settings.spool:
        yield spools.directory(spool, status)
    for sink in status.get("sinks", ()) if status else ():
        yield sinks.of_running(sink)
    yield from connections.of_certificates(settings, status, to_datetime(clock.now().utc_us))
    if settings.http.enabled:
        yield connections.http(settings, status, unasked)

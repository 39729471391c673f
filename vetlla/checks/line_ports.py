"""Checks of the ports of line receivers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vetlla.domain.errors import LinkError
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.links.wire.way import Accept, opener
from vetlla.receiver.listeners.line.ways import way_of

if TYPE_CHECKING:
    from vetlla.links.wire.contract import Opener, Wire
    from vetlla.receiver.control.messages.receiver import LinePortFacts, Status
    from vetlla.settings.line import Line

_LOG = "journalctl -u vetlla names the reason (line.cannot_open, line.closed)"


class _Nothing:
    """Uses a wire for nothing: what comes meanwhile is not answered, and the line receiver repeats it."""

    def opened(self, wire: Wire) -> None:
        """Do nothing."""

    def received(self, data: bytes) -> None:
        """Do nothing."""

    def closed(self, why: str) -> None:
        """Do nothing."""


def line_port(line: Line, status: Status | None, unasked: Finding | None) -> Finding:
    """Check the running receiver's port for a line receiver or, without a receiver, whether it can be opened.

    ``unasked`` says why the status is missing although a receiver may run. Then the port may be in use by it.
    """
    name = f"line {line.name}"
    if status is not None:
        port = next((one for one in status.get("lines", ()) if one["name"] == line.name), None)
        if port is None:
            text = f"{line.place}: the running receiver does not know this port"
            return Finding(check=name, level=Level.CRITICAL, text=text, remedy="systemctl restart vetlla")
        return _of_port(name, port)
    if unasked is not None:
        text = f"{line.place} was not tried: a receiver may have it open"
        return Finding(check=name, level=Level.UNKNOWN, text=text, remedy=unasked.remedy)
    way = way_of(line)
    if isinstance(way, Accept):
        return Finding(check=name, level=Level.OK, text=f"{line.place} waits for the line receiver to connect")
    try:
        asyncio.run(_try(opener(way)))
    except LinkError as error:
        return of_error(name, error)
    return Finding(check=name, level=Level.OK, text=f"{line.place} can be opened")


def _of_port(name: str, port: LinePortFacts) -> Finding:
    where = f"{port['protocol']} at {port['place']}"
    if not port["open"]:
        return Finding(check=name, level=Level.CRITICAL, text=f"{where} is not open: {port['why']}", remedy=_LOG)
    if port["parity"]:
        text = f"{where}: the receiver seems to send 7 bits with {port['parity']} parity"
        remedy = "set data_bits and parity of the port as in the receiver's menu"
        return Finding(check=name, level=Level.CRITICAL, text=text, remedy=remedy)
    if port["heard"] is None:
        text = f"{where} is open, and no frame came since the start"
        return Finding(check=name, level=Level.WARNING, text=text, remedy="switch on the receiver's heartbeats")
    return Finding(check=name, level=Level.OK, text=f"{where} is open, {port['frames']} frames")


async def _try(open_wire: Opener) -> None:
    wire = await open_wire(_Nothing())
    wire.close()

"""Makes the way to a line receiver, or to the computer of one, from its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.links.wire.serial_port import SerialPort
from vetlla.links.wire.way import Accept, Connect

if TYPE_CHECKING:
    from vetlla.links.wire.way import Way
    from vetlla.settings.line import Line
    from vetlla.settings.sinks.automation import AutomationSink


def way_of(settings: Line | AutomationSink) -> Way:
    """Return the way of settings that have one of ``serial``, ``connect`` and ``accept``."""
    if settings.serial is not None:
        serial = settings.serial
        return SerialPort(str(serial.device), serial.baud, serial.data_bits, serial.parity, serial.stop_bits)
    if settings.connect is not None:
        return Connect(settings.connect.host, settings.connect.port)
    assert settings.accept is not None  # by the checks of both tables
    return Accept(settings.accept.host, settings.accept.port)

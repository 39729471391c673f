"""What is known of a line receiver's port, for the status, the metrics and the log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class PortState:
    """The state of one port. The port writes it, and the monitoring reads it."""

    open: bool = False
    """True if bytes can come in: the device or the connection is open."""
    why: str = "not opened yet"
    """Why it is not open; empty if it is."""
    openings: int = 0
    """How often it was opened, or a receiver connected to it."""
    heard_us: int = 0
    """When the last whole frame came (UTC); 0 if none came."""
    frames: int = 0
    damaged: int = 0
    """Times that bytes came which could not be read."""
    parity: str = ""
    """Parity that the receiver seems to send while the port is set to none: ``even`` or ``odd``."""

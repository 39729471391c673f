"""Settings of ``[[line]]``: the ports through which line receivers report, serial or TCP in either direction."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vetlla.domain.signals import LINE_RECEIVER
from vetlla.settings.section import AbsolutePath, Host, Port, Section, Word, spelled

INTERVAL_MAX_S = 3_600
"""Longest interval of a receiver's heartbeats in seconds. Receivers send them each 99 s at most (Sur-Gard MLR2-E)."""
TELEPHONE_LINES_MAX = 512
"""Most telephone lines of one receiver; a Sur-Gard System 5 has 96."""
LINE_QUIET_MAX_S = 32 * 86_400
"""Longest time in seconds that a telephone line may be quiet: a panel's test call each month, and a day."""


class SerialLine(Section):
    """A serial port. The receiver's settings must be the same."""

    device: AbsolutePath
    """The port; a name below ``/dev/serial/by-id`` stays the same after a restart."""
    baud: Annotated[int, Field(ge=50, le=4_000_000)] = 9_600
    data_bits: Literal[7, 8] = 8
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: Literal[1, 2] = 1


class Connect(Section):
    """The receiver listens, and Vetlla connects to it: port 1025 of a Sur-Gard System II to 5 and an MLR2000."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65535)]

    @property
    def address(self) -> str:
        """Return ``HOST:PORT``, an IPv6 host in brackets."""
        return spelled(self.host, self.port)


class Accept(Section):
    """Vetlla listens, and the receiver connects to it. ``port`` 0 picks a free one."""

    host: Host
    port: Port


def place_of(serial: SerialLine | None, connect: Connect | None, accept: Accept | None) -> str:
    """Return the device or address of a port that has one of the three."""
    if serial is not None:
        return str(serial.device)
    way = connect or accept
    assert way is not None  # the tables check it
    return spelled(way.host, way.port)


class Line(Section):
    """One port of a line receiver."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    """Name of this port in logs, metrics and signals. The receiver itself is supervised as the account LINE:NAME."""
    protocol: Word
    options: Mapping[str, str] = {}
    """Options of the protocol at this port, such as ``line_width = "3"`` (``vetlla decode`` lists them)."""
    serial: SerialLine | None = None
    connect: Connect | None = None
    accept: Accept | None = None
    receiver: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{0,8}$")] = ""
    """Receiver number of all reports of this port, if several receivers send the same one."""
    account_prefix: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{0,8}$")] = ""
    """Digits before each account of this port, if several receivers have the same accounts."""
    interval_s: Annotated[int, Field(ge=1, le=INTERVAL_MAX_S)] = 30
    """Interval of the receiver's heartbeats in seconds. Any message counts as one."""
    allowed_misses: Annotated[int, Field(ge=1, le=100)] = 3
    """Heartbeats in a row that may fail to come before the receiver is lost, which opens an alarm."""
    lines: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,8}$")], ...], Field(max_length=TELEPHONE_LINES_MAX)
    ] = ()
    """Telephone lines of the receiver that are supervised, as its reports name them."""
    line_quiet_s: Annotated[int, Field(ge=60, le=LINE_QUIET_MAX_S)] = 86_400
    """Time in seconds within which each of these telephone lines must bring a call."""

    @property
    def account(self) -> str:
        """Account under which the receiver itself is supervised and its own messages are stored."""
        return f"{LINE_RECEIVER}{self.name}"

    @property
    def place(self) -> str:
        """Return the device or address, as the log and ``vetlla status`` show it."""
        return place_of(self.serial, self.connect, self.accept)

    @model_validator(mode="after")
    def _one_way(self) -> "Line":
        if sum(way is not None for way in (self.serial, self.connect, self.accept)) != 1:
            raise ValueError("should have one of serial, connect and accept")
        return self

    @model_validator(mode="after")
    def _lines_apart(self) -> "Line":
        if len({line.upper() for line in self.lines}) != len(self.lines):
            raise ValueError("lines should name each telephone line once")
        return self

"""Options that say how a line to a receiver or to a computer is reached."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vetlla.cli.kit.output import talk
from vetlla.domain.errors import UsageError
from vetlla.links.wire.serial_port import SerialPort
from vetlla.links.wire.way import Accept, Connect
from vetlla.settings.section import host_and_port

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.domain.errors import LinkError
    from vetlla.links.wire.way import Way

BAUD: Final = 9_600
MODE: Final = "8N1"
BAUD_MOST: Final = 4_000_000
PORT_MAX: Final = 65_535
_MODE: Final = re.compile(r"([78])([NEO])([12])", re.IGNORECASE)
PARITIES: Final = {"N": "none", "E": "even", "O": "odd"}

SerialDevice = Annotated[
    str, typer.Option("--serial", metavar="DEVICE", help="Serial port, by its name in /dev/serial/by-id.")
]
Baud = Annotated[int, typer.Option(min=50, max=BAUD_MOST, help="Speed of the serial port.")]
Mode = Annotated[str, typer.Option(metavar="8N1|7E1|...", help="Data bits, parity and stop bits of the serial port.")]


def serial_port(device: str, baud: int, mode: str) -> SerialPort:
    """Return a serial port. Raises UsageError if the mode is no mode."""
    found = _MODE.fullmatch(mode)
    if found is None:
        raise UsageError(f"--mode {mode}: not a mode", remedy="data bits, parity and stop bits, such as 8N1 or 7E1")
    return SerialPort(device, baud, int(found[1]), PARITIES[found[2].upper()], int(found[3]))


def address(option: str, text: str, *, least: int = 1) -> tuple[str, int]:
    """Return host and port of the text HOST:PORT of an option. Raises UsageError."""
    found = host_and_port(text)
    if found is None or not least <= found[1] <= PORT_MAX:
        raise UsageError(f"{option} {text}: not HOST:PORT", remedy="such as 192.0.2.7:1025 or [::1]:1025")
    return found


def one_way(
    *, serial: str, baud: int, mode: str, connect: str = "", accept: str = "", connect_option: str = "--connect"
) -> Way:
    """Return the one way that was given. Raises UsageError if none or several were."""
    given = [name for name, text in (("--serial", serial), (connect_option, connect), ("--accept", accept)) if text]
    names = f"--serial DEVICE, {connect_option} HOST:PORT or --accept HOST:PORT"
    if len(given) != 1:
        what = "no line is named" if not given else f"{' and '.join(given)} exclude each other"
        raise UsageError(what, remedy=f"give one of {names}")
    if serial:
        return serial_port(serial, baud, mode)
    if connect:
        return Connect(*address(connect_option, connect))
    return Accept(*address("--accept", accept, least=0))


def teller_of_failures() -> Callable[[LinkError], None]:
    """Return a function that shows a person why a line is not open: each reason once, as attempts fail alike."""
    told: set[str] = set()

    def failed(error: LinkError) -> None:
        if (text := error.args[0]) not in told:
            told.add(text)
            talk().print(f"{text}; trying again", soft_wrap=True, markup=False)

    return failed

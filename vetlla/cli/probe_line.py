"""``vetlla probe-line`` finds out what a line receiver sends, and with which settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.line_guess import guess_fields, line_table, sentences
from vetlla.cli.kit.lines import BAUD_MOST, MODE, Mode, SerialDevice, one_way, serial_port
from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.tapped import tapped
from vetlla.links.wire.serial_port import SerialPort
from vetlla.protocols.captures.answering import HeartbeatsOnly
from vetlla.protocols.captures.guessing import Guess, guess

if TYPE_CHECKING:
    from vetlla.links.wire.way import Way
    from vetlla.protocols.captures.recording import Chunk

BAUDS: Final = (9_600, 19_200, 1_200, 4_800, 2_400, 38_400)
"""Speeds in the order in which they are tried: MLR2000 has the first one at the factory, MLR2E the second, MLR2-DV the
third."""
LISTEN_S: Final = 65.0
"""Time for one setting: two heartbeats of 30 s."""
NOT_FOUND: Final = 1


def probe_line(
    *,
    serial: SerialDevice = "",
    tcp: Annotated[str, typer.Option(metavar="HOST:PORT", help="Connect to the receiver.")] = "",
    accept: Annotated[str, typer.Option(metavar="HOST:PORT", help="Wait here until the receiver connects.")] = "",
    baud: Annotated[
        list[int] | None,
        typer.Option(
            min=50, max=BAUD_MOST, help=f"Speed of the serial port; repeatable. Default: {', '.join(map(str, BAUDS))}."
        ),
    ] = None,
    mode: Mode = MODE,
    seconds: Annotated[
        float, duration("--for", help=f"How long to listen with each setting ({LISTEN_S:.0f}s).", least_s=0.1)
    ] = LISTEN_S,
    answer_heartbeats: Annotated[
        bool, typer.Option("--answer-heartbeats", help="Acknowledge heartbeats, so that the receiver sends its events.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Listen to a line receiver, say what it sends and with which settings, and print the table for the configuration.

    No event is answered, so the receiver keeps all of them; stop the program that answers it now, or take a capture
    behind it (`vetlla capture --to`). A port that reads 8N1 also shows what is sent as 7E1.

    Exit status: 0 a dialect was found, 1 none was.

    Example: vetlla probe-line --serial /dev/serial/by-id/usb-FTDI_USB_Serial-if00-port0
    """
    way = one_way(serial=serial, baud=BAUDS[0], mode=mode, connect=tcp, accept=accept, connect_option="--tcp")
    ways: list[Way] = [way]
    if isinstance(way, SerialPort):
        ways = [serial_port(serial, one, mode) for one in baud or BAUDS]
    found, way = _first_found(ways, seconds, answer_heartbeats=answer_heartbeats)
    with verdict(0 if found.protocol else NOT_FOUND):
        if as_json:
            table = line_table(found, way) if found.protocol else ""
            print_json({**guess_fields(found), "baud": getattr(way, "baud", None), "table": table})
            return
        port = way if isinstance(way, SerialPort) else None
        for sentence in sentences(found, mode=port.mode if port else ""):
            console().print(sentence, soft_wrap=True, markup=False, highlight=False)
        if found.protocol:
            for line in ("", *line_table(found, way).splitlines()):
                console().print(line, soft_wrap=True, markup=False, highlight=False)


def _first_found(ways: list[Way], seconds: float, *, answer_heartbeats: bool) -> tuple[Guess, Way]:
    """Return the first guess with a dialect, and the way that gave it; else the guess that had most text."""
    best: tuple[Guess, Way] | None = None
    for way in ways:
        if isinstance(way, SerialPort):
            talk().print(f"listening with {way.baud} baud, {way.mode}", markup=False)
        found, is_stopped = _listened(way, seconds, answer_heartbeats=answer_heartbeats)
        if best is None or found.protocol or found.text_share * found.size > best[0].text_share * best[0].size:
            best = found, way
        if found.protocol or is_stopped:
            break
    assert best is not None, "there is at least one way"
    return best


def _listened(way: Way, seconds: float, *, answer_heartbeats: bool) -> tuple[Guess, bool]:
    chunks: list[Chunk] = []
    parity = way.parity if isinstance(way, SerialPort) else "none"

    def take(chunk: Chunk) -> bool:
        chunks.append(chunk)
        return chunk.is_answer or not _is_certain(guess(chunks, port_parity=parity))

    answers = HeartbeatsOnly() if answer_heartbeats else None
    answer = answers.feed if answers else lambda _data: b""
    is_stopped = tapped(way, None, take, seconds=seconds, answer=answer)
    return guess(chunks, port_parity=parity), is_stopped


def _is_certain(found: Guess) -> bool:
    """Return True if more bytes would show nothing more: one dialect, and the interval of its heartbeats."""
    return bool(found.protocol) and not found.others and found.heartbeat_s is not None and found.events > 0

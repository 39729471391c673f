"""``vetlla capture`` writes what passes on a line to a file, and guesses what it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from vetlla.cli.kit.line_guess import guess_fields, sentences
from vetlla.cli.kit.lines import BAUD, MODE, Baud, Mode, SerialDevice, address, one_way, serial_port
from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.tapped import tapped
from vetlla.domain.errors import UsageError
from vetlla.domain.plainfile import open_input
from vetlla.links.wire.serial_port import SerialPort
from vetlla.links.wire.way import Accept, Connect
from vetlla.protocols.automation.writers import WRITERS
from vetlla.protocols.captures.answering import Everything
from vetlla.protocols.captures.guessing import guess
from vetlla.protocols.captures.recording import TITLE, chunks_of, line_of

if TYPE_CHECKING:
    from vetlla.links.wire.way import Way
    from vetlla.protocols.captures.recording import Chunk

FILE_MOST: Final = 32 << 20
"""Most bytes of a file. `vetlla decode` reads 64 MiB; a line with 9,600 baud needs half a day for this."""
LISTEN: Final = "listen:"
"""Beginning of --to for a program that connects to us."""


def capture(
    *,
    file: Annotated[Path | None, typer.Argument(readable=False, help="File to write; it must not exist.")] = None,
    serial: SerialDevice = "",
    baud: Baud = BAUD,
    mode: Mode = MODE,
    tcp: Annotated[str, typer.Option(metavar="HOST:PORT", help="Connect to the receiver.")] = "",
    accept: Annotated[str, typer.Option(metavar="HOST:PORT", help="Wait here until the receiver connects.")] = "",
    to: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT|DEVICE",
            help="Pass all bytes on to the program that answers; listen:HOST:PORT if it connects to us.",
        ),
    ] = "",
    seconds: Annotated[float | None, duration("--for", help="Stop after this time.", least_s=0.1)] = None,
    ack: Annotated[
        str,
        typer.Option(
            metavar="PROTOCOL",
            help="Acknowledge all frames of this dialect. An alarm that is acknowledged here is stored nowhere: lost.",
        ),
    ] = "",
    guess_from: Annotated[
        Path | None, typer.Option("--guess", readable=False, help="Guess from a file that was captured before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the bytes of a line receiver with their times to a file, in both directions, and guess what they are.

    Without --to and --ack nothing is answered: the receiver repeats, and keeps its events for the program that does.
    With --to the bytes pass through, so that a capture can be taken while the present program goes on.
    The file has telephone numbers and accounts of homes; only its owner may read it. `vetlla decode` reads it, too.

    Ctrl-C ends the capture and prints the guess.

    Example: vetlla capture --tcp 192.0.2.7:1025 --to listen:127.0.0.1:1025 monday.capture
    """
    if guess_from is not None:
        if file is not None or serial or tcp or accept:
            raise UsageError("--guess reads a file and no line", remedy="leave the line and the other file out")
        chunks = _read(guess_from)
        _show(chunks, SerialPort("", 0), as_json=as_json)
        return
    near = one_way(serial=serial, baud=baud, mode=mode, connect=tcp, accept=accept, connect_option="--tcp")
    if file is None:
        raise UsageError("no file to write is named", remedy="name one that does not exist yet, or use --guess FILE")
    if ack and (ack not in WRITERS or to):
        raise UsageError(
            "--ack excludes --to" if to else f"--ack {ack}: not a dialect of line receivers",
            remedy="the program behind --to answers" if to else f"use one of: {', '.join(WRITERS)}",
        )
    if ack:
        talk().print("every frame is acknowledged and not stored: alarms of this time are lost", style="red")
    _show(_captured(file, near, _far(to, baud, mode) if to else None, seconds, ack), near, as_json=as_json)


def _far(to: str, baud: int, mode: str) -> Way:
    if to.startswith(LISTEN):
        return Accept(*address("--to", to.removeprefix(LISTEN), least=0))
    return serial_port(to, baud, mode) if to.startswith("/") else Connect(*address("--to", to))


def _captured(file: Path, near: Way, far: Way | None, seconds: float | None, ack: str) -> list[Chunk]:
    """Write the chunks of a line until its end, and return them."""
    try:
        out = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w", buffering=1)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", remedy="name a new file in a directory that you own") from error
    chunks: list[Chunk] = []
    with out:
        where = near.device if isinstance(near, SerialPort) else f"{near.host}:{near.port}"
        size = out.write(f"{TITLE}: {where}\n")

        def take(chunk: Chunk) -> bool:
            nonlocal size
            chunks.append(chunk)
            size += out.write(line_of(chunk) + "\n")
            return size < FILE_MOST

        answer = Everything(ack).feed if ack else lambda _data: b""
        tapped(near, far, take, seconds=seconds, answer=answer)
    if size >= FILE_MOST:
        talk().print(f"{file} has {size >> 20} MiB: the capture ended", style="red")
    return chunks


def _read(file: Path) -> list[Chunk]:
    try:
        with open_input(file) as recording:
            lines = recording.read(FILE_MOST + 1).decode("utf-8", "replace").splitlines()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", remedy="name a file of `vetlla capture`") from error
    chunks = []
    for number, chunk in chunks_of(lines):
        if chunk is None:
            _no_capture(file, number)
        chunks.append(chunk)
    return chunks


def _no_capture(file: Path, number: int) -> NoReturn:
    talk().print(f"vetlla: {file}: line {number} is no line of a capture", style="red", markup=False)
    raise typer.Exit(os.EX_DATAERR)


def _show(chunks: list[Chunk], way: Way, *, as_json: bool) -> None:
    port = way if isinstance(way, SerialPort) else None
    found = guess(chunks, port_parity=port.parity if port else "none")
    if as_json:
        print_json({"chunks": len(chunks), **guess_fields(found)})
        return
    for sentence in sentences(found, mode=port.mode if port else ""):
        console().print(sentence, soft_wrap=True, markup=False, highlight=False)

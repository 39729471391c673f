"""``vetlla decode`` shows how a decoder reads recorded bytes. It needs no daemon and no store, and sends nothing."""

from __future__ import annotations

import os
import re
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

import typer
from rich.text import Text

from vetlla.cli.kit.items import item_fields
from vetlla.cli.kit.moments import Utc, to_the_second
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.domain.accounts import Maker
from vetlla.domain.clock import to_us
from vetlla.domain.errors import UsageError
from vetlla.domain.plainfile import open_input
from vetlla.domain.printable import printable
from vetlla.domain.signals import STORED, Hangup, Key, Phase, Reject, Reply, Signal
from vetlla.protocols.captures.recording import chunks_of
from vetlla.protocols.codes.makers import as_meant_by, name_of
from vetlla.protocols.decoder import MessageDescription
from vetlla.protocols.registry import load_protocols
from vetlla.store.secrets.text import KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from vetlla.domain.signals import AccountId, Item
    from vetlla.protocols.decoder import AnyDescription, Decoder, MessageDecoder

STDIN = "-"
LARGEST = 64 << 20
"""Most bytes of a recording. As hex, this is a day of a receiver with 100,000 homes."""
PHASES = {Phase.NEW: "", Phase.RESTORE: " restored", Phase.STATUS: " (status)"}


class DecodeOptions(NamedTuple):
    """Options that shape the output."""

    as_json: bool
    answer: bool
    maker: Maker | None


def decode(
    *,
    protocol: Annotated[str, typer.Argument(help="Protocol by its registry name, for example dc09.")],
    file: Annotated[str, typer.Argument(help="Recording, or - for standard input.", metavar="[FILE|-]")] = STDIN,
    raw: Annotated[bool, typer.Option("--raw", help="Read bytes as they are instead of lines of hex.")] = False,
    _utc: Utc = False,
    as_json: AsJson = False,
    key: Annotated[
        list[str] | None, typer.Option("--key", metavar="HEX", help="Key of 32, 48 or 64 hex digits; repeatable.")
    ] = None,
    key_text: Annotated[
        list[str] | None, typer.Option("--key-text", metavar="TEXT", help="Key of 16, 24 or 32 characters; repeatable.")
    ] = None,
    datagrams: Annotated[bool, typer.Option("--datagrams", help="Take each line as one datagram.")] = False,
    answer: Annotated[bool, typer.Option("--answer", help="Print the answer that a stored signal would get.")] = False,
    long_pad: Annotated[
        bool, typer.Option("--long-pad", help="Trust a whole block of pad in front, as DC-09 of 2026 has it.")
    ] = False,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="Setting of the port, as line_width=3; repeatable."),
    ] = None,
    maker: Annotated[
        Maker | None,
        typer.Option("--maker", help="Read codes as this maker defines them."),
    ] = None,
) -> None:
    r"""Decode recorded frames: each line of hex is one chunk of bytes, in the order in which they were received.

    Blank lines and # lines are skipped. A file of `vetlla capture` is read, too. The command prints one line, or with
    --json one object, for each item.

    Exit status: 65 if anything was rejected.

    Example: vetlla decode dc09 --json frames.hex

    Everyone on the machine can see keys on a command line: use keys of recordings, not of homes in service.
    """
    description = _with_options(_protocol(protocol), option or [])
    keys = [replace(one, long_pad=long_pad) for one in _keys(key or [], key_text or [])]
    if raw and datagrams:
        raise UsageError(
            "--raw reads no lines, so that --datagrams cannot be used",
            remedy="give hex lines, or leave --datagrams out",
        )
    chunks = [_read(file)] if raw else _hex_chunks(file)
    rejects = 0
    shown = console()
    for items, answering in _decoded(description, keys, chunks, datagrams=datagrams):
        for item in items:
            rejects += isinstance(item, Reject)
            _show(item, description.name, answering, shown, DecodeOptions(as_json, answer, maker))
    if rejects:
        raise typer.Exit(os.EX_DATAERR)


def _protocol(name: str) -> AnyDescription:
    protocols = load_protocols()
    if name not in protocols:
        raise UsageError(f"there is no protocol {name!r}", remedy=f"use one of: {', '.join(sorted(protocols))}")
    return protocols[name]


def _with_options(description: AnyDescription, given: Sequence[str]) -> AnyDescription:
    """Return the protocol as a port with these options speaks it."""
    if not given:
        return description
    if isinstance(description, MessageDescription):
        raise UsageError(f"{description.name} has no options", remedy="leave --option out")
    if wrong := next((one for one in given if "=" not in one), None):
        raise UsageError(f"--option {wrong} names no value", remedy="give NAME=VALUE, as line_width=3")
    return description.tuned({name: value for name, _, value in (one.partition("=") for one in given)})


def _keys(as_hex: Sequence[str], as_text: Sequence[str]) -> list[Key]:
    """Return the keys, named by their order. An error message never repeats a key."""
    secrets: list[bytes] = []
    for number, digits in enumerate(as_hex, 1):
        try:
            secrets.append(bytes.fromhex(digits))
        except ValueError:
            raise UsageError(
                f"--key number {number} is not hexadecimal", remedy="give a text with --key-text"
            ) from None
    secrets += [text.encode() for text in as_text]
    for number, secret in enumerate(secrets, 1):
        if len(secret) not in KEY_BYTES:
            raise UsageError(f"key number {number} has {len(secret)} bytes", remedy="AES keys have 16, 24 or 32 bytes")
    return [Key(name=f"key {number}", secret=secret) for number, secret in enumerate(secrets, 1)]


def _hex_chunks(file: str) -> list[bytes]:
    """Return the bytes of each line. All lines are read first, so that a bad one is reported before any output.

    Of a capture (``vetlla capture``) these are the bytes from the receiver.
    """
    lines = _read(file).decode("utf-8", "replace").splitlines()
    return [
        _from_hex(lines[number - 1], number) if chunk is None else chunk.data
        for number, chunk in chunks_of(lines)
        if chunk is None or not chunk.is_answer
    ]


def _read(file: str) -> bytes:
    try:
        with open_input(Path(file)) if file != STDIN else nullcontext(sys.stdin.buffer) as recording:
            content = recording.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(
            f"{file}: {error.strerror}", remedy="name a file that can be read, or - for standard input"
        ) from error
    if len(content) > LARGEST:
        raise UsageError(
            f"{file} has more than {LARGEST >> 20} MiB", remedy="check that it is a recording, and decode it in parts"
        )
    return content


def _from_hex(line: str, number: int) -> bytes:
    """Return the bytes of a line. Blanks between digits are allowed; for anything else the error gives its place."""
    digits = "".join(line.split())
    try:
        return bytes.fromhex(digits)
    except ValueError:
        if wrong := re.search(r"[^0-9a-fA-F\s]", line):
            _bad_data(f"line {number}, column {wrong.start() + 1}: {wrong[0]!r} is not a hexadecimal digit")
        _bad_data(f"line {number}, column {len(line.rstrip())}: half a byte, the line has {len(digits)} digits")


def _bad_data(message: str) -> NoReturn:
    talk().print(f"vetlla: {message}", style="red")
    raise typer.Exit(os.EX_DATAERR)


def _decoded(
    description: AnyDescription, keys: Sequence[Key], chunks: Iterable[bytes], *, datagrams: bool
) -> Iterator[tuple[list[Item], Decoder | MessageDecoder]]:
    """Feed the chunks to one decoder, or each to its own; yield each item and the decoder that can answer it."""

    def lookup(_: AccountId) -> Sequence[Key]:
        return keys

    if isinstance(description, MessageDescription):
        reader = description.make(lookup)
        for chunk in chunks:
            for message in description.recorded(chunk):
                yield reader.read(message), reader
        return
    decoder = description.make(lookup)
    for chunk in chunks:
        yield decoder.feed(chunk), decoder
        if datagrams:
            yield decoder.finish(), decoder
            decoder = description.make(lookup)
    yield decoder.finish(), decoder


def _show(item: Item, protocol: str, decoder: Decoder | MessageDecoder, shown: Console, options: DecodeOptions) -> None:
    if options.maker is not None and isinstance(item, Signal):
        item = as_meant_by(options.maker, item)
    fields = item_fields(item, protocol)
    reply = b""
    if options.answer and isinstance(item, Signal):
        reply = decoder.answer(item, STORED, datetime.now(UTC))
        fields["answer"] = reply.hex()
    if options.as_json:
        print_json(fields)
        return
    shown.print(_line(item, options.maker), soft_wrap=True)
    if reply:
        shown.print(Text(f"  answer {_printable(reply)}", "dim"), soft_wrap=True)


def _line(item: Item, maker: Maker | None) -> Text:
    """Return one readable line. Text from a peer is never shown as markup or control characters."""
    match item:
        case Signal():
            return _signal_line(item, name_of(item.event, maker))
        case Reject():
            who = f" from {item.id.account}" if item.id is not None else ""
            return Text.assemble(("reject ", "red"), f"{item.reason.value}{who}: {item.text}  {_printable(item.raw)}")
        case Reply():
            return Text.assemble(("reply  ", "yellow"), _printable(item.data))
        case Hangup():
            return Text.assemble(("hangup ", "yellow"), item.text)


def _signal_line(signal: Signal, name: str) -> Text:
    event = signal.event
    fields = {
        "device": signal.device,
        "area": signal.area,
        "text": signal.text,
        "occurred": to_the_second(to_us(signal.occurred_at)) if signal.occurred_at else "",
        "at": f"{signal.position.latitude:.6f},{signal.position.longitude:.6f}" if signal.position else "",
        "kept back": "yes" if signal.buffered else "",
        "key": signal.sealed_with,
        "part": f"{signal.part}/{signal.parts}" if signal.parts > 1 else "",
        **{name: f"{value:g}" for name, value in signal.measurements.items()},
        **signal.details,
    }
    line = Text.assemble(
        ("signal ", "green"),
        printable(signal.id.account),
        " ",
        (event.kind.value.replace("_", " ") + PHASES[event.phase], "bold"),
        f"  {event.code}" + (f" {name}" if name else ""),
    )
    for label, value in fields.items():
        if value:
            line.append(f"  {printable(label)} ", "dim").append(printable(value))
    return line


def _printable(data: bytes) -> str:
    """Return bytes as in a log: ASCII as it is, other bytes as escapes."""
    return repr(data)[2:-1]

"""Says what a line carries, and which settings the receiver of Vetlla needs for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vetlla.links.wire.serial_port import SerialPort
from vetlla.links.wire.way import Accept
from vetlla.protocols.captures.guessing import READ_LEAST, TEXT_LEAST, Guess
from vetlla.protocols.registry import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.links.wire.way import Way

_SPOKEN_END: Final = {
    "dc4": "DC4 (14 hex)", "cr": "CR", "lf": "LF", "crlf": "CR and LF", "none": "no end mark",
}  # fmt: skip
_LINE_WIDTH: Final = "line_width"


def sentences(guess: Guess, *, mode: str = "") -> Iterator[str]:
    """Yield what the bytes show, a sentence each. ``mode`` is that of the serial port, such as 8N1."""
    if not guess.size:
        yield "Nothing came from the receiver. An idle receiver sends a heartbeat each 30 to 60 s; an absent one too."
        return
    yield f"{guess.size:,} bytes came from the receiver."
    if guess.parity is not None:
        sent = "8N1" if guess.parity == "none" else f"7{guess.parity[0].upper()}1"
        yield f"The bytes look like {sent} that is read as {mode or '8N1'}: set the port to {sent}."
    if not guess.protocol:
        yield _unknown(guess, mode)
        return
    others = f" (or {', '.join(guess.others)}, which has the same frames)" if guess.others else ""
    yield f"{PROTOCOLS[guess.protocol].summary}{others}: {guess.read_share:.0%} of the bytes can be read."
    yield f"Events of homes: {guess.events:,}; heartbeats: {guess.heartbeats:,}; frames not read: {guess.unread:,}."
    if guess.line_width is not None:
        yield f"The line field has {guess.line_width} character{'s' if guess.line_width > 1 else ''}."
    if guess.account_widths:
        yield f"Accounts have {' or '.join(map(str, guess.account_widths))} characters."
    yield f"A frame ends with {_SPOKEN_END[guess.end]}." if guess.end != "none" else "A frame has no end mark."
    if guess.has_header:
        yield "Each frame has a B32 header, and the answer gets one, too."
    if guess.heartbeat_s is not None:
        yield f"A heartbeat comes after {guess.heartbeat_s:g} s without another frame."
    if guess.repeat_s is not None:
        yield f"A frame without an answer comes again after {guess.repeat_s:g} s."


def _unknown(guess: Guess, mode: str) -> str:
    if guess.text_share < TEXT_LEAST:
        speed = "another speed or mode" if mode else "something else than text"
        return f"Only {guess.text_share:.0%} of the bytes are text: the line has {speed}."
    return f"No dialect reads {READ_LEAST:.0%} of the bytes: `vetlla decode` shows what each one makes of them."


def line_table(guess: Guess, way: Way) -> str:
    """Return the [[line]] table for the configuration."""
    options = f'options = {{ {_LINE_WIDTH} = "{guess.line_width}" }}\n' if guess.line_width is not None else ""
    return f'[[line]]\nname = "line-1"\nprotocol = "{guess.protocol}"\n{options}{_way(guess, way)}\n'


def _way(guess: Guess, way: Way) -> str:
    if isinstance(way, SerialPort):
        parity = way.parity if guess.parity is None else guess.parity
        bits = way.data_bits if guess.parity is None else 8 if guess.parity == "none" else 7
        return (
            f'serial = {{ device = "{way.device}", baud = {way.baud}, data_bits = {bits}, parity = "{parity}",'
            f" stop_bits = {way.stop_bits} }}"
        )
    key = "accept" if isinstance(way, Accept) else "connect"
    return f'{key} = {{ host = "{way.host}", port = {way.port} }}'


def guess_fields(guess: Guess) -> dict[str, Any]:
    """Return the guess for a program."""
    return {
        "protocol": guess.protocol,
        "others": list(guess.others),
        "bytes": guess.size,
        "text_share": round(guess.text_share, 3),
        "read_share": round(guess.read_share, 3),
        "events": guess.events,
        "heartbeats": guess.heartbeats,
        "unread": guess.unread,
        "heartbeat_s": guess.heartbeat_s,
        "repeat_s": guess.repeat_s,
        "line_width": guess.line_width,
        "account_widths": list(guess.account_widths),
        "end": guess.end,
        "header": guess.has_header,
        "parity": guess.parity,
    }

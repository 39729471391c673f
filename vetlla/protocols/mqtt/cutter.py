"""Cuts a recording into messages ``TOPIC SP PAYLOAD``. A JSON object ends with its brace, any other payload with LF.

A recording holds MQTT messages as ``mosquitto_sub -v`` writes them. A broken object ends where the next topic opens or
at the end of the line, so that it costs no other message. Its readable members are read. The result depends on the
bytes alone, never on how they were cut.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.domain.signals import Reason
from vetlla.protocols.framing.damage import Damage
from vetlla.protocols.mqtt import objects

if TYPE_CHECKING:
    from vetlla.protocols.mqtt.values import Json

MAX_TOPIC: Final = 256
"""``tc/1/``, two names of 64 characters and the last level need 150."""
MAX_FRAME: Final = 8192
"""An event with every field of the convention at its longest has about 1,500 bytes."""
OPENING: Final = rb"tc/[0-9]"
_OPENING: Final = re.compile(OPENING)
_OPENING_BYTES: Final = 4
_FILLERS: Final = re.compile(rb"[\0\t\r\n ]+")
_TOPIC: Final = re.compile(rb"[^\x00-\x20]*")
_BLANKS: Final = re.compile(rb"[\t ]*(?:\xef\xbb\xbf)?")
_STRUCTURE: Final = re.compile(rb"[ \t\r\n]+|[{}\[\]:,\"]")
_STRING: Final = re.compile(rb'(?:[^"\\\n]|\\[^\n])*')
_LITERAL: Final = re.compile(rb'[^ \t\r\n{}\[\]:,"]*')


class Message(NamedTuple):
    """One message: its topic, and its payload as an object or, if it is no object, as a word."""

    topic: bytes
    payload: dict[str, Json] | str
    raw: bytes
    cut_off: Damage | None = None
    """The same bytes as damage, if the end of the message is missing."""


Piece: TypeAlias = Message | Damage


class _Bad(NamedTuple):
    """The reason why the bytes from ``start`` on are no message, and the place that showed it."""

    reason: Reason
    text: str
    at: int
    end: int | None = None
    """Where the broken message ends, if that is known."""


class Cutter:
    """Cuts bytes into messages and damage."""

    def __init__(self) -> None:
        self._pending = b""
        self._walk = _Walk()

    def feed(self, data: bytes) -> list[Piece]:
        """Take the next bytes; return the messages and damage that they complete."""
        return self._cut(self._pending + data if self._pending else data, ended=False)

    def finish(self) -> list[Piece]:
        """Take the end of the stream; return the last messages and damage."""
        return self._cut(self._pending, ended=True)

    def _cut(self, buffer: bytes, *, ended: bool) -> list[Piece]:
        pieces: list[Piece] = []
        start = 0
        while start < len(buffer):
            if (fillers := _FILLERS.match(buffer, start)) is not None:
                start = fillers.end()
                continue
            piece = _settle(buffer, start, self._walk, ended=ended)
            if piece is None:
                break
            self._walk = _Walk()
            pieces.append(piece)
            start += len(piece.raw)
        self._pending = buffer[start:]
        return pieces


def _settle(buffer: bytes, start: int, walk: _Walk, *, ended: bool) -> Piece | None:
    """Return the message or damage at ``start``; None if more bytes are needed."""
    if not _OPENING.match(buffer, start):
        # No LF ends it: the first bytes of another protocol hold LF too, and the decoder's door has to see them first.
        bad = _Bad(Reason.MALFORMED, "these bytes belong to no message", len(buffer))
        return _damage(buffer, start, bad, ended=ended)
    found = _message(buffer, start, walk, ended=ended)
    if isinstance(found, Message):
        return found
    if found is None and len(buffer) - start >= MAX_FRAME:
        text = f"the message does not end within {MAX_FRAME} bytes: the payload must be shorter"
        found = _Bad(Reason.TOO_LONG, text, start + MAX_FRAME)
    elif found is None and ended:
        found = _Bad(Reason.TRUNCATED, f"the message is cut off after {len(buffer) - start} bytes", len(buffer))
    damage = _damage(buffer, start, found, ended=ended) if found is not None else None
    return _what_can_be_read(damage) if damage is not None else None


def _what_can_be_read(damage: Damage) -> Piece:
    """Return a broken object with its readable members, so that a bad side field costs no event; else the damage."""
    topic, _, payload = damage.raw.partition(b" ")
    content = objects.read(payload).content if _OPENING.match(topic) and len(topic) <= MAX_TOPIC else ""
    if not content or isinstance(content, str):
        return damage
    return Message(topic, content, damage.raw, None if damage.reason is Reason.MALFORMED else damage)


def _damage(buffer: bytes, start: int, bad: _Bad, *, ended: bool) -> Damage | None:
    """Return the damage up to the next topic, the next line or the bound, whichever comes first."""
    limit = min(start + MAX_FRAME, len(buffer)) if bad.end is None else bad.end
    opening = _OPENING.search(buffer, start + 1, limit)
    line = buffer.find(b"\n", bad.at, limit)
    stops = [stop for stop in (opening.start() if opening else -1, line) if stop >= 0]
    if stops:
        stop = min(stops)
    elif bad.end is not None:
        stop = bad.end
    elif limit == start + MAX_FRAME:
        stop = limit - _OPENING_BYTES + 1  # a later opening may not be complete yet
    elif ended:
        stop = limit
    else:
        return None
    reason, text = bad.reason, bad.text
    if reason is Reason.MALFORMED and ended and stop == len(buffer) and not _OPENING.match(buffer, start):
        reason, text = Reason.TRUNCATED, f"the last {stop - start} bytes belong to no message"
    elif reason is Reason.TRUNCATED and stop < len(buffer):
        reason, text = Reason.BAD_LENGTH, f"the next message cuts this one off after {stop - start} bytes"
    return Damage(reason, buffer[start:stop], text)


def _message(buffer: bytes, start: int, walk: _Walk, *, ended: bool) -> Message | _Bad | None:
    """Return the message that opens at ``start``, or why there is none; None if it does not end within these bytes."""
    end = _end_of_topic(buffer, start)
    if not isinstance(end, int):
        return end
    limit = min(start + MAX_FRAME, len(buffer))
    blanks = _BLANKS.match(buffer, end, limit)
    assert blanks is not None
    at = blanks.end()
    if at >= limit:
        return None
    topic = buffer[start:end]
    if buffer[at : at + 1] == b"{":
        return _object(buffer, start, topic, at, walk)
    return _word(buffer, start, topic, at, ended=ended)


def _end_of_topic(buffer: bytes, start: int) -> int | _Bad | None:
    found = _TOPIC.match(buffer, start, min(start + MAX_TOPIC + 1, len(buffer)))
    assert found is not None
    end = found.end()
    if (again := _OPENING.search(buffer, start + 1, end)) is not None:
        return _Bad(Reason.BAD_LENGTH, "the topic has no payload: the next message cuts it off", again.start())
    if end - start > MAX_TOPIC:
        return _Bad(Reason.TOO_LONG, f"the topic does not end within {MAX_TOPIC} bytes", end)
    if end < len(buffer) and buffer[end : end + 1] != b" ":
        return _Bad(Reason.MALFORMED, "the topic has no payload", end)
    return end if end < len(buffer) else None


def _word(buffer: bytes, start: int, topic: bytes, at: int, *, ended: bool) -> Message | _Bad | None:
    limit = min(start + MAX_FRAME, len(buffer))
    line = buffer.find(b"\n", at, limit)
    opening = _OPENING.search(buffer, at, line if line >= 0 else limit)
    stop = opening.start() if opening else line
    if stop < 0:
        if not ended or limit < len(buffer):
            return None
        stop = limit
    if not buffer[at:stop].strip(b"\0\t\r "):
        return _Bad(Reason.MALFORMED, "the payload is empty", at)
    return Message(topic, objects.read(buffer[at:stop]).content, buffer[start:stop])


def _object(buffer: bytes, start: int, topic: bytes, at: int, walk: _Walk) -> Message | _Bad | None:
    end = walk.end_of_object(buffer, start, at)
    if not isinstance(end, int):
        return end
    found = objects.read(buffer[at:end])
    if not found.is_orderly and _OPENING.search(buffer, start + 1, end):
        return _Bad(Reason.MALFORMED, "the payload is not JSON", end, end)
    return Message(topic, found.content, buffer[start:end])


class _Walk:
    """How far the object of an incomplete message has been read. No byte of it is read twice."""

    __slots__ = ("_at", "_depth", "_is_behind_string", "_token")

    def __init__(self) -> None:
        self._at = 0
        """Position from the start of the message; 0 until an object begins."""
        self._token = -1
        """Where the string or literal that is being read begins; -1 between tokens."""
        self._depth = 0
        self._is_behind_string = False

    def end_of_object(self, buffer: bytes, start: int, first: int) -> int | _Bad | None:
        """Return where the object that opens at ``first`` ends, or why it is not JSON; None if it is incomplete."""
        limit = min(start + MAX_FRAME, len(buffer))
        self._at = self._at or first - start
        while start + self._at < limit:
            if self._token >= 0:
                bad = self._finish_token(buffer, start, first, limit)
                if bad is not None or self._token >= 0:
                    return bad
                continue
            found = _STRUCTURE.match(buffer, start + self._at, limit)
            if found is None or found[0] == b'"':
                self._token = self._at
                self._at += found is not None
                continue
            self._at = found.end() - start
            self._depth += found[0] in b"{["
            self._depth -= found[0] in b"}]"
            if self._depth == 0:
                return found.end()
            if not found[0].isspace():
                self._is_behind_string = False
        return None

    def _finish_token(self, buffer: bytes, start: int, first: int, limit: int) -> _Bad | None:
        """Read on to the end of a string or literal. If ``_token`` stays set, its end is not in these bytes."""
        token = start + self._token
        is_string = buffer[token : token + 1] == b'"'
        found = (_STRING if is_string else _LITERAL).match(buffer, start + self._at, limit)
        assert found is not None  # either may be empty
        self._at = found.end() - start
        rest = buffer[found.end() : min(found.end() + 2, limit)]
        if is_string and rest[:1] == b'"':
            self._at += 1
        elif is_string and rest not in {b"", b"\\"}:
            return _no_json(token - first, token)
        elif not rest or is_string:
            return None
        elif self._is_behind_string or _OPENING.search(buffer, token, found.end()):
            return _no_json(token - first, token)
        self._token, self._is_behind_string = -1, is_string
        return None


def _no_json(place: int, at: int) -> _Bad:
    return _Bad(Reason.MALFORMED, f"the payload is not JSON: see its byte {place + 1}", at)

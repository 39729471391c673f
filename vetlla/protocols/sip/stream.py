"""Cuts the bytes of a connection into SIP messages, wherever the network split them (RFC 3261, 18.3; RFC 5626, 3.5.1).

(a) empty lines between messages are passed over; two of them (CR LF CR LF) are a ping, which gets CR LF;
(b) a message ends with the body that its Content-Length counts. Over a connection that header must be there;
(c) without it, or beyond a bound, the end of the message is not known, and so no later message can be found. The
    connection is of no use then: answer what can be answered, and close it.

The result depends on the bytes alone, never on how the network cut them. Each byte is searched once.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

from vetlla.domain.signals import Reason
from vetlla.protocols.framing.damage import Damage
from vetlla.protocols.sip.message import Ping, Request, Response
from vetlla.protocols.sip.reading import HEAD_END, MAX_BODY, MAX_HEAD, body_length, read_head

PING: Final = b"\r\n\r\n"
PONG: Final = b"\r\n"
_LONGEST_END: Final = 3
"""Bytes of the longest end of a head."""


class Uncut(NamedTuple):
    """The end of what can be cut: the connection must be closed."""

    damage: Damage
    request: Request | None = None
    """The request whose end is not known, if one was read; it gets an answer first."""
    status: int = 400
    phrase: str = "Bad Request"


StreamPiece: TypeAlias = Request | Response | Ping | Uncut


class StreamCutter:
    """Cuts the bytes of one direction of one connection. It keeps at most the bytes of one message."""

    __slots__ = ("_due", "_head", "_is_over", "_pending", "_searched")

    def __init__(self) -> None:
        self._pending = bytearray()
        self._searched = 0
        """Pending bytes that are known to hold no end of a head."""
        self._head: Request | Response | None = None
        """The message whose body has not come as a whole yet. Its head is no longer pending."""
        self._due = 0
        """Bytes of its body."""
        self._is_over = False

    def feed(self, data: bytes) -> list[StreamPiece]:
        """Take the next bytes; return what they complete. After an ``Uncut`` nothing comes any more."""
        if self._is_over:
            return []
        pending = self._pending
        pending += data
        pieces: list[StreamPiece] = []
        start = 0
        while not self._is_over:
            if self._head is not None:
                if len(pending) - start < self._due:
                    break
                stop = start + self._due
                pieces.append(self._head._replace(body=bytes(pending[start:stop])))
                self._head, start = None, stop
                continue
            piece, stop = self._next(start)
            if piece is not None:
                pieces.append(piece)
            if stop == start and self._head is None:
                break
            start = stop
        if start:
            del pending[:start]
        return pieces

    def finish(self) -> Damage | None:
        """Take the end of the connection; return the message that it cut off."""
        pending = bytes(self._pending)
        if self._is_over or (self._head is None and not pending.strip(b"\r\n")):
            return None
        self._is_over = True
        if self._head is None:
            return Damage(Reason.TRUNCATED, pending, f"the connection ended after {len(pending)} bytes of a head")
        text = f"the connection ended after {len(pending)} of the {self._due} bytes of a body"
        return Damage(Reason.TRUNCATED, pending, text)

    def _next(self, start: int) -> tuple[StreamPiece | None, int]:
        """Return what begins here and where it ends; if that is here, more bytes are needed, or a body is awaited."""
        pending = self._pending
        if start < len(pending) and pending[start] in b"\r\n":
            return self._between(start)
        limit = start + MAX_HEAD
        end = HEAD_END.search(pending, start + self._searched, limit)
        if end is None:
            if len(pending) < limit:
                self._searched = max(0, len(pending) - start - _LONGEST_END + 1)
                return None, start
            self._searched = 0
            text = f"the head of a message does not end in {MAX_HEAD} bytes"
            return self._uncut(Damage(Reason.TOO_LONG, bytes(pending[start:limit]), text)), limit
        self._searched = 0
        raw = bytes(pending[start : end.start()])
        return self._headed(raw, end.end())

    def _headed(self, raw: bytes, stop: int) -> tuple[StreamPiece | None, int]:
        message = read_head(raw)
        if isinstance(message, Damage):
            return self._uncut(message), stop
        request = message if isinstance(message, Request) else None
        length = body_length(message.headers)
        if length is None:
            text = "a message over a connection has no Content-Length, or one that is no number"
            return self._uncut(Damage(Reason.BAD_LENGTH, raw, text), request), stop
        if length > MAX_BODY:
            damage = Damage(Reason.TOO_LONG, raw, f"the body would have {length} bytes, at most {MAX_BODY} are taken")
            return self._uncut(damage, request, 413, "Request Entity Too Large"), stop
        if not length:
            return message, stop
        self._head, self._due = message, length
        return None, stop

    def _between(self, start: int) -> tuple[Ping | None, int]:
        """Pass over an empty line; two are a ping."""
        pending = self._pending
        some = bytes(pending[start : start + len(PING)])
        if some == PING:
            return Ping(PONG), start + len(PING)
        if PING.startswith(some):
            return None, start
        return None, start + (len(PONG) if some.startswith(PONG) else 1)

    def _uncut(
        self, damage: Damage, request: Request | None = None, status: int = 400, phrase: str = "Bad Request"
    ) -> Uncut:
        self._is_over = True
        return Uncut(damage, request, status, phrase)

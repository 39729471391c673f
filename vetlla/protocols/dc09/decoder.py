r"""Decodes and answers SIA DC-09 "Internet Protocol Event Reporting" over TCP or UDP.

    LF 68AF 0025 "SIA-DCS" 0001 L0 #1234 [ #1234|Nri1/BA12 ] CR        a report
    LF 1BC1 0012 "ACK" 0001 L0 #1234 [] CR                             its acknowledgement

It reads editions 2007 to 2026. cutter.py cuts streams, frame.py reads the envelope, reports.py reads the data, trust.py
decides what is believed of a sealed frame, and signals.py makes the signals. A frame with an unknown token is a report,
too: it is stored with its text, shown and acknowledged. docs/protocols/dc09.md says what it was tested with.

Answers (5.5.2): ACK or *ACK when the store has the report; NAK with our time when the terminal's clock is wrong; DUH
when the report cannot be processed. A damaged frame gets no answer, so the terminal repeats it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import Reason, VerdictOutcome
from vetlla.protocols.dc09.cutter import Dc09Cutter
from vetlla.protocols.dc09.frame import MAX_FRAME, NAME, OPENING, envelope, unseal
from vetlla.protocols.dc09.header import echo
from vetlla.protocols.dc09.reports import HEARTBEATS, without_bar
from vetlla.protocols.dc09.sealed_frames import doubts, other_account, refuse_for_other_account, refuse_unopened
from vetlla.protocols.dc09.sealing import NO_BAR, seal
from vetlla.protocols.dc09.signals import signals_of
from vetlla.protocols.dc09.times import write_time
from vetlla.protocols.framing.damage import Damage
from vetlla.protocols.framing.foreign import HEAD, VISONIC_TOKENS, Foreign, ForeignProtocolGuard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vetlla.domain.signals import Item, Key, Signal, Verdict
    from vetlla.protocols.dc09.frame import Frame
    from vetlla.protocols.decoder import KeyLookup

TITLE: Final = "DC-09"
MAX_PENDING: Final = MAX_FRAME + HEAD
"""An unfinished frame, and the first bytes of the connection until their protocol is known."""

_REPLIES: Final = frozenset({"ACK", "NAK", "DUH"})
_SET_DC09: Final = "set the panel's reporting to SIA DC-09"


class Dc09Decoder:
    """Decodes one connection, or one datagram, of DC-09. It acknowledges nothing without a verdict."""

    def __init__(self, keys: KeyLookup, random: Callable[[int], bytes] = os.urandom) -> None:
        self._keys = keys
        self._random = random
        self._cutter = Dc09Cutter()
        self._guard = ForeignProtocolGuard(NAME, TITLE, OPENING)

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return the items that they complete."""
        items = self._guard.look(data)
        for piece in self._cutter.feed(data):
            self._take(piece, items)
        return items

    def finish(self) -> list[Item]:
        """Take the end of the stream, or of the datagram; return the last items."""
        items = self._guard.finish()
        for piece in self._cutter.finish():
            self._take(piece, items)
        return items

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the acknowledgement of the frame whose last part ``signal`` is; b"" for the parts before it.

        A sealed report is acknowledged under the key that opened it. If that key was removed meanwhile, return b"", so
        that the terminal repeats its report under the current key.
        """
        if signal.part != signal.parts:
            return b""
        header, binary_crc = echo(signal.raw)
        if verdict.outcome is VerdictOutcome.REFUSED:
            if verdict.reason is Reason.STALE_TIME:
                # 5.5.2.2: the header is fixed, with letter A for the account; panels set their clock by this time.
                return envelope(b'"NAK"0000R0L0A0[]_' + write_time(now), binary_crc=binary_crc)
            return envelope(b'"DUH"%b[]' % header, binary_crc=binary_crc)
        if not signal.sealed_with:
            return envelope(b'"ACK"%b[]' % header, binary_crc=binary_crc)
        for key in self._keys(signal.id):
            if key.name == signal.sealed_with:
                text = seal(b"]_" + write_time(now), key.secret, self._random)
                return envelope(b'"*ACK"%b[%b' % (header, text), binary_crc=binary_crc)
        return b""

    def _take(self, piece: Frame | Damage, items: list[Item]) -> None:
        if isinstance(piece, Damage):
            if not self._guard.is_foreign:
                items.append(piece.reject(NAME))
            return
        if piece.sealed:
            self._take_sealed(piece, items)
        elif piece.token in _REPLIES or piece.token.startswith(VISONIC_TOKENS):
            self._take_strange(piece, items)
        else:
            items.extend(signals_of(piece))

    def _take_strange(self, frame: Frame, items: list[Item]) -> None:
        """Take a frame whose token no terminal of DC-09 sends."""
        if frame.token in _REPLIES:
            text = f"this is a receiver's reply ({frame.token}): check whether the line is looped back"
            items.append(Damage(Reason.UNSUPPORTED, frame.raw, text).reject(NAME, frame.id))
        else:
            items += self._guard.reject_foreign(Foreign("Visonic PowerLink", _SET_DC09, frame.raw))

    def _take_sealed(self, frame: Frame, items: list[Item]) -> None:
        keys = self._keys(frame.id)
        opened = unseal(frame, keys)
        if opened is not None and NO_BAR in opened.quirks:
            opened = without_bar(opened)
        if opened is None:
            if frame.token in _REPLIES or frame.token.startswith(VISONIC_TOKENS):
                self._take_strange(frame, items)
            else:
                items += refuse_unopened(frame, keys)
        elif opened.token in _REPLIES and not opened.data and not doubts(opened):
            self._take_strange(opened, items)
        else:
            self._take_opened(opened, keys, items)

    def _take_opened(self, opened: Frame, keys: Sequence[Key], items: list[Item]) -> None:
        signals = signals_of(opened)
        may_name_another = opened.data and (signals[0].details or opened.token in HEARTBEATS)
        other = other_account(opened, keys, self._keys) if may_name_another else None
        if other is None:
            items.extend(signals)
        else:
            items += refuse_for_other_account(opened, other)

r"""SIA DC-09 "Internet Protocol Event Reporting" over TCP or UDP: the decoder a listener speaks to.

    LF 68AF 0025 "SIA-DCS" 0001 L0 #1234 [ #1234|Nri1/BA12 ] CR        a report
    LF 1BC1 0012 "ACK" 0001 L0 #1234 [] CR                             its acknowledgement

Editions 2007 to 2026. The envelope is read in dc09_frame.py, streams are cut in dc09_cutter.py; payloads: ADM-CID in
contact_id.py, SIA-DCS in sia_dcs.py; blocks behind the data in dc09_extended.py. A token that has no decoder here is
a report all the same: stored with its text, shown, acknowledged. Tested with: docs/protocols/dc09.md.

Answers (5.5.2): ACK or *ACK when the store has the report; NAK with our time when its clock strays; DUH when it cannot
be processed; silence to a damaged frame, which the terminal then repeats.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vetlla.protocols import contact_id, sia_dcs
from vetlla.protocols.charset import join_texts, readable
from vetlla.protocols.codes import Report
from vetlla.protocols.damage import Damage
from vetlla.protocols.dc09_cutter import Cutter
from vetlla.protocols.dc09_extended import NO_EXTRAS, Extras, read_extended
from vetlla.protocols.dc09_frame import MAX_FRAME, OPENING, Frame, envelope, seal, unseal, write_time
from vetlla.protocols.foreign import HEAD, VISONIC_TOKENS, Door, Foreign
from vetlla.signals import Event, Kind, Outcome, Phase, Reason, Reject, Reply, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from vetlla.protocols.decoder import KeyLookup
    from vetlla.signals import Item, Verdict

NAME: Final = "dc09"
TITLE: Final = "DC-09"
MAX_PENDING: Final = MAX_FRAME + HEAD
"""An unfinished frame, and the first bytes of the connection as long as it is not known what they are."""

_HEARTBEATS: Final = {token: Event(Kind.HEARTBEAT, Phase.STATUS, token, NAME) for token in ("NULL", "XNM")}
_REPLIES: Final = frozenset({"ACK", "NAK", "DUH"})
_SET_DC09: Final = "set the panel's reporting to SIA DC-09"
_UNNUMBERED: Final = "0000"
_WRONG_KEY: Final = "no key of this account opens the frame: the key here or the one in the terminal is wrong"
_NO_KEY: Final = "the frame is encrypted and this account has no key here: set the terminal's with 'vetlla keys set'"
_UNDECODED: Final[Mapping[str, str]] = MappingProxyType({"undecoded": "no event could be read from the data"})

_ECHO: Final = re.compile(
    rb'\n?(?:[0-9A-Fa-f]{4}|([\s\S]{2}))0[0-9A-Fa-f]{3}"[^"]+"'
    rb"(....(?:R[^L#]*)?)(L[^#]*)?(#[^\[]+)"
)
"""A report's header as its answer repeats it: sequence and receiver, line, account; and the checksum's form."""


class Dc09Decoder:
    """One connection, or one datagram, of DC-09. Reads and answers; promises nothing without a verdict."""

    def __init__(self, keys: KeyLookup, random: Callable[[int], bytes] = os.urandom) -> None:
        self._keys = keys
        self._random = random
        self._cutter = Cutter()
        self._door = Door(NAME, TITLE, OPENING)

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return what they complete."""
        items = self._door.look(data)
        for piece in self._cutter.feed(data):
            self._take(piece, items)
        return items

    def finish(self) -> list[Item]:
        """Say that the stream, or the datagram, ended."""
        items: list[Item] = []
        for piece in self._cutter.finish():
            self._take(piece, items)
        return items

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the acknowledgement of the frame whose last part ``signal`` is; b"" for the parts before it.

        A sealed report is acknowledged under the key that opened it; b"" when that key is gone meanwhile, so that the
        terminal repeats its report under the key of today.
        """
        echo = _ECHO.match(signal.raw) if signal.part == signal.parts else None
        if echo is None:
            return b""
        if verdict.outcome is Outcome.REFUSED:
            if verdict.reason is Reason.STALE_TIME:
                # 5.5.2.2: fixed header, letter A for the account; panels set their clock by this time.
                return envelope(b'"NAK"0000R0L0A0[]_' + write_time(now), binary_crc=echo[1] is not None)
            return _bare(b"DUH", echo)
        if not signal.sealed_with:
            return _bare(b"ACK", echo)
        for key in self._keys(signal.id):
            if key.name == signal.sealed_with:
                text = seal(b"]_" + write_time(now), key.secret, self._random)
                return envelope(b'"*ACK"%b[%b' % (_header(echo), text), binary_crc=echo[1] is not None)
        return b""

    def _take(self, piece: Frame | Damage, items: list[Item]) -> None:
        if isinstance(piece, Damage):
            if not self._door.is_foreign:
                items.append(piece.reject(NAME))
            return
        if piece.token in _REPLIES:
            text = f"this is a receiver's reply ({piece.token}): is the line looped back?"
            items.append(Reject(protocol=NAME, reason=Reason.UNSUPPORTED, raw=piece.raw, text=text, id=piece.id))
        elif piece.token.startswith(VISONIC_TOKENS):
            items += self._door.show_out(Foreign("Visonic PowerLink", _SET_DC09, piece.raw))
        elif piece.sealed:
            self._take_sealed(piece, items)
        else:
            items.extend(_signals(piece))

    def _take_sealed(self, frame: Frame, items: list[Item]) -> None:
        keys = self._keys(frame.id)
        opened = unseal(frame, keys)
        if opened is not None:
            items.extend(_signals(opened))
            return
        text = _WRONG_KEY if keys else _NO_KEY
        items.append(Reject(protocol=NAME, reason=Reason.UNDECRYPTABLE, raw=frame.raw, text=text, id=frame.id))
        echo = _ECHO.match(frame.raw)
        assert echo is not None  # whatever was read as a frame has such a header
        items.append(Reply(data=_bare(b"DUH", echo)))


def _header(echo: re.Match[bytes]) -> bytes:
    """Return sequence, receiver only if it was there, line as received (L0 for none or empty) and account (5.5.2.1)."""
    front, line, account = echo.group(2, 3, 4)
    return front + (line if line and line != b"L" else b"L0") + account


def _bare(token: bytes, echo: re.Match[bytes]) -> bytes:
    """Return a plain answer without data, its checksum in the peer's own form."""
    return envelope(b'"%b"%b[]' % (token, _header(echo)), binary_crc=echo[1] is not None)


def _signals(frame: Frame) -> list[Signal]:
    """Return what a frame in clear reports: one signal for each event."""
    reports = _reports(frame)
    extras = read_extended(frame.extended) if frame.extended else NO_EXTRAS
    parts = len(reports)
    if parts == 1:
        return [_signal(frame, extras, reports[0], 1, 1)]
    return [_signal(frame, extras, report, part, parts) for part, report in enumerate(reports, 1)]


def _reports(frame: Frame) -> list[Report]:
    """Return the events in the data: at least one, because data that cannot be read may be a call for help."""
    data = frame.data
    match frame.token:
        case "ADM-CID":
            reports = contact_id.parse(data, frame.id.account)
        case "SIA-DCS":
            reports = sia_dcs.parse(data, frame.id.account)
        case "NULL" | "XNM":
            reports = [Report(_HEARTBEATS[frame.token], text=readable(data))]
        case _:
            reports = []
    if reports:
        return reports
    return [Report(Event(Kind.UNREADABLE, Phase.NEW, frame.token, NAME), text=readable(data), details=_UNDECODED)]


def _signal(frame: Frame, extras: Extras, report: Report, part: int, parts: int) -> Signal:
    return Signal(
        NAME,
        frame.id,
        report.event,
        frame.raw,
        report.device,
        report.area,
        join_texts(report.text, extras.text) if extras.text else report.text,
        frame.sequence,
        extras.occurred_at,
        frame.timestamp,
        extras.position,
        report.measurements,
        _details(frame, extras, report),
        _identity(frame, part),
        frame.key_name,
        repeated=report.repeated,
        part=part,
        parts=parts,
    )


def _details(frame: Frame, extras: Extras, report: Report) -> Mapping[str, str]:
    """Gather what has no field of its own; the plain report of a plain terminal has nothing."""
    header, data = frame.id.account, report.account
    is_same_account = not data or data == header or data.lower() == header.lower()
    if is_same_account and not frame.quirks and extras is NO_EXTRAS:
        return report.details
    details = {**report.details, **extras.details}
    if not is_same_account:
        details["account_in_data"] = data
    if frame.quirks:
        details["quirks"] = ", ".join(frame.quirks)
    return details


def _identity(frame: Frame, part: int) -> bytes:
    """Return what a retry of this report has in common with it: not time, pad and blocks, which a retry may renew.

    The number alone would not do: terminals restart at 0001. Unnumbered messages and heartbeats are never retries.
    """
    token, sequence = frame.token, frame.sequence
    if sequence == _UNNUMBERED or token in _HEARTBEATS:
        return b""
    receiver, line, account = frame.id
    caller = f"{NAME}\0{receiver}\0{line}\0{account}\0{sequence}\0{token}\0{part}\0"
    return blake2b(caller.lower().encode() + frame.data, digest_size=16).digest()

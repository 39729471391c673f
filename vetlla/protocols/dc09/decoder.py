r"""SIA DC-09 "Internet Protocol Event Reporting" over TCP or UDP: the decoder a listener speaks to.

    LF 68AF 0025 "SIA-DCS" 0001 L0 #1234 [ #1234|Nri1/BA12 ] CR        a report
    LF 1BC1 0012 "ACK" 0001 L0 #1234 [] CR                             its acknowledgement

Editions 2007 to 2026. The envelope is read in frame.py, streams are cut in cutter.py; payloads: ADM-CID in
contact_id.py, SIA-DCS in sia_dcs.py; blocks behind the data in extended.py. A token that has no decoder here is
a report all the same: stored with its text, shown, acknowledged. Tested with: docs/protocols/dc09.md.

Answers (5.5.2): ACK or *ACK when the store has the report; NAK with our time when its clock strays; DUH when it cannot
be processed; silence to a damaged frame, which the terminal then repeats.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vetlla.protocols import contact_id, sia_dcs
from vetlla.protocols.charset import join_texts, readable
from vetlla.protocols.codes import CONTACT_ID, SIA_DCS, Report
from vetlla.protocols.damage import Damage
from vetlla.protocols.dc09.cutter import Cutter
from vetlla.protocols.dc09.extended import NO_EXTRAS, Extras, read_extended
from vetlla.protocols.dc09.frame import MAX_FRAME, OPENING, Frame, envelope, unseal
from vetlla.protocols.dc09.header import account_in, echo
from vetlla.protocols.dc09.sealing import seal
from vetlla.protocols.dc09.times import write_time
from vetlla.protocols.foreign import HEAD, VISONIC_TOKENS, Door, Foreign
from vetlla.protocols.terminals import believed
from vetlla.signals import Event, Kind, Outcome, Phase, Reason, Reply, Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from vetlla.protocols.decoder import KeyLookup
    from vetlla.signals import Item, Verdict

NAME: Final = "dc09"
TITLE: Final = "DC-09"
MAX_PENDING: Final = MAX_FRAME + HEAD
"""An unfinished frame, and the first bytes of the connection as long as it is not known what they are."""

_HEARTBEATS: Final = {token: Event(Kind.HEARTBEAT, Phase.STATUS, token, NAME) for token in ("NULL", "XNM")}
_BARE: Final = {token: (Report(event),) for token, event in _HEARTBEATS.items()}
"""What heartbeats report that have no data, as nearly all."""
_SIGNS_OF_LIFE: Final = frozenset({Kind.PERIODIC_TEST, Kind.MANUAL_TEST, Kind.CONFIGURATION, Kind.PRESENCE})
_ODD_ACCOUNT: Final = re.compile(rb"#(?![0-9A-Za-z]{0,16}\|)[^|]*(?=\|)")
_REPLIES: Final = frozenset({"ACK", "NAK", "DUH"})
_SET_DC09: Final = "set the panel's reporting to SIA DC-09"
_WRONG_KEY: Final = "no key of this account opens the frame: the key here or the one in the terminal is wrong"
_NO_KEY: Final = "the frame is encrypted and this account has no key here: set the terminal's with 'vetlla keys set'"
_UNDECODED: Final[Mapping[str, str]] = MappingProxyType({"undecoded": "no event could be read from the data"})


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
        """Take the end of the stream, or of the datagram; return what that settles."""
        items = self._door.finish()
        for piece in self._cutter.finish():
            self._take(piece, items)
        return items

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the acknowledgement of the frame whose last part ``signal`` is; b"" for the parts before it.

        A sealed report is acknowledged under the key that opened it; b"" when that key is gone meanwhile, so that the
        terminal repeats its report under the key of today.
        """
        if signal.part != signal.parts:
            return b""
        header, binary_crc = echo(signal.raw)
        if verdict.outcome is Outcome.REFUSED:
            if verdict.reason is Reason.STALE_TIME:
                # 5.5.2.2: fixed header, letter A for the account; panels set their clock by this time.
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
            if not self._door.is_foreign:
                items.append(piece.reject(NAME))
            return
        if piece.token in _REPLIES:
            text = f"this is a receiver's reply ({piece.token}): is the line looped back?"
            items.append(Damage(Reason.UNSUPPORTED, piece.raw, text).reject(NAME, piece.id))
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
        # The token stands in clear: what is no heartbeat may be a call, and its home cannot make itself heard.
        kind = Kind.FAULT if frame.token in _HEARTBEATS else Kind.UNREADABLE
        items.append(replace(Damage(Reason.UNDECRYPTABLE, frame.raw, text).reject(NAME, frame.id), kind=kind))
        header, binary_crc = echo(frame.raw)
        items.append(Reply(data=envelope(b'"DUH"%b[]' % header, binary_crc=binary_crc)))


def _signals(frame: Frame) -> list[Signal]:
    """Return what a frame in clear reports: one signal for each event."""
    reports = _reports(frame)
    if not frame.id.account:
        frame = _named(frame, reports)
    extras = read_extended(frame.extended) if frame.extended else NO_EXTRAS
    parts = len(reports)
    if parts == 1:
        return [_signal(frame, extras, reports[0], 1, 1)]
    return [_signal(frame, extras, report, part, parts) for part, report in enumerate(reports, 1)]


def _named(frame: Frame, reports: Sequence[Report]) -> Frame:
    """Return a frame without an account in its header under the account that its data name, if they name one."""
    unmarked = next((report.account for report in reports if report.account), "")
    account = account_in(frame.data) if frame.data.startswith(b"#") else unmarked
    return frame._replace(id=frame.id._replace(account=account))


def _reports(frame: Frame) -> Sequence[Report]:
    """Return the events in the data: at least one, because data that cannot be read may be a call for help."""
    data = frame.data
    if frame.quirks and (odd := _ODD_ACCOUNT.match(data)):
        data = data[odd.end() :]  # the readers of payloads know accounts of letters and digits only
    match frame.token:
        case "ADM-CID":
            reports = contact_id.parse(data, frame.id.account)
        case "SIA-DCS":
            reports = sia_dcs.parse(data, frame.id.account)
        case "NULL" | "XNM":
            if not data:
                return _BARE[frame.token]
            reports = _events_beside(data, frame.id.account)
            reports = reports or [Report(_HEARTBEATS[frame.token], text=readable(frame.data))]
        case _:
            reports = []
    if reports:
        return reports
    return [Report(Event(Kind.UNREADABLE, Phase.NEW, frame.token, NAME), text=readable(frame.data), details=_UNDECODED)]


def _events_beside(data: bytes, caller: str) -> list[Report]:
    """Return the events in the data of a heartbeat, which should have none.

    Only what can be nothing else counts, and of that what is more than a sign of life.
    """
    for parse, codes in ((sia_dcs.parse, SIA_DCS), (contact_id.parse, CONTACT_ID)):
        reports = parse(data, caller)
        is_certain = all(one.event.code in codes.known and sia_dcs.REST not in one.details for one in reports)
        if is_certain and any(one.event.kind not in _SIGNS_OF_LIFE for one in reports):
            return reports
    return []


def _signal(frame: Frame, extras: Extras, report: Report, part: int, parts: int) -> Signal:
    # Unpacked, since each field that is asked for by name costs as much as the rest of its line.
    raw, _, _, sequence, who, _, _, timestamp, key_name, _ = frame
    event, _, device, area, text, _, measurements, repeated = report
    occurred_at, more, position, _ = extras
    return Signal(
        NAME,
        who,
        event,
        raw,
        device,
        area,
        join_texts(text, more) if more else text,
        sequence,
        occurred_at,
        # Of a sealed report whatever its clock says, because policy judges by that.
        timestamp if key_name else believed(timestamp)[0],
        position,
        measurements,
        _details(frame, extras, report),
        _identity(frame, part),
        key_name,
        repeated=repeated,
        part=part,
        parts=parts,
    )


def _details(frame: Frame, extras: Extras, report: Report) -> Mapping[str, str]:
    """Gather what has no field of its own; the plain report of a plain terminal has nothing."""
    header, data = frame.id.account, report.account
    is_same_account = not data or data == header or data.lower() == header.lower() or header == account_in(frame.data)
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

    The number alone would not do: terminals restart at 0001. Heartbeats, unnumbered messages and those that name no
    account are never retries: the same words of two homes are two calls.
    """
    token, sequence = frame.token, frame.sequence
    receiver, line, account = frame.id
    if token in _HEARTBEATS or not account or not sequence.strip("0"):
        return b""
    caller = f"{NAME}\0{receiver}\0{line}\0{account}\0{sequence}\0{token}\0{part}\0"
    return blake2b(caller.lower().encode() + frame.data, digest_size=16).digest()

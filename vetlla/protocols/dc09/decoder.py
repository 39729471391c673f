r"""Decodes and answers SIA DC-09 "Internet Protocol Event Reporting" over TCP or UDP.

    LF 68AF 0025 "SIA-DCS" 0001 L0 #1234 [ #1234|Nri1/BA12 ] CR        a report
    LF 1BC1 0012 "ACK" 0001 L0 #1234 [] CR                             its acknowledgement

It reads editions 2007 to 2026. frame.py reads the envelope, cutter.py cuts streams, extended.py reads the blocks after
the data. Payloads are read by contact_id.py (ADM-CID) and sia_dcs.py (SIA-DCS). A frame with any other token is a
report, too: it is stored with its text, shown and acknowledged. docs/protocols/dc09.md says what it was tested with.

Answers (5.5.2): ACK or *ACK when the store has the report; NAK with our time when the terminal's clock is wrong; DUH
when the report cannot be processed. A damaged frame gets no answer, so the terminal repeats it.

Of a sealed frame only the sealed text is evidence, because token, number and account are not encrypted and the cipher
has no checksum. If token or account contradicts the data, or the frame looks changed, it is reported as unreadable.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import NOTHING, Event, Kind, Phase, Reason, Reply, Signal, VerdictOutcome
from vetlla.protocols.codes.tables import CONTACT_ID, SIA_DCS, Report, code_of
from vetlla.protocols.dc09.cutter import Dc09Cutter
from vetlla.protocols.dc09.extended import NO_EXTRAS, Extras, read_extended
from vetlla.protocols.dc09.frame import BAD_TAIL, MAX_FRAME, OPENING, Frame, envelope, unseal
from vetlla.protocols.dc09.header import account_in, echo
from vetlla.protocols.dc09.sealing import CONTROLS, LONG_PAD, NO_BAR, seal
from vetlla.protocols.dc09.times import write_time
from vetlla.protocols.framing.charset import join_texts, readable
from vetlla.protocols.framing.damage import Damage
from vetlla.protocols.framing.fields import believed
from vetlla.protocols.framing.foreign import HEAD, VISONIC_TOKENS, Foreign, ForeignProtocolGuard
from vetlla.protocols.payloads import contact_id, sia_dcs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from vetlla.domain.signals import AccountId, Item, Key, Verdict
    from vetlla.protocols.codes.tables import CodeTable
    from vetlla.protocols.decoder import KeyLookup

NAME: Final = "dc09"
TITLE: Final = "DC-09"
MAX_PENDING: Final = MAX_FRAME + HEAD
"""An unfinished frame, and the first bytes of the connection until their protocol is known."""

_HEARTBEATS: Final = {token: Event(Kind.HEARTBEAT, Phase.STATUS, token, NAME) for token in ("NULL", "XNM")}
_BARE: Final = {token: (Report(event),) for token, event in _HEARTBEATS.items()}
"""Reports of heartbeats without data, which nearly all are."""
_NOTHING: Final = re.compile(
    rb"(?:#[0-9A-Za-z]{0,16}(?:\||\Z)|[0-9][0-9A-Za-z]{0,15}\|)?\s*(?:NULL|OK|0000 ?00 ?000)?\s*", re.IGNORECASE
)
"""Data of a heartbeat that have no meaning: the account, a word, or the zeros of Hikvision."""
_BARE_DIGITS: Final = 64
"""Hex digits of a sealed heartbeat without data: pad, bracket and time fill two blocks."""
_SIGNS_OF_LIFE: Final = frozenset({Kind.PERIODIC_TEST, Kind.MANUAL_TEST, Kind.CONFIGURATION, Kind.PRESENCE})
_ODD_ACCOUNT: Final = re.compile(rb"#(?![0-9A-Za-z]{0,16}\|)[^|]*(?=\|)")
_REPLIES: Final = frozenset({"ACK", "NAK", "DUH"})
_SET_DC09: Final = "set the panel's reporting to SIA DC-09"
_READERS: Final = ((contact_id.parse, CONTACT_ID), (sia_dcs.parse, SIA_DCS))
_CONTACT_ID_HEAD: Final = re.compile(rb"(?:#[0-9A-Za-z]{0,16}\|)?[136][0-9]{3} ")
_SIA_HEAD: Final = re.compile(rb"(?:#[0-9A-Za-z]{0,16}\|)?[NO]")
"""How the data of a payload usually begin, and those of the other payload never begin."""
_CALLS: Final = frozenset({
    Kind.PERSONAL_EMERGENCY, Kind.FALL, Kind.INACTIVITY, Kind.SMOKE, Kind.HEAT, Kind.GAS, Kind.CO, Kind.WANDERING,
    Kind.DURESS, Kind.GENERAL_ALARM,
})  # fmt: skip
"""The most urgent kinds. A doubtful frame that reports one of them is believed."""
_DOUBTS: Final = {
    LONG_PAD: "a whole block of pad stands in front (if the terminal pads in this way, use 'vetlla keys pad')",
    BAD_TAIL: "something stands between data and time",
    CONTROLS: "the data hold control characters",
}
_DOUBTFUL: Final = "it may have been changed on its way"
_WRONG_ACCOUNT: Final = (
    "the sealed data name another account than the header, and both have the same key: the frame was copied or sent "
    "under another account; give each home a key of its own, and give no key to an account that only data name"
)
_WRONG_KEY: Final = "no key of this account opens the frame: the key here or the one in the terminal is wrong"
_NO_KEY: Final = "the frame is encrypted and this account has no key here: set its key with 'vetlla keys set'"
_UNDECODED: Final[Mapping[str, str]] = MappingProxyType({"undecoded": "no event could be read from the data"})


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
            items.extend(_signals(piece))

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
            opened = _without_bar(opened)
        if opened is None:
            if frame.token in _REPLIES or frame.token.startswith(VISONIC_TOKENS):
                self._take_strange(frame, items)
                return
            text = _WRONG_KEY if keys else _NO_KEY
            # A frame with more blocks than a heartbeat may be a call, and the receiver cannot read this home's frames.
            is_beat = frame.token in _HEARTBEATS and len(frame.data) <= _BARE_DIGITS
            kind = Kind.FAULT if is_beat else Kind.UNREADABLE
            items += _refusal(frame, Damage(Reason.UNDECRYPTABLE, frame.raw, text), kind, frame.id)
        elif opened.token in _REPLIES and not opened.data and not _doubts(opened):
            self._take_strange(opened, items)
        else:
            self._take_opened(opened, keys, items)

    def _take_opened(self, opened: Frame, keys: Sequence[Key], items: list[Item]) -> None:
        signals = _signals(opened)
        may_name_another = opened.data and (signals[0].details or opened.token in _HEARTBEATS)
        other = self._other_account(opened, keys) if may_name_another else None
        if other is None:
            items.extend(signals)
        else:
            damage = Damage(Reason.WRONG_ACCOUNT, opened.raw, _WRONG_ACCOUNT)
            items += _refusal(opened, damage, Kind.UNREADABLE, opened.id, other)

    def _other_account(self, opened: Frame, keys: Sequence[Key]) -> AccountId | None:
        """Return the account that sealed data name if it is not the header's and the same key opens its frames."""
        account, named = opened.id.account, account_in(opened.data) if b"|" in opened.data else ""
        if not named or not account or named.lower() == account.lower():
            return None
        other, no_account = (opened.id._replace(account=name) for name in (named, ""))
        if self._keys(no_account):
            return None  # keys that hold for every account, as in a recording, do not distinguish homes
        used = {key.secret for key in keys if key.name == opened.key_name}
        return other if any(key.secret in used for key in self._keys(other)) else None


def _refusal(frame: Frame, damage: Damage, kind: Kind, *homes: AccountId) -> list[Item]:
    """Return a sealed frame as evidence, which an operator sees for each of the homes, and the answer DUH."""
    header, binary_crc = echo(frame.raw)
    reply = Reply(data=envelope(b'"DUH"%b[]' % header, binary_crc=binary_crc))
    return [*(replace(damage.reject(NAME, who), kind=kind) for who in homes), reply]


def _doubts(frame: Frame) -> list[str]:
    """Return the signs that a sealed frame may have been changed on its way."""
    return [_DOUBTS[quirk] for quirk in frame.quirks if quirk in _DOUBTS] if frame.key_name else []


def _signals(frame: Frame) -> list[Signal]:
    """Return one signal for each event of a frame in clear."""
    reports = _reports(frame)
    if frame.quirks and (doubts := _doubts(frame)):
        reports = [_unreadable(frame, _DOUBTFUL, *doubts), *(one for one in reports if _is_call(one.event))]
    if not frame.id.account:
        frame = _named(frame, reports)
    extras = read_extended(frame.extended) if frame.extended else NO_EXTRAS
    parts = len(reports)
    if parts == 1:
        return [_signal(frame, extras, reports[0], 1, 1)]
    return [_signal(frame, extras, report, part, parts) for part, report in enumerate(reports, 1)]


def _named(frame: Frame, reports: Sequence[Report]) -> Frame:
    """Return a frame that has no account in its header with the account that its data name, if any."""
    unmarked = next((report.account for report in reports if report.account), "")
    account = account_in(frame.data) if frame.data.startswith(b"#") else unmarked
    return frame._replace(id=frame.id._replace(account=account))


def _reports(frame: Frame) -> Sequence[Report]:
    """Return the events in the data: at least one, because data that cannot be read may be a call for help."""
    data = frame.data
    if frame.quirks and (odd := _ODD_ACCOUNT.match(data)):
        data = data[odd.end() :]  # the payload readers accept only accounts of letters and digits
    caller = frame.id.account
    match frame.token:
        case "ADM-CID":
            reports = contact_id.parse(data, caller)
            if frame.key_name and not _CONTACT_ID_HEAD.match(data):
                reports = [] if _is_certain(sia_dcs.parse(data, caller), SIA_DCS) else reports
        case "SIA-DCS":
            reports = sia_dcs.parse(data, caller)
            if frame.key_name and not _SIA_HEAD.match(data):
                reports = [] if _is_certain(contact_id.parse(data, caller), CONTACT_ID) else reports
        case "NULL" | "XNM":
            if not data:
                return _BARE[frame.token]
            reports = _in_heartbeat(frame, data)
        case _:
            reports = []
    return reports or [_unreadable(frame)]


def _in_heartbeat(frame: Frame, data: bytes) -> list[Report]:
    """Return the reports of a heartbeat that has data, although it should have none; an empty list if unreadable.

    In clear a sign of life counts as the token's heartbeat. Under encryption the token may have been changed.
    """
    beat = [Report(_HEARTBEATS[frame.token], text=readable(frame.data))]
    if _NOTHING.fullmatch(data):
        return beat
    certain = _certain(data, frame.id.account)
    if len(certain) != 1:
        return []
    is_event = frame.key_name or any(one.event.kind not in _SIGNS_OF_LIFE for one in certain[0])
    return certain[0] if is_event else beat


def _without_bar(frame: Frame) -> Frame:
    """Return a message that has no bar: with its pad as data if that is an event, otherwise without data."""
    if _certain(frame.data, frame.id.account):
        return frame
    return frame._replace(data=b"", quirks=tuple(quirk for quirk in frame.quirks if quirk != NO_BAR))


def _certain(data: bytes, caller: str) -> list[list[Report]]:
    """Return the certain readings of a payload; if there are several, they contradict each other."""
    readings = [(parse(data, caller), codes) for parse, codes in _READERS]
    return [reports for reports, codes in readings if _is_certain(reports, codes)]


def _is_certain(reports: Sequence[Report], codes: CodeTable) -> bool:
    """Return True if a payload was read to its end, as events with known codes only."""
    return bool(reports) and all(one.event.code in codes.known and sia_dcs.REST not in one.details for one in reports)


def _is_call(event: Event) -> bool:
    return event.kind in _CALLS and event.phase is not Phase.RESTORE


def _unreadable(frame: Frame, *why: str) -> Report:
    """Return the report of data that cannot be read or cannot be trusted."""
    text = join_texts(*why, readable(frame.data))
    event = Event(Kind.UNREADABLE, Phase.NEW, code_of(frame.token), NAME)
    return Report(event, text=text, details=NOTHING if why else _UNDECODED)


def _signal(frame: Frame, extras: Extras, report: Report, part: int, parts: int) -> Signal:
    # Fields are read and passed by position, because a name or a keyword costs as much as the rest of its line.
    raw, _, _, sequence, who, _, _, timestamp, key_name, quirks = frame
    event, named, device, area, text, details, measurements, repeated = report
    occurred_at, more, position, _ = extras
    if quirks or extras is not NO_EXTRAS or (named and named != who.account):
        details = _details(frame, extras, report)
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
        # A sealed report keeps the time of its clock, even of an unset clock, because admission judges by that time.
        timestamp if key_name or timestamp is None else believed(timestamp)[0],
        position,
        measurements,
        details,
        _identity(frame, part),
        key_name,
        repeated=repeated,
        part=part,
        parts=parts,
    )


def _details(frame: Frame, extras: Extras, report: Report) -> Mapping[str, str]:
    """Return the details, which have no field of their own; the plain report of a plain terminal has none."""
    header, named = frame.id.account, report.account
    details = {**report.details, **extras.details}
    if named and named.lower() != header.lower() and header != account_in(frame.data):
        details["account_in_data"] = named
    if frame.quirks:
        details["quirks"] = ", ".join(frame.quirks)
    return details


def _identity(frame: Frame, part: int) -> bytes:
    """Return what a retry of this report has in common with it. Time, pad and blocks are left out: a retry renews them.

    The number alone is not enough, because terminals restart at 0001. Heartbeats, unnumbered messages and messages
    without an account are never retries: the same words from two homes are two calls.
    """
    token, sequence = frame.token, frame.sequence
    receiver, line, account = frame.id
    if token in _HEARTBEATS or not account or not sequence.strip("0"):
        return b""
    caller = f"{NAME}\0{receiver}\0{line}\0{account}\0{sequence}\0{token}\0{part}\0"
    return blake2b(caller.lower().encode() + frame.data, digest_size=16).digest()

"""Makes the signals of a DC-09 frame: one for each report in its data, with what the frame says around them."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from vetlla.domain.signals import Signal
from vetlla.protocols.dc09.extended import NO_EXTRAS, Extras, read_extended
from vetlla.protocols.dc09.frame import NAME, Frame
from vetlla.protocols.dc09.header import account_in
from vetlla.protocols.dc09.reports import HEARTBEATS, reports_in, unreadable
from vetlla.protocols.dc09.sealed_frames import DOUBTFUL, doubts, is_call
from vetlla.protocols.framing.charset import join_texts
from vetlla.protocols.framing.fields import believed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.protocols.codes.tables import Report


def signals_of(frame: Frame) -> list[Signal]:
    """Return one signal for each event of a frame in clear."""
    reports = reports_in(frame)
    if frame.quirks and (signs := doubts(frame)):
        reports = [unreadable(frame, DOUBTFUL, *signs), *(report for report in reports if is_call(report.event))]
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
    if token in HEARTBEATS or not account or not sequence.strip("0"):
        return b""
    caller = f"{NAME}\0{receiver}\0{line}\0{account}\0{sequence}\0{token}\0{part}\0"
    return blake2b(caller.lower().encode() + frame.data, digest_size=16).digest()

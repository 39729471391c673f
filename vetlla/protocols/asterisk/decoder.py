"""Spool files of Asterisk's AlarmReceiver(): one file for each event, or for each call, of an analog terminal.

    (two empty lines)                    PROTOCOL=ADEMCO_CONTACT_ID
    [metadata]                           CHECKSUM=yes
                                         CALLINGFROM=600000001
    PROTOCOL=ADEMCO_CONTACT_ID           CALLERNAME=<unknown>
    CHECKSUM=yes                         TIMESTAMP=2026-11-29T08:39:22+0000
    CALLINGFROM=600000001
    CALLERNAME=1764405562.3              event=1234181131010158
    TIMESTAMP=2026-11-29T08:39:22+0000
                                         (with no_group_meta=yes)
    [events]

    1234181131010158                     digits.py reads these lines

    CALLINGFROM     the caller's number, <unknown> without one
    CALLERNAME      the caller's name; docs/protocols/asterisk.md lets the dialplan put the call's UNIQUEID here
    CHECKSUM        is missing in files of older versions

A file without events stands for a call that Asterisk did not understand. So does a file ``call-UNIQUEID``, which the
dialplan writes at the end of each call, if no event file of the call has come; the listener knows whether one has.
Terminals get their kissoff tone from Asterisk, so no file is answered. A panel that misses the tone sends its event
again, and then one file has it twice. With another event in between it is another call.

It was tested with a file of Asterisk 22.10.1; the forms of other versions are made after app_alarmreceiver.c.
"""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING, Final

from vetlla.domain.masking import TELEPHONE
from vetlla.domain.printable import printable
from vetlla.domain.signals import AccountId, Event, Kind, Phase, Reason, Reject, Signal
from vetlla.protocols.asterisk.digits import NAME, split
from vetlla.protocols.asterisk.spool_file import TEXT_MAX, SpoolFile, call_of, read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from vetlla.domain.signals import Item, Verdict
    from vetlla.protocols.codes.tables import Report
    from vetlla.protocols.decoder import KeyLookup, Message

MAX_FILE: Final = 16_384
"""Bytes of a file that are read. A call with a hundred events has about 2,000."""
NO_EVENT: Final = "no_event"
"""Code of a call from which Asterisk understood no event."""
UNREAD: Final = "unread"
"""Code of a file that could not be read."""
CALLER: Final = "caller"
"""Detail with the caller's number."""
CALL: Final = "call"
"""Detail with the UNIQUEID of the call."""

ORIGIN_MARK: Final = "@"
"""Stands in a topic between the name of the file and what distinguishes it from another file of the same name."""


class AsteriskDecoder:
    """Reads one file after the other. The topic is the file's name, ``@``, and what tells it from other files."""

    def __init__(self, _: KeyLookup) -> None:
        """Take no keys, because nothing is encrypted."""

    def read(self, message: Message) -> list[Item]:
        """Return the items of one file. Each event is a signal; a repetition has the identity of the first one.

        A file that is not whole, or that has other content, also gives a reject, and at least one signal: it may be a
        call for help.
        """
        name, _, _ = message.topic.rpartition(ORIGIN_MARK)
        raw = message.payload[:MAX_FILE]
        file = read_file(raw)
        unique_id = call_of(name)
        if unique_id is not None:
            return [_undecoded(message.topic, raw, file._replace(unique_id=unique_id))]
        what = _what_is_wrong(message.payload, file)
        signals = _signals(message.topic, raw, file)
        if what is None:
            return [*signals] or [_undecoded(message.topic, raw, file)]
        return [_reject(*what, raw=raw), *(signals or [unread(message.topic, raw, what[1])])]

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:  # noqa: ARG002 the contract's
        """Return b"", because Asterisk has sent the kissoff tone before."""
        return b""


def unread(topic: str, raw: bytes, why: str) -> Signal:
    """Return the alarm of a file that could not be read: it may be a call for help. ``why`` is shown to operators."""
    return _alarm(topic, raw, UNREAD, read_file(raw), text=f"the file of a call {why}")


def _what_is_wrong(payload: bytes, file: SpoolFile) -> tuple[Reason, str] | None:
    """Return why a file must be looked at by a person; None if nothing is wrong with it."""
    if len(payload) > MAX_FILE:
        return Reason.TOO_LONG, f"has {len(payload)} bytes, of which {MAX_FILE} are read"
    if not payload.strip():
        return Reason.TRUNCATED, "is empty: compare the free space of its file system"
    if not file.is_named:
        return Reason.MALFORMED, "has no metadata of AlarmReceiver"
    if not file.is_complete:
        return Reason.TRUNCATED, "is cut off: compare the free space of its file system"
    return None


def _reject(reason: Reason, text: str, *, raw: bytes) -> Reject:
    return Reject(protocol=NAME, reason=reason, raw=raw, text=f"the file of a call {text}", kind=Kind.UNREADABLE)


def _signals(topic: str, raw: bytes, file: SpoolFile) -> list[Signal]:
    """Return the events in their order. Signals of one account are one frame; ``parts`` counts them."""
    reports = list(_reports(topic, file))
    details = _facts(file)
    signals: list[Signal] = []
    for account, group in groupby(reports, lambda found: found[0].account):
        events = list(group)
        signals += [
            Signal(
                protocol=NAME,
                id=AccountId("", "", account),
                event=report.event,
                raw=raw,
                device=report.device,
                area=report.area,
                text=report.text,
                occurred_at=file.at,
                details={**details, **report.details},
                identity=identity,
                part=part,
                parts=len(events),
            )
            for part, (report, identity) in enumerate(events, 1)
        ]
    return signals


def _reports(topic: str, file: SpoolFile) -> Iterator[tuple[Report, bytes]]:
    """Yield each report with its identity, which a repetition directly after it in the same file has, too.

    A panel sends its next event only after the kissoff, so the same event after another one is another call.
    """
    calls = Counter[str]()
    before = ""
    for line in file.lines:
        for event in split(line, has_checksums=file.has_checksums):
            calls[event.sent] += event.sent != before
            before = event.sent
            identity = _identity(topic, event.sent, calls[event.sent])
            for number, report in enumerate(event.reports):
                yield _with_account(report, topic, file), identity + bytes((number,))


def _identity(topic: str, sent: str = "", call: int = 1) -> bytes:
    return blake2b(f"{topic}\0{call}\0{sent}".encode("utf-8", "surrogateescape"), digest_size=15).digest()


def _with_account(report: Report, topic: str, file: SpoolFile) -> Report:
    return report if report.account else report._replace(account=_caller_account(topic, file))


def _undecoded(topic: str, raw: bytes, file: SpoolFile) -> Signal:
    return _alarm(topic, raw, NO_EVENT, file, text="a call in which Asterisk understood no event")


def _caller_account(topic: str, file: SpoolFile) -> str:
    """Return what stands for the account of a call without one: the caller's number, else the call or the file.

    So the calls of two callers open two alarms. A home is recognised if ``tel:NUMBER`` is registered as its account.
    """
    if file.caller:
        return f"{TELEPHONE}{file.caller}"
    name, _, _ = topic.rpartition(ORIGIN_MARK)
    return f"call:{file.unique_id}" if file.unique_id else printable(name)[:TEXT_MAX]


def _alarm(topic: str, raw: bytes, code: str, file: SpoolFile, *, text: str) -> Signal:
    return Signal(
        protocol=NAME,
        id=AccountId("", "", _caller_account(topic, file)),
        event=Event(Kind.UNREADABLE, Phase.NEW, code, NAME),
        raw=raw,
        device=file.caller,
        text=text,
        occurred_at=file.at,
        details=_facts(file),
        identity=_identity(topic),
    )


def _facts(file: SpoolFile) -> dict[str, str]:
    named: Sequence[tuple[str, str]] = (
        ("format", file.format),
        (CALLER, file.caller),
        ("caller_name", file.caller_name),
        (CALL, file.unique_id),
    )
    return {name: value for name, value in named if value}

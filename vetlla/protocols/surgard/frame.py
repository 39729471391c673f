"""Reads one Sur-Gard frame: its header, and the reports in its data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Event, Kind, Phase
from vetlla.protocols.codes.tables import Report, code_of
from vetlla.protocols.framing.charset import readable
from vetlla.protocols.framing.line_receiver import is_of_system, of_system
from vetlla.protocols.framing.records import Shape
from vetlla.protocols.payloads import contact_id, line_formats, sia_dcs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vetlla.protocols.framing.records import Field

NAME: Final = "surgard"
MAX_FRAME: Final = 1024
"""The longest data of a panel have 66 bytes (SIA protocol 2); texts of several events may follow each other."""
WIDTHS: Final = (1, 3)
"""Widths of the line field at the factory: 1 on MLR2 and SLR, 3 on MLR2000 and System II, III and 5."""

_HEAD: Final = rb"([0-9A-F]{2})([0-9A-Z]{0,7})"
_INTACT: Final = re.compile(rb"[0-9A-Za-z][0-9A-F]{2}[\x20-\x7e]{3,}")
"""A frame that has all its bytes. The protocol has no checksum, so a decoder cannot prove more."""
_CONTACT_ID: Final = re.compile(
    rb"[5Q]%b ? ?[159]8 ?([0-9A-F]{3,10}?)([136ERP])([0-9]{3})([0-9A-F]{2})([0-9A-F]{3}) *" % _HEAD
)
"""With a numeric qualifier, with blanks around the account, with letters in the partition, or without the blank."""
_ACCOUNT_FIRST: Final = re.compile(
    rb"[5Q]([0-9A-F]{2})([0-9A-Z]{0,7})([0-9A-F]{4})[159]8([136ERP])([0-9]{3})([0-9A-F]{2})([0-9A-F]{3}) *"
)
"""The account before the type, without a blank."""
_BEAT: Final = re.compile(rb"1%b {5,}@ *" % _HEAD)
_BASIC: Final = re.compile(rb"1%b {1,12}([0-9A-F]{3,10}) ([0-9A-Z ])([0-9A-F ])([0-9A-Z ]{1,3})" % _HEAD)
_CUT_OPEN_SIA: Final = re.compile(rb"S%b\[(.*)" % _HEAD)
_CUT_OPEN_STATUS: Final = re.compile(rb"0%b\[(.*)" % _HEAD)
_CALLER: Final = re.compile(rb"4[0-9A-F]{2}[0-9A-Z ]{3,28}")
_NAMED: Final = re.compile(
    rb"(?:[5Q]%b ?[159]8 ?([0-9A-F]{4})|[^5Q]%b {1,12}([0-9A-F]{3,10})(?![0-9A-Za-z]))" % (_HEAD, _HEAD)
)
"""Account of a frame whose data cannot be read."""
_ACCOUNT_WIDTH: Final = 6
_NUMBER_WIDTH: Final = 10
"""Characters of account and telephone number in a frame of caller ID; both may be filled up with blanks."""
_PANEL_FORMATS: Final = frozenset("135678QSCT")
"""First characters of frames with data of a panel, so that one which cannot be read may be a call for help."""
_AUDIO: Final = "P"
_NO_ACCOUNT: Final = "0"
_RECEIVER: Final = "receiver"


class SurgardFrame(NamedTuple):
    """What a frame says: who sent it, and the reports in it. ``caller`` is a telephone number."""

    receiver: str
    line: str
    reports: Sequence[Report]
    caller: str = ""
    is_heartbeat: bool = False


def shapes(widths: Sequence[int]) -> Iterator[tuple[bytes, Shape]]:
    """Yield the frames that end by themselves, with their first bytes, for these widths of the line field."""
    for width in widths:
        # A line of one character may be a letter; wider ones are digits or hexadecimal.
        line = (rb"[0-9A-Z]" if width == 1 else rb"[0-9A-F]", width, width)
        head: tuple[Field, ...] = ((rb"[0-9A-F]", 2, 2), line)
        digits, account, field = (rb"[0-9A-F]", 3, 3), (rb"[ 0-9A-F]", 6, 6), (rb"[0-9A-Z ]", 1, 1)
        event: tuple[Field, ...] = ((rb"[ERP]", 1, 1), (rb"[0-9]", 3, 3), (rb"[0-9]", 2, 2), digits)
        for first in (b"5", b"Q"):
            yield first, Shape("contact_id", (first, *head, b" ", _TYPE, b"8", (rb"[0-9A-F]", 4, 10), *event))
        yield b"1", Shape("heartbeat", (b"1", *head, b" " * 11 + b"@" + b" " * 4))
        yield (
            b"1",
            Shape("basic", (b"1", *head, b" " * 4, account, b" ", field, (rb"[0-9A-F ]", 1, 1), (rb"[0-9A-Z ]", 3, 3))),
        )
        for first in (b"S", b"0"):
            text = (rb"[^][\x00-\x1f\x7f]", 0, MAX_FRAME // 2)
            yield first, Shape("sia" if first == b"S" else "status", (first, *head, b"[", text, b"]"))
        yield b"3", Shape("sia_1", (b"3", *head, b" " * 4, account, (rb"[A-Z]", 2, 2), (rb"[0-9A-F ]", 4, 4)))
        four = (rb"[0-9]", 4, 4)
        yield (
            b"8",
            Shape("high_speed", (b"8", *head, (rb"[0-9A-F]", 4, 4), b" ", four, b" ", four, b" ", (rb"[0-9]", 1, 1))),
        )


_DAMAGED_BLOCK: Final = re.compile(rb"[^*]*[\x80-\xff]", re.DOTALL)


def is_damaged(name: str, fields: Sequence[bytes]) -> bool:
    """Return True if a SIA block has an eighth bit outside of the texts that follow a star.

    SIA is ASCII, but a panel's name for a room may have other letters; such a block must not be refused for ever.
    """
    return name in {"sia", "status"} and _DAMAGED_BLOCK.match(fields[-1]) is not None


_TYPE: Final = (rb"[159]", 1, 1)
"""First digit of the message type: 18, 98, and 58 since 2016."""


def read_record(name: str, fields: Sequence[bytes]) -> SurgardFrame:
    """Return what a record of one of the shapes says."""
    receiver, line = fields[0].decode(), fields[1].decode()
    if name == "heartbeat":
        return SurgardFrame(receiver, line, (), is_heartbeat=True)
    return SurgardFrame(receiver, line, _READERS[name](fields[2:]))


def read_line(body: bytes, line_width: int | None) -> SurgardFrame | None:
    """Return what a whole frame of any other form says; None if its bytes were damaged on the line."""
    if not _INTACT.fullmatch(body):
        return None
    for form, read in _FORMS:
        if (found := form.fullmatch(body)) is not None:
            receiver, line, *fields = found.groups()
            return SurgardFrame(receiver.decode(), line.decode(), read(fields), is_heartbeat=form is _BEAT)
    return _caller(body, line_width) if _CALLER.fullmatch(body) else _unknown(body)


def _contact_id(fields: Sequence[bytes]) -> list[Report]:
    account, qualifier, code, area, device = fields
    event = contact_id.event_of(qualifier, code)
    return [Report(event, account.decode(), device.decode(), area.decode())]


def _basic(fields: Sequence[bytes]) -> list[Report]:
    account = fields[0].decode().strip()
    report = line_formats.pulse(*fields[1:])
    if report.event.code == _AUDIO and not account.strip(_NO_ACCOUNT):
        return [of_system(report, "two-way audio")]
    return [report._replace(account=account)]


def _sia_1(fields: Sequence[bytes]) -> list[Report]:
    account, code, device = fields
    reports = sia_dcs.parse(b"N%b%b" % (code, device.strip())) or [_unreadable(b"3", b" ".join(fields))]
    return [report._replace(account=account.decode().strip()) for report in reports]


def _high_speed(fields: Sequence[bytes]) -> list[Report]:
    account, first, second, status = fields
    reports = line_formats.high_speed(first + second, status)
    return [report._replace(account=account.decode()) for report in reports]


def _sia(fields: Sequence[bytes]) -> list[Report]:
    """Return the events of a panel. A receiver may send its own status in the same form, for the account 0000."""
    reports = [
        of_system(report, _RECEIVER)
        if not report.account.strip(_NO_ACCOUNT) and is_of_system(report.event.kind)
        else report
        for report in sia_dcs.parse(fields[0])
    ]
    return reports or [_unreadable(b"S", fields[0])._replace(account=_account_in(fields[0]))]


def _status(fields: Sequence[bytes]) -> list[Report]:
    reports = sia_dcs.parse(fields[0]) or [_strange(b"0", fields[0])]
    account = _account_in(fields[0])
    return [of_system(report, _RECEIVER, report.account or account) for report in reports]


def _account_in(data: bytes) -> str:
    named, bar, _ = data.removeprefix(b"#").partition(b"|")
    return readable(named).strip() if bar and named.strip().isalnum() else ""


def _caller(body: bytes, line_width: int | None) -> SurgardFrame:
    """Return caller ID. Its fields are not set apart, so the width of the line follows from the whole length.

    A number of nine digits may stand without a blank, so a length that fits no usual width belongs to the next one.
    """
    rest = len(body) - len("4RR") - _ACCOUNT_WIDTH - _NUMBER_WIDTH
    width = line_width if line_width is not None else next((usual for usual in WIDTHS if rest <= usual), rest)
    head, tail = body[3 : 3 + width], body[3 + width :]
    account, number = tail[:_ACCOUNT_WIDTH].decode().strip(), tail[_ACCOUNT_WIDTH:].decode().strip()
    report = Report(Event(Kind.CONFIGURATION, Phase.STATUS, "4", NAME), account, text="caller ID")
    return SurgardFrame(body[1:3].decode(), head.decode().strip(), [report], caller=number)


def _unknown(body: bytes) -> SurgardFrame:
    found = _NAMED.match(body)
    report = _unreadable(body[:1], body) if chr(body[0]) in _PANEL_FORMATS else _strange(body[:1], body)
    if found is None:
        return SurgardFrame(body[1:3].decode(), "", [report])
    receiver, line, account = (field.decode() for field in found.groups() if field is not None)
    return SurgardFrame(receiver, line, [report._replace(account=account)])


def _unreadable(first: bytes, data: bytes) -> Report:
    return Report(Event(Kind.UNREADABLE, Phase.NEW, code_of(first.decode()), NAME), text=readable(data).strip())


def _strange(first: bytes, data: bytes) -> Report:
    return Report(Event(Kind.UNKNOWN, Phase.NEW, code_of(first.decode()), NAME), text=readable(data).strip())


_FORMS: Final[tuple[tuple[re.Pattern[bytes], Callable[[Sequence[bytes]], list[Report]]], ...]] = (
    (_CONTACT_ID, _contact_id),
    (_ACCOUNT_FIRST, _contact_id),
    (_BEAT, lambda _: []),
    (_BASIC, _basic),
    (_CUT_OPEN_SIA, _sia),
    (_CUT_OPEN_STATUS, _status),
)
"""Forms of frames that are whole only with their end mark."""
_READERS: Final[dict[str, Callable[[Sequence[bytes]], list[Report]]]] = {
    "contact_id": lambda fields: _contact_id(fields[1:]),
    "basic": _basic,
    "sia": _sia,
    "status": _status,
    "sia_1": _sia_1,
    "high_speed": _high_speed,
}

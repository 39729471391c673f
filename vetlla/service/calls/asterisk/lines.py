"""The fields of the lines of Asterisk's files, and how each is read."""

import re
from datetime import datetime
from typing import Annotated, Final

from typing_extensions import TypedDict

from vetlla.domain.calls import CallOutcome
from vetlla.domain.clock import SECOND_US
from vetlla.domain.columns import Cell, Holds, ReadBy, RowKind

LONGEST_NAME: Final = 150
"""Most characters of an id or a name: a uniqueid of Asterisk has at most 149 (AST_MAX_PUBLIC_UNIQUEID, channel.h)."""
_DISPOSITIONS: Final = {
    "ANSWERED": CallOutcome.ANSWERED,
    "NO ANSWER": CallOutcome.NO_ANSWER,
    "BUSY": CallOutcome.BUSY,
    "FAILED": CallOutcome.FAILED,
    "CONGESTION": CallOutcome.FAILED,
}
_WRITTEN: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_EPOCH: Final = re.compile(r"(\d{9,11})(?:\.(\d{1,6}))?", re.ASCII)


def _text(cell: str) -> str:
    return cell


def _name(cell: str) -> str:
    if len(cell) > LONGEST_NAME or not cell.isprintable():
        raise ValueError(f"should be at most {LONGEST_NAME} printable characters")
    return cell


def _time(cell: str) -> datetime | None:
    if not cell:
        return None
    if not _WRITTEN.fullmatch(cell):
        raise ValueError("is not a time as Asterisk writes it: 2026-12-01 10:15:30")
    try:
        return datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError("there is no such time") from None


def _disposition(cell: str) -> CallOutcome:
    try:
        return _DISPOSITIONS[cell]
    except KeyError:
        raise ValueError(f"not one of {', '.join(_DISPOSITIONS)}") from None


def _epoch(cell: str) -> int:
    found = _EPOCH.fullmatch(cell)
    if found is None:
        raise ValueError("is not a time as Asterisk writes it: seconds since 1970, such as 1764576000")
    return int(found[1]) * SECOND_US + int((found[2] or "").ljust(6, "0"))


Text = Annotated[str, ReadBy(_text), Cell(Holds.TEXT)]
"""A field that is not kept, or is compared with known words only."""
Name = Annotated[str, ReadBy(_name), Cell(Holds.TEXT)]
"""An id, a channel, a queue or an agent."""
Hidden = Annotated[str, ReadBy(_name), Cell(Holds.TEXT, secret=True)]
"""A caller's number: no message shows it."""
Unread = Annotated[str, ReadBy(_text), Cell(Holds.TEXT, secret=True)]
"""A field with personal data that is not kept: a caller's name, or what was dialled."""
Time = Annotated[datetime | None, ReadBy(_time), Cell(Holds.MOMENT)]


class CdrLine(TypedDict, total=False):
    """One line of the call detail records."""

    accountcode: Text
    src: Hidden
    dst: Hidden
    dcontext: Text
    clid: Unread
    channel: Name
    dstchannel: Name
    lastapp: Text
    lastdata: Unread
    start: Time
    answer: Time
    end: Time
    duration: Text
    billsec: Text
    disposition: Annotated[CallOutcome, ReadBy(_disposition), Cell(Holds.WORD)]
    amaflags: Text
    uniqueid: Name
    userfield: Text
    peeraccount: Text
    linkedid: Text
    sequence: Text
    agent: Text
    """No file has it: a mapping may translate the names of agents."""


CDR_LINES: Final = RowKind(CdrLine)


class QueueEvent(TypedDict, total=False):
    """One line of the log."""

    time: Annotated[int, ReadBy(_epoch), Cell(Holds.WORD)]
    callid: Name
    queuename: Name
    agent: Name
    event: Text
    data1: Text
    data2: Hidden
    data3: Text
    data4: Text
    data5: Text


QUEUE_EVENTS: Final = RowKind(QueueEvent)

"""The columns of a file of calls, one row a call. Only the call's id is required: a file may add to known calls."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Required

from pydantic import AfterValidator
from typing_extensions import TypedDict

from vetlla.domain import telephones
from vetlla.domain.calls import ERASED, CallOutcome, CallRecord, Direction, Party
from vetlla.domain.column_types import NUMBER_MAX, HomeCode, ShortText
from vetlla.domain.columns import Cell, Fault, Holds, ReadBy, RowKind
from vetlla.service.calls.joining import order_fault
from vetlla.service.local_time import read_time

if TYPE_CHECKING:
    from vetlla.service.local_time import LocalTime

LONGEST_PATH: Final = 255
"""Most characters of the path of a recording: as many as the name of a file can have."""
TIMES: Final = ("started", "ready", "answered", "ended")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def _time(cell: str) -> datetime | None:
    return read_time(cell) if cell else None


def _digest(cell: str) -> bytes:
    if cell and not _SHA256.fullmatch(cell.lower()):
        raise ValueError("is not a SHA-256: 64 hexadecimal digits, as sha256sum prints")
    return bytes.fromhex(cell)


def _path(cell: str) -> str:
    if len(cell) > LONGEST_PATH or not cell.isprintable():
        raise ValueError(f"should be at most {LONGEST_PATH} printable characters")
    if cell.startswith("/") or ".." in cell.split("/"):
        raise ValueError("should be a path below the folder of recordings, without / before it and without ..")
    return cell


def _alarm(cell: str) -> int | None:
    if not cell:
        return None
    if not (cell.isascii() and cell.isdecimal() and 1 <= int(cell) <= NUMBER_MAX):
        raise ValueError("is not the number of an alarm")
    return int(cell)


def _number(cell: str) -> str:
    if cell == ERASED:  # as an export wrote it
        return cell
    if not cell.isprintable() or len(cell) > telephones.LONGEST_NOTE:
        raise ValueError("is not a telephone number")
    return telephones.dialled(cell)


def _external(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


ExternalId = Annotated[ShortText, AfterValidator(_external), Cell(Holds.CODE)]
Number = Annotated[str, ReadBy(_number), Cell(Holds.CODE, secret=True)]
Time = Annotated[datetime | None, ReadBy(_time), Cell(Holds.MOMENT)]
Word = Annotated[ShortText, Cell(Holds.TEXT)]


def _one_of(kind: type[Direction | CallOutcome | Party]) -> ReadBy:
    def read(cell: str) -> Direction | CallOutcome | Party | None:
        if not cell:
            return None
        try:
            return kind(cell.lower())
        except ValueError:
            raise ValueError(f"not one of {', '.join(kind)}") from None

    return ReadBy(read)


class CallRow(TypedDict, total=False):
    """One call, or what is added to one."""

    external_id: Required[ExternalId]
    direction: Annotated[Direction | None, _one_of(Direction), Cell(Holds.WORD)]
    started: Time
    ready: Time
    answered: Time
    ended: Time
    agent: Word
    caller: Number
    called: Number
    queue: Word
    outcome: Annotated[CallOutcome | None, _one_of(CallOutcome), Cell(Holds.WORD)]
    recording: Annotated[str, ReadBy(_path), Cell(Holds.TEXT)]
    recording_sha256: Annotated[bytes, ReadBy(_digest), Cell(Holds.CODE)]
    party: Annotated[Party | None, _one_of(Party), Cell(Holds.WORD)]
    home: HomeCode
    alarm: Annotated[int | None, ReadBy(_alarm), Cell(Holds.NUMBER)]


CALLS: Final = RowKind(CallRow)


def record_of(row: int, values: CallRow, local: LocalTime) -> CallRecord | list[Fault]:
    """Return what a row says of its call, or what is wrong in it: a time that is not clear, or times out of order."""
    times: dict[str, int | None] = {}
    faults: list[Fault] = []
    for name in TIMES:
        time: datetime | None = values.get(name)  # type: ignore[assignment]
        try:
            times[name] = None if time is None else local.moment(time)
        except ValueError as error:
            faults.append(Fault(row, name, str(time), str(error)))
    if faults:
        return faults
    record = CallRecord(
        direction=values.get("direction"),
        **times,
        agent=values.get("agent", ""),
        caller=values.get("caller", ""),
        called=values.get("called", ""),
        queue=values.get("queue", ""),
        outcome=values.get("outcome"),
        recording=values.get("recording", ""),
        digest=values.get("recording_sha256", b""),
        party=values.get("party"),
        home=values.get("home", ""),
        alarm=values.get("alarm"),
    )
    if wrong := order_fault(record):
        column, before = wrong
        return [Fault(row, column, str(values.get(column)), f"lies before {before}")]
    return record

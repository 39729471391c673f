"""The columns of files of keys: the events of a register, and the list of a stock-taking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from vetlla.domain.clock import iso
from vetlla.domain.column_types import NUMBER_MAX, HomeCode, ShortText
from vetlla.domain.columns import Cell, Fault, Holds, RowKind
from vetlla.domain.duties import NewEvent
from vetlla.service.custody.chain import KEY, MAY_RETURN, AlarmCheck, KeyAct, TakingReason, codes_of, details_of
from vetlla.service.duties.columns import NOTE_MAX, details_text

if TYPE_CHECKING:
    from vetlla.domain.duties import DutyEvent
    from vetlla.service.local_time import LocalTime

Code = Annotated[ShortText, Cell(Holds.CODE)]
Text = Annotated[ShortText, Cell(Holds.TEXT)]
LongText = Annotated[str, Field(max_length=NOTE_MAX), Cell(Holds.TEXT)]
Codes = Annotated[str, Field(max_length=NOTE_MAX), Cell(Holds.CODE)]
"""Several codes, separated by semicolons."""
COPIES_MAX: Final = 20
"""Most copies under one code: a larger number is a typing error."""


class KeyRow(TypedDict):
    """A row of a register: an act on a key; without an act it is the ceding."""

    home: HomeCode
    key: Code
    event: Annotated[KeyAct, Cell(Holds.WORD)] | None
    at: Annotated[str, Cell(Holds.MOMENT)]
    by: Code | None
    place: Text | None
    authorisation: Code | None
    may_return: Codes | None
    copies: Annotated[int, Field(ge=1, le=COPIES_MAX), Cell(Holds.NUMBER)] | None
    reason: Annotated[TakingReason, Cell(Holds.WORD)] | None
    alarm: Annotated[int, Field(ge=1, le=NUMBER_MAX), Cell(Holds.NUMBER)] | None
    alarm_check: Annotated[AlarmCheck, Cell(Holds.WORD)] | None
    to: Code | None
    receipt: Code | None
    certificate: Text | None
    witness: Code | None
    note: LongText | None


class StockRow(TypedDict):
    """A row of a stock-taking: a key that was found in the cabinets."""

    key: Code
    place: Text | None


KEYS: Final = RowKind(KeyRow)
STOCK: Final = RowKind(StockRow)
COLUMNS: Final = tuple(column.name for column in KEYS.columns)
DETAILS: Final = (
    "place", "authorisation", "may_return", "copies", "reason", "alarm", "alarm_check", "to", "receipt", "certificate",
    "witness",
)  # fmt: skip
"""Columns that are kept as details of an event."""
NEEDED: Final = {
    KeyAct.CEDED: ("place", "authorisation", "may_return"),
    KeyAct.STORED: ("place",),
    KeyAct.TAKEN: ("by", "reason"),
    KeyAct.RETURNED: ("to", "receipt"),
    KeyAct.DESTROYED: ("certificate",),
}
"""Columns that a row of an act needs."""


def key_event(row: int, values: KeyRow, local_time: LocalTime, now_us: int) -> NewEvent | list[Fault]:
    """Return the event of a row, or what is wrong with the row."""
    act = values["event"] or KeyAct.CEDED
    given = dict(values)
    given[MAY_RETURN] = ";".join(codes_of(values["may_return"] or "")) or None
    faults = [
        Fault(row, column, "", f"is empty, but {act.value} needs it")
        for column in NEEDED.get(act, ())
        if not given[column]
    ]
    if values["reason"] is TakingReason.EMERGENCY and not values["alarm"]:
        faults.append(Fault(row, "alarm", "", "is empty, but a key is taken for an emergency"))
    at_us = 0
    try:
        at_us = local_time.begin_of(values["at"])
    except ValueError as error:
        faults.append(Fault(row, "at", values["at"], str(error)))
    if at_us > now_us:
        faults.append(Fault(row, "at", values["at"], "lies in the future"))
    if faults:
        return faults
    if values["alarm"] and not values["alarm_check"]:
        given["alarm_check"] = AlarmCheck.UNCHECKED
    details = {name: str(value) if (value := given[name]) is not None else None for name in DETAILS}
    return NewEvent(
        kind=KEY,
        subject=values["home"],
        event=act.value,
        at_us=at_us,
        ref=values["key"],
        by=values["by"] or "",
        note=values["note"] or "",
        details=details_text(details),
    )


def missing(event: NewEvent) -> list[str]:
    """Return what an act needs and an event does not say, as the columns are named."""
    needed = next((columns for act, columns in NEEDED.items() if act.value == event.event), ())
    details = event.detail
    return [column for column in needed if not (event.by if column == "by" else details.get(column))]


def key_row(event: DutyEvent) -> dict[str, str]:
    """Return an event as a row that can be imported again."""
    told, details = event.told, details_of(event)
    known = {"home": told.subject, "key": told.ref, "event": told.event, "at": iso(told.at_us), "by": told.by}
    return {column: (known | {"note": told.note} | dict(details)).get(column, "") for column in COLUMNS}

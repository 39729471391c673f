"""The columns of files of duty events, and the check of a row against the kinds and the registry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from vetlla.domain.clock import iso
from vetlla.domain.column_types import ShortText
from vetlla.domain.columns import Cell, Fault, Holds, RowKind
from vetlla.domain.duties import NewEvent
from vetlla.service.duties.kinds import ClockKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from vetlla.domain.duties import DutyEvent
    from vetlla.service.duties.kinds import DutyKind, DutyKinds, Subject
    from vetlla.service.local_time import LocalTime

NOTE_MAX: Final = 500
"""Most characters of a note, as many as in a reason that the receiver takes."""
REF_MAX: Final = 128
"""Most characters of a reference: one that is made here has a code of up to 64, a word, a day and a number."""
DETAILS: Final = ("base", "team", "alarm")
"""Columns that are kept as details of an event: the base, the technician or emergency unit, and the alarm."""
DETAILS_MAX: Final = 2_000
"""Most characters of the other details of an event, which commands write; they hold some codes."""
PAST_US: Final = 631_152_000_000_000
"""1990-01-01: municipal telecare in Barcelona began in the nineties, so an earlier time is a typing error."""


def _note(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has unprintable characters")
    return text


def _other_details(text: str) -> str:
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(one, str) and one.isprintable() for one in given.values()):
        raise ValueError('should be a JSON object of texts, such as {"place": "cabinet 4"}')
    if column := next((name for name in DETAILS if name in given), None):
        raise ValueError(f"has {column}, which has a column of its own")
    return text


def _reference(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has unprintable characters")
    return text


Reference = Annotated[str, Field(max_length=REF_MAX), AfterValidator(_reference), Cell(Holds.CODE)]
Code = Annotated[ShortText, Cell(Holds.CODE)]
Text = Annotated[ShortText, Cell(Holds.TEXT)]
Note = Annotated[str, Field(max_length=NOTE_MAX), AfterValidator(_note), Cell(Holds.TEXT)]
Details = Annotated[str, Field(max_length=DETAILS_MAX), AfterValidator(_other_details), Cell(Holds.TEXT)]
When = Annotated[str, Cell(Holds.MOMENT)]

EventRow = TypedDict(
    "EventRow",
    {
        "kind": Text,
        "subject": Code,
        "event": Text,
        "at": When,
        "ref": Reference | None,
        "by": Text | None,
        "note": Note | None,
        "from": When | None,
        "to": When | None,
        "base": Code | None,
        "team": Code | None,
        "alarm": Code | None,
        "details": Details | None,
    },
)
EVENTS: Final = RowKind(EventRow)
COLUMNS: Final = tuple(column.name for column in EVENTS.columns)


class EventRows:
    """Checks the rows of a file against the kinds, the calendar and the codes of the registry."""

    def __init__(
        self,
        kinds: DutyKinds,
        local_time: LocalTime,
        now_us: int,
        missing: Mapping[Subject, Callable[[str], str]],
    ) -> None:
        """Take the kinds, what reads times without an offset, and now.

        ``missing`` has for a sort of subject the function that returns what is wrong with a code, or "".
        """
        self._kinds = kinds
        self._local_time = local_time
        self._now_us = now_us
        self._missing = missing
        self._events: dict[str, tuple[DutyKind, Collection[str]]] = {
            name: (kind, frozenset(kind.all_events)) for name in kinds.names() if (kind := kinds.find(name)) is not None
        }

    def event(self, row: int, values: EventRow) -> NewEvent | list[Fault]:
        """Return the event of a row, or what is wrong with the row."""
        faults: list[Fault] = []
        name, subject, event = values["kind"], values["subject"], values["event"]
        known = self._events.get(name)
        if known is None:
            return [Fault(row, "kind", name, f"no such kind: {', '.join(self._events)}")]
        kind, events = known
        if event not in events:
            faults.append(Fault(row, "event", event, f"a {name} has {', '.join(kind.all_events)}"))
        check = self._missing.get(kind.subject)
        if check and (reason := check(subject)):
            faults.append(Fault(row, "subject", subject, reason))
        at_us = self._at(row, values["at"], faults)
        begin_us, end_us = self._promised(row, values, kind, faults)
        if faults:
            return faults
        return NewEvent(
            kind=name,
            subject=subject,
            event=event,
            at_us=at_us,
            ref=values["ref"] or "",
            by=values["by"] or "",
            note=values["note"] or "",
            begin_us=begin_us,
            end_us=end_us,
            details=_details(values),
        )

    def _at(self, row: int, text: str, faults: list[Fault]) -> int:
        try:
            at_us = self._local_time.begin_of(text)
        except ValueError as error:
            faults.append(Fault(row, "at", text, str(error)))
            return 0
        if at_us > self._now_us:
            faults.append(Fault(row, "at", text, "lies in the future"))
        elif at_us < PAST_US:
            faults.append(Fault(row, "at", text, "lies before 1990"))
        return at_us

    def _promised(
        self, row: int, values: EventRow, kind: DutyKind, faults: list[Fault]
    ) -> tuple[int | None, int | None]:
        first, last = values["from"], values["to"]
        if values["event"] not in kind.promises:
            if first or last:
                column = "from" if first else "to"
                faults.append(Fault(row, column, first or last or "", f"{values['event']} promises no time"))
            return None, None
        begin_us = self._end(row, "from", first, faults) if first else None
        end_us = self._end(row, "to", last, faults) if last else None
        if first is None and kind.clock is ClockKind.INTERVAL:
            faults.append(Fault(row, "from", "", f"is empty, but {values['event']} promises an interval"))
        if last is None:
            faults.append(Fault(row, "to", "", f"is empty, but {values['event']} promises a time"))
        elif begin_us is not None and end_us is not None and end_us < begin_us:
            faults.append(Fault(row, "to", last, "is before from"))
        return begin_us, end_us

    def _end(self, row: int, column: str, text: str, faults: list[Fault]) -> int | None:
        try:
            return self._local_time.end_of(text) if column == "to" else self._local_time.begin_of(text)
        except ValueError as error:
            faults.append(Fault(row, column, text, str(error)))
            return None


def _details(values: EventRow) -> str:
    base, team, alarm, others = values["base"], values["team"], values["alarm"], values["details"]
    if not (base or team or alarm or others):
        return ""
    return details_text({"base": base, "team": team, "alarm": alarm, **(json.loads(others) if others else {})})


def details_text(details: Mapping[str, str | None]) -> str:
    """Return details as an event keeps them; empty ones are left out."""
    given = {name: text for name, text in details.items() if text}
    return json.dumps(given, ensure_ascii=False, sort_keys=True, separators=(",", ":")) if given else ""


def unfit(told: NewEvent) -> list[str]:
    """Return what keeps an event out of a file of events: each column whose text an import would refuse or change."""
    found: list[str] = []
    for column, text in _told_row(told).items():
        try:
            if text and EVENTS.parse(column, text) != text:
                found.append(f"{column} has spaces around it")
        except ValueError as error:
            found.append(f"{column} {error}")
    return found


def event_row(event: DutyEvent) -> dict[str, str]:
    """Return an event as a row that can be imported again."""
    return _told_row(event.told)


def _told_row(told: NewEvent) -> dict[str, str]:
    details = told.detail
    return {
        "kind": told.kind,
        "subject": told.subject,
        "event": told.event,
        "at": iso(told.at_us),
        "ref": told.ref,
        "by": told.by,
        "note": told.note,
        "from": iso(told.begin_us) or "",
        "to": iso(told.end_us) or "",
        **{name: details.pop(name, "") for name in DETAILS},
        "details": details_text(details),
    }

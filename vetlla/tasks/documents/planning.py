"""Opens the duties of the calendar of documents, and follows changes of the calendar.

What is delivered, or was late, never changes. A duty that is open and not late is called off and opened again if the
calendar now has another day, and only called off if the calendar no longer has its period. A duty that a person called
off stays so. Works within the caller's transaction.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.duties import DutyVerdict, NewEvent
from vetlla.service.documents.delivery import delivery
from vetlla.service.duties.columns import details_text
from vetlla.service.duties.standing import standing
from vetlla.store.duties import events as store
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import date

    from vetlla.service.documents.delivery import Delivery
    from vetlla.service.documents.due import DocumentDue
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording

DOCUMENT: Final = "document"
PLANNING: Final = "vetlla documents plan"
"""The source of events that planning records: it may change those again."""


class Window(NamedTuple):
    """The first and the last due day that are planned."""

    first: date | None
    """None for today, or for the day behind the last planned due day before today: a pause of planning is caught up."""
    last: date


class _Days(NamedTuple):
    """The due days that are planned, and the first one that no planning has had yet."""

    first: date
    last: date
    behind: date


class PlannedDocuments(NamedTuple):
    """What planning opened and called off."""

    opened: list[Delivery]
    cancelled: list[Delivery]
    kept: int
    """Duties that were open or over already, and stay as they are."""
    first: date
    """First due day that was planned."""
    missed: list[DocumentDue]
    """Documents without a duty that were due in a pause of planning, before a first day that the caller chose."""


class _Planner:
    def __init__(self, connection: sqlite3.Connection, rules: DutyRules, by: str, recording: Recording) -> None:
        self._connection = connection
        self._rules = rules
        self._by = by
        self._recording = recording
        self.opened: list[Delivery] = []
        self.cancelled: list[Delivery] = []
        self.kept = 0
        self.missed: list[DocumentDue] = []

    def settle(self, code: str, wanted: dict[str, DocumentDue], days: _Days) -> None:
        """Bring the duties of one document in step with what the calendar wants of it, by period."""
        by_period: dict[str, list[Delivery]] = {}
        for one in deliveries(self._connection, self._rules, code, self._recording.now_us):
            if one.is_planned:
                by_period.setdefault(one.period, []).append(one)
        for period, due in wanted.items():
            before = by_period.pop(period, [])
            if not before:
                if days.first <= due.day <= days.last:
                    self._open(due, 1)
                elif days.behind <= due.day < days.first:
                    self.missed.append(due)
            elif self._holds(before[-1], due):
                self.kept += 1
            else:
                self._cancel(before[-1])
                self._open(due, len(before) + 1)
        for left in by_period.values():
            if _may_change(left[-1]):
                self._cancel(left[-1])

    def _holds(self, last: Delivery, due: DocumentDue) -> bool:
        """Return True if the last duty of a period needs no change."""
        ended = last.standing.ended
        if last.standing.verdict is DutyVerdict.CANCELLED:
            return ended is None or ended.source != PLANNING
        return last.standing.due_us == self._end_us(due) or not _may_change(last)

    def _end_us(self, due: DocumentDue) -> int:
        return self._rules.calendar.end_of(due.day.toordinal())

    def _open(self, due: DocumentDue, attempt: int) -> None:
        calendar = self._rules.calendar
        end_us = self._end_us(due)
        told = NewEvent(
            DOCUMENT,
            due.code,
            "",
            min(self._recording.now_us, calendar.begin_of(due.begins.toordinal())),
            ref=f"{due.code}:{due.period}" + (f":{attempt}" if attempt > 1 else ""),
            by=self._by,
            begin_us=min(calendar.begin_of(due.since.toordinal()), end_us),
            end_us=end_us,
            details=details_text({"period": due.period, "planned": "yes"}),
        )
        self.opened.append(delivery(book.open_duty(self._connection, self._rules, told, self._recording)))

    def _cancel(self, one: Delivery) -> None:
        if not one.standing.is_open:
            return
        told = NewEvent(DOCUMENT, one.code, "cancelled", self._recording.now_us, by=self._by)
        done = book.record(self._connection, self._rules, one.standing.duty.id, told, self._recording)
        self.cancelled.append(delivery(done))


def _may_change(one: Delivery) -> bool:
    """Return True for a duty that is open and not late, and of which nothing was delivered."""
    return one.standing.verdict is DutyVerdict.OPEN and one.rejected == 0


def plan(
    connection: sqlite3.Connection,
    rules: DutyRules,
    calendar: Iterable[DocumentDue],
    window: Window,
    recording: Recording,
    *,
    by: str,
) -> PlannedDocuments:
    """Open what the calendar of the whole contract has in a window; doing it again changes nothing.

    What was due in a pause of planning is opened too, so that it is a breach, or is recorded as delivered at its time.
    """
    wanted: dict[str, dict[str, DocumentDue]] = {}
    for due in calendar:
        wanted.setdefault(due.code, {})[due.period] = due
    planner = _Planner(connection, rules, by, recording)
    codes = sorted({*wanted, *store.subjects(connection, DOCUMENT)})
    behind = _behind(connection, rules, codes, recording.now_us)
    days = _Days(behind if window.first is None else window.first, window.last, behind)
    for code in codes:
        planner.settle(code, wanted.get(code, {}), days)
    return PlannedDocuments(planner.opened, planner.cancelled, planner.kept, days.first, planner.missed)


def _behind(connection: sqlite3.Connection, rules: DutyRules, codes: Iterable[str], now_us: int) -> date:
    """Return the day behind the last planned due day before today; today if none was planned before it.

    Up to the last planned due day each one was planned, or left out on purpose. A later one that has passed was not.
    """
    today = rules.calendar.date_of(now_us)
    ends = (
        rules.calendar.date_of(one.standing.duty.events[0].told.end_us or now_us)
        for code in codes
        for one in deliveries(connection, rules, code, now_us)
        if one.is_planned
    )
    last = max((day for day in ends if day < today), default=None)
    return today if last is None else last + timedelta(days=1)


def deliveries(connection: sqlite3.Connection, rules: DutyRules, code: str, now_us: int) -> list[Delivery]:
    """Return the duties of a document, in order of their opening and number."""
    duties = book.duties_of(connection, rules, DOCUMENT, code)
    return [delivery(standing(duty, rules, now_us)) for duty in sorted(duties, key=lambda one: one.id)]

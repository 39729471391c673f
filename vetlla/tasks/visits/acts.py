"""Records what became of a visit, and on the duties for which it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import UsageError
from vetlla.service.duties.columns import details_text
from vetlla.service.visits.visit import RESULTS, HomeVisit, Purpose, visit_of
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.duties import book
from vetlla.tasks.visits.scheduling import open_visit

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording

COMPLETED: Final = "completed"
"""The result of a visit whose work is done, whatever it was for."""
_ALSO: Final = {"arrived": "arrived", "absent": "absent"}
"""Events of a visit that its duties have, too, if their kind knows them."""


class ActedVisit(NamedTuple):
    """A visit after an event, and the duties that the same event changed."""

    visit: HomeVisit
    duties: list[Standing]


def act(
    state_dir: Path,
    clock: Clock,
    rules: DutyRules,
    number: int,
    told: NewEvent,
    recording: Recording,
    *,
    result: str = "",
    dry_run: bool = False,
) -> ActedVisit:
    """Record an event of a visit: arrived, done, absent or cancelled.

    ``result`` says that the work is done: the event that ends its duties (solved, installed ...), or ``completed`` for
    whichever event that is. Raises UsageError if the visit is over, or if the result does not fit its duties.
    """
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        before = open_visit(connection, rules, number, recording.now_us)
        if result and not before.duties:
            raise UsageError(f"visit {number} is for no duty, so it has no result", remedy="leave out the result")
        visit = visit_of(book.record(connection, rules, number, told, recording))
        name = _ALSO.get(told.event, "")
        changed = []
        for one in visit.duties:
            duty = book.standing_of(connection, rules, one, recording.now_us)
            event = _ending(duty, result) if result else name
            if event and duty.is_open and event in duty.terms.kind.all_events:
                changed.append(_record(connection, rules, duty, event, (visit, told), recording))
        return ActedVisit(visit, changed)


def _ending(one: Standing, result: str) -> str:
    """Return the event by which a result ends a duty. Raises UsageError if the result is that of another kind."""
    ends = RESULTS[Purpose(one.duty.kind)]
    if result in {COMPLETED, ends}:
        return ends
    raise UsageError(
        f"duty {one.duty.id} is a {one.duty.kind}, which is not {result}, but {ends}",
        remedy=f"--completed, or --{ends}" if ends != "done" else "--completed",
    )


def _record(
    connection: sqlite3.Connection,
    rules: DutyRules,
    one: Standing,
    event: str,
    of: tuple[HomeVisit, NewEvent],
    recording: Recording,
) -> Standing:
    visit, told = of
    details = details_text({"visit": str(visit.id), "base": visit.base, "team": visit.technician})
    also = NewEvent(one.duty.kind, one.duty.subject, event, told.at_us, by=told.by, note=told.note, details=details)
    return book.record(connection, rules, one.duty.id, also, recording)

"""Records what became of a visit, and on the duties for which it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.service.duties.columns import details_text
from vetlla.service.visits.visit import RESULTS, HomeVisit, VisitPurpose
from vetlla.tasks.duties.book import WITHDRAW
from vetlla.tasks.visits.looking import visit_with_defaults
from vetlla.tasks.visits.scheduling import open_visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.domain.duties import NewEvent
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.desk import DutyDesk

COMPLETED: Final = "completed"
"""The result of a visit whose work is done, whatever it was for."""
_ALSO: Final = {"arrived": "arrived", "absent": "absent"}
"""Events of a visit that its duties have, too, if their kind knows them."""


class ActedVisit(NamedTuple):
    """A visit after an event, the duties that the same event changed, and sentences about what may be wrong."""

    visit: HomeVisit
    duties: list[Standing]
    warnings: list[str]


def act(desk: DutyDesk, number: int, told: NewEvent, *, result: str = "") -> ActedVisit:
    """Record an event of a visit: arrived, done, absent or cancelled.

    ``result`` says that the work is done: the event that ends its duties (solved, installed ...), or ``completed`` for
    whichever event that is. Raises UsageError if the visit is over, or if the result does not fit its duties.
    """
    with desk.writing() as book:
        before = open_visit(book, number)
        if result and not before.duties:
            raise UsageError(f"visit {number} is for no duty, so it has no result", remedy="leave out the result")
        if told.event == before.state:
            raise UsageError(
                f"visit {number} is {before.state} already",
                remedy=f"if that is wrong: {WITHDRAW}; vetlla duties show {number} has its number",
            )
        visit = visit_with_defaults(book.connection, desk.rules, book.record(number, told))
        details = details_text({"visit": str(visit.id), "base": visit.base, "team": visit.technician})
        also = told._replace(ref="", details=details)
        changed = []
        for one in book.standings(visit.duties):
            event = _ending(one, result) if result else _ALSO.get(told.event, "")
            if event in one.terms.kind.all_events and one.is_open:
                changed.append(book.record(one.duty.id, also._replace(event=event)))
        return ActedVisit(visit, changed, list(_warnings(desk.rules, visit, told)))


def _warnings(rules: DutyRules, visit: HomeVisit, told: NewEvent) -> Iterator[str]:
    """Yield a sentence if something happened on another day than the promised one: a wrong number is likely."""
    days = {rules.calendar.date_of(moment) for moment in (visit.begin_us, visit.end_us)}
    if told.event != "cancelled" and rules.calendar.date_of(told.at_us) not in days:
        yield (
            f"visit {visit.id} is promised for another day, {rules.calendar.shown(visit.begin_us)}: if another visit is"
            f" meant, take the event back with {WITHDRAW}"
        )


def _ending(one: Standing, result: str) -> str:
    """Return the event by which a result ends a duty. Raises UsageError if the result is that of another kind."""
    ends = RESULTS[VisitPurpose(one.duty.kind)]
    if result in {COMPLETED, ends}:
        return ends
    raise UsageError(
        f"duty {one.duty.id} is a {one.duty.kind}, which is not {result}, but {ends}",
        remedy=f"--completed, or --{ends}" if ends != "done" else "--completed",
    )

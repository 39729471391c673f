"""Promises an interval for a visit, or another one; says what speaks against it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import MINUTE_US
from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import UsageError
from vetlla.service.duties.columns import details_text
from vetlla.service.inventory.movements import name
from vetlla.service.visits.fitting import clashing
from vetlla.service.visits.free import stop_of
from vetlla.service.visits.visit import KIND, OF_DEVICES, HomeVisit, VisitPurpose, visit_of
from vetlla.store.homes import queries as home_store
from vetlla.store.inventory import queries as inventory
from vetlla.tasks.visits.looking import VisitFilter, visit_with_defaults, visits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.domain.homes import Home
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.desk import DutyDesk, OpenBook

MINUTES_MAX: Final = 480
"""Longest visit: a technician's day."""
_REMEDY_OPEN: Final = {
    VisitPurpose.FAULT: "vetlla faults open {home} --device TYPE:SERIAL",
    VisitPurpose.INSTALLATION: "vetlla duties open installation {home}",
    VisitPurpose.FOLLOW_UP_VISIT: "vetlla visits from-plan",
    VisitPurpose.REMOVAL: "vetlla visits from-plan",
    VisitPurpose.MAINTENANCE: "vetlla visits from-plan",
    VisitPurpose.RENEWAL: "vetlla visits from-plan",
}


_PRESSING: Final = (VisitPurpose.FAULT, VisitPurpose.INSTALLATION, VisitPurpose.REMOVAL)
"""Purposes whose duties have a limit that runs. The others are planned a year ahead, so most homes have one."""


class VisitOrder(NamedTuple):
    """A visit to schedule."""

    told: NewEvent
    """Its promise: the home as subject, when it was promised, and the interval."""
    base: str
    """Empty for the base of the home."""
    technician: str
    purpose: VisitPurpose | None
    """None for what its duties are about, and for ``other`` without duties."""
    duties: Sequence[int]
    """Duties that it is for; empty for the only open one of its purpose."""
    minutes: int
    """0 for the usual time (parameter ``visit.minutes``)."""
    wider: bool
    """Whether an interval may be wider than allowed. The visit then cannot be kept."""


class ScheduledVisit(NamedTuple):
    """A visit, the duties for which it is made, and sentences about what speaks against it."""

    visit: HomeVisit
    duties: list[Standing]
    warnings: list[str]


def schedule(desk: DutyDesk, order: VisitOrder) -> ScheduledVisit:
    """Open the duty of a visit, and record on the duties for which it is made that it is scheduled.

    Raises UsageError for an unknown home or duty, if it is not clear which duty is meant, and for an interval that is
    wider than may be promised.
    """
    with desk.writing() as book:
        told, rules = order.told, desk.rules
        home = home_store.home(book.connection, told.subject)
        base = home_store.must_know_base(book.connection, order.base) or home.base
        _must_be_narrow(rules, told, wider=order.wider)
        purpose, numbers = _what_for(book, order)
        minutes = order.minutes or rules.parameters.on(rules.calendar.date_of(told.at_us)).integer("visit.minutes")
        details = {
            "base": base,
            "team": order.technician,
            "purpose": purpose.value,
            "minutes": str(minutes),
            "for": " ".join(map(str, numbers)),
        }
        visit = visit_of(book.open_duty(told._replace(kind=KIND, details=details_text(details))))
        duties = [one for number in numbers for one in _scheduled(book, number, visit, told)]
        warnings = [*_warnings(book, visit, home), *([] if order.purpose or duties else _forgotten(book, home))]
        return ScheduledVisit(visit, duties, warnings)


def move(
    desk: DutyDesk, number: int, told: NewEvent, *, technician: str = "", by_user: bool = False, wider: bool = False
) -> ScheduledVisit:
    """Promise another interval for a visit. Raises UsageError if it is over, or for an interval that is too wide."""
    with desk.writing() as book:
        before = open_visit(book, number)
        _must_be_narrow(desk.rules, told, wider=wider)
        details = details_text({"team": technician, "by_user": "yes" if by_user else ""})
        visit = visit_with_defaults(
            book.connection, desk.rules, book.record(number, told._replace(event="moved", details=details))
        )
        home = home_store.home(book.connection, before.home)
        return ScheduledVisit(visit, book.standings(visit.duties), list(_warnings(book, visit, home)))


def open_visit(book: OpenBook, number: int) -> HomeVisit:
    """Return a visit that is not over. Raises UsageError if there is none, if the duty is none, or if it is over."""
    one = book.standing(number)
    if one.duty.kind != KIND:
        raise UsageError(f"duty {number} is a {one.duty.kind}, and no visit", remedy="vetlla visits list")
    visit = visit_with_defaults(book.connection, book.rules, one)
    if not one.is_open:
        raise UsageError(f"visit {number} is {visit.state} already", remedy="vetlla visits schedule makes another one")
    return visit


def _must_be_narrow(rules: DutyRules, told: NewEvent, *, wider: bool) -> None:
    terms = rules.terms(KIND, told.at_us)
    if told.begin_us is None or told.end_us is None:
        raise UsageError("a visit needs the interval that is promised", remedy="give --from and --to")
    if told.end_us < told.at_us:
        raise UsageError("that interval was over when it was promised", remedy="correct --from and --to, or --at")
    width, limit = told.end_us - told.begin_us, terms.limit_us or 0
    if width > limit and not wider and terms.limit is not None:
        raise UsageError(
            f"that interval has {width // MINUTE_US} minutes, and at most {limit // MINUTE_US} may be promised"
            f" (parameter {terms.limit.name})",
            remedy="give a narrower one; --wider records it all the same, and the visit then counts as breached",
        )


def _what_for(book: OpenBook, order: VisitOrder) -> tuple[VisitPurpose, list[int]]:
    """Return the purpose of a visit, and the numbers of the duties that it is for."""
    home = order.told.subject
    if order.duties:
        kinds = {_named(book, number, home) for number in order.duties}
        purpose = order.purpose or (VisitPurpose(min(kinds)) if len(kinds) == 1 else VisitPurpose.OTHER)
        return purpose, list(dict.fromkeys(order.duties))
    purpose = order.purpose or VisitPurpose.OTHER
    if purpose is VisitPurpose.OTHER:
        return purpose, []
    found = _open_duties(book, purpose, home)
    if not found:
        raise UsageError(
            f"home {home} has no open duty of kind {purpose}",
            remedy=f"{_REMEDY_OPEN[purpose].format(home=home)}; or --purpose other",
        )
    if len(found) > 1:
        listed = ", ".join(f"{one.duty.id} ({one.duty.subject} {one.duty.ref})" for one in found)
        raise UsageError(
            f"home {home} has {len(found)} open duties of kind {purpose}: {listed}",
            remedy=f"name those that the visit is for: --for {found[0].duty.id} --for {found[1].duty.id}",
        )
    return purpose, [found[0].duty.id]


def _named(book: OpenBook, number: int, home: str) -> str:
    """Return the kind of a duty that a user named. Raises UsageError if no visit to the home can be for it."""
    one = book.standing(number)
    kind, about = one.duty.kind, one.duty.subject
    purposes = ", ".join(purpose.value for purpose in VisitPurpose if purpose is not VisitPurpose.OTHER)
    if kind not in set(VisitPurpose):
        raise UsageError(f"duty {number} is a {kind}, for which no visit is made", remedy=f"name one of {purposes}")
    if not one.is_open:
        raise UsageError(f"duty {number} is over already", remedy=f"vetlla duties show {number}")
    where = inventory.device(book.connection, about).standing.home if VisitPurpose(kind) in OF_DEVICES else about
    if where != home:
        raise UsageError(f"duty {number} is about {about}, which is not in home {home}", remedy="vetlla duties list")
    return kind


def _open_duties(book: OpenBook, purpose: VisitPurpose, home: str) -> list[Standing]:
    """Return the open duties of a purpose that a visit to a home can serve."""
    if purpose not in OF_DEVICES:
        return book.open_duties([purpose], home)
    devices = (name(kept.device) for kept in inventory.fleet(book.connection, home=home))
    return [one for device in devices for one in book.open_duties([purpose], device)]


def _forgotten(book: OpenBook, home: Home) -> Iterator[str]:
    """Yield a sentence about each duty that a visit without a purpose may be meant for."""
    for purpose in _PRESSING:
        for one in _open_duties(book, purpose, home.code):
            yield (
                f"the visit is not for the {purpose} of {one.duty.subject}, duty {one.duty.id}, which stays open: if it"
                f" should be, call it off and schedule it with --for {one.duty.id}"
            )


def _scheduled(book: OpenBook, number: int, visit: HomeVisit, told: NewEvent) -> Iterator[Standing]:
    """Record on a duty that a visit is scheduled for it, and on the second duty of a fault as well; yield them."""
    duty = book.standing(number).duty
    details = details_text({"visit": str(visit.id), "base": visit.base, "team": visit.technician})
    event = NewEvent(duty.kind, duty.subject, "scheduled", told.at_us, by=told.by, details=details)
    if duty.kind == VisitPurpose.FAULT:
        for other in book.open_duties(["fault_visit"], duty.subject):
            if other.duty.ref == duty.ref:
                yield book.record(other.duty.id, event)
    yield book.record(number, event)


def _warnings(book: OpenBook, visit: HomeVisit, home: Home) -> Iterator[str]:
    rules = book.rules
    day = rules.calendar.date_of(visit.begin_us)
    if any(period.covers(day) for period in home.suspended):
        yield f"home {home.code} is suspended on {day}"
    elif (
        home.active
        and not home.active_on(day)
        and visit.purpose not in {VisitPurpose.REMOVAL, VisitPurpose.INSTALLATION}
    ):
        yield f"home {home.code} is not attended on {day}"
    if not rules.calendar.is_working(day.toordinal()):
        yield f"{day} is no working day"
    for other in visits(book.connection, rules, VisitFilter(home=home.code, is_open=True), book.now_us):
        if other.id != visit.id and other.begin_us <= visit.end_us and visit.begin_us <= other.end_us:
            yield f"home {home.code} expects visit {other.id} at that time, too: one visit may be for several duties"
    if not visit.technician:
        return
    wanted = VisitFilter(
        first=day - timedelta(days=1), last=day + timedelta(days=1), technician=visit.technician, is_open=True
    )
    others = [other for other in visits(book.connection, rules, wanted, book.now_us) if other.id != visit.id]
    for place in clashing(stop_of(visit), [stop_of(other) for other in others]):
        other = others[place]
        yield (
            f"{visit.technician} has visit {other.id} to home {other.home} at about that time, and cannot arrive at"
            " both inside their intervals"
        )

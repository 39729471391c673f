"""Hands calls to operators, and records what became of each call. Every function works within the caller's transaction.

A call that an operator has taken is a duty with an event ``taken``. That event says until when the operator has it. One
command at a time writes the registry, so no call goes to two operators at once.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US, iso
from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import UsageError
from vetlla.service.agenda.call import ENDS, KINDS, NEW_KINDS, call_of
from vetlla.service.agenda.choosing import Now, comes_before_unseen, in_hand, in_order
from vetlla.service.agenda.moments import local_time
from vetlla.service.agenda.wanted import FOLLOW_UP
from vetlla.service.calendar import add_months
from vetlla.service.duties.columns import details_text
from vetlla.service.local_time import is_day
from vetlla.store.agenda import calls as store
from vetlla.store.homes import queries as registered
from vetlla.tasks.agenda.reading import AHEAD, call, figures_on
from vetlla.tasks.duties import book
from vetlla.tasks.duties.index import keep_index

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from vetlla.domain.homes import Home, Period
    from vetlla.service.agenda.call import AgendaCall
    from vetlla.service.agenda.figures import AgendaFigures
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording

AT_FIRST: Final = 100
"""Waiting calls of a kind that are looked at first. Nearly always one of them can be made, while a service that is
behind its plan has thousands."""
DOUBLE_PRESS_S: Final = 60
"""An attempt this soon after another one is taken for the same one, entered twice: a call that rings out takes about as
long, and an operator who tries a second number of the home makes one attempt."""
_CHANGES: Final = ("taken", "no_answer", "postponed", "called")
"""Events that change when a call is to be made, or that it is in hand."""


class NextCall(NamedTuple):
    """The call that an operator makes now, with what is needed to make it."""

    call: AgendaCall
    home: Home
    person: str
    """Code of the person; empty if the call is about the home."""


class PostponedCall(NamedTuple):
    """A call that was moved, and sentences about what speaks against its new time."""

    standing: Standing
    call: AgendaCall
    warnings: list[str]


def next_call(
    connection: sqlite3.Connection,
    rules: DutyRules,
    operator: str,
    languages: Collection[str],
    recording: Recording,
) -> NextCall | None:
    """Hand an operator the next call, and record that; return None if there is none now.

    An operator who has a call in hand gets that one again, unless its home has left or is suspended. With ``languages``
    only homes with one of them are called, and homes without a known language.
    """
    keep_index(connection, rules, ())
    now_us = recording.now_us
    today = rules.calendar.date_of(now_us)
    figures = figures_on(rules, today)
    now = Now(now_us, rules.calendar.end_of(today.toordinal()))
    kinds = [kind for kind in KINDS if rules.kinds.find(kind)]
    since_us = rules.calendar.begin_of(add_months(today, -AHEAD - 1).toordinal())
    touched = frozenset(store.touched(connection, kinds, _CHANGES, since_us))
    limit = AT_FIRST
    while True:
        waiting = [_waiting(connection, kind, now, limit) for kind in kinds]
        calls = {number: call(connection, rules, figures, number) for number in sorted({*chain(*waiting), *touched})}
        held = in_hand(calls.values(), operator, now)
        if held and (again := _callable_now(connection, rules, held, (), now_us)):
            return again
        cut = [[calls[number] for number in some if number not in touched] for some in waiting if len(some) >= limit]
        for one in in_order(calls.values(), now):
            if not comes_before_unseen(one, cut, now):
                break
            if found := _callable_now(connection, rules, one, languages, now_us):
                told = _told("taken", now_us, operator, "", {"until": iso(now_us + figures.lease_us)})
                book.record(connection, rules, one.duty.id, told, recording)
                return found._replace(call=call(connection, rules, figures, one.duty.id))
        if not cut:
            return None
        limit *= 8


def _waiting(connection: sqlite3.Connection, kind: str, now: Now, limit: int) -> list[int]:
    """Return the open calls of a kind that may be handed out first."""
    until, end_us = iso(now.end_of_day_us), now.end_of_day_us
    from_us = now.at_us if kind == FOLLOW_UP else 0  # a follow-up whose time has ended is no longer made
    return store.waiting(connection, [kind], until, ends_by_us=end_us, due_from_us=from_us, limit=limit)


def _with_home(connection: sqlite3.Connection, one: AgendaCall) -> NextCall | None:
    code, person = one.home, "" if one.duty.kind == FOLLOW_UP else one.duty.subject
    if person and code == person:  # another system opened it, and did not say the home
        code = registered.person(connection, person).home if registered.is_person(connection, person) else ""
    home = registered.homes(connection, [code]).get(code)
    return NextCall(one, home, person) if home else None


def _callable_now(
    connection: sqlite3.Connection, rules: DutyRules, one: AgendaCall, languages: Collection[str], now_us: int
) -> NextCall | None:
    """Return a call with its home if the home is in the service today, not suspended, and has one of the languages.

    Planning calls the others off.
    """
    found = _with_home(connection, one)
    if found is None or (languages and found.home.language and found.home.language not in languages):
        return None
    active: Sequence[Period] = found.home.active
    suspended: Sequence[Period] = found.home.suspended
    if found.person:
        people = registered.people(connection, [found.home.code])
        person = next((user for user in people if user.code == found.person), None)
        if person is None:
            return None
        active, suspended = person.periods(found.home)
    today = rules.calendar.date_of(now_us)
    is_served = any(part.covers(today) for part in active) and not any(part.covers(today) for part in suspended)
    return found if is_served else None


def answered(
    connection: sqlite3.Connection, rules: DutyRules, number: int, told: NewEvent, recording: Recording
) -> Standing:
    """Record that a call was answered, which ends it. Raises UsageError."""
    one = _open_call(connection, rules, number, recording)
    return book.record(connection, rules, number, told._replace(event=ENDS[one.duty.kind]), recording)


def called(
    connection: sqlite3.Connection, rules: DutyRules, number: int, told: NewEvent, recording: Recording
) -> Standing:
    """Record one of several calls about a person who joined; more follow. Raises UsageError for another kind."""
    one = _open_call(connection, rules, number, recording)
    _refuse_double_press(one, "called", told)
    if one.duty.kind not in NEW_KINDS:
        raise UsageError(f"{one.duty.kind} {number} is one call", remedy=f"vetlla agenda done {number}")
    return book.record(connection, rules, number, told._replace(event="called"), recording)


def no_answer(
    connection: sqlite3.Connection, rules: DutyRules, number: int, told: NewEvent, recording: Recording
) -> tuple[Standing, AgendaCall]:
    """Record a call without an answer; return how the duty stands, and the call with its next attempt.

    Raises UsageError for an attempt within ``DOUBLE_PRESS_S`` of another one.
    """
    one = _open_call(connection, rules, number, recording)
    _refuse_double_press(one, "no_answer", told)
    standing = book.record(connection, rules, number, told._replace(event="no_answer"), recording)
    figures = figures_on(rules, rules.calendar.date_of(recording.now_us))
    return standing, call(connection, rules, figures, one.duty.id)


def unanswered(
    connection: sqlite3.Connection, rules: DutyRules, number: int, told: NewEvent, recording: Recording
) -> Standing:
    """Record that a call is given up. Raises UsageError before the attempts that the parameters ask for."""
    one = _open_call(connection, rules, number, recording)
    if one.duty.kind in NEW_KINDS:
        remedy = f"vetlla duties event {number} cancelled --note TEXT"
        raise UsageError(f"{one.duty.kind} {number} is not given up after attempts", remedy=remedy)
    wanted = figures_on(rules, rules.calendar.date_of(recording.now_us)).attempts
    if one.attempts < wanted:
        raise UsageError(
            f"call {number} of the agenda has {one.attempts} of {wanted} attempts (parameter agenda.attempts)",
            remedy=f"record each call without an answer: vetlla agenda no-answer {number}",
        )
    return book.record(connection, rules, number, told._replace(event="unanswered"), recording)


def postpone(
    connection: sqlite3.Connection, rules: DutyRules, number: int, told: NewEvent, recording: Recording, *, to: str
) -> PostponedCall:
    """Move a call to a day, at the same time of day, or to a moment. ``to`` is read on the clock of the service.

    A revaluation whose time has ended is still to be made, so it may be moved, with a warning. Raises UsageError for a
    moment that has passed, or that is after the end of the call's time.
    """
    one = _open_call(connection, rules, number, recording)
    written = rules.calendar.local_time
    try:
        moment_us = written.begin_of(to)
        if is_day(to) and one.planned_us is not None:
            time = local_time(one.planned_us, rules.calendar)
            moment_us = written.begin_of(f"{rules.calendar.date_of(moment_us)} {time:%H:%M}")
    except ValueError as error:
        raise UsageError(f"--to: {to!r} {error}") from error
    if moment_us <= recording.now_us:
        raise UsageError(f"{to} has passed", remedy="name a later time")
    is_late = one.last_us is not None and one.last_us < recording.now_us
    if is_late and one.duty.kind == FOLLOW_UP:
        raise UsageError(
            f"the time of call {number} of the agenda has ended, and it is no longer made",
            remedy="vetlla agenda plan makes the calls of the next month",
        )
    if one.last_us is not None and moment_us > one.last_us and not is_late:
        last = local_time(one.last_us, rules.calendar)
        raise UsageError(
            f"call {number} of the agenda must be made by {last:%Y-%m-%d %H:%M}",
            remedy=f"choose an earlier time; if the user is away, record the suspension and plan {last:%Y-%m} again",
        )
    details = details_text({"planned": iso(moment_us)})
    event = told._replace(event="postponed", details=details)
    standing = book.record(connection, rules, number, event, recording)
    day = rules.calendar.date_of(moment_us)
    warnings = [f"call {number} is late: its time has ended"] if is_late else []
    figures = figures_on(rules, day)
    if not rules.calendar.is_working(day.toordinal()):
        warnings.append(f"{day} is no working day")
    elif not _is_staffed(figures, local_time(moment_us, rules.calendar)):
        warnings.append(f"no operator calls at that time on {day} (parameter agenda.hours)")
    return PostponedCall(standing, call(connection, rules, figures, number), warnings)


def _is_staffed(figures: AgendaFigures, at: datetime) -> bool:
    """Return True if operators call at a time of a working day."""
    minute = at.hour * 60 + at.minute
    return any(cell.begin <= minute < cell.end for cell in figures.hours[at.weekday()])


def _refuse_double_press(one: AgendaCall, event: str, told: NewEvent) -> None:
    """Raise UsageError for an attempt that was entered a moment ago already."""
    for other in one.duty.events:
        if other.told.event == event and abs(told.at_us - other.told.at_us) < DOUBLE_PRESS_S * SECOND_US:
            raise UsageError(
                f"call {one.duty.id} has an attempt within {DOUBLE_PRESS_S} s of this one already; it counts once",
                remedy="if it was another call, give its time with --at",
            )


def _open_call(connection: sqlite3.Connection, rules: DutyRules, number: int, recording: Recording) -> AgendaCall:
    """Return a call that no event has ended. Raises UsageError."""
    duty = book.duty_of(connection, rules, number)
    if duty.kind not in KINDS:
        raise UsageError(f"{number} is a {duty.kind}, and no call of the agenda", remedy="vetlla agenda list")
    found = call_of(duty, figures_on(rules, rules.calendar.date_of(recording.now_us)))
    if found.ended is not None:
        raise UsageError(
            f"call {number} of the agenda is {found.ended.told.event} already",
            remedy=f"if that is wrong, first: vetlla duties withdraw {found.ended.id} --reason TEXT",
        )
    return found


def _told(event: str, at_us: int, by: str, note: str, details: Mapping[str, str]) -> NewEvent:
    return NewEvent("", "", event, at_us, by=by, note=note, details=details_text(details))

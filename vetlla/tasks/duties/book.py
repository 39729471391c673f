"""Opens duties and records their events, one at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.duties import NewEvent, withdrawn_numbers
from vetlla.domain.errors import UsageError
from vetlla.service.duties.columns import PAST_US, details_text, unfit
from vetlla.service.duties.grouping import group, unnamed
from vetlla.service.duties.kinds import COMMUNICATION, THE_SERVICE, ClockKind, Subject
from vetlla.service.duties.standing import standing
from vetlla.store.duties import events as store
from vetlla.store.homes import queries as homes
from vetlla.store.inventory import queries as inventory
from vetlla.tasks.duties.index import keep_index
from vetlla.tasks.duties.order import refuse_code, refuse_impossible

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.domain.duties import Duty, DutyEvent
    from vetlla.service.duties.kinds import DutyKind
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules


WITHDRAW: Final = "vetlla duties withdraw EVENT --reason TEXT"
"""The command that takes an event back, as remedies name it."""


class Recording(NamedTuple):
    """When and by which command something is written down."""

    now_us: int
    source: str


def open_duty(connection: sqlite3.Connection, rules: DutyRules, told: NewEvent, recording: Recording) -> Standing:
    """Open a duty; return how it stands. Works within the caller's transaction.

    Without a reference it gets one of its own, so that a second duty of the same subject is never mixed up with it.
    Raises UsageError for an unknown kind or subject, a time to come, a promise that is missing, a duty that is
    recorded already, or the code of a key that another one has.
    """
    kind = rules.kinds.kind(told.kind)
    must_exist(connection, kind.subject, told.subject)
    told = told._replace(event=kind.opens)
    _refuse_wrong(told, kind, recording.now_us)
    if not told.ref:
        told = told._replace(ref=f"V{store.next_number(connection)}")
    refuse_code(connection, rules, told)
    for other in store.same_reference(connection, told):
        if other.told.at_us != told.at_us:
            raise UsageError(
                f"{told.kind} {other.id} of {told.subject} has the reference {told.ref} and another time",
                remedy=f"vetlla duties show {other.id}; for another duty give another --ref",
            )
    refuse_impossible(connection, rules, told)
    number = store.add(connection, told, recording.source, recording.now_us)
    if number is None:
        raise UsageError(
            f"{told.kind} of {told.subject} is recorded already at that time with reference {told.ref}",
            remedy=f"vetlla duties list --subject {told.subject}",
        )
    keep_index(connection, rules, [(told.kind, told.subject)])
    return standing_of(connection, rules, number, recording.now_us)


def record(
    connection: sqlite3.Connection, rules: DutyRules, number: int, told: NewEvent, recording: Recording
) -> Standing:
    """Record an event of a duty; kind and subject of ``told`` are those of the duty. Return how the duty stands.

    Works within the caller's transaction. Raises UsageError if there is no such duty, if its kind has no such event,
    if the time is before its opening or to come, if an event that happens once has happened, or if the events of a key
    or an emergency would contradict each other.
    """
    duty = duty_of(connection, rules, number)
    kind = rules.kinds.kind(duty.kind)
    told = _of_duty(told, duty)
    if told.event not in kind.all_events or told.event == kind.opens:
        events = ", ".join(name for name in kind.all_events if name != kind.opens)
        raise UsageError(f"a {duty.kind} has no event {told.event!r}", remedy=f"one of {events}")
    _refuse_wrong(told, kind, recording.now_us)
    if told.at_us < duty.opened_us:
        raise UsageError(
            f"duty {number} was opened later than that",
            remedy=f"correct --at; vetlla duties show {number} has its times",
        )
    _refuse_second_end(standing(duty, rules, recording.now_us), kind, told)
    refuse_impossible(connection, rules, told)
    if store.add(connection, told, recording.source, recording.now_us) is None:
        raise UsageError(f"duty {number} has that event already", remedy=f"vetlla duties show {number}")
    keep_index(connection, rules, [(told.kind, told.subject)])
    return standing_of(connection, rules, number, recording.now_us)


def withdraw(
    connection: sqlite3.Connection, rules: DutyRules, number: int, *, by: str, note: str, recording: Recording
) -> DutyEvent:
    """Take back an event that was recorded in error; return it. It stays on record, and decides nothing any longer.

    Works within the caller's transaction. Raises UsageError if there is no such event, or it is withdrawn already. An
    opening of an open duty with other events is refused, too, because a unit on its way would then look free.
    """
    found = store.event(connection, number)
    if found is None:
        raise UsageError(f"there is no event {number}", remedy="vetlla duties show DUTY has the numbers of its events")
    told = found.told
    taken = NewEvent(
        kind=told.kind,
        subject=told.subject,
        event="withdrawn",
        at_us=recording.now_us,
        ref=f"#{number}",
        by=by,
        note=note,
        withdraws=number,
    )
    if is_withdrawn(connection, found):
        raise UsageError(f"event {number} is withdrawn already")
    for duty in duties_of(connection, rules, told.kind, told.subject):
        if duty.id == number and len(duty.events) > 1 and standing(duty, rules, recording.now_us).is_open:
            others = ", ".join(str(event.id) for event in duty.events[1:])
            raise UsageError(
                f"event {number} opened {told.kind} {number}, which is open and has other events",
                remedy=f"take those back first, with {WITHDRAW}: {others}",
            )
    store.add(connection, taken, recording.source, recording.now_us)
    keep_index(connection, rules, [(told.kind, told.subject)])
    return found


def duties_of(connection: sqlite3.Connection, rules: DutyRules, kind: str, subject: str) -> list[Duty]:
    """Return the duties of one kind about one subject, in order of their opening."""
    return group(rules.kinds.kind(kind), store.of_subject(connection, kind, subject)).duties


def duty_of(connection: sqlite3.Connection, rules: DutyRules, number: int) -> Duty:
    """Return a duty by its number. Raises UsageError if there is none."""
    opening = store.event(connection, number)
    if opening is not None:
        for duty in duties_of(connection, rules, opening.told.kind, opening.told.subject):
            if duty.id == number:
                return duty
    raise _no_duty(connection, rules, number, opening)


def _no_duty(connection: sqlite3.Connection, rules: DutyRules, number: int, event: DutyEvent | None) -> UsageError:
    """Return the error about a number that no duty has, given the event of that number; None if there is none."""
    if event is None:
        return UsageError(f"there is no duty {number}", remedy="vetlla duties list has all numbers")
    told = event.told
    what = f"{told.event} of {told.kind} {told.subject}"
    if is_withdrawn(connection, event):
        return UsageError(f"{number} was withdrawn: {what}", remedy=f"vetlla duties show {number} says why")
    for duty in duties_of(connection, rules, told.kind, told.subject):
        if event in duty.events:
            return UsageError(f"{number} is no duty, but an event: {what}", remedy=f"vetlla duties show {duty.id}")
    return UsageError(f"{number} is no duty, but an event of none: {what}", remedy="vetlla duties check --loose")


def is_withdrawn(connection: sqlite3.Connection, event: DutyEvent) -> bool:
    """Return True if an event was taken back."""
    return event.id in withdrawn_numbers(store.of_subject(connection, event.told.kind, event.told.subject))


def not_withdrawn(connection: sqlite3.Connection, rules: DutyRules, numbers: Iterable[int]) -> Iterator[Duty]:
    """Yield duties, without those whose opening was withdrawn. Raises UsageError for a number that never was a duty."""
    for number in numbers:
        opening = store.event(connection, number)
        if opening is None or not is_withdrawn(connection, opening):
            yield duty_of(connection, rules, number)


def standing_of(connection: sqlite3.Connection, rules: DutyRules, number: int, now_us: int) -> Standing:
    """Return how a duty stands. Raises UsageError if there is none of this number."""
    return standing(duty_of(connection, rules, number), rules, now_us)


def open_duties_of(
    connection: sqlite3.Connection, rules: DutyRules, kinds: Sequence[str], subject: str, now_us: int
) -> list[Standing]:
    """Return the duties of a subject that no event has ended, in order of their opening."""
    found = [
        one
        for kind in kinds
        for duty in duties_of(connection, rules, kind, subject)
        if (one := standing(duty, rules, now_us)).is_open
    ]
    return sorted(found, key=lambda one: (one.duty.opened_us, one.duty.id))


def must_exist(connection: sqlite3.Connection, sort: Subject, subject: str) -> None:
    """Raise UsageError if a subject must be registered and is not."""
    match sort:
        case Subject.HOME:
            homes.home(connection, subject)
        case Subject.DEVICE:
            inventory.device(connection, subject)
        case Subject.PERSON:
            homes.person(connection, subject)
        case Subject.SERVICE if subject != THE_SERVICE:
            raise UsageError(f"{subject!r} is not the service", remedy=f"write it as {THE_SERVICE}")
        case Subject.HOME_OR_SERVICE if subject != THE_SERVICE:
            homes.home(connection, subject)
        case Subject.COMMUNICATION if not COMMUNICATION.fullmatch(subject):
            raise UsageError(f"{subject!r} is no communication", remedy="write it as call:ID or alarm:NUMBER")


def own_ref(event: DutyEvent) -> str:
    """Return the reference with which an event was told; its duty may have another one (``record``)."""
    return event.told.detail.get("ref", event.told.ref)


def _refuse_second_end(one: Standing, kind: DutyKind, told: NewEvent) -> None:
    """Raise UsageError for an event that happens once and has happened, and for calling off what has ended."""
    duty, ended = one.duty, one.ended
    is_over = kind.reopens and told.event in kind.ends and not one.is_open
    if is_over or (told.event in kind.happens_once and any(event.told.event == told.event for event in duty.events)):
        raise UsageError(
            f"duty {duty.id} is {told.event} already",
            remedy=f"if that is wrong, first: {WITHDRAW}; vetlla duties show {duty.id} has its number",
        )
    if told.event in kind.cancels and ended is not None and ended.told.at_us <= told.at_us:
        raise UsageError(
            f"duty {duty.id} is {ended.told.event} already, so that calling it off would change nothing",
            remedy=f"if it was opened in error: {WITHDRAW}; vetlla duties show {duty.id} has the numbers",
        )


def _of_duty(told: NewEvent, duty: Duty) -> NewEvent:
    """Return an event of a duty with the reference by which a file of it finds the duty again.

    Another reference that the event has is kept as a detail.
    """
    ref = duty.ref or unnamed(duty.opened_us)
    if told.ref not in {"", ref}:
        told = told._replace(details=details_text(told.detail | {"ref": told.ref}))
    return told._replace(kind=duty.kind, subject=duty.subject, ref=ref, duty=duty.id)


def _refuse_wrong(told: NewEvent, kind: DutyKind, now_us: int) -> None:
    if told.at_us > now_us:
        raise UsageError("that lies in the future", remedy="record what has happened; correct --at")
    if wrong := unfit(told):
        raise UsageError("; ".join(wrong), remedy="correct it: an export of the event could not be imported again")
    if told.at_us < PAST_US:
        raise UsageError("that lies before 1990", remedy="correct --at")
    promises = told.event in kind.promises
    if promises and told.end_us is None:
        raise UsageError(f"{told.event} promises a time", remedy="give it with --from and --to")
    if promises and told.begin_us is None and kind.clock is ClockKind.INTERVAL:
        raise UsageError(f"{told.event} promises an interval", remedy="give its begin with --from")
    if not promises and (told.begin_us is not None or told.end_us is not None):
        raise UsageError(f"{told.event} promises no time", remedy="leave out --from and --to")
    if told.begin_us is not None and told.end_us is not None and told.end_us < told.begin_us:
        raise UsageError("--to is before --from", remedy="swap the two")

"""Applies polls, and plans the messages that are due. Each function is one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import to_us
from vetlla.domain.outbox import MessageReason
from vetlla.service.reminders.polls import absent, compare
from vetlla.service.reminders.quiet import CITY_ZONE, moment_of
from vetlla.service.reminders.steps import due_steps, has_due, planned_notice, planned_reminder, planning_horizon
from vetlla.store.reminders import appointments, cancellations, messages, offices, outbox, restoring
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders.circumstances import CANCELS

if TYPE_CHECKING:
    import sqlite3

    from vetlla.domain.appointments import Appointment, AppointmentKey
    from vetlla.gateways.contracts import Poll
    from vetlla.service.reminders.polls import PollChanges
    from vetlla.service.reminders.steps import RulesBook

PLANNED_AHEAD: Final = timedelta(minutes=15)
"""How long before it is due a message is put into the outbox. A change of the settings reaches all later ones."""


def apply_poll(
    db: sqlite3.Connection,
    source: str,
    poll: Poll,
    book: RulesBook,
    now: datetime,
    *,
    zone: str = CITY_ZONE,
    accept: bool = False,
) -> PollChanges:
    """Keep what a poll of an office found, and plan the notices of what moved or was cancelled.

    The caller asks the source for each key of ``to_check`` and passes the answer to ``apply_absent``. A suspicious poll
    changes nothing but the office's record; ``accept`` says that a person found it right.
    """
    first, end = (moment_of(datetime.combine(day, time()), zone) for day in (poll.first, poll.last + timedelta(days=1)))
    is_complete = poll.is_complete and not poll.faults
    with atomic(db):
        before = offices.polls_of(db, source, poll.office)
        known = appointments.known(db, source, poll.office, first, end, found=poll.appointments)
        changes = compare(known, poll.appointments, now, is_complete=is_complete, is_accepted=accept)
        if changes.is_suspicious:
            offices.polled(db, source, poll.office, now, doubted=True)
            return changes
        if is_complete:
            offices.polled(db, source, poll.office, now, doubted=False)
        else:
            offices.poll_failed(db, source, poll.office, "; ".join(poll.faults) or "the source has more than it sent")
        _apply(db, changes, book, now, booked_at=None if before is None else before.last_at)
    return changes


def apply_absent(
    db: sqlite3.Connection, key: AppointmentKey, answer: Appointment | None, book: RulesBook, now: datetime
) -> PollChanges | None:
    """Keep what the source said about an appointment that a complete poll did not have; None if it is not known."""
    with atomic(db):
        kept = appointments.kept(db, key)
        if kept is None:
            return None
        if answer is not None and answer.phone:
            answer = replace(answer, phone_given="")
        changes = absent(kept.appointment, answer)
        _apply(db, changes, book, now, booked_at=now)
    return changes


def _apply(
    db: sqlite3.Connection, changes: PollChanges, book: RulesBook, now: datetime, *, booked_at: datetime | None
) -> None:
    appointments.put(db, changes.to_put, now, booked_at=booked_at)
    changed = [*(one.now for one in changes.moved), *changes.cancelled]
    notices = []
    for one in changed:
        kept = appointments.kept(db, one.key)
        own = cancellations.cancellation(db, one.key, one.start)
        if kept is None or (own is not None and own.state in CANCELS):
            continue  # the citizen cancelled it and knows
        notice = planned_notice(one, kept.moves, book.rules_for(one), now)
        if notice is not None:
            notices.append(notice)
    outbox.plan(db, notices, now, revive=True)


def plan_due(db: sqlite3.Connection, book: RulesBook, now: datetime) -> int:
    """Put the messages that are due soon into the outbox; return how many. Those that were ever there stay as they are.

    A message that was suppressed because of what the source said is planned again while the polls still have the
    appointment: the source may have been wrong for a moment. A message that was due before a backup was restored is
    kept and not sent, because it may have been sent before.
    """
    until = now + PLANNED_AHEAD
    rules = (book.default, *book.offices.values(), *book.services.values())
    hours = appointments.hours_between(db, now, until + planning_horizon(rules))
    last = max((start for start, zone in hours if has_due(start, zone, rules, now, until)), default=now)
    settled = messages.settled_keys(db, now)
    wanted = []
    for kept in appointments.expected_between(db, now, last + timedelta(microseconds=1)):
        one = kept.appointment
        steps = due_steps(one, book.rules_for(one), now, booked_at=kept.booked_at, is_confirmed=kept.is_confirmed)
        start_us = to_us(one.start)
        wanted += [
            planned_reminder(one, step)
            for step in steps
            if step.due <= until and (*one.key, start_us, step.step.name) not in settled
        ]
    restored = restoring.restored_at(db)
    with atomic(db):
        if restored is not None:
            doubtful = [one for one in wanted if one.due <= restored]
            wanted = [one for one in wanted if one.due > restored]
            outbox.withhold(db, doubtful, MessageReason.RESTORED, now)
        return outbox.plan(db, wanted, now, revive=True)

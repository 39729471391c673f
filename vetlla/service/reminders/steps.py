"""Which messages are due for an appointment, and when.

A step is a reminder some hours before the appointment. Its lead is counted on the wall clock of the office: the
reminder of 24 hours for an appointment at 10:00 is due at 10:00 of the day before, also when the clocks change in
between. In quiet hours a reminder is due earlier, never later. Its use ends when the next reminder is due.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.appointments import EXPECTED, AppointmentStatus
from vetlla.domain.messages import MessageKind
from vetlla.domain.outbox import MessageKey, PlannedMessage
from vetlla.service.reminders.quiet import USUAL_QUIET, QuietHours, moment_of, wall

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from vetlla.domain.appointments import Appointment

BOOKED: Final = "booked"
"""Step of the message that confirms a late booking: no reminder would reach the citizen in time."""


class Step(NamedTuple):
    """A message some time before the appointment."""

    name: str
    """It is a part of the message's key: another name is another message."""
    lead: timedelta
    only_unconfirmed: bool = False
    """True: not for citizens who confirmed."""
    kind: MessageKind = MessageKind.REMINDER
    """INFORMATION: it tells which documents to bring, how to do it online, and where to find help."""


DAY_BEFORE: Final = Step("24h", timedelta(hours=24))


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRules:
    """The reminders of an office or a service."""

    steps: tuple[Step, ...] = (DAY_BEFORE,)
    quiet: QuietHours = USUAL_QUIET
    minimum_gap: timedelta = timedelta(hours=3)
    """A reminder that would come sooner after the booking is left out."""
    useful_before: timedelta = timedelta(minutes=30)
    """A reminder is of no use later than this before the appointment."""
    notices_useful_before: timedelta = timedelta(0)
    """The same for the notice that an appointment was moved or cancelled."""
    tells_changes: bool = True
    """True: the citizen hears at once that the office moved or cancelled the appointment."""
    confirms_late_booking: bool = False
    """True: a citizen who booked too late for each reminder gets one message at once."""


class DueStep(NamedTuple):
    """A message that is due for an appointment."""

    step: Step
    due: datetime
    useful_until: datetime


class RulesBook(NamedTuple):
    """The rules by office and service. A service's own rules come before those of its office."""

    default: StepRules = StepRules()
    offices: dict[str, StepRules] = {}  # noqa: RUF012 - a NamedTuple's default, which no code changes
    services: dict[tuple[str, str], StepRules] = {}  # noqa: RUF012 - by office and service

    def rules_for(self, appointment: Appointment) -> StepRules:
        """Return the rules of an appointment: those of its first service that has some, its office, or the default."""
        for service in appointment.services if self.services else ():
            if rules := self.services.get((appointment.office, service.id)):
                return rules
        return self.offices.get(appointment.office, self.default)


@lru_cache(maxsize=1 << 14)
def schedule(start: datetime, zone: str, rules: StepRules) -> tuple[DueStep, ...]:
    """Return all reminders for an hour, the first one first, without those that end before they are due.

    They are cached, because many appointments begin at the same hour.
    """
    shown = wall(start, zone)
    end = start - rules.useful_before
    found = []
    for step in sorted(rules.steps, key=lambda one: one.lead):
        due = rules.quiet.before(moment_of(shown - step.lead, zone), zone)
        if due < end:  # else the quiet hours moved the next one before it, or it would be of no use
            found.append(DueStep(step, due, end))
            end = due
    return tuple(reversed(found))


def due_steps(
    appointment: Appointment,
    rules: StepRules,
    now: datetime,
    *,
    booked_at: datetime | None = None,
    is_confirmed: bool = False,
) -> list[DueStep]:
    """Return the reminders that are still of use, past and future ones; none if the citizen is not expected.

    ``booked_at`` is when this hour was booked; None if that is not known, and then no reminder is left out for it.
    """
    if appointment.status not in EXPECTED or now >= appointment.start:
        return []
    planned = schedule(appointment.start, appointment.zone, rules)
    left = [
        one
        for one in planned
        if now < one.useful_until
        and (booked_at is None or one.due >= booked_at + rules.minimum_gap)
        and not (is_confirmed and one.step.only_unconfirmed)
    ]
    if left or booked_at is None or not rules.confirms_late_booking:
        return left
    was_early = any(one.due >= booked_at + rules.minimum_gap for one in planned)
    end = appointment.start - rules.useful_before
    if was_early or now >= end:
        return []
    return [DueStep(Step(BOOKED, timedelta(0)), booked_at, end)]


def has_due(start: datetime, zone: str, rules: Iterable[StepRules], now: datetime, until: datetime) -> bool:
    """Return False if ``due_steps`` has nothing due by ``until`` for this hour, whatever the appointment is."""
    for one in rules:
        planned = schedule(start, zone, one)
        if any(step.due <= until and now < step.useful_until for step in planned):
            return True
        # A late booking is confirmed only if it is too late for each reminder.
        if one.confirms_late_booking and all(step.due < until + one.minimum_gap for step in planned):
            return True
    return False


def planned_reminder(appointment: Appointment, due: DueStep) -> PlannedMessage:
    """Return the message of a step."""
    return PlannedMessage(
        key=MessageKey(appointment.key, appointment.start, due.step.name),
        kind=due.step.kind,
        office=appointment.office,
        due=due.due,
        useful_until=due.useful_until,
        phone=appointment.phone,
    )


def planned_notice(appointment: Appointment, moves: int, rules: StepRules, now: datetime) -> PlannedMessage | None:
    """Return the notice that an appointment was moved or cancelled; None if it is too late, or the office sends none.

    The number of the move is a part of its key, because an appointment can move back to an hour it had before. A notice
    that becomes due in quiet hours waits for the morning, but not past the hour that it speaks of.
    """
    end = appointment.start - rules.notices_useful_before
    if now >= end or not rules.tells_changes:
        return None
    is_cancelled = appointment.status is AppointmentStatus.CANCELLED
    due = rules.quiet.after(now, appointment.zone)
    return PlannedMessage(
        key=MessageKey(appointment.key, appointment.start, f"{'cancelled' if is_cancelled else 'moved'}-{moves}"),
        kind=MessageKind.CANCELLED if is_cancelled else MessageKind.MOVED,
        office=appointment.office,
        due=due if due < end else now,
        useful_until=end,
        phone=appointment.phone,
    )


def rule_of_step(rules: StepRules, name: str) -> Step | None:
    """Return the step with a name; None if the settings have it no longer."""
    return next((step for step in rules.steps if step.name == name), None)


def planning_horizon(rules: Iterable[StepRules]) -> timedelta:
    """Return the longest time before an appointment at which one of its reminders can be due."""
    longest = max((step.lead for one in rules for step in one.steps), default=timedelta(0))
    return longest + timedelta(days=8)  # quiet hours and holidays move a reminder earlier

"""Cancellations of citizens, and each fault on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW, appointment, key
from tests.tasks.reminders.machine import Kill, World
from vetlla.domain.appointments import AppointmentStatus
from vetlla.gateways.contracts import RefusedError
from vetlla.service.reminders.cancelling import CancelRules, CancelStep
from vetlla.store.reminders import cancellations, messages
from vetlla.store.reminders.cancellations import CancellationState
from vetlla.tasks.reminders import cancelling

if TYPE_CHECKING:
    from vetlla.domain.messages import Channel, MessageState

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def states(world: World) -> list[tuple[int, MessageState, str]]:
    found = messages.attempts(world.db, messages.message(world.db, 1).plan.key)
    return [(one.plan.key.attempt, one.state, one.reason) for one in found]


def by(world: World) -> list[Channel]:
    return [sent.channel for sent in world.provider.sends]


def cancellation(world: World) -> cancellations.Cancellation:
    found = cancellations.cancellation(world.db, key(), NOW + 24 * HOUR)
    assert found is not None
    return found


def test_a_citizens_cancellation_is_carried_out_and_not_told_as_the_offices(world: World) -> None:
    world.want_cancelled(key())
    world.cancel_due()
    world.poll()
    world.sent(world.taken())
    assert world.source.cancelled == [key()]
    assert world.provider.sends == []
    assert cancellation(world).state is CancellationState.DONE
    row = world.db.execute("SELECT cancelled_by FROM appointments").fetchone()
    assert row[0] == "citizen"


@pytest.mark.parametrize("kill", [Kill.BEFORE_CALL, Kill.AFTER_CALL])
def test_after_a_crash_around_the_call_it_is_cancelled_once(world: World, kill: Kill) -> None:
    world.want_cancelled(key())
    world.cancel_due(kill=kill)
    world.now += 3 * MINUTE
    world.sweep()
    world.cancel_due()
    assert world.source.cancelled == [key()]
    assert cancellation(world).state is CancellationState.DONE


def test_a_lost_answer_is_learned_by_asking_and_not_by_cancelling_again(world: World) -> None:
    world.want_cancelled(key())
    world.cancel_due("lost")
    assert cancellation(world).state is CancellationState.UNKNOWN
    (wanted,) = cancellations.due_cancellations(world.db, world.now)
    found = cancelling.begin(world.db, wanted, world.source.get(key()), CancelRules(), world.now)
    assert (found.step, found.call) == (CancelStep.GONE, None)
    assert cancellation(world).state is CancellationState.DONE


def test_a_poll_that_sees_the_lost_cancellation_first_does_not_tell_it_as_the_offices(world: World) -> None:
    world.want_cancelled(key())
    world.cancel_due("lost")
    world.poll()
    world.sent(world.taken())
    assert world.provider.sends == []
    assert world.db.execute("SELECT cancelled_by FROM appointments").fetchone()[0] == "citizen"
    world.cancel_due()
    assert cancellation(world).state is CancellationState.DONE


def test_an_appointment_that_moved_since_the_reminder_is_not_cancelled(world: World) -> None:
    world.want_cancelled(key())
    world.source.put(appointment(start=NOW + 30 * HOUR))
    world.cancel_due()
    assert world.source.cancelled == []
    assert cancellation(world).state is CancellationState.MOVED


def test_a_source_that_is_away_is_tried_until_the_hour_comes(world: World) -> None:
    world.want_cancelled(key())
    world.cancel_due(source_away=True)
    assert cancellation(world).state is CancellationState.WANTED
    world.now += 25 * HOUR
    world.cancel_due(source_away=True)
    assert cancellation(world).state is CancellationState.LATE


def test_two_processes_do_not_both_call(world: World) -> None:
    world.want_cancelled(key())
    (wanted,) = cancellations.due_cancellations(world.db, world.now)
    one = world.source.get(key())
    first, second = (cancelling.begin(world.db, wanted, one, CancelRules(), world.now) for _ in range(2))
    assert first.call is not None
    assert second.call is None


def test_refusals_are_tried_some_times_and_then_end(world: World) -> None:
    world.want_cancelled(key())
    for _ in range(cancelling.TRIES):
        (wanted,) = cancellations.due_cancellations(world.db, world.now)
        found = cancelling.begin(world.db, wanted, world.source.get(key()), CancelRules(), world.now)
        assert found.call is not None
        cancelling.end(world.db, found.call, RefusedError("no", code="8058"), world.now)
        world.now += HOUR
    assert cancellation(world).state is CancellationState.REFUSED


@pytest.mark.parametrize(
    ("status", "step"),
    [
        (AppointmentStatus.ARRIVED, CancelStep.BEGUN),
        (AppointmentStatus.NO_SHOW, CancelStep.REFUSED),
        (AppointmentStatus.CANCELLED, CancelStep.GONE),
        (AppointmentStatus.CREATED, CancelStep.CALL),
    ],
)
def test_what_the_source_says_decides_about_a_cancellation(
    world: World, status: AppointmentStatus, step: CancelStep
) -> None:
    world.want_cancelled(key())
    (wanted,) = cancellations.due_cancellations(world.db, world.now)
    fresh = appointment(start=NOW + 24 * HOUR, status=status)
    assert cancelling.begin(world.db, wanted, fresh, CancelRules(), world.now).step is step


def test_a_reminder_is_not_sent_while_a_cancellation_is_on_its_way(world: World) -> None:
    taken = world.taken()
    world.want_cancelled(key())
    world.sent(taken)
    assert world.provider.sends == []

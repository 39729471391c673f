"""What polls bring: moved, cancelled and absent appointments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.rigs.reminders import NOW, SOURCE, appointment, key
from tests.tasks.reminders.machine import SEND, World
from vetlla.domain.appointments import AppointmentStatus
from vetlla.domain.messages import Channel, MessageState
from vetlla.domain.outbox import MessageReason
from vetlla.gateways.contracts import Poll
from vetlla.store.reminders import messages, offices
from vetlla.tasks.reminders import polling

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def states(world: World) -> list[tuple[int, MessageState, str]]:
    found = messages.attempts(world.db, messages.message(world.db, 1).plan.key)
    return [(one.plan.key.attempt, one.state, one.reason) for one in found]


def by(world: World) -> list[Channel]:
    return [sent.channel for sent in world.provider.sends]


def told(world: World) -> list[tuple[str, str]]:
    return [(sent.what[0], sent.what[2]) for sent in world.provider.sends]


def test_a_moved_appointment_is_told_at_once_and_its_old_hour_is_not_reminded_of(world: World) -> None:
    later = appointment(start=NOW + 30 * HOUR)
    world.source.put(later)
    world.poll()
    world.sent(world.taken())
    assert told(world) == [("moved", later.start.isoformat())]


def test_each_move_is_told_also_back_to_an_hour_that_was_told(world: World) -> None:
    for hours in (30, 24, 30, 24):
        world.source.put(appointment(start=NOW + hours * HOUR))
        world.poll()
        world.sent(world.taken())
        world.now += MINUTE
    assert [kind for kind, _ in told(world)].count("moved") == 4


def test_a_false_answer_for_a_moment_does_not_lose_the_reminder(world: World) -> None:
    taken = world.taken()
    one = world.source.appointments.pop(key())
    world.sent(taken)
    assert states(world) == [(1, MessageState.SUPPRESSED, MessageReason.CANCELLED)]
    world.source.put(one)
    world.poll()
    world.plan()
    world.sent(world.taken())
    assert told(world) == [("reminder", one.start.isoformat())]


def test_a_cancelled_appointment_is_told_once(world: World) -> None:
    world.source.put(appointment(start=NOW + 24 * HOUR, status=AppointmentStatus.CANCELLED))
    world.poll()
    world.poll()
    world.sent(world.taken())
    world.sent(world.taken())
    assert [kind for kind, _ in told(world)] == ["cancelled"]


def test_an_absent_appointment_that_is_still_there_is_reminded_of(world: World) -> None:
    world.poll(lost=[key()])
    world.sent(world.taken())
    assert [kind for kind, _ in told(world)] == ["reminder"]


def test_an_absent_appointment_that_is_gone_is_told(world: World) -> None:
    world.source.appointments.clear()
    world.poll()
    world.sent(world.taken())
    assert [kind for kind, _ in told(world)] == ["cancelled"]


def test_an_empty_answer_cancels_nothing_and_the_office_is_doubted(world: World) -> None:
    for n in range(2, 62):
        world.source.put(appointment(n, start=NOW + 25 * HOUR))
    world.poll()
    empty = Poll(office="46", first=NOW.date(), last=NOW.date() + timedelta(days=14), appointments=())
    changes = polling.apply_poll(world.db, SOURCE, empty, SEND.book, NOW)
    assert changes.is_suspicious
    world.sent(world.taken())
    assert told(world) == []
    polls = offices.polls_of(world.db, SOURCE, "46")
    assert polls is not None
    assert polls.doubted_since == NOW
    world.poll()
    world.now += 5 * MINUTE
    world.sent(world.taken())
    assert [kind for kind, _ in told(world)] == ["reminder"]


def test_a_poll_with_faults_is_kept_and_checks_nothing(world: World) -> None:
    poll = replace(world.source.poll(NOW), appointments=(), faults=("entry 3 has no start",))
    assert polling.apply_poll(world.db, SOURCE, poll, SEND.book, NOW).to_check == ()
    polls = offices.polls_of(world.db, SOURCE, "46")
    assert polls is not None
    assert polls.fault == "entry 3 has no start"


def test_a_poll_that_changes_nothing_writes_no_appointment(world: World) -> None:
    one = replace(appointment(start=NOW + 24 * HOUR), phone_given="600 000 001")
    poll = replace(world.source.poll(NOW), appointments=(one,))
    assert polling.apply_poll(world.db, SOURCE, poll, SEND.book, NOW).to_put == ()

"""Which messages are overdue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.rigs.reminders import NOW, key
from vetlla.domain.messages import ENDED, MessageKind, MessageState
from vetlla.domain.outbox import MessageKey, OutboxMessage, PlannedMessage
from vetlla.service.reminders.fallback import GRACE
from vetlla.service.reminders.lateness import PATIENCE, is_overdue

START = NOW + timedelta(days=1)
MESSAGE = OutboxMessage(
    id=1,
    reference="x",
    plan=PlannedMessage(
        key=MessageKey(key(), START, "24h"), kind=MessageKind.REMINDER, office="46", due=NOW, useful_until=START
    ),
    state=MessageState.PLANNED,
    planned_at=NOW,
)


def overdue_from(message: OutboxMessage) -> timedelta:
    """Return how long after it is due a message becomes overdue, to the minute."""
    waits = (timedelta(minutes=minutes) for minutes in range(3_000))
    return next(wait for wait in waits if is_overdue(message, NOW + wait))


@pytest.mark.parametrize("state", sorted(ENDED))
def test_a_message_that_has_ended_is_never_overdue(state: MessageState) -> None:
    assert not is_overdue(replace(MESSAGE, state=state), START + timedelta(days=9))


def test_a_planned_message_is_overdue_if_the_dispatcher_does_not_come() -> None:
    assert overdue_from(MESSAGE) == PATIENCE
    assert overdue_from(replace(MESSAGE, state=MessageState.CLAIMED)) == PATIENCE


def test_a_message_without_an_outcome_is_overdue_after_the_time_of_grace() -> None:
    for state in (MessageState.SENDING, MessageState.UNKNOWN):
        assert overdue_from(replace(MESSAGE, state=state, sending_at=NOW)) == GRACE + PATIENCE


def test_a_message_without_a_report_is_overdue_after_its_fallback_or_its_use() -> None:
    sent = replace(MESSAGE, state=MessageState.SENT, sending_at=NOW)
    assert overdue_from(replace(sent, fallback_at=NOW + timedelta(hours=4))) == timedelta(hours=4) + PATIENCE
    assert overdue_from(sent) == START - NOW + PATIENCE

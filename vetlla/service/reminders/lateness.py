"""When a message is overdue: the service should have done something about it by now, and did not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vetlla.domain.messages import ENDED, MessageState
from vetlla.service.reminders.fallback import GRACE

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.outbox import OutboxMessage

PATIENCE: Final = timedelta(minutes=5)
"""How long after its hour a message may wait for the dispatcher, which looks at the outbox at least each minute."""


def is_overdue(message: OutboxMessage, now: datetime) -> bool:
    """Return True if a message that has not ended waits longer than any rule lets it wait."""
    if message.state in ENDED:
        return False
    plan = message.plan
    if message.state in {MessageState.PLANNED, MessageState.CLAIMED}:
        return plan.due + PATIENCE <= now
    if message.state in {MessageState.SENDING, MessageState.UNKNOWN}:
        return message.sending_at is not None and message.sending_at + GRACE + PATIENCE <= now
    limit = min(message.fallback_at or plan.useful_until, plan.useful_until)
    return limit + PATIENCE <= now

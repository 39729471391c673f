"""How far a message came, from reports that come in any order and several times.

The result depends on which reports came and not on their order. A delivered message stays delivered if a failure is
reported too: WhatsApp sends both for one message. "Read" means delivered, also if no report said so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.messages import Delivery, MessageState
from vetlla.domain.outbox import Progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.outbox import OwnReport


def merged(reports: Iterable[OwnReport]) -> Progress:
    """Return how far a message came: the earliest time of each kind of report, and the first failure."""
    kinds: dict[Delivery, OwnReport] = {}
    for report in sorted(reports, key=lambda one: (one.at, one.code, one.detail)):
        kinds.setdefault(report.delivery, report)
    failure = kinds.get(Delivery.FAILED)
    at = {kind: report.at for kind, report in kinds.items()}
    return Progress(
        accepted_at=at.get(Delivery.ACCEPTED),
        sent_at=at.get(Delivery.SENT),
        delivered_at=at.get(Delivery.DELIVERED) or at.get(Delivery.READ),
        read_at=at.get(Delivery.READ),
        failed_at=at.get(Delivery.FAILED),
        code=failure.code if failure else "",
        detail=failure.detail if failure else "",
    )


def state_of(progress: Progress, before: MessageState) -> MessageState:
    """Return the state of a message with this progress, which was in the state ``before`` without it."""
    reached = (
        # What was delivered stays so when its reports are no longer kept.
        (MessageState.READ, progress.read_at is not None or before is MessageState.READ),
        (MessageState.DELIVERED, progress.delivered_at is not None or before is MessageState.DELIVERED),
        (MessageState.FAILED, progress.failed_at is not None or before is MessageState.FAILED),
        (MessageState.EXPIRED, before is MessageState.EXPIRED),  # only the delivery itself brings it back
        (MessageState.SENT, progress.sent_at is not None),
        (MessageState.ACCEPTED, progress.accepted_at is not None),
    )
    return next((state for state, is_reached in reached if is_reached), before)

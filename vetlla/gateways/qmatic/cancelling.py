"""Cancels an appointment: one DELETE, and a GET if the answer is that it does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.appointments import AppointmentStatus
from vetlla.domain.errors import LinkError
from vetlla.gateways.contracts import CancelOutcome, OutcomeUnknownError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from vetlla.domain.appointments import Appointment, AppointmentKey
    from vetlla.gateways.qmatic.client import QmaticClient

_ASK = "ask for the appointment, and decide by its status"


async def cancel_once(
    client: QmaticClient,
    path: str,
    key: AppointmentKey,
    get: Callable[[AppointmentKey], Awaitable[Appointment | None]],
) -> CancelOutcome:
    """Delete the appointment at a path. Raises RefusedError, OutcomeUnknownError, or LinkError if nothing was sent.

    404, E142 and 8057 mean that it is gone only if a GET agrees. A wrong path has the same answer, and a citizen must
    not be told that a slot is free while it is booked.
    """
    answer = await client.delete(path)
    if not answer.complaint.is_gone:
        return CancelOutcome.DONE
    try:
        there = await get(key)
    except LinkError as error:
        raise OutcomeUnknownError(
            f"{answer.complaint.told}, and no GET could confirm it: {error.args[0]}", remedy=_ASK
        ) from error
    if there is not None and there.status is not AppointmentStatus.CANCELLED:
        raise OutcomeUnknownError(
            f"{answer.complaint.told}, but a GET still shows it as {there.status.value}", remedy=_ASK
        )
    return CancelOutcome.GONE

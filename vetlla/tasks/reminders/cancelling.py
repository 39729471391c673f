"""Cancels at the source what citizens cancelled, in steps of one transaction each.

    want ─▶ due ─▶ (GET) ─▶ begin ─▶ (cancel) ─▶ end

``begin`` commits that the source is asked. After a crash or a timeout the outcome is unknown; then the next GET
tells it before the source is asked again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.gateways.contracts import CancelOutcome, OutcomeUnknownError, RefusedError
from vetlla.service.reminders.cancelling import CancelStep, cancel_step, next_try
from vetlla.store.reminders import appointments, cancellations
from vetlla.store.reminders.cancellations import Cancellation, CancellationState
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3

    from vetlla.domain.errors import LinkError
    from vetlla.service.reminders.cancelling import CancelRules
    from vetlla.service.reminders.decision import Fresh

LEASE: Final = timedelta(minutes=2)
"""How long a call may take before its process counts as gone."""
TRIES: Final = 5
"""Refusals by the source before a person must look at a cancellation."""
CancelResult: TypeAlias = "CancelOutcome | LinkError"
"""What became of a call. OutcomeUnknownError: it may have been carried out; another LinkError: it was not."""

_ENDS: Final = {
    CancelStep.MOVED: CancellationState.MOVED,
    CancelStep.LATE: CancellationState.LATE,
    CancelStep.BEGUN: CancellationState.REFUSED,
    CancelStep.REFUSED: CancellationState.REFUSED,
}


class CancelNow(NamedTuple):
    """What to do with a cancellation."""

    step: CancelStep
    call: Cancellation | None
    """The caller must cancel it at the source now; None if there is nothing to call."""


def begin(db: sqlite3.Connection, wanted: Cancellation, fresh: Fresh, rules: CancelRules, now: datetime) -> CancelNow:
    """Decide about a cancellation from what the source says now, and write the attempt before the caller makes it."""
    step = cancel_step(fresh, wanted.start, rules, now)
    call = None
    with atomic(db):
        if step is CancelStep.CALL:
            call = cancellations.begin_call(db, wanted, now, now + LEASE)
        elif step is CancelStep.WAIT:
            cancellations.try_later(db, wanted, wanted.state, next_try(wanted.tries, now), "")
        elif step is CancelStep.GONE:
            _ended(db, wanted, _as_gone(wanted), now)
        else:
            _ended(db, wanted, _ENDS[step], now, step.value)
    return CancelNow(step, call)


def end(db: sqlite3.Connection, call: Cancellation, result: CancelResult, now: datetime) -> None:
    """Write what became of a call."""
    with atomic(db):
        if isinstance(result, CancelOutcome):
            is_done = result is CancelOutcome.DONE
            _ended(db, call, CancellationState.DONE if is_done else _as_gone(call), now)
        elif isinstance(result, OutcomeUnknownError):
            cancellations.try_later(db, call, CancellationState.UNKNOWN, now, "")
        elif call.tries >= TRIES and isinstance(result, RefusedError):
            _ended(db, call, CancellationState.REFUSED, now, result.code)
        else:  # certainly not carried out; the next GET says whether it still can be
            code = result.code if isinstance(result, RefusedError) else ""
            cancellations.try_later(db, call, CancellationState.WANTED, next_try(call.tries, now), code)


def _as_gone(wanted: Cancellation) -> CancellationState:
    """Return DONE if an earlier call of ours may have done it."""
    return CancellationState.DONE if wanted.state is CancellationState.UNKNOWN else CancellationState.GONE


def _ended(
    db: sqlite3.Connection, wanted: Cancellation, state: CancellationState, now: datetime, code: str = ""
) -> None:
    is_written = cancellations.end_cancellation(db, wanted, state, now, code)
    if is_written and state in {CancellationState.DONE, CancellationState.GONE}:
        kept = appointments.kept(db, wanted.appointment)
        if kept is not None and kept.appointment.start == wanted.start:
            appointments.mark_cancelled(db, wanted.appointment, now, "citizen")

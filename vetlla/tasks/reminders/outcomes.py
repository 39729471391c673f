"""What became of messages: the answers of providers, reports of deliveries, and silence. One transaction each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from vetlla.domain.failures import FailureAction
from vetlla.domain.messages import Accepted, Channel, MessageState
from vetlla.domain.outbox import MessageReason
from vetlla.gateways.contracts import NotTriedError, OutcomeUnknownError, RefusedError
from vetlla.service.reminders import fallback
from vetlla.service.reminders.circuit import Circuit
from vetlla.service.reminders.conversations import is_opening
from vetlla.service.reminders.delivery import merged, state_of
from vetlla.store.reminders import cancellations, channels, citizens, messages, outbox, reports
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders.rules import Alert

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from vetlla.domain.errors import LinkError
    from vetlla.domain.messages import DeliveryReport
    from vetlla.domain.outbox import OutboxMessage
    from vetlla.service.reminders.fallback import Consequence
    from vetlla.tasks.reminders.rules import SendRules
    from vetlla.tasks.reminders.sending import Ready

Result: TypeAlias = "Accepted | LinkError"
"""What became of a call. OutcomeUnknownError: it may have been carried out; another LinkError: it was not."""

_ILL: Final = frozenset({FailureAction.BACK_OFF})
"""Refusals that say that the provider cannot cope now; others are about one message, one person or the account."""


_REACHED: Final = frozenset({MessageState.DELIVERED, MessageState.READ})


def finish(
    db: sqlite3.Connection, outcomes: Sequence[tuple[Ready, Result]], rules: SendRules, now: datetime
) -> list[Alert]:
    """Keep what became of calls, and plan what follows; return what a person must look at."""
    alerts: list[Alert] = []
    with atomic(db):
        for ready, result in outcomes:
            if isinstance(result, Accepted):
                alerts += _taken(db, ready, result, rules, now)
            elif isinstance(result, OutcomeUnknownError):
                outbox.outcome_unknown(db, ready.message)
                _count(db, ready.channel, now, is_failure=True, why="no answer")
            elif isinstance(result, NotTriedError):
                outbox.not_sent(db, ready.message, now, "", MessageReason.NOT_TRIED)
            else:
                alerts += _refused(db, ready, result, rules, now)
    return alerts


def _taken(db: sqlite3.Connection, ready: Ready, result: Accepted, rules: SendRules, now: datetime) -> list[Alert]:
    citizen = citizens.citizen_id(db, ready.outgoing.phone, result.person or ready.outgoing.person, now)
    opens = False
    if ready.is_template and citizen is not None:
        window = messages.window(db, citizen, ready.channel)
        opens = is_opening(now, window.replied_at, window.opened_at)
    outbox.accepted(db, ready.message, result.provider_id, now, opens=opens)
    _count(db, ready.channel, now, is_failure=False)
    own = messages.message(db, ready.message.id)
    if not reports.adopt(db, own, ready.channel, result.provider_id):
        return []
    return _progressed(db, own, result.provider_id, rules, now)


def _refused(db: sqlite3.Connection, ready: Ready, error: LinkError, rules: SendRules, now: datetime) -> list[Alert]:
    code, action, wait = "", FailureAction.BACK_OFF, None
    if isinstance(error, RefusedError):
        code, action = error.code, rules.tables[ready.channel].action(error.code)
        wait = None if error.retry_after_s is None else timedelta(seconds=error.retry_after_s)
    message = ready.message
    follows = fallback.after_refusal(message.plan, ready.channel, action, message.tries, now, retry_after=wait)
    _count(db, ready.channel, now, is_failure=action in _ILL, why=code or "not reachable")
    if follows.same is not None:
        outbox.not_sent(db, message, follows.same, code, MessageReason.REFUSED)
        return []
    if not outbox.failed(db, message, MessageReason.REFUSED, now, code=code):
        return []
    return _follow(db, messages.message(db, message.id), follows, code, now)


# --- reports ----------------------------------------------------------------------------------------------------------


def take_reports(
    db: sqlite3.Connection, channel: Channel, some: Sequence[DeliveryReport], rules: SendRules, now: datetime
) -> list[Alert]:
    """Keep reports and what follows from them; when this returns, the provider's webhook may be answered."""
    alerts: list[Alert] = []
    with atomic(db):
        for report in some:
            found = reports.keep_report(db, channel, report, now)
            if report.person and report.phone:
                citizens.citizen_id(db, report.phone, report.person, now)
            if found is not None:
                alerts += _progressed(db, messages.message(db, found), report.provider_id, rules, now)
    return alerts


def _progressed(
    db: sqlite3.Connection, message: OutboxMessage, provider_id: str, rules: SendRules, now: datetime
) -> list[Alert]:
    progress = merged(reports.reports_of(db, message.id))
    state = state_of(progress, message.state)
    reports.put_progress(db, message.id, provider_id, state, progress)
    if state in _REACHED and (citizen := citizens.citizen_id(db, message.plan.phone, message.plan.person, now)):
        citizens.alive(db, citizen)
    has_failed = state is MessageState.FAILED and message.state is not MessageState.FAILED
    if not has_failed or message.sent_by is None:
        return []
    action = rules.tables[message.sent_by].action(progress.code)
    follows = fallback.after_failure(message.plan, message.sent_by, action, now)
    return _follow(db, message, follows, progress.code, now)


# --- silence ----------------------------------------------------------------------------------------------------------


def sweep(db: sqlite3.Connection, now: datetime) -> list[Alert]:
    """Bring on what waits for nothing any more: leases of dispatchers that are gone, and messages without a report."""
    alerts: list[Alert] = []
    with atomic(db):
        outbox.release_expired(db, now)
        cancellations.release_calls(db, now)
        for message in messages.unknown_since(db, now - fallback.GRACE):
            outbox.failed(db, message, MessageReason.UNKNOWN_OUTCOME, now)
            channel = message.sent_by or Channel.SMS
            alerts += _follow(db, message, fallback.after_unknown(message.plan, channel, now), "unknown", now)
        for message in messages.undelivered(db, now):
            outbox.expire(db, message, MessageReason.NO_REPORT)
            channel = message.sent_by or Channel.SMS
            alerts += _follow(db, message, fallback.after_silence(message.plan, channel, now), "", now)
    return alerts


# --- what follows -----------------------------------------------------------------------------------------------------


def _follow(
    db: sqlite3.Connection, message: OutboxMessage, follows: Consequence, code: str, now: datetime
) -> list[Alert]:
    if follows.next is not None:
        outbox.plan(db, [follows.next], now)
    channel = message.sent_by
    citizen = citizens.citizen_id(db, message.plan.phone, message.plan.person, now)
    if citizen is not None:
        if follows.no_whatsapp_until is not None:
            citizens.no_whatsapp(db, citizen, follows.no_whatsapp_until)
        if follows.is_dead:
            citizens.dead_number(db, citizen)
        if follows.opts_out and channel is not None:
            citizens.opt_out(db, citizen, [channel], now, "provider")
    if channel is not None and (follows.opens_circuit or follows.stops_channel):
        channels.put_circuit(db, channel, Circuit(*channels.circuit(db, channel)).stopped(code))
    if follows.template_unusable:
        channels.template_unusable(db, *messages.template_of(db, message.id), code, now)
    return [Alert(message.id, channel, code, message.reason or message.state.value)] if follows.is_alert else []


def _count(db: sqlite3.Connection, channel: Channel, now: datetime, *, is_failure: bool, why: str = "") -> None:
    before = Circuit(*channels.circuit(db, channel))
    after = before.failed(now, why) if is_failure else before.succeeded()
    if after != before:
        channels.put_circuit(db, channel, after)

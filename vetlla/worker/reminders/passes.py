"""One pass of each part of the reminder service. A pass may run at any time, twice, or beside another process.

Between two transactions of the store a pass asks the source or a provider. What it does next is decided from the store
again, so a pass that is killed anywhere is continued by the next one.
"""

from __future__ import annotations

import asyncio
import sqlite3
import traceback
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import LinkError
from vetlla.gateways.contracts import NotTriedError, OutcomeUnknownError
from vetlla.service.reminders.cancelling import CancelRules
from vetlla.service.reminders.decision import Away
from vetlla.service.reminders.quiet import CITY_ZONE
from vetlla.store.reminders import cancellations, offices
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders import cancelling, outcomes, polling, replying, sending
from vetlla.worker.reminders.pacing import Pacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from vetlla.domain.appointments import AppointmentKey
    from vetlla.domain.clock import Clock
    from vetlla.domain.messages import Channel
    from vetlla.domain.outbox import OutboxMessage
    from vetlla.gateways.contracts import AppointmentSource, MessageGateway
    from vetlla.service.reminders.decision import Fresh
    from vetlla.service.reminders.polls import PollChanges
    from vetlla.store.reminders.cancellations import Cancellation
    from vetlla.tasks.reminders.replying import ReplyRules
    from vetlla.tasks.reminders.rules import Alert, SendRules
    from vetlla.tasks.reminders.sending import Ready
    from vetlla.tasks.reminders.wording import Wording

log = structlog.get_logger()

AHEAD: Final = timedelta(days=14)
"""How far ahead a poll looks: twice the longest lead of a reminder that offices use."""
GETS: Final = 4
"""Most questions to a source at the same time; an Orchestra server of a city hall is small."""
ROUNDS: Final = 100
"""Most batches of messages in one pass, so that replies are handled in between."""
GET_S: Final = 20.0
"""Most seconds for a question about one appointment: the GETs of a batch must end within its lease."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """An office of a source."""

    source: str
    id: str
    zone: str = CITY_ZONE
    cancelling: CancelRules = field(default_factory=CancelRules)
    ahead: timedelta = AHEAD
    """How far ahead its polls look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What all passes use."""

    db: sqlite3.Connection
    clock: Clock
    sources: Mapping[str, AppointmentSource]
    gateways: Mapping[Channel, MessageGateway]
    offices: Sequence[Office]
    sending: SendRules
    replying: ReplyRules
    wording: Wording
    name: str
    """The name of this process in the outbox."""
    pacing: Pacing = field(default_factory=Pacing)
    is_stopping: Callable[[], bool] = lambda: False
    """Tells passes to begin nothing further."""

    def now(self) -> datetime:
        """Return the present moment."""
        return to_datetime(self.clock.now().utc_us)


async def poll(service: Service, office: Office, *, accept: bool = False) -> PollChanges | None:
    """Ask a source for an office's appointments, and keep what changed; None if the source did not answer."""
    source, now = service.sources[office.source], service.now()
    try:
        found = await source.poll(office.id, now.date(), (now + office.ahead).date())
    except LinkError as error:
        with atomic(service.db):
            offices.poll_failed(service.db, office.source, office.id, str(error))
        log.warning("reminders.poll_failed", source=office.source, office=office.id, why=str(error))
        return None
    book = service.sending.book
    changes = polling.apply_poll(service.db, office.source, found, book, service.now(), zone=office.zone, accept=accept)
    if changes.is_suspicious:
        log.error("reminders.poll_doubted", source=office.source, office=office.id)
        return changes
    for key in changes.to_check:
        answer = await _fresh(service, key)
        if not isinstance(answer, Away):
            polling.apply_absent(service.db, key, answer, book, service.now())
    return changes


def plan(service: Service) -> int:
    """Put the messages that are due soon into the outbox; return how many."""
    return polling.plan_due(service.db, service.sending.book, service.now())


async def dispatch(service: Service, *, limit: int = sending.BATCH) -> int:
    """Send what is due, and bring on what waits; return how many messages were handed over.

    When the service stops, no further batch is taken. Raises an ExceptionGroup, after all calls have ended, if the
    outcome of one could not be kept.
    """
    tell(outcomes.sweep(service.db, service.now()))
    sent = 0
    for _ in range(ROUNDS):
        taken = [] if service.is_stopping() else sending.take(service.db, service.name, service.now(), limit=limit)
        if not taken:
            break
        fresh = await _fresh_of(service, taken)
        ready = sending.settle(
            service.db, [(one, fresh[one.plan.key.appointment]) for one in taken], service.sending, service.now(),
            service.wording.of_message, on_fault=partial(_fault, "message"), on_no_text=_no_text,
        )  # fmt: skip
        results = await asyncio.gather(*(_send(service, one) for one in ready), return_exceptions=True)
        if faults := [one for one in results if isinstance(one, Exception)]:
            raise ExceptionGroup("outcomes that could not be kept", faults)
        sent += len(ready)
    return sent


async def cancel(service: Service) -> int:
    """Cancel at the sources what citizens cancelled, and plan the answers; return how many sources were asked to.

    A source that does not answer is asked once in a pass.
    """
    rules = {(one.source, one.id): one.cancelling for one in service.offices}
    silent: set[str] = set()
    calls = 0
    for wanted in cancellations.due_cancellations(service.db, service.now()):
        if service.is_stopping():
            break
        source = wanted.appointment.source
        fresh = Away.AWAY if source in silent else await _fresh(service, wanted.appointment)
        if isinstance(fresh, Away):
            silent.add(source)
        try:
            calls += await _cancelled(service, wanted, fresh, rules)
        except sqlite3.OperationalError:  # the disk, not the cancellation
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other citizens' places must be freed
            _fault("cancellation", wanted.id, error)
    replying.answer_cancellations(service.db, service.replying, service.now(), on_fault=partial(_fault, "cancellation"))
    return calls


async def _cancelled(
    service: Service, wanted: Cancellation, fresh: Fresh, rules: Mapping[tuple[str, str], CancelRules]
) -> bool:
    """Bring a cancellation on; return True if its source was asked to cancel."""
    office = "" if isinstance(fresh, Away) or fresh is None else fresh.office
    allowed = rules.get((wanted.appointment.source, office), CancelRules())
    decided = cancelling.begin(service.db, wanted, fresh, allowed, service.now())
    if decided.call is None:
        return False
    result: cancelling.CancelResult
    try:
        result = await service.sources[wanted.appointment.source].cancel(wanted.appointment)
    except LinkError as error:
        log.warning("reminders.cancel_unanswered", source=wanted.appointment.source, why=str(error))
        result = error
    cancelling.end(service.db, decided.call, result, service.now())
    return True


def reply(service: Service) -> int:
    """Handle the replies that wait; return how many."""
    handled = replying.handle_replies(service.db, service.replying, service.now(), on_fault=partial(_fault, "reply"))
    for one in handled:
        log.info("reminders.reply", reply=one.reply, intent=one.intent.value, inbox=one.decision.to_inbox)
    return len(handled)


# --- calls ------------------------------------------------------------------------------------------------------------


async def _fresh_of(service: Service, taken: Iterable[OutboxMessage]) -> dict[AppointmentKey, Fresh]:
    """Return what the sources say now of the appointments of some messages, each asked once."""
    gate = asyncio.Semaphore(GETS)
    keys = list(dict.fromkeys(one.plan.key.appointment for one in taken))

    async def ask(key: AppointmentKey) -> Fresh:
        async with gate:
            return await _fresh(service, key)

    answers = await asyncio.gather(*map(ask, keys))
    found: dict[AppointmentKey, Fresh] = defaultdict(lambda: Away.AWAY)
    found.update(zip(keys, answers, strict=True))
    return found


async def _fresh(service: Service, key: AppointmentKey) -> Fresh:
    """Return an appointment as its source has it now, or that the source did not answer in time."""
    source = service.sources.get(key.source)
    if source is None:
        return Away.AWAY
    try:
        async with asyncio.timeout(GET_S):
            return await source.get(key)
    except TimeoutError:
        log.warning("reminders.source_away", source=key.source, why=f"it did not answer within {GET_S:.0f} s")
    except LinkError as error:
        log.warning("reminders.source_away", source=key.source, why=str(error))
    return Away.AWAY


async def _send(service: Service, ready: Ready) -> None:
    """Hand a message over, and keep what became of it, also if the process stops meanwhile."""
    result: outcomes.Result = NotTriedError("stopped before the call")
    try:
        await service.pacing.wait(ready.channel, service.now)
        # If the process stops in the call, the provider may have the message.
        result = OutcomeUnknownError("stopped in the call")
        result = await _handed_over(service, ready)
    finally:
        tell(outcomes.finish(service.db, [(ready, result)], service.sending, service.now()))


async def _handed_over(service: Service, ready: Ready) -> outcomes.Result:
    """Call the provider, unless the message's time has ended meanwhile, or the service stops."""
    gateway = service.gateways.get(ready.channel)
    if gateway is None:
        return LinkError(f"no gateway for {ready.channel}")
    if service.now() >= ready.before or service.is_stopping():
        return NotTriedError("the time of the claim has ended")
    try:
        return await gateway.send(ready.outgoing)
    except LinkError as error:
        return error


def _fault(what: str, row: int, error: Exception) -> None:
    log.error("reminders.fault", what=what, row=row, **place_of(error))


def _no_text(row: int) -> None:
    log.error("reminders.no_text", message=row)


def place_of(error: BaseException) -> dict[str, str]:
    """Return the kind of a fault and where it happened, without its text: that may quote a citizen."""
    return {"fault": type(error).__name__, "stack": "".join(traceback.format_tb(error.__traceback__))}


def tell(alerts: Iterable[Alert]) -> None:
    """Log what a person must look at."""
    for one in alerts:
        log.error("reminders.alert", message=one.message, channel=one.channel, code=one.code, what=one.what)

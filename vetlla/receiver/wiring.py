"""Makes and connects the parts behind the listeners, for the daemon and for its tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from vetlla.receiver.budget import Budget
from vetlla.receiver.commit.group import COMMITS_PER_CHECKPOINT, GroupCommit
from vetlla.receiver.control.server import by_name
from vetlla.receiver.intake.intake import BATCH_MAX, STRANGERS_SHARE, STRANGERS_WAITING, Intake
from vetlla.receiver.intake.rejects import WAITING_MAX, Rejects
from vetlla.receiver.queue.announcer import Announcer
from vetlla.receiver.queue.desk import Desk
from vetlla.receiver.queue.escalation import Escalation
from vetlla.receiver.queue.requests import QueueRequests
from vetlla.receiver.retention import Retention
from vetlla.receiver.sinks.bounds import SinkBounds
from vetlla.receiver.sinks.deliveries import delivery_of
from vetlla.receiver.sinks.requests import SinkRequests
from vetlla.receiver.sinks.sinks import Sinks
from vetlla.receiver.supervision.bounds import SupervisionBounds
from vetlla.receiver.supervision.requests import SupervisionRequests
from vetlla.receiver.supervision.supervision import Supervision
from vetlla.receiver.supervision.view import SupervisionView

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock
    from vetlla.domain.previous_run import Recovered
    from vetlla.receiver.commit.writer import Writer
    from vetlla.receiver.control.roles import User
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.queue.placement import Placement
    from vetlla.receiver.sinks.contract import SinkDelivery
    from vetlla.receiver.watchers import Watchers
    from vetlla.settings.model import Settings
    from vetlla.settings.sinks.model import Sink
    from vetlla.store.ports import OutboxReader, Removals


class Reloadable(Protocol):
    """A part that applies other settings and accounts while the receiver runs."""

    def apply(self, settings: Settings, book: AccountBook, /) -> None:
        """Apply settings and accounts. If a part raises an error, all parts go back to what they had."""


class Parts(NamedTuple):
    """Everything behind the listeners."""

    commit: GroupCommit
    desk: Desk
    placement: Placement
    budget: Budget
    supervision: Supervision
    intake: Intake
    escalation: Escalation
    supervision_view: SupervisionView
    queue_requests: QueueRequests
    supervision_requests: SupervisionRequests
    retention: Retention
    sinks: Sinks
    sink_requests: SinkRequests
    reloadable: tuple[Reloadable, ...]
    """Parts that apply other settings, in this order. Supervision is not among them: that of a large fleet takes many
    turns of the loop (``Supervision.apply``)."""


class Bounds(NamedTuple):
    """The bounds of parts that a test makes smaller. Each constant tells its unit and its reason."""

    commits_per_checkpoint: int = COMMITS_PER_CHECKPOINT
    rejects_waiting: int = WAITING_MAX
    batch_max: int = BATCH_MAX
    strangers_share: int = STRANGERS_SHARE
    strangers_waiting: int = STRANGERS_WAITING
    supervision: SupervisionBounds = SupervisionBounds()
    sinks: SinkBounds = SinkBounds()


def build(
    settings: Settings,
    *,
    writer: Writer,
    removals: Removals,
    outbox: OutboxReader,
    recovered: Recovered,
    book: AccountBook,
    counters: Counters,
    watchers: Watchers,
    clock: Clock,
    loop: asyncio.AbstractEventLoop,
    known: Callable[[str], Awaitable[User | None]] = by_name,
    deliveries: Callable[[Sink, Clock], SinkDelivery] = delivery_of,
    bounds: Bounds = Bounds(),
) -> Parts:
    """Return the connected parts of a receiver.

    ``known`` finds a user of this machine by name. ``deliveries`` makes what speaks with the peer of a sink.
    """
    commit = GroupCommit(
        settings=settings,
        recovered=recovered,
        writer=writer,
        counters=counters,
        clock=clock,
        loop=loop,
        commits_per_checkpoint=bounds.commits_per_checkpoint,
    )
    desk = Desk(settings.queue, recovered, counters)
    placement = desk.placement
    budget = Budget(settings.limits, counters, clock)
    supervision = Supervision(
        settings=settings.supervision,
        desk=desk,
        placement=placement,
        commit=commit,
        watchers=watchers,
        clock=clock,
        loop=loop,
        bounds=bounds.supervision,
    )
    rejects = Rejects(settings, placement, commit, budget, counters, waiting_max=bounds.rejects_waiting)
    intake = Intake(
        settings=settings,
        book=book,
        recovered=recovered,
        placement=placement,
        commit=commit,
        rejects=rejects,
        supervision=supervision,
        counters=counters,
        clock=clock,
        batch_max=bounds.batch_max,
        strangers_share=bounds.strangers_share,
        strangers_waiting=bounds.strangers_waiting,
    )
    announcer = Announcer(settings=settings, desk=desk, placement=placement, watchers=watchers, counters=counters)
    sinks = Sinks(
        settings,
        recovered,
        outbox=outbox,
        delivery_of=lambda one: deliveries(one, clock),
        book=lambda: intake.book,
        commit=commit,
        clock=clock,
        bounds=bounds.sinks,
    )
    # Rejects open their alarms before signals join them. The announcer shows alarms after all others have changed them.
    # Sinks come last, because no person waits for them.
    commit.participants = (rejects, intake, supervision, announcer, *sinks.participants)
    escalation = Escalation(desk=desk, commit=commit, watchers=watchers, counters=counters, clock=clock, loop=loop)
    desk.on_due = escalation.follow
    view = SupervisionView(supervision, clock)
    queue_requests = QueueRequests(
        settings=settings,
        desk=desk,
        commit=commit,
        watchers=watchers,
        counters=counters,
        clock=clock,
        book=lambda: intake.book,
        known=known,
    )
    supervision_requests = SupervisionRequests(
        settings=settings, supervision=supervision, view=view, commit=commit, clock=clock
    )
    retention = Retention(settings=settings, removals=removals, commit=commit, counters=counters, clock=clock)
    sink_requests = SinkRequests(settings=settings, sinks=sinks, commit=commit, clock=clock)
    reloadable = (
        rejects, intake, announcer, desk, placement, commit, queue_requests, supervision_requests, sink_requests,
        retention, budget,
    )  # fmt: skip
    return Parts(
        commit=commit,
        desk=desk,
        placement=placement,
        budget=budget,
        supervision=supervision,
        intake=intake,
        escalation=escalation,
        supervision_view=view,
        queue_requests=queue_requests,
        supervision_requests=supervision_requests,
        retention=retention,
        sinks=sinks,
        sink_requests=sink_requests,
        reloadable=reloadable,
    )

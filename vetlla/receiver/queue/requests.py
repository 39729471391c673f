"""The requests about the queue that come through the control socket, and how each of them reaches the desk."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from heapq import nsmallest
from typing import TYPE_CHECKING, TypeVar

from vetlla.domain.alarms import Alarm, State
from vetlla.domain.clock import SECOND_US, iso
from vetlla.domain.errors import UsageError
from vetlla.receiver.commit.perform import perform
from vetlla.receiver.control.messages.queue import (
    AnswerAlarm,
    ClaimAlarm,
    CloseAlarm,
    EscalateAlarm,
    HandOverAlarm,
    ListAlarms,
    ListTests,
    NoteAlarm,
    OrderTest,
    ShowAlarm,
)
from vetlla.receiver.control.messages.watch import WatchQueue
from vetlla.receiver.control.roles import refused
from vetlla.receiver.control.server import by_name, colleague
from vetlla.receiver.watchers import happening
from vetlla.service.queue import order, steps
from vetlla.service.queue.account_matching import meant

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock, Instant
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.control.messages.base import Message, Route
    from vetlla.receiver.control.messages.queue import AlarmFields, AlarmPage, OrderedTest, RunningTest, StepDone
    from vetlla.receiver.control.messages.watch import WatchEvent
    from vetlla.receiver.control.roles import Caller, User
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.queue.alarm_view import Deed
    from vetlla.receiver.queue.desk import Desk, Tested
    from vetlla.receiver.watchers import Watchers
    from vetlla.settings.model import Settings
    from vetlla.store.journal.batch import Batch

LOOKED_AT_ONCE = 1_000
"""Alarms that a list checks before other tasks have their turn: 1 ms."""
TOLD_AT_ONCE = 100
"""Alarms that are sent to a watcher before other tasks have their turn: 4 ms."""

_M = TypeVar("_M", bound="Message")
_T = TypeVar("_T")


class QueueRequests:
    """Answers the requests of operators and watchers about the queue."""

    def __init__(
        self,
        *,
        settings: Settings,
        desk: Desk,
        commit: GroupCommit,
        watchers: Watchers,
        counters: Counters,
        clock: Clock,
        book: Callable[[], AccountBook],
        known: Callable[[str], Awaitable[User | None]] = by_name,
    ) -> None:
        self.settings = settings
        self._desk = desk
        self._commit = commit
        self._watchers = watchers
        self._counters = counters
        self._clock = clock
        self._book = book
        self._known = known

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings."""
        self.settings = settings

    def routes(self) -> list[Route]:
        """Return the route of each kind of request."""
        return [
            WatchQueue.told_by(self.watch),
            ListAlarms.answered_by(self._list),
            ShowAlarm.answered_by(self._show),
            ClaimAlarm.answered_by(self._of_operators(self._claim)),
            AnswerAlarm.answered_by(self._of_operators(self._answer)),
            NoteAlarm.answered_by(self._of_operators(self._note)),
            CloseAlarm.answered_by(self._of_operators(self._close)),
            HandOverAlarm.answered_by(self._of_operators(self._hand_over)),
            EscalateAlarm.answered_by(self._of_operators(self._escalate)),
            OrderTest.answered_by(self._test),
            ListTests.answered_by(self._tests),
        ]

    def _of_operators(self, answer: Callable[[_M, Caller], Awaitable[_T]]) -> Callable[[_M, Caller], Awaitable[_T]]:
        """Return a request that works alarms, with a check of the caller: an engineer alone may not make it."""

        async def admitted(request: _M, caller: Caller) -> _T:
            if not caller.works_alarms:
                groups = self.settings.control
                raise refused(caller, "work alarms", groups.operators, groups.supervisors)
            return await answer(request, caller)

        return admitted

    async def watch(self, request: WatchQueue, _: Caller) -> AsyncGenerator[WatchEvent, None]:
        """Stream the open alarms, then each change in the queue.

        With ``listed`` an event of this name follows the open alarms. Every other alarm that the watcher has is closed.
        """
        async with aclosing(self._watchers.watch(self._standing(listed=request.listed))) as events:
            async for event in events:
                yield event

    async def _standing(self, *, listed: bool) -> AsyncGenerator[WatchEvent, None]:
        """Yield the open alarms in their order. An alarm that is closed meanwhile is left out; its end is an event."""
        count = 0
        for place in sorted([place async for place in self._places(lambda _: True)]):
            if view := self._desk.get(place[-1]):
                count += 1
                yield view.event("open", "open", self._clock.now(), {})
            if count % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
        if listed:
            yield {**happening("listed", self._clock.now(), "list"), "count": count}

    async def _list(self, request: ListAlarms, caller: Caller) -> AlarmPage:
        """Return one page: its ``alarms``, the ``total`` number, and in ``next`` the place that the next page follows.

        ``next`` is null on the last page. With ``count`` the page has no alarms, only the total.
        """
        after = request.after
        places = [place async for place in self._places(_wanted(request, caller))]
        following = [place for place in places if after is None or place > after]
        page = [] if request.count else nsmallest(request.limit, following)
        now = self._clock.now()
        return {
            "alarms": [view.fields(now) for place in page if (view := self._desk.get(place[-1]))],
            "total": len(places),
            "next": page[-1] if page and len(following) > len(page) else None,
        }

    async def _places(self, wanted: Callable[[Alarm], bool]) -> AsyncGenerator[order.Order, None]:
        """Yield the places of the wanted alarms in the queue; other tasks have their turn now and then."""
        now = self._clock.now()
        for count, alarm in enumerate(self._desk.ready(), 1):
            if wanted(order.as_of(alarm, now)):
                yield order.order(alarm, now)
            if count % LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _show(self, request: ShowAlarm, _: Caller) -> AlarmFields:
        return self._desk.find(request.alarm).fields(self._clock.now())

    async def _claim(self, request: ClaimAlarm, caller: Caller) -> StepDone:
        action = self._action(caller, force=request.force)
        if request.alarm is None:
            return await self._work(lambda batch: self._claim_next(action, batch))
        return await self._step(request.alarm, action, "claim", lambda alarm: steps.claim(alarm, action))

    def _claim_next(self, action: steps.OperatorAction, batch: Batch) -> Deed:
        """Claim the first waiting alarm, or keep the unanswered one that the operator holds if it is as urgent."""
        waiting = self._first(action.now, lambda alarm: alarm.state is State.WAITING)
        held = self._first(action.now, lambda alarm: alarm.state is State.CLAIMED and alarm.operator == action.operator)
        alarm = held if held and (waiting is None or held.priority <= waiting.priority) else waiting
        if alarm is None:
            raise UsageError("nothing is waiting", remedy="vetlla queue watch shows new alarms")
        detail = {"held": True} if alarm is held else {}
        return self._desk.act(alarm.id, action, "claim", lambda taken: steps.claim(taken, action), batch, **detail)

    def _first(self, now: Instant, wanted: Callable[[Alarm], bool]) -> Alarm | None:
        """Return the first of the wanted alarms; those of accounts on test are never among them."""
        alarms = (order.as_of(alarm, now) for alarm in self._desk.ready() if not alarm.on_test)
        return min(filter(wanted, alarms), key=lambda alarm: order.order(alarm, now), default=None)

    async def _answer(self, request: AnswerAlarm, caller: Caller) -> StepDone:
        action = self._action(caller, force=request.force)
        return await self._step(request.alarm, action, "answer", lambda alarm: steps.answer(alarm, action))

    async def _note(self, request: NoteAlarm, caller: Caller) -> StepDone:
        action = self._action(caller)
        return await self._work(lambda batch: self._desk.note(request.alarm, action, request.text, batch))

    async def _close(self, request: CloseAlarm, caller: Caller) -> StepDone:
        action, outcome = self._action(caller, force=request.force), request.outcome
        return await self._step(
            request.alarm, action, "close", lambda alarm: steps.close(alarm, action, outcome), outcome=outcome.value
        )

    async def _hand_over(self, request: HandOverAlarm, caller: Caller) -> StepDone:
        self._desk.find(request.alarm)
        to = await colleague(request.to, self.settings, self._known)
        action = self._action(caller, force=request.force)
        return await self._step(
            request.alarm, action, "hand over", lambda alarm: steps.hand_over(alarm, action, to), to=to
        )

    async def _escalate(self, request: EscalateAlarm, caller: Caller) -> StepDone:
        number, action, why = request.alarm, self._action(caller), request.why
        return await self._step(number, action, "escalate", lambda alarm: steps.escalate(alarm, action, why), why=why)

    async def _test(self, request: OrderTest, caller: Caller) -> OrderedTest:
        if not (caller.engineer or caller.supervisor):
            groups = self.settings.control
            raise refused(caller, "put accounts on test", groups.engineers, groups.supervisors)
        action, seconds, reason, book = self._action(caller), request.seconds, request.reason, self._book()
        found = book.of_number(request.account)
        account = meant(request.account, request.receiver, request.line, found, lambda one: one)
        tested, durable = await perform(
            self._commit,
            lambda batch: self._desk.test(account, action, seconds, reason, batch, book=book),
            self._tested,
        )
        until = iso(tested.test.until_us) if tested.test else None
        number, receiver, line = account.account, account.receiver, account.line
        if self._watchers:
            event = happening("test", action.now, "test", action.operator, {"until": until, "reason": reason})
            self._watchers.publish({**event, "account": number, "receiver": receiver, "line": line})
        return {
            "account": number,
            "receiver": receiver,
            "line": line,
            "home": account.home,
            "until": until,
            "operator": action.operator,
            "reason": reason,
            "closed": [deed.view.alarm.id for deed in tested.closed],
            "durable": durable,
        }

    def _tested(self, tested: Tested) -> None:
        for deed in tested.closed:
            self._happened(deed)

    async def _tests(self, _: ListTests, __: Caller) -> list[RunningTest]:
        return [
            {
                "account": test.place.account,
                "receiver": test.place.receiver,
                "line": test.place.line,
                "since": iso(test.since_us),
                "until": iso(test.until_us),
                "operator": test.operator,
                "reason": test.reason,
            }
            for test in self._desk.tests.running(self._clock.now())
        ]

    def _action(self, caller: Caller, *, force: bool = False) -> steps.OperatorAction:
        settings = self.settings.queue
        return steps.OperatorAction(
            caller.operator,
            self._clock.now(),
            round(settings.lease_s * SECOND_US),
            caller.supervisor and force,
            round(settings.hold_s * SECOND_US),
        )

    async def _step(
        self, alarm: int, action: steps.OperatorAction, name: str, step: Callable[[Alarm], Alarm], **detail: object
    ) -> StepDone:
        # The step and its audit record share one action, so that both have the same instant.
        return await self._work(lambda batch: self._desk.act(alarm, action, name, step, batch, **detail))

    async def _work(self, step: Callable[[Batch], Deed]) -> StepDone:
        deed, durable = await perform(self._commit, step, self._happened)
        return deed.answer(self._clock.now(), durable=durable)

    def _happened(self, deed: Deed) -> None:
        if deed.action == "escalate":
            self._counters.escalations[deed.view.alarm.priority, deed.cause] += 1
        if self._watchers:
            self._watchers.publish(deed.event(self._clock.now()))


def _wanted(request: ListAlarms, caller: Caller) -> Callable[[Alarm], bool]:
    """Return a function that is True for the alarms that a caller asks for; a condition left out matches all."""
    priorities, states = request.priorities, request.states
    home, account = request.home.casefold(), request.account.casefold()
    on_test, mine = request.on_test, request.mine

    def fits(alarm: Alarm) -> bool:
        return (
            alarm.on_test == on_test
            and (not mine or alarm.operator == caller.operator)
            and (not priorities or alarm.priority in priorities)
            and (not states or alarm.state in states)
            and home in {"", alarm.home.casefold()}
            and account in {"", alarm.account.casefold()}
        )

    return fits

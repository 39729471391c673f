"""The requests about the queue that come through the control socket, and how each of them reaches the desk."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from vetlla.domain.accounts import account_key
from vetlla.domain.alarms import Alarm, AlarmOutcome, State
from vetlla.domain.clock import SECOND_US, iso
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Priority
from vetlla.receiver.control.arguments import choices, flag, named_account, number, perform, text, words
from vetlla.receiver.control.server import by_name, colleague, refused
from vetlla.receiver.dispatch import make_event
from vetlla.service.queue import steps as queue
from vetlla.service.queue.naming import meant

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock, Instant
    from vetlla.receiver.commit.group import GroupCommit
    from vetlla.receiver.control.server import Request, User
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.dispatch import Dispatch
    from vetlla.receiver.queue.alarm_view import Deed
    from vetlla.receiver.queue.desk import Desk, Tested
    from vetlla.settings.model import Settings
    from vetlla.store.journal.batch import Batch

TEST_MAX_S = 7 * 24 * 3600
"""A test lasts at most a week, so that no account stays on test for ever because an engineer forgot it."""
NOTE_MAX = 4_000
"""Characters of one note."""
PAGE_MAX = 500
"""Alarms in one answer: some 20 ms of the loop."""
LOOKED_AT_ONCE = 1_000
"""Alarms that a list checks before other tasks have their turn: 1 ms."""
TOLD_AT_ONCE = 100
"""Alarms that are sent to a watcher before other tasks have their turn: 4 ms."""
NAME_MAX = 255
"""Characters of a user name. No name is longer, because its limit in bytes is the same (LOGIN_NAME_MAX)."""


class QueueRequests:
    """Answers the requests of operators and watchers about the queue."""

    def __init__(
        self,
        *,
        settings: Settings,
        desk: Desk,
        commit: GroupCommit,
        dispatch: Dispatch,
        counters: Counters,
        clock: Clock,
        book: Callable[[], AccountBook],
        known: Callable[[str], Awaitable[User | None]] = by_name,
    ) -> None:
        self.settings = settings
        self._desk = desk
        self._commit = commit
        self._dispatch = dispatch
        self._counters = counters
        self._clock = clock
        self._book = book
        self._known = known

    def apply(self, settings: Settings, _: AccountBook) -> None:
        """Apply settings."""
        self.settings = settings

    def table(self) -> dict[str, Callable[[Request], Awaitable[Any]]]:
        """Return the requests by name."""
        return {
            "queue.list": self._list,
            "queue.show": self._show,
            "queue.claim": self._of_operators(self._claim),
            "queue.answer": self._of_operators(self._answer),
            "queue.note": self._of_operators(self._note),
            "queue.close": self._of_operators(self._close),
            "queue.handover": self._of_operators(self._hand_over),
            "queue.escalate": self._of_operators(self._escalate),
            "queue.test": self._test,
            "queue.tests": self._tests,
        }

    def _of_operators(self, answer: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Any]]:
        """Return a request that works alarms, with a check of the caller: an engineer alone may not make it."""

        async def admitted(request: Request) -> Any:  # noqa: ANN401 - what the request answers
            if not request.caller.works_alarms:
                groups = self.settings.control
                raise refused(request.caller, "work alarms", groups.operators, groups.supervisors)
            return await answer(request)

        return admitted

    async def watch(self, request: Request) -> AsyncGenerator[dict[str, Any], None]:
        """Stream the open alarms, then each change in the queue.

        With ``listed`` an event of this name follows the open alarms. Every other alarm that the watcher has is closed.
        """
        async with aclosing(self._dispatch.watch(self._standing(listed=flag(request, "listed")))) as events:
            async for event in events:
                yield event

    async def _standing(self, *, listed: bool) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the open alarms in their order. An alarm that is closed meanwhile is left out; its end is an event."""
        count = 0
        for place in sorted([place async for place in self._places(lambda _: True)]):
            if card := self._desk.get(place[-1]):
                count += 1
                yield card.event("open", "open", self._clock.now(), {})
            if count % TOLD_AT_ONCE == 0:
                await asyncio.sleep(0)
        if listed:
            yield make_event("listed", self._clock.now(), "list", count=count)

    async def _list(self, request: Request) -> dict[str, Any]:
        """Return one page: its ``alarms``, the ``total`` number, and in ``next`` the place that the next page follows.

        ``next`` is null on the last page. With ``count`` the page has no alarms, only the total.
        """
        limit, after = _page(request), _after(request)
        places = [place async for place in self._places(_wanted(request))]
        following = [place for place in places if after is None or place > after]
        page = [] if flag(request, "count") else nsmallest(limit, following)
        now = self._clock.now()
        return {
            "alarms": [card.fields(now) for place in page if (card := self._desk.get(place[-1]))],
            "total": len(places),
            "next": list(page[-1]) if page and len(following) > len(page) else None,
        }

    async def _places(self, wanted: Callable[[Alarm], bool]) -> AsyncGenerator[queue.Order, None]:
        """Yield the places of the wanted alarms in the queue; other tasks have their turn now and then."""
        now = self._clock.now()
        for count, alarm in enumerate(self._desk.ready(), 1):
            if wanted(queue.as_of(alarm, now)):
                yield queue.order(alarm, now)
            if count % LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _show(self, request: Request) -> dict[str, Any]:
        return self._desk.find(number(request, "alarm")).fields(self._clock.now())

    async def _claim(self, request: Request) -> dict[str, Any]:
        hand = self._hand(request)
        if request.arguments.get("alarm") is None:
            return await self._work(lambda batch: self._claim_next(hand, batch))
        return await self._step(request, hand, "claim", lambda alarm: queue.claim(alarm, hand))

    def _claim_next(self, hand: queue.OperatorAction, batch: Batch) -> Deed:
        """Claim the first waiting alarm, or keep the unanswered one that the operator holds if it is as urgent."""
        waiting = self._first(hand.now, lambda alarm: alarm.state is State.WAITING)
        held = self._first(hand.now, lambda alarm: alarm.state is State.CLAIMED and alarm.operator == hand.operator)
        alarm = held if held and (waiting is None or held.priority <= waiting.priority) else waiting
        if alarm is None:
            raise UsageError("nothing is waiting", remedy="vetlla queue watch shows new alarms")
        detail = {"held": True} if alarm is held else {}
        return self._desk.act(alarm.id, hand, "claim", lambda taken: queue.claim(taken, hand), batch, **detail)

    def _first(self, now: Instant, wanted: Callable[[Alarm], bool]) -> Alarm | None:
        """Return the first of the wanted alarms; those of accounts on test are never among them."""
        alarms = (queue.as_of(alarm, now) for alarm in self._desk.ready() if not alarm.on_test)
        return min(filter(wanted, alarms), key=lambda alarm: queue.order(alarm, now), default=None)

    async def _answer(self, request: Request) -> dict[str, Any]:
        hand = self._hand(request)
        return await self._step(request, hand, "answer", lambda alarm: queue.answer(alarm, hand))

    async def _note(self, request: Request) -> dict[str, Any]:
        hand, alarm, said = self._hand(request), number(request, "alarm"), text(request, "text", at_most=NOTE_MAX)
        return await self._work(lambda batch: self._desk.note(alarm, hand, said, batch))

    async def _close(self, request: Request) -> dict[str, Any]:
        hand = self._hand(request)
        try:
            outcome = AlarmOutcome(request.arguments.get("outcome", ""))
        except ValueError as error:
            raise UsageError(
                "an alarm is closed with an outcome", remedy=f"one of {', '.join(AlarmOutcome)}"
            ) from error
        return await self._step(
            request, hand, "close", lambda alarm: queue.close(alarm, hand, outcome), outcome=outcome.value
        )

    async def _hand_over(self, request: Request) -> dict[str, Any]:
        self._desk.find(number(request, "alarm"))
        to = await colleague(text(request, "to", at_most=NAME_MAX), self.settings, self._known)
        hand = self._hand(request)
        return await self._step(request, hand, "hand over", lambda alarm: queue.hand_over(alarm, hand, to), to=to)

    async def _escalate(self, request: Request) -> dict[str, Any]:
        hand, why = self._hand(request), words(request, "why")
        return await self._step(request, hand, "escalate", lambda alarm: queue.escalate(alarm, hand, why), why=why)

    async def _test(self, request: Request) -> dict[str, Any]:
        if not (request.caller.engineer or request.caller.supervisor):
            groups = self.settings.control
            raise refused(request.caller, "put accounts on test", groups.engineers, groups.supervisors)
        hand, seconds = self._hand(request), number(request, "seconds")
        if not 0 <= seconds <= TEST_MAX_S:
            raise UsageError(f"a test lasts up to {TEST_MAX_S} s, and 0 ends it")
        reason = words(request, "reason")
        named, receiver, line = named_account(request)
        book = self._book()
        account = meant(named, receiver, line, book.of_number(named), lambda one: one)
        tested, durable = await perform(
            self._commit, lambda batch: self._desk.test(account, hand, seconds, reason, batch, book=book), self._tested
        )
        until = iso(tested.test.until_us) if tested.test else None
        about = account_key(account)._asdict()
        if self._dispatch:
            known = {"until": until, "reason": reason}
            self._dispatch.publish(make_event("test", hand.now, "test", hand.operator, known, **about))
        closed = [deed.card.alarm.id for deed in tested.closed]
        said = {"home": account.home, "until": until, "operator": hand.operator, "reason": reason, "closed": closed}
        return about | said | {"durable": durable}

    def _tested(self, tested: Tested) -> None:
        for deed in tested.closed:
            self._happened(deed)

    async def _tests(self, _: Request) -> list[dict[str, Any]]:
        now = self._clock.now()
        return [
            {**test.place._asdict(), "since": iso(test.since_us), "until": iso(test.until_us),
             "operator": test.operator, "reason": test.reason}
            for test in self._desk.tests.running(now)
        ]  # fmt: skip

    def _hand(self, request: Request) -> queue.OperatorAction:
        caller, settings = request.caller, self.settings.queue
        return queue.OperatorAction(
            caller.operator,
            self._clock.now(),
            round(settings.lease_s * SECOND_US),
            caller.supervisor and flag(request, "force"),
            round(settings.hold_s * SECOND_US),
        )

    async def _step(
        self,
        request: Request,
        hand: queue.OperatorAction,
        action: str,
        step: Callable[[Alarm], Alarm],
        **detail: object,
    ) -> dict[str, Any]:
        # The step and its audit record use the same hand, so that both have the same instant.
        alarm = number(request, "alarm")
        return await self._work(lambda batch: self._desk.act(alarm, hand, action, step, batch, **detail))

    async def _work(self, step: Callable[[Batch], Deed]) -> dict[str, Any]:
        deed, durable = await perform(self._commit, step, self._happened)
        return deed.answer(self._clock.now()) | {"durable": durable}

    def _happened(self, deed: Deed) -> None:
        if deed.action == "escalate":
            self._counters.escalations[deed.card.alarm.priority, deed.cause] += 1
        if self._dispatch:
            self._dispatch.publish(deed.event(self._clock.now()))


def _page(request: Request) -> int:
    limit = number(request, "limit") if "limit" in request.arguments else PAGE_MAX
    if not 0 < limit <= PAGE_MAX:
        raise UsageError(f"a page holds 1 to {PAGE_MAX} alarms")
    return limit


def _after(request: Request) -> queue.Order | None:
    """Return the place that a page follows: ``next`` of the previous answer."""
    given = request.arguments.get("after")
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != 4 or not all(isinstance(one, int) for one in given):
        raise UsageError("'after' should be 'next' of the previous answer", remedy="leave it out for the first page")
    priority, is_stranger, began_us, alarm = given
    return priority, bool(is_stranger), began_us, alarm


def _wanted(request: Request) -> Callable[[Alarm], bool]:
    """Return a function that is True for the alarms that a caller asks for; a condition left out matches all."""
    priorities = choices(request, "priorities", Priority.__members__)
    states = choices(request, "states", State)
    home, account = (words(request, name).casefold() for name in ("home", "account"))
    on_test, mine = flag(request, "on_test"), flag(request, "mine")

    def fits(alarm: Alarm) -> bool:
        return (
            alarm.on_test == on_test
            and (not mine or alarm.operator == request.caller.operator)
            and (not priorities or alarm.priority.name in priorities)
            and (not states or alarm.state.value in states)
            and home in {"", alarm.home.casefold()}
            and account in {"", alarm.account.casefold()}
        )

    return fits

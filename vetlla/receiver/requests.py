"""What may be asked through the control socket, and how each request reaches the desk."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from vetlla.alarms import Alarm, Outcome, State
from vetlla.clock import SECOND_US, iso
from vetlla.errors import UsageError
from vetlla.receiver.asked import flag, number, perform, text
from vetlla.receiver.control import refused
from vetlla.service import queue

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from vetlla.clock import Clock
    from vetlla.receiver.card import Card
    from vetlla.receiver.commit import GroupCommit
    from vetlla.receiver.control import Request
    from vetlla.receiver.counters import Counters
    from vetlla.receiver.desk import Desk
    from vetlla.receiver.dispatch import Dispatch
    from vetlla.settings.model import Settings
    from vetlla.store.batch import Batch

TEST_MAX_S = 7 * 24 * 3600
"""Nobody is left on test for ever: a week at the most, renewed by whoever still needs it."""
NOTE_MAX = 4_000
"""Characters of one note."""
EVENTS = {
    "claim": "claimed",
    "answer": "answered",
    "note": "noted",
    "close": "closed",
    "hand over": "handed_over",
    "escalate": "escalated",
}
"""What watchers hear of each action in the audit."""


class QueueRequests:
    """The requests that work the queue."""

    def __init__(
        self,
        *,
        settings: Settings,
        desk: Desk,
        commit: GroupCommit,
        dispatch: Dispatch,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self._desk = desk
        self._commit = commit
        self._dispatch = dispatch
        self._counters = counters
        self._clock = clock

    def table(self) -> dict[str, Callable[[Request], Awaitable[Any]]]:
        """Return the requests by name."""
        return {
            "queue.list": self._list,
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
        """Return a request that works alarms: an engineer alone may not make it."""

        async def admitted(request: Request) -> Any:  # noqa: ANN401 - whatever the request answers
            if not request.caller.works_alarms:
                groups = self.settings.control
                raise refused(request.caller, "work alarms", groups.operators, groups.supervisors)
            return await answer(request)

        return admitted

    async def watch(self, _: Request) -> AsyncGenerator[dict[str, Any], None]:
        """Stream what changes in the queue, beginning with what is open."""
        now = self._clock.now()
        standing = [{"event": "open", "alarm": card.fields(now)} for card in self._desk.cards(now)]
        async with aclosing(self._dispatch.watch(standing)) as events:
            async for event in events:
                yield event

    async def _list(self, request: Request) -> list[dict[str, Any]]:
        now = self._clock.now()
        on_test = flag(request, "on_test")
        return [card.fields(now) for card in self._desk.cards(now) if card.alarm.on_test == on_test]

    async def _claim(self, request: Request) -> dict[str, Any]:
        hand = self._hand(request)
        if request.arguments.get("alarm") is None:
            return await self._work("claim", lambda batch: self._claim_next(hand, batch))
        return await self._step(request, hand, "claim", lambda alarm: queue.claim(alarm, hand))

    def _claim_next(self, hand: queue.Hand, batch: Batch) -> Card:
        for alarm, _ in self._desk.cards(hand.now):
            if alarm.state is State.WAITING and not alarm.on_test:
                return self._desk.act(alarm.id, hand, "claim", lambda waiting: queue.claim(waiting, hand), batch)
        raise UsageError("nothing is waiting", remedy="vetlla queue watch tells when something is")

    async def _answer(self, request: Request) -> dict[str, Any]:
        hand = self._hand(request)
        return await self._step(request, hand, "answer", lambda alarm: queue.answer(alarm, hand))

    async def _note(self, request: Request) -> dict[str, Any]:
        hand, alarm, said = self._hand(request), number(request, "alarm"), text(request, "text")
        if len(said) > NOTE_MAX:
            raise UsageError(f"a note holds {NOTE_MAX} characters at the most")
        return await self._work("note", lambda batch: self._desk.note(alarm, hand, said, batch))

    async def _close(self, request: Request) -> dict[str, Any]:
        hand = self._hand(request)
        try:
            outcome = Outcome(request.arguments.get("outcome", ""))
        except ValueError as error:
            raise UsageError("an alarm is closed with an outcome", remedy=f"one of {', '.join(Outcome)}") from error
        return await self._step(
            request, hand, "close", lambda alarm: queue.close(alarm, hand, outcome), outcome=outcome.value
        )

    async def _hand_over(self, request: Request) -> dict[str, Any]:
        hand, to = self._hand(request), text(request, "to")
        return await self._step(request, hand, "hand over", lambda alarm: queue.hand_over(alarm, hand, to), to=to)

    async def _escalate(self, request: Request) -> dict[str, Any]:
        hand, why = self._hand(request), str(request.arguments.get("why", ""))
        return await self._step(request, hand, "escalate", queue.escalate, why=why)

    async def _test(self, request: Request) -> dict[str, Any]:
        if not (request.caller.engineer or request.caller.supervisor):
            groups = self.settings.control
            raise refused(request.caller, "put accounts on test", groups.engineers, groups.supervisors)
        hand, account, seconds = self._hand(request), text(request, "account"), number(request, "seconds")
        if not 0 <= seconds <= TEST_MAX_S:
            raise UsageError(f"a test lasts up to {TEST_MAX_S} s, and 0 ends it")
        reason = str(request.arguments.get("reason", ""))
        test, durable = await perform(
            self._commit, lambda batch: self._desk.set_test(account, hand, seconds, reason, batch)
        )
        until = iso(test.until_us) if test else None
        return {"account": account, "until": until, "operator": hand.operator, "reason": reason, "durable": durable}

    async def _tests(self, _: Request) -> list[dict[str, Any]]:
        return [
            {"account": test.account, "since": iso(test.since_us), "until": iso(test.until_us),
             "operator": test.operator, "reason": test.reason}
            for test in self._desk.tests(self._clock.now())
        ]  # fmt: skip

    def _hand(self, request: Request) -> queue.Hand:
        caller = request.caller
        lease_us = round(self.settings.queue.lease_s * SECOND_US)
        return queue.Hand(caller.operator, self._clock.now(), lease_us, caller.supervisor and flag(request, "force"))

    async def _step(
        self, request: Request, hand: queue.Hand, action: str, step: Callable[[Alarm], Alarm], **detail: object
    ) -> dict[str, Any]:
        # One hand for the step and its audit record: both name the same instant.
        alarm = number(request, "alarm")
        return await self._work(action, lambda batch: self._desk.act(alarm, hand, action, step, batch, **detail))

    async def _work(self, action: str, step: Callable[[Batch], Card]) -> dict[str, Any]:
        card, durable = await perform(self._commit, step, lambda card: self._happened(action, card))
        return card.fields(self._clock.now()) | {"durable": durable}

    def _happened(self, action: str, card: Card) -> None:
        alarm = card.alarm
        if action == "answer" and alarm.t3_us is not None and not alarm.on_test:
            self._counters.t3[alarm.priority].observe(alarm.t3_us)
        if action == "escalate":
            self._counters.escalations += 1
        if self._dispatch:
            self._dispatch.publish({"event": EVENTS[action], "alarm": card.fields(self._clock.now())})

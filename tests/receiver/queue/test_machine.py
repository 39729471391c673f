"""Two operators, three homes, a disk that fails and a process that dies: the queue against a page of plain rules.

Events happen in any order and any number at once. Operators always see what the model has, and the disk holds what was
reported as durable. After a restart operators see what the disk holds.
"""

from __future__ import annotations

import asyncio
import copy
import tempfile
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.rigs.core import PATIENCE_S, SARA, Core, small
from tests.rigs.queue.model import (
    CHAIN_S,
    HOLD_S,
    HOMES,
    LEASE_S,
    RUNAWAY_S,
    RUNAWAY_SIGNALS,
    STRANGER,
    T3_MAX_S,
    T3_WARN_S,
    TEST_UNSEEN_S,
    Done,
    Model,
    OnTest,
    Refused,
    Said,
)
from tests.rigs.queue.steps import Step, gather, leave, says, take, take_late, turns
from vetlla.domain.accounts import Account
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import STORED, Priority
from vetlla.receiver.commit.store_state import StoreState
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.rows import alarm_from

if TYPE_CHECKING:
    from collections.abc import Coroutine

ACCOUNTS = [Account(account=account, home=home) for account, home in HOMES.items() if account != STRANGER]
SHOWN = ("id", "home", "on_test", "priority", "state", "operator", "escalated", "signals", "runaway", "chained_to")
UNSEEN = {"commit", "ready", "ok", "failed"}
"""Audit of the store itself."""

MISSING = 999
"""The number of an alarm that does not exist."""
SECONDS = sorted({1, T3_WARN_S, 20, LEASE_S - 1, LEASE_S, RUNAWAY_S + 1, CHAIN_S, CHAIN_S + 1, HOLD_S})


def in_order(audit: list[str]) -> list[str]:
    """Return audit records in their order, but those of one moment's due alarms in the order of their text."""
    ordered: list[str] = []
    for of_time, records in groupby(audit, lambda record: record.startswith(("receiver warn", "receiver escalate"))):
        moment = list(records)
        ordered += sorted(moment) if of_time else moment
    return ordered


class QueueMachine(RuleBasedStateMachine):
    """The receiver's core and its model, with the same events."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.directory = Path(self.folder.name)
        self.clock = ManualClock()
        self.start_us = self.clock.now().utc_us
        self.model = Model()
        self.durable = Model()
        self.kept = 0
        """Number of signals that were acknowledged as stored."""

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - what the work returns
        return self.loop.run_until_complete(asyncio.wait_for(work, PATIENCE_S))

    @initialize(steps=st.lists(says, min_size=1, max_size=4))
    def begin(self, steps: list[Step]) -> None:
        """Start the receiver, and begin with some calls."""
        self.run(self._open())
        self.turn(steps)

    async def _open(self) -> None:
        sections = {
            "chain_window_s": float(CHAIN_S),
            "lease_s": float(LEASE_S),
            "runaway_signals": RUNAWAY_SIGNALS,
            "runaway_window_s": float(RUNAWAY_S),
            "hold_s": float(HOLD_S),
            "test_unseen_s": float(TEST_UNSEEN_S),
            "t3_warn_s": float(T3_WARN_S),
            "t3_max_s": float(T3_MAX_S),
        }
        configured = small(self.directory, queue=sections)
        self.core = Core(self.directory, settings=configured, accounts=ACCOUNTS, clock=self.clock)
        self.picture: dict[int, dict[str, Any]] = {}
        self.watching = asyncio.ensure_future(self._watch())
        await self.core.sync()

    async def _watch(self) -> None:
        """Act as a board that only follows the events for watchers."""
        async for event in self.core.watch(SARA):
            if event["event"] == "closed":
                self.picture.pop(event["alarm"]["id"])
            elif "alarm" in event:
                self.picture[event["alarm"]["id"]] = event["alarm"]

    # --- events -----------------------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from(SECONDS))
    def time_passes(self, seconds: int) -> None:
        """Let leases lapse, tests expire and windows end."""
        self.clock.advance(seconds)
        self.durable.now = self.model.now = self.model.now + seconds
        self._fall_due()

    def _fall_due(self) -> None:
        """Let the receiver do what is due; without a disk the result lasts as long as the process."""
        self.run(self.core.fall_due())
        self.model.fall_due()
        if self.core.commit.ready:
            self.durable = copy.deepcopy(self.model)

    @precondition(lambda self: self.core.commit.ready)
    @rule(steps=turns)
    def turn(self, steps: list[Step]) -> None:
        """Let all steps happen at once, with a disk that works."""
        steps = self._aimed(steps)
        self._expect(steps, self.run(take(self.core, steps)), kept=True)
        self.durable = copy.deepcopy(self.model)

    @precondition(lambda self: self.core.commit.ready)
    @rule(first=turns, late=turns)
    def two_turns(self, first: list[Step], late: list[Step]) -> None:
        """Let further steps come while a commit is under way; they wait for the next one."""
        first, late = self._aimed(first), self._aimed(late)
        results = self.run(take_late(self.core, first, late, writes=self._writes(first)))
        self._expect(first, results[: len(first)], kept=True)
        self._expect(late, results[len(first) :], kept=True)
        self.durable = copy.deepcopy(self.model)

    @precondition(lambda self: self.core.commit.ready)
    @rule(steps=turns)
    def lost_turn(self, steps: list[Step]) -> None:
        """Let the commit fail: frames have no effect, and operators' actions last until the process ends."""
        steps = self._aimed(steps)
        self.core.journal.failing = True
        self._expect(steps, self.run(take(self.core, steps)), kept=False)
        if self.core.commit.ready:
            self.core.journal.failing = False  # there was nothing to write
        else:
            self.model.forget()

    @precondition(lambda self: self.core.commit.state is StoreState.FAILED)
    @rule(steps=turns)
    def turn_without_disk(self, steps: list[Step]) -> None:
        """Take no report from homes while operators go on."""
        steps = self._aimed(steps)
        self._expect(steps, self.run(take(self.core, steps)), kept=False)

    @precondition(lambda self: self.core.commit.state is StoreState.FAILED)
    @rule()
    def heal(self) -> None:
        """Let commits work again: operators' actions become durable."""
        self.run(self.core.healed())
        assert self.run(self.core.sync())
        self.durable = copy.deepcopy(self.model)

    @precondition(lambda self: self.core.commit.ready)
    @rule(steps=turns, durable=st.booleans())
    def kill(self, steps: list[Step], *, durable: bool) -> None:
        """Kill the process during a commit, either before any of it has reached the disk or after all of it has."""
        steps = self._aimed(steps)
        if durable:
            self._expect(steps, self.run(gather(self.core, steps)), kept=True)
            self.durable = copy.deepcopy(self.model)
        else:
            self.run(leave(self.core, steps, writes=self._writes(steps)))
        self._start_anew()

    @precondition(lambda self: self.core.commit.state is StoreState.FAILED)
    @rule()
    def kill_without_disk(self) -> None:
        """Kill the process while nothing can be written: operators' actions since the failure are lost."""
        self._start_anew()

    # --- steps ------------------------------------------------------------------------------------------------------

    def _aimed(self, steps: list[Step]) -> list[Step]:
        """Let each operator's number mean one of the open alarms, since there are mostly more numbers than alarms."""
        numbers = [*sorted(self.model.open), MISSING]
        return [
            replace(step, alarm=numbers[(step.alarm - 1) % len(numbers)])
            if isinstance(step, Done) and step.alarm
            else step
            for step in steps
        ]

    def _writes(self, steps: list[Step]) -> bool:
        """Return True if these steps have anything to commit."""
        if any(isinstance(step, Said) for step in steps):
            return True
        trial = copy.deepcopy(self.model)
        return any(self._foresee(trial, step) for step in steps)

    @staticmethod
    def _foresee(model: Model, step: Step) -> bool:
        assert not isinstance(step, Said)
        try:
            model.put_on_test(step) if isinstance(step, OnTest) else model.act(step)
        except Refused:
            return False
        return True

    def _expect(self, steps: list[Step], results: list[Any], *, kept: bool) -> None:
        """Let the model take the same steps: operators first, as the receiver does, then frames."""
        for step, result in zip(steps, results, strict=True):
            match step:
                case OnTest():
                    self._expect_test(step, result, kept=kept)
                case Done():
                    self._expect_act(step, result, kept=kept)
        # The receiver decides on homes first.
        told = sorted(zip(steps, results, strict=True), key=lambda one: getattr(one[0], "account", "") == STRANGER)
        for step, result in told:
            if isinstance(step, Said):
                assert result.verdicts == ([STORED] if kept else None)
                if kept:
                    self.kept += 1
                    self.model.hear(step)

    def _expect_test(self, step: OnTest, result: Any, *, kept: bool) -> None:  # noqa: ANN401 - fields or an exception
        try:
            self.model.put_on_test(step)
        except Refused:
            assert isinstance(result, UsageError), result
        else:
            assert result["durable"] is kept

    def _expect_act(self, step: Done, result: Any, *, kept: bool) -> None:  # noqa: ANN401 - fields or an exception
        try:
            number = self.model.act(step)
        except Refused:
            assert isinstance(result, UsageError), result
        else:
            assert not isinstance(result, BaseException), result
            assert result["id"] == number
            assert result["durable"] is kept
            if step.do in {"claim", "answer"}:
                assert result["operator"] == step.operator

    def _end(self) -> None:
        """End like a process that is killed."""
        self.watching.cancel()
        self.run(asyncio.wait({self.watching}))
        self.core.crash()

    def _start_anew(self) -> None:
        self._end()
        self.model = copy.deepcopy(self.durable)
        self.model.forget()
        self.model.window = 0
        self.run(self._open())
        self._fall_due()
        self._check_disk()

    # --- invariants -------------------------------------------------------------------------------------------------

    @invariant()
    def operators_see_the_model(self) -> None:
        """Check that the queue is the model's, in its order, and that at most one operator holds each alarm."""
        assert self.run(self._look()) == [
            {
                "id": case.id,
                "home": case.home,
                "on_test": case.on_test,
                "priority": case.priority.name,
                "state": case.state,
                "operator": case.operator,
                "escalated": case.escalated,
                "signals": case.signals,
                "runaway": case.runaway,
                "chained_to": case.after,
            }
            for case in self.model.queue()
        ]

    async def _look(self) -> list[dict[str, Any]]:
        shown: list[Any] = [view.fields(self.clock.now()) for view in self.core.views()]
        listed = await self.core.listed(on_test=False) + await self.core.listed(on_test=True)
        assert sorted(alarm["id"] for alarm in listed) == sorted(alarm["id"] for alarm in shown)
        return [{name: alarm[name] for name in SHOWN} for alarm in shown]

    @invariant()
    def watchers_see_the_queue(self) -> None:
        """Check that a board that only follows the events has the same alarms, except for claims that lapsed later."""
        self.run(asyncio.sleep(0))
        cases = self.model.open.values()
        assert {
            number: (alarm["priority"], alarm["signals"], alarm["escalated"], alarm["runaway"])
            for number, alarm in self.picture.items()
        } == {case.id: (case.priority.name, case.signals, case.escalated, case.runaway) for case in cases}
        for case in cases:
            if case.at(self.model.now) == case:
                assert (self.picture[case.id]["state"], self.picture[case.id]["operator"]) == (
                    case.state,
                    case.operator,
                )

    @invariant()
    def the_disk_holds_the_queue(self) -> None:
        """Check that the durable alarms are those that operators see, field by field."""
        if self.core.commit.ready:
            self._check_disk()

    def _check_disk(self) -> None:
        with Archive(self.directory) as archive:
            rows = archive.read("SELECT * FROM alarms WHERE state <> 'closed'")
        shown = [view.alarm.id for view in self.core.views()]
        assert {row["id"]: alarm_from(row) for row in rows} == {
            number: self.core.desk.find(number).alarm for number in shown
        }

    @invariant()
    def no_open_alarm_is_forgotten(self) -> None:
        """Check that each stored signal that needs an operator has an alarm that is open, or was closed after it came.

        Repetitions of a runaway are excepted; they are never an emergency.
        """
        with Archive(self.directory) as archive:
            assert archive.read("SELECT count(*) AS n FROM signals")[0]["n"] == self.kept
            forgotten = archive.read(
                "SELECT s.id FROM signals s LEFT JOIN alarms a ON a.id = s.alarm_id"
                " WHERE (s.priority = 0 OR (s.priority < 3 AND NOT s.flags & 16))"
                " AND (a.id IS NULL OR a.closed_us < s.received_us OR a.priority > s.priority)"
            )
        assert [row["id"] for row in forgotten] == []

    @invariant()
    def the_books_are_in_order(self) -> None:
        """Check that the audit holds every durable change, in order, and that its chain is complete."""
        assert self.core.flaws() == []
        rows = self.core.read("SELECT actor, action, subject FROM audit ORDER BY id")
        written = [f"{row['actor']} {row['action']} {row['subject']}" for row in rows if row["action"] not in UNSEEN]
        assert in_order(written) == in_order(self.durable.audit)

    @invariant()
    def no_alarm_is_left(self) -> None:
        """Check that every alarm has a next mark, except a TECHNICAL one that is already before a supervisor."""
        now = self.clock.now()
        for case in self.model.queue():
            view = self.core.desk.find(case.id)
            fields = view.fields(now)
            assert fields["due_s"] == (None if case.due is None else case.due - self.model.now)
            assert bool(fields["lapsed"]) == case.lapsed
            if case.on_test:
                continue
            told = (case.overdue and case.state == "waiting") or (case.lapsed and case.state == "answered")
            assert case.due is not None or (told and case.priority is Priority.TECHNICAL), case
            if view.alarm.due_mono_us is not None:
                assert now.mono_us < view.alarm.due_mono_us
                assert self.core.escalation._followed[case.id] <= view.alarm.due_mono_us

    def teardown(self) -> None:
        """End the receiver."""
        if hasattr(self, "core"):
            self._end()
        self.loop.close()
        self.folder.cleanup()


QueueMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestQueue = QueueMachine.TestCase

"""A model of the queue in plain rules: what operators may expect from it.

It follows the handbook, not the code that it checks. Seconds count from the start of the test.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from vetlla.domain.signals import Kind, Phase, Priority

CHAIN_S, LEASE_S, RUNAWAY_SIGNALS, RUNAWAY_S = 100, 60, 2, 60
T3_WARN_S, T3_MAX_S, HOLD_S, TEST_UNSEEN_S = 15, 30, 150, 40
HOMES = {"1111": "H1", "1112": "H1", "2222": "H2", "9999": "9999"}
"""Homes by account. The last account is not registered."""
STRANGER = "9999"
PEOPLE = {"ana", "berta", "sara"}
"""The operators. An alarm cannot be handed over to another name."""
URGENT = (Priority.LIFE, Priority.HOME_RISK)
"""Priorities that escalate repeatedly, and start the clock of an emergency."""
PRIORITY = {
    Kind.PERSONAL_EMERGENCY: Priority.LIFE,
    Kind.DOOR: Priority.HOME_RISK,
    Kind.BATTERY_LOW: Priority.TECHNICAL,
    Kind.PERIODIC_TEST: Priority.ROUTINE,
}


@dataclass(frozen=True, kw_only=True)
class Said:
    """A signal."""

    account: str
    kind: Kind
    phase: Phase = Phase.NEW
    device: str = "1"

    @property
    def priority(self) -> Priority:
        """The signal's priority."""
        priority = Priority.ROUTINE if self.phase is Phase.RESTORE else PRIORITY[self.kind]
        return min(priority, Priority.TECHNICAL) if self.account == STRANGER else priority


@dataclass(frozen=True, kw_only=True)
class Done:
    """An operator's action; ``alarm`` 0 is the first that waits."""

    do: str
    alarm: int
    operator: str
    force: bool = False
    to: str = "berta"


@dataclass(frozen=True, kw_only=True)
class OnTest:
    """An account put on test; 0 seconds end the test."""

    account: str
    seconds: int


class Refused(Exception):  # noqa: N818 - a refusal by the rules
    """A step that the queue does not allow."""


@dataclass(kw_only=True)
class Case:
    """An open alarm."""

    id: int
    home: str
    account: str
    on_test: bool
    priority: Priority
    began: float
    joined: float
    signals: int = 1
    runaway: bool = False
    state: str = "waiting"
    operator: str = ""
    lease: float = 0
    escalated: int = 0
    warned: bool = False
    overdue: bool = False
    """Whether it was escalated because no operator answered in time."""
    lapsed: bool = False
    """Whether it was escalated because its operator left it after the answer."""
    due: float | None = None
    """When the receiver acts by itself."""
    after: int | None = None
    """The alarm that it continues."""

    def at(self, now: float) -> Case:
        """Return the alarm at a time. With a lapsed claim it waits again."""
        lapsed = self.state == "claimed" and now >= self.lease
        return replace(self, state="waiting", operator="") if lapsed else self

    def held(self, now: float) -> bool:
        """Return True if an active operator holds the alarm."""
        return self.state in {"claimed", "answered"} and now < self.lease

    def wait(self, now: float, test_ends: float) -> None:
        """Start the wait for an answer. A test's emergency waits until the installer must be gone."""
        self.warned = self.overdue = False
        if not self.on_test:
            self.due = now + T3_WARN_S
        elif self.priority in URGENT:
            self.due = min(now + TEST_UNSEEN_S, test_ends)

    def taken(self, now: float, **changes: Any) -> Case:  # noqa: ANN401 - fields
        """Return the case as an operator's from now on, when lease and hold time begin."""
        case = replace(self, lease=now + LEASE_S, lapsed=False, **changes)
        if case.state == "answered":
            case.due = now + HOLD_S
        elif case.overdue:
            case.due = case.lease
        if case.on_test:
            case.due = self.due
        return case


@dataclass
class Model:
    """The queue."""

    now: float = 0
    open: dict[int, Case] = field(default_factory=dict)
    next: int = 1
    tests: dict[str, float] = field(default_factory=dict)
    audit: list[str] = field(default_factory=list)
    window: float = 0
    counts: dict[tuple[object, ...], int] = field(default_factory=dict)
    groups: dict[tuple[object, ...], int] = field(default_factory=dict)
    ended: dict[tuple[str, bool], tuple[float, Case]] = field(default_factory=dict)
    """Until when a closed emergency continues, by home and separately for its tests."""

    # --- actions of homes -------------------------------------------------------------------------------------------

    def hear(self, said: Said) -> None:
        """Let a signal open an alarm, join one, or only be kept."""
        on_test = self.now < self.tests.get(said.account, 0)
        source = (said.account, said.device, said.kind, said.phase, on_test)
        runaway = said.priority is not Priority.ROUTINE and self._is_runaway(source)
        before = self._continued(HOMES[said.account], on_test=on_test)
        if before is not None and self._joins(before, said.priority):
            number = self._join(before, said, runaway=runaway)
        elif said.priority is Priority.ROUTINE:
            return
        elif runaway and said.priority is not Priority.LIFE and source in self.groups:
            if self.groups[source] in self.open:
                self._join(self.open[self.groups[source]], said, runaway=True)
            return
        else:
            number = self._open(said, before, on_test=on_test, runaway=runaway)
        if runaway:
            self.groups[source] = number

    def _is_runaway(self, source: tuple[object, ...]) -> bool:
        if self.now - self.window > RUNAWAY_S:
            self.forget()
            self.window = self.now
        self.counts[source] = self.counts.get(source, 0) + 1
        return self.counts[source] > RUNAWAY_SIGNALS

    def forget(self) -> None:
        """Forget all runaway devices."""
        self.counts.clear()
        self.groups.clear()

    def _continued(self, home: str, *, on_test: bool) -> Case | None:
        cases = [case for case in self.open.values() if (case.home, case.on_test) == (home, on_test)]
        newest = max(cases, key=lambda case: case.id, default=None)
        return newest if newest and self.now - newest.joined <= CHAIN_S else None

    def _joins(self, case: Case, priority: Priority) -> bool:
        return case.state != "answered" or (self.now < case.lease and priority >= case.priority)

    def _join(self, case: Case, said: Said, *, runaway: bool) -> int:
        case.signals += 1
        if said.priority is not Priority.ROUTINE:
            case.joined = self.now
        if said.priority < case.priority:
            case.priority = said.priority
            case.wait(self.now, self.tests.get(said.account, 0))
            self.audit.append(f"receiver lift alarm {case.id}")
        if runaway and not case.runaway:
            case.runaway = True
            self.audit.append(f"receiver runaway alarm {case.id}")
        return case.id

    def _open(self, said: Said, before: Case | None, *, on_test: bool, runaway: bool) -> int:
        number = self.next
        self.next += 1
        before = before or self._emergency(HOMES[said.account], on_test=on_test)
        self.open[number] = case = Case(
            id=number,
            home=HOMES[said.account],
            account=said.account,
            on_test=on_test,
            priority=said.priority,
            began=before.began if before else self.now,
            joined=self.now,
            runaway=runaway,
            after=before.id if before else None,
        )
        case.wait(self.now, self.tests.get(said.account, 0))
        self.audit.append(f"receiver open alarm {number}")
        return number

    def _emergency(self, home: str, *, on_test: bool) -> Case | None:
        """Return the home's last emergency, if it is open or was closed within the chaining window."""
        cases = [case for case in self.open.values() if (case.home, case.on_test) == (home, on_test)]
        if urgent := [case for case in cases if case.priority in URGENT]:
            return max(urgent, key=lambda case: case.id)
        until, case = self.ended.get((home, on_test), (-1.0, None))
        return case if self.now <= until else None

    # --- actions of operators ---------------------------------------------------------------------------------------

    def put_on_test(self, test: OnTest) -> None:
        """Let an engineer put a registered account on test. Raises Refused if there is no test to end.

        The end of a test closes its calls. A repeated order keeps its emergencies apart for longer.
        """
        if test.account == STRANGER or (not test.seconds and self.now >= self.tests.get(test.account, 0)):
            raise Refused
        self.tests[test.account] = self.now + test.seconds if test.seconds else 0
        self.audit.append(f"sara test account {test.account}")
        for case in [one for one in self.open.values() if one.on_test and one.account == test.account]:
            if test.seconds:
                if case.priority in URGENT:
                    case.due = min(self.now + TEST_UNSEEN_S, self.tests[test.account])
            else:
                self._close(case)
                self.audit.append(f"sara close alarm {case.id}")

    def act(self, done: Done) -> int:
        """Let an operator act on an alarm; return its number. Raises Refused."""
        number = done.alarm or self._next_for(done.operator)
        if number not in self.open:
            raise Refused
        case = self._step(self.open[number].at(self.now), done)
        if done.do == "close":
            self._close(case)
        else:
            self.open[number] = case
        self.audit.append(f"{done.operator} {done.do} alarm {number}")
        return number

    def _close(self, case: Case) -> None:
        del self.open[case.id]
        if case.priority not in URGENT:
            return
        until, before = self.ended.get((case.home, case.on_test), (-1.0, case))
        if self.now <= until:
            newest = max(before, case, key=lambda one: one.id)
            case = replace(newest, began=min(before.began, case.began))
        self.ended[case.home, case.on_test] = (self.now + CHAIN_S, case)

    def _next_for(self, operator: str) -> int:
        """Return the operator's unanswered alarm, unless a more urgent one waits. Otherwise return the first one."""
        cases = [case for case in self.queue() if not case.on_test]
        waiting = next((case for case in cases if case.state == "waiting"), None)
        held = next((case for case in cases if (case.state, case.operator) == ("claimed", operator)), None)
        if held and (waiting is None or held.priority <= waiting.priority):
            return held.id
        return waiting.id if waiting else 0

    def _step(self, case: Case, done: Done) -> Case:
        mine = case.operator == done.operator or done.force
        match done.do:
            case "claim" | "answer":
                if done.do == "answer" and case.state == "answered":
                    raise Refused
                if case.held(self.now) and not mine:
                    raise Refused
                state = "answered" if done.do == "answer" or case.state == "answered" else "claimed"
                return case.taken(self.now, state=state, operator=done.operator)
            case "note" | "escalate":
                case = replace(case, escalated=case.escalated + (done.do == "escalate"))
                return case.taken(self.now) if case.operator == done.operator else case
            case _ if not mine:
                raise Refused
            case "hand over":
                if done.to not in PEOPLE:
                    raise Refused
                state = "claimed" if case.state == "waiting" else case.state
                return case.taken(self.now, state=state, operator=done.to)
            case _:
                return case

    # --- the passing of time ----------------------------------------------------------------------------------------

    def fall_due(self) -> None:
        """Let the receiver warn of waiting alarms, and escalate those that wait too long or were left.

        A test's emergency that is still open at its due time goes into the queue, because its installer may be gone.
        """
        while due := [case for case in self.open.values() if case.due is not None and case.due <= self.now]:
            for case in due:
                self.open[case.id] = self._told(case.at(self.now))

    def _told(self, case: Case) -> Case:
        if case.on_test:
            case = replace(case, on_test=False, warned=True)
        elif case.state != "answered" and not case.warned:
            self.audit.append(f"receiver warn alarm {case.id}")
            assert case.due is not None
            return replace(case, warned=True, due=case.due + T3_MAX_S - T3_WARN_S)
        self.audit.append(f"receiver escalate alarm {case.id}")
        again = self.now + HOLD_S if case.priority in URGENT else None
        if case.state == "claimed":
            again = case.lease
        left = case.state == "answered"
        return replace(case, escalated=case.escalated + 1, due=again, lapsed=left, overdue=case.overdue or not left)

    # --- the visible queue ------------------------------------------------------------------------------------------

    def queue(self) -> list[Case]:
        """Return the open alarms, the most urgent first, homes before strangers, then by age."""
        cases = [case.at(self.now) for case in self.open.values()]
        return sorted(cases, key=lambda case: (case.priority, case.account == STRANGER, case.began, case.id))

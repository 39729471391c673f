"""The first communication of an emergency, against a slow model and by the table of cases in docs/dispatch.md."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.alarms import Alarm, AlarmOutcome, State
from vetlla.domain.clock import SECOND_US
from vetlla.domain.signals import Kind, Priority
from vetlla.service.dispatch.first_communication import first_communication, may_begin, reasons

MINUTE = 60 * SECOND_US
WINDOW = 30 * MINUTE


def alarm(
    number: int,
    opened: float,
    closed: float | None = None,
    *,
    priority: Priority = Priority.LIFE,
    kind: Kind = Kind.PERSONAL_EMERGENCY,
    outcome: AlarmOutcome | None = AlarmOutcome.FALSE_ALARM,
    chained_to: int | None = None,
    established: float | None = None,
    on_test: bool = False,
) -> Alarm:
    """Return an alarm with its times in minutes."""
    at = round(opened * MINUTE)
    return Alarm(
        id=number,
        home="H1",
        account="1001",
        kind=kind,
        priority=priority,
        why=kind.value,
        first_signal=number,
        established_us=at - SECOND_US if established is None else round(established * MINUTE),
        opened_us=at,
        chained_to=chained_to,
        on_test=on_test,
        state=State.CLOSED if closed is not None else State.WAITING,
        closed_us=None if closed is None else round(closed * MINUTE),
        outcome=outcome if closed is not None else None,
    )


CASES = {
    "one press": ([], 100),
    "closed as a false alarm, 10 minutes before": ([alarm(1, 80, 90)], 80),
    "closed exactly the chaining time before": ([alarm(1, 60, 70)], 60),
    "closed longer before": ([alarm(1, 60, 69.9)], 100),
    "still open, however old": ([alarm(1, 10)], 10),
    "a chain of three": ([alarm(1, 30, 40), alarm(2, 65, 75)], 30),
    "a chain that is broken in the middle": ([alarm(1, 30, 40), alarm(2, 75, 80)], 75),
    "one that was open all the time carries the chain": ([alarm(1, 10, 72), alarm(2, 50, 55)], 10),
    "a hang-up, closed without an answer": ([alarm(1, 95, 96, outcome=AlarmOutcome.NO_ANSWER)], 95),
    "smoke": ([alarm(1, 95, 96, kind=Kind.SMOKE, priority=Priority.HOME_RISK)], 95),
    "a low battery": ([alarm(1, 95, 96, kind=Kind.BATTERY_LOW, priority=Priority.TECHNICAL)], 100),
    "a report that could not be read": ([alarm(1, 95, 96, kind=Kind.UNREADABLE, priority=Priority.TECHNICAL)], 95),
    "an unknown code": ([alarm(1, 95, 96, kind=Kind.UNKNOWN, priority=Priority.TECHNICAL)], 95),
    "a test that was closed as a test": ([alarm(1, 95, 96, outcome=AlarmOutcome.TEST, on_test=True)], 100),
    "a call during a test, closed as help": ([alarm(1, 95, 96, outcome=AlarmOutcome.HELP_SENT, on_test=True)], 95),
    "an operator called it a test": ([alarm(1, 95, 96, outcome=AlarmOutcome.TEST)], 95),
    "the receiver had an earlier stamp": ([alarm(1, 80, 90, established=20)], 20),
}


@pytest.mark.parametrize("case", CASES)
def test_the_table_of_cases(case: str) -> None:
    others, minute = CASES[case]
    found = first_communication(alarm(9, 100), others, WINDOW)
    assert abs(found.at_us - minute * MINUTE) <= SECOND_US
    said = " ".join(reasons(found, WINDOW, lambda at_us: f"{at_us / MINUTE:.0f}"))
    assert said.startswith("The clock starts at ")
    for one in found.chain:
        assert f"alarm {one.alarm.id}" in said


def test_what_the_receiver_chained_belongs_to_it() -> None:
    """The receiver may have had a longer chaining time than the parameter: the earlier start counts."""
    found = first_communication(alarm(9, 100, chained_to=1), [alarm(1, 40, 50)], WINDOW)
    assert found.first.id == 1
    assert "because the receiver chained it" in " ".join(reasons(found, WINDOW, str))


def test_what_a_unit_attended_starts_no_other_clock() -> None:
    found = first_communication(alarm(9, 100), [alarm(1, 80, 90), alarm(2, 95, 96)], WINDOW, {1})
    assert [one.id for one in found.alarms] == [2, 9]


def slow(target: Alarm, others: list[Alarm], window_us: int, attended: set[int]) -> set[int]:
    """Return the members, found by comparing every pair until nothing changes."""
    members = {target.id: target}
    earlier = [
        one for one in others if one.id not in attended and (one.opened_us, one.id) < (target.opened_us, target.id)
    ]
    changed = True
    while changed:
        changed = False
        for one, later in product(earlier, list(members.values())):
            if one.id in members or (one.opened_us, one.id) > (later.opened_us, later.id):
                continue
            near = one.closed_us is None or later.opened_us <= one.closed_us + window_us
            if later.chained_to == one.id or (near and may_begin(one)):
                members[one.id] = one
                changed = True
    return set(members)


@st.composite
def homes(draw: st.DrawFn) -> list[Alarm]:
    made = []
    for number in range(1, draw(st.integers(1, 9)) + 1):
        opened = draw(st.integers(0, 120))
        closed = draw(st.none() | st.integers(0, 60))
        made.append(
            alarm(
                number,
                opened,
                None if closed is None else opened + closed,
                priority=draw(st.sampled_from(list(Priority))),
                kind=draw(st.sampled_from([Kind.FALL, Kind.UNKNOWN, Kind.BATTERY_LOW])),
                outcome=draw(st.sampled_from(list(AlarmOutcome))),
                on_test=draw(st.booleans()),
                chained_to=draw(st.none() | st.integers(1, 9)),
            )
        )
    return made


@given(homes(), st.sets(st.integers(1, 9), max_size=3), st.integers(0, 60))
def test_any_order_of_alarms_gives_what_the_slow_model_gives(
    made: list[Alarm], attended: set[int], window: int
) -> None:
    *others, target = made
    found = first_communication(target, others, window * MINUTE, attended)
    members = slow(target, others, window * MINUTE, attended)
    assert {one.id for one in found.alarms} == members
    assert found.at_us == min(one.established_us for one in made if one.id in members)
    assert first_communication(target, others[::-1], window * MINUTE, attended).at_us == found.at_us


@given(homes(), st.integers(0, 60), st.integers(0, 60))
def test_more_doubt_never_gives_a_later_start(made: list[Alarm], window: int, more: int) -> None:
    """A longer chaining time, or one alarm more, starts the clock earlier or at the same time."""
    *others, target = made
    at_us = first_communication(target, others, window * MINUTE).at_us
    assert first_communication(target, others, (window + more) * MINUTE).at_us <= at_us
    assert first_communication(target, others[1:], window * MINUTE).at_us >= at_us

"""Circuits, budgets, rates, conversations and the group without reminders."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.reminders import NOW, key
from vetlla.service.reminders.arms import is_held_back
from vetlla.service.reminders.budget import PAIR_GAP, SendRate, pair_until, with_budget
from vetlla.service.reminders.circuit import FAILURES, LONGEST_PAUSE, Circuit, back_off, pair_wait
from vetlla.service.reminders.conversations import WindowEvent, is_opening, is_window_open, openings

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SECRET = bytes(32)


# --- circuits ---------------------------------------------------------------------------------------------------------


def test_a_circuit_opens_after_some_failures_in_a_row_and_closes_after_its_pause() -> None:
    circuit = Circuit()
    for _ in range(FAILURES - 1):
        circuit = circuit.failed(NOW)
    assert circuit.is_closed(NOW)
    circuit = circuit.failed(NOW, "no answer")
    assert not circuit.is_closed(NOW)
    assert circuit.is_closed(NOW + timedelta(minutes=1))
    assert circuit.succeeded() == Circuit()


def test_a_failure_after_the_pause_opens_it_for_longer_up_to_an_hour() -> None:
    circuit = Circuit()
    for _ in range(FAILURES + 1):
        circuit = circuit.failed(NOW)
    assert not circuit.is_closed(NOW + timedelta(seconds=119))
    for _ in range(100):
        circuit = circuit.failed(NOW)
    assert circuit.open_until == NOW + LONGEST_PAUSE


def test_a_stopped_channel_waits_for_a_person() -> None:
    stopped = Circuit().stopped("190")
    assert not stopped.succeeded().is_closed(NOW + timedelta(days=400))


def test_waits_grow_and_have_a_longest() -> None:
    assert [back_off(n).total_seconds() for n in (0, 1, 2, 99)] == [10, 20, 40, 900]
    assert [pair_wait(n).total_seconds() for n in (0, 1, 2, 3, 99)] == [6, 6, 16, 64, 3600]


# --- budgets and rates ------------------------------------------------------------------------------------------------


def test_the_nearest_appointments_get_the_places_that_are_left() -> None:
    wanted = [(NOW + 3 * HOUR, 1), (NOW + HOUR, 2), (NOW + 2 * HOUR, 3)]
    assert with_budget(wanted, 248, 250) == {2, 3}
    assert with_budget(wanted, 250, 250) == set()
    assert with_budget(wanted, 999, 250) == set()


def test_a_person_with_several_appointments_takes_one_place() -> None:
    assert with_budget([(NOW, 1), (NOW, 1), (NOW + HOUR, 2)], 0, 2) == {1, 2}


def test_two_messages_to_one_person_have_six_seconds_between_them() -> None:
    assert pair_until(None) is None
    assert pair_until(NOW) == NOW + PAIR_GAP


def test_a_rate_lets_a_burst_of_one_second_pass_and_then_spreads() -> None:
    rate = SendRate(10, NOW)
    waits = [rate.wait(NOW) for _ in range(15)]
    assert waits[:10] == [timedelta(0)] * 10
    assert [round(one.total_seconds(), 3) for one in waits[10:]] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert rate.wait(NOW + HOUR) == timedelta(0)
    assert rate.wait(NOW - HOUR) == timedelta(0)  # the clock was put back


@settings(deadline=None)
@given(st.lists(st.floats(0, 5), max_size=60).map(sorted))
def test_no_second_has_more_than_the_rate_and_its_burst(moments: list[float]) -> None:
    rate = SendRate(4, NOW)
    sent = sorted(moment + rate.wait(NOW + moment * SECOND).total_seconds() for moment in moments)
    assert all(sum(start <= one < start + 1 - 1e-6 for one in sent) <= 8 for start in sent)


# --- conversations ----------------------------------------------------------------------------------------------------


def test_a_template_starts_a_conversation_only_if_no_window_is_open() -> None:
    assert is_opening(NOW, None, None)
    assert not is_opening(NOW, NOW - HOUR, None)
    assert not is_opening(NOW, None, NOW - HOUR)
    assert is_opening(NOW, NOW - 24 * HOUR, NOW - 24 * HOUR)


def test_only_the_citizens_own_message_allows_a_free_answer() -> None:
    assert is_window_open(NOW, NOW - 23 * HOUR)
    assert not is_window_open(NOW, NOW - 24 * HOUR)
    assert not is_window_open(NOW, None)


def test_conversations_are_counted_per_telephone_in_any_order_of_events() -> None:
    def ours(hours: int, phone: str) -> WindowEvent:
        return WindowEvent(NOW + hours * HOUR, phone, is_reply=False)

    events = [ours(0, "a"), ours(1, "a"), ours(25, "a"), ours(0, "b"), WindowEvent(NOW + 20 * HOUR, "b", is_reply=True)]
    events += [ours(30, "b"), ours(45, "b")]
    found = openings(reversed(events))
    assert [(one.at, one.phone) for one in found] == [
        (NOW, "a"),
        (NOW, "b"),
        (NOW + 25 * HOUR, "a"),
        (NOW + 45 * HOUR, "b"),
    ]


# --- the group without reminders --------------------------------------------------------------------------------------


def test_the_choice_is_stable_and_has_about_the_share() -> None:
    held = {n for n in range(10_000) if is_held_back(key(n), 0.1, SECRET)}
    assert 850 < len(held) < 1_150
    assert held == {n for n in range(10_000) if is_held_back(key(n), 0.1, SECRET)}
    assert held < {n for n in range(10_000) if is_held_back(key(n), 0.2, SECRET)}
    assert held != {n for n in range(10_000) if is_held_back(key(n), 0.1, b"another")}


def test_no_share_and_the_whole_share() -> None:
    assert not is_held_back(key(), 0.0, SECRET)
    assert is_held_back(key(), 1.0, SECRET)

"""The timing wheel, compared with a list that is searched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vetlla.receiver.supervision.wheel import SLOT_US, Wheel

DEVICES = 12
INSTANTS = st.integers(0, 40 * SLOT_US)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, DEVICES - 1), INSTANTS),
        st.tuples(st.just("remove"), st.integers(0, DEVICES - 1), st.just(0)),
        st.tuples(st.just("pass"), st.integers(1, DEVICES), INSTANTS),
    ),
    max_size=60,
)


@given(STEPS)
def test_a_due_device_is_taken_once_and_within_a_slot(steps: list[tuple[str, int, int]]) -> None:
    """After any puts and removals no device is taken early, twice, or more than a slot late."""
    wheel, due, now_us = Wheel(), dict[int, int](), 0
    wheel.grow(DEVICES)
    for step, number, at_us in steps:
        if step == "put":
            wheel.put(number, at_us)
            due[number] = at_us
        elif step == "remove":
            wheel.remove(number)
            due.pop(number, None)
        else:
            now_us = max(now_us, at_us)
            taken = []
            while some := wheel.take(now_us, number):
                assert len(some) <= number
                taken += some
            assert len(set(taken)) == len(taken)
            assert all(due.pop(device) <= now_us for device in taken)
            assert all(later > now_us - SLOT_US for later in due.values())
    assert wheel.next_us is not None or not due


def test_no_device_is_due_in_an_empty_wheel() -> None:
    """An empty wheel has no next instant, so that no timer is needed."""
    wheel = Wheel()
    wheel.grow(1)
    assert wheel.next_us is None
    wheel.put(0, 1)
    assert wheel.next_us == SLOT_US

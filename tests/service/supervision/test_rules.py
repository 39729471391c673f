"""The rules of supervision decide on values alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.clock import SECOND_US
from vetlla.domain.signals import Event, Kind, Phase
from vetlla.service.supervision.rules import (
    Collapse,
    Expectation,
    Health,
    Pause,
    absence,
    checked_in_time,
    common_cause,
    group_failed,
    judge,
    miss_us,
    misses,
)

TOLERANCE_US = 5 * SECOND_US
RULE = Collapse(burst=4, window_s=60, share=0.5, share_least=3)


@pytest.mark.parametrize(
    ("silent_s", "missed"), [(0, 0), (900, 0), (904.9, 0), (905, 1), (1804.9, 1), (1805, 2), (2705, 3), (9000, 9)]
)
def test_a_miss_is_an_interval_and_the_tolerance(silent_s: float, missed: int) -> None:
    """A sign of life counts as missed when interval and tolerance have passed."""
    assert misses(round(silent_s * SECOND_US), 900, TOLERANCE_US) == missed


@given(st.integers(0, 50), st.integers(1, 100_000), st.integers(0, 60 * SECOND_US))
def test_the_next_miss_is_the_first_instant_at_which_there_is_one_more(
    missed: int, interval_s: int, tolerance_us: int
) -> None:
    """A check at this instant always finds the miss, and is never late."""
    at_us = miss_us(missed + 1, interval_s, tolerance_us)

    assert misses(at_us, interval_s, tolerance_us) == missed + 1
    assert misses(at_us - 1, interval_s, tolerance_us) == missed


@pytest.mark.parametrize(
    ("missed", "terminal_quiet", "state"),
    [
        (0, False, Health.OK),
        (0, True, Health.OK),
        (1, False, Health.LATE),
        (2, False, Health.LATE),
        (3, False, Health.LOST),
        (9, False, Health.LOST),
        (1, True, Health.UNKNOWN),
        (3, True, Health.UNKNOWN),
    ],
)
def test_the_state_of_a_device(missed: int, terminal_quiet: bool, state: Health) -> None:  # noqa: FBT001 - a column
    """One miss makes a device late, the allowed number makes it lost; a UCR behind a silent terminal is unknown."""
    assert judge(missed, 3, terminal_quiet=terminal_quiet) is state


@pytest.mark.parametrize(
    ("system", "code", "phase", "left"),
    [
        ("contact_id", "401", Phase.RESTORE, True),  # 3401: closing
        ("contact_id", "401", Phase.NEW, False),
        ("contact_id", "401", Phase.STATUS, None),
        ("contact_id", "441", Phase.RESTORE, None),  # armed while the user is at home
        ("contact_id", "101", Phase.NEW, None),
        ("sia_dcs", "CL", Phase.RESTORE, True),
        ("sia_dcs", "OP", Phase.NEW, False),
        ("sia_dcs", "QA", Phase.NEW, None),
        ("scaip", "0002-0003", Phase.STATUS, True),
        ("scaip", "0002-0121", Phase.STATUS, False),
        ("scaip", "0003-0010", Phase.NEW, None),
        ("elsewhere", "CL", Phase.NEW, None),
    ],
)
def test_home_and_away(system: str, code: str, phase: Phase, left: bool | None) -> None:  # noqa: FBT001 - a column
    """After a closing the user is away, after an opening at home; other events say nothing about it."""
    assert absence(Event(Kind.CONFIGURATION, phase, code, system)) is left


def test_pauses_have_words() -> None:
    """Several reasons may hold at once."""
    assert (Pause.AWAY | Pause.SUSPENDED).words == ["away", "suspended"]
    assert Pause.NONE.words == []


# --- many at once -----------------------------------------------------------------------------------------------------

SIZES = {"operator:a": 500, "cell:1": 40, "listener:dc09": 1000, "receiver": 1001}


def of(*labels: str) -> tuple[str, ...]:
    return (*labels, "listener:dc09", "receiver")


def test_few_losses_have_no_common_cause() -> None:
    """Losses below the number of a burst stay single losses."""
    assert common_cause([of("cell:1")] * 3, SIZES, RULE) is None


def test_the_smallest_group_that_explains_a_burst_names_it() -> None:
    """A cell says more than its SIM operator, and a SIM operator more than the whole receiver."""
    assert common_cause([of("operator:a", "cell:1")] * 4, SIZES, RULE) == "cell:1"
    assert common_cause([of("operator:a", f"cell:{n}") for n in range(4)], SIZES, RULE) == "operator:a"
    assert common_cause([of(f"operator:{n}") for n in range(4)], SIZES, RULE) == "listener:dc09"


def test_an_unrelated_device_in_a_burst_does_not_hide_its_cause() -> None:
    """A label on most of the losses is enough: an unrelated terminal may fail in the same minute."""
    assert common_cause([of("operator:a")] * 5 + [of("operator:b")], SIZES, RULE) == "operator:a"
    assert common_cause([of("operator:a")] * 4 + [of("operator:b")] * 2, SIZES, RULE) == "listener:dc09"


def test_an_unrelated_device_does_not_widen_an_operators_outage() -> None:
    """If an unrelated device is among the first losses, the rule waits for more losses of the operator."""
    rule = RULE._replace(burst=10)
    early = [of("operator:b")] + [of("operator:a")] * 9
    assert common_cause(early, SIZES, rule) is None
    assert common_cause([*early, of("operator:a")], SIZES, rule) == "operator:a"
    assert common_cause([of(f"operator:{n}") for n in range(10)], SIZES, rule) == "listener:dc09"


@pytest.mark.parametrize(
    ("lost", "size", "failed"), [(2, 2, False), (2, 4, False), (3, 6, True), (3, 7, False), (30, 60, True)]
)
def test_a_small_group_fails_as_a_whole(lost: int, size: int, failed: bool) -> None:  # noqa: FBT001 - a column
    """Half of the group and at least three devices must be lost; two of two are no incident."""
    assert group_failed(lost, size, RULE) is failed


@pytest.mark.parametrize(("silence_s", "in_time"), [(0, True), (2704, True), (2705, False), (90_000, False)])
def test_a_day_is_in_order_if_the_device_was_not_lost(silence_s: int, in_time: bool) -> None:  # noqa: FBT001 - a column
    """In ANS 13 a device is checked if no silence was long enough to make it lost."""
    assert checked_in_time(silence_s, Expectation(900, 3), 5.0) is in_time

"""When the communication of a file was established: the PBX's word, the file's time, and the bounds of both."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.clock import SECOND_US, Instant
from vetlla.domain.signals import FROM_CALL, FROM_FIRST_BYTE
from vetlla.receiver.listeners.spool.begun import (
    CALL_MAX_S,
    WAITED_MAX_S,
    Sighting,
    begun,
)

NOW_S = 1_796_100_000
NOW = Instant(NOW_S * SECOND_US, 5_000 * SECOND_US)
SECONDS = st.integers(-(10**10), 10**10)


def before(seconds: float) -> Instant:
    return Instant(NOW.utc_us - round(seconds * SECOND_US), NOW.mono_us - round(seconds * SECOND_US))


@pytest.mark.parametrize(
    ("written", "looked", "setup", "began", "source", "is_bounded"),
    [
        # seconds before now: the file was written, the last look, the call was set up -> the communication began
        (0, 3, 8, 8, FROM_CALL, False),
        (0, 3, None, 0, FROM_FIRST_BYTE, False),
        (2, 3, 10, 10, FROM_CALL, False),
        (2, 3, None, 2, FROM_FIRST_BYTE, False),
        (7_200, None, 7_208, 7_208, FROM_CALL, False),  # it waited for the start of the receiver
        (-1, 3, None, 0, FROM_FIRST_BYTE, False),  # a clock one second ahead
        (3_600, 5, None, 5, FROM_FIRST_BYTE, True),  # the wall clock was stepped forward
        (3_600, 5, 3_608, 13, FROM_CALL, True),
        (-3_600, 5, None, 0, FROM_FIRST_BYTE, True),  # and backward
        (0, 5, -20, 0, FROM_FIRST_BYTE, True),  # set up after its event
        (0, 5, CALL_MAX_S + 1, 0, FROM_FIRST_BYTE, True),
        (WAITED_MAX_S + 1, None, None, 0, FROM_FIRST_BYTE, True),
    ],
)
def test_when_a_communication_began(  # noqa: PLR0917 - a table
    written: int,
    looked: int | None,
    setup: int | None,
    began: int,
    source: str,
    is_bounded: bool,  # noqa: FBT001
) -> None:
    sighting = Sighting(NOW, None if looked is None else before(looked))
    said = begun((NOW_S - written) * SECOND_US, sighting, None if setup is None else NOW_S - setup)
    assert (said.instant, said.source, said.is_bounded) == (before(began), source, is_bounded)


@given(written_us=SECONDS, setup_s=st.none() | SECONDS, looked_s=st.none() | st.integers(0, 10**6))
def test_no_clock_makes_it_absurd(written_us: int, setup_s: int | None, looked_s: int | None) -> None:
    """It is never in the future, both clocks agree, and it is never longer ago than a look and a call allow."""
    at = begun(written_us * SECOND_US, Sighting(NOW, None if looked_s is None else before(looked_s)), setup_s).instant
    back_us = NOW.mono_us - at.mono_us
    assert NOW.utc_us - at.utc_us == back_us
    most_s = WAITED_MAX_S if looked_s is None else looked_s
    assert 0 <= back_us <= (most_s + CALL_MAX_S) * SECOND_US

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.accounts import Account
from vetlla.domain.signals import AccountId, Key
from vetlla.protocols.dc09 import frame as dc09_frame
from vetlla.simulator.dialects.dc09 import Dc09Home
from vetlla.simulator.weights import Mix

if TYPE_CHECKING:
    from vetlla.simulator.message import Message

KEY = Key(name="terminal-4C01", secret=bytes(range(32)))
EVENTS = Mix(alarms=1, technical=1, tests=1, heartbeats=0)


def home(*, key: Key | None = None, mix: Mix = EVENTS, seed: int = 1, clock_error_s: float = 0.0) -> Dc09Home:
    return Dc09Home(Account(account="4C01", line="2"), key, mix=mix, random=Random(seed), clock_error_s=clock_error_s)


def opened(message: Message, key: Key | None = None) -> dc09_frame.Frame:
    frame = dc09_frame.parse(message.frame, () if key is None else (key,))
    assert isinstance(frame, dc09_frame.Frame)
    return frame


@pytest.mark.parametrize("key", [None, KEY])
def test_every_message_is_a_frame_of_its_home(key: Key | None) -> None:
    """A message is a frame with the home's account, its number and its data, encrypted if the home has a key."""
    caller = home(key=key)
    for _ in range(50):
        message = caller.next()
        frame = opened(message, key)
        assert frame.id == AccountId("", "2", "4C01")
        assert (frame.token, frame.sequence, frame.data) == (message.token, message.sequence, message.data)
        assert frame.sealed is (key is not None)
        assert not frame.quirks


def test_the_same_seed_gives_the_same_messages() -> None:
    """Two homes with the same seed send the same data with the same numbers. Another seed gives other data."""

    def story(seed: int) -> list[tuple[str, bytes]]:
        caller = home(seed=seed)
        return [(message.sequence, message.data) for message in (caller.next() for _ in range(100))]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_numbers_run_to_9999_and_start_over_without_repeating_a_report() -> None:
    """After 9999 comes 0001, and no number is used twice with the same data."""
    caller = home(mix=Mix(alarms=0, technical=0, tests=1, heartbeats=0))
    told = [(message.sequence, message.data) for message in (caller.next() for _ in range(25_000))]
    numbers = [int(sequence) for sequence, _ in told]
    assert all(after == before % 9999 + 1 for before, after in pairwise(numbers))
    assert len(set(told)) == len(told)


def test_heartbeats_carry_0000_unless_they_travel_with_others() -> None:
    """A NULL has no number alone, and has one if it travels with other messages."""
    caller = home(mix=Mix(alarms=0, technical=0, tests=0, heartbeats=1))
    assert {caller.next().sequence for _ in range(3)} == {"0000"}
    assert "0000" not in {caller.next(numbered=True).sequence for _ in range(3)}


def test_a_condition_ends_before_it_begins_again() -> None:
    """Reports of lost and restored mains alternate."""
    caller = home(mix=Mix(alarms=0, technical=1, tests=0, heartbeats=0), seed=1)
    reports = [message.data.removeprefix(b"#4C01|") for message in (caller.next() for _ in range(60))]
    mains = [report for report in reports if report[1:4] == b"301"]
    assert len(mains) > 10, "this seed speaks Contact ID"
    assert {before + after for before, after in pairwise(mains)} == {
        b"1301 00 0003301 00 000",
        b"3301 00 0001301 00 000",
    }


def test_a_wrong_clock_shows_in_the_frame_until_the_receiver_corrects_it() -> None:
    """The timestamp is from the home's own clock. After set_clock a repeat has the receiver's time."""
    caller = home(key=KEY, clock_error_s=-312)
    message = caller.next()
    stamp = opened(message, KEY).timestamp
    assert stamp is not None
    assert timedelta(seconds=300) < datetime.now(UTC) - stamp < timedelta(seconds=330)
    assert caller.set_clock(datetime.now(UTC))
    assert not caller.set_clock(datetime.now(UTC)), "the second NAK changes nothing"
    caller.seal(message)
    corrected = opened(message, KEY).timestamp
    assert corrected is not None
    assert abs(datetime.now(UTC) - corrected) < timedelta(seconds=10)

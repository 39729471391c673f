"""Calls and mishaps of a simulated line receiver: the same seed gives the same ones, and each fault is what it says."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.recordings import STREAMS, decode
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Reject, Reply, Signal
from vetlla.protocols.automation.fields import LineForm
from vetlla.simulator.line_receiver.calls import Calls, invented_accounts
from vetlla.simulator.line_receiver.mishaps import arrival
from vetlla.simulator.line_receiver.plan import ReceiverPlan
from vetlla.simulator.weights import LineFaults, Mix

FRAME = b"5011 189001E60200001\x14"
ACCOUNTS = invented_accounts(3, 4)


def plan(**changed: object) -> ReceiverPlan:
    values: dict[str, object] = {"protocol": "surgard", "accounts": ACCOUNTS, "seed": 7, **changed}
    return ReceiverPlan(**values)  # type: ignore[arg-type]


def told(made: ReceiverPlan, count: int) -> list[bytes]:
    return [message.frame for call in islice(Calls(made), count) for message in call]


def test_a_seed_repeats_the_calls() -> None:
    assert told(plan(), 50) == told(plan(), 50)
    assert told(plan(), 50) != told(plan(seed=8), 50)


def test_no_two_calls_are_alike() -> None:
    """A home's reports have other zones, so that a computer cannot take one for the repetition of another."""
    frames = told(plan(mix=Mix(alarms=0, technical=0, tests=1, heartbeats=0)), 5000)
    assert len(set(frames)) == 5000


def test_homes_call_on_their_lines() -> None:
    lines = {message.home.account: message.home.line for call in islice(Calls(plan(lines=2)), 50) for message in call}
    assert lines == {"9001": "1", "9002": "2", "9003": "1"}


def test_accounts_fit_their_width() -> None:
    assert invented_accounts(2, 6) == ("900001", "900002")
    with pytest.raises(UsageError, match="999 homes"):
        invented_accounts(1000, 4)


@pytest.mark.parametrize("changed", [{"accounts": ()}, {"lines": 0}, {"lines": 33}])
def test_a_plan_has_bounds(changed: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        plan(**changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"accounts": ("357000000000001",)},
        {"accounts": ("HOME",)},
        {"receiver": "100"},
        {"protocol": "ademco685", "faults": LineFaults(caller=0.1)},
        {"form": LineForm(end="none"), "faults": LineFaults(caller=0.1)},
    ],
)
def test_what_cannot_be_written_is_said_before_the_first_call(changed: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="cannot send"):
        Calls(plan(**changed))


def items(pieces: list[bytes]) -> list[str]:
    found = decode(STREAMS["surgard"].make(lambda _: ()), pieces)
    return [{Signal: "signal", Reject: "reject", Reply: "NAK"}[type(item)] for item in found]


@given(seed=st.integers(0, 10_000))
def test_each_mishap_is_what_it_says(seed: int) -> None:
    """A computer answers what arrives as often as the mishap says: the receiver waits for that number of answers."""
    for fault, signals in (("damage", 0), ("parity", 0), ("endless", 1), ("duplicate", 2), ("torn", 1)):
        pieces, more_answers = arrival(FRAME, LineFaults(**{fault: 1.0}), Random(seed))
        found = items(pieces)
        assert found.count("signal") == signals, fault
        assert found.count("signal") + found.count("NAK") == 1 + more_answers, fault
    pieces, more_answers = arrival(FRAME, LineFaults(glued=1.0), Random(seed))
    assert len(items(pieces)) > 1
    assert more_answers == 0  # copies in one read are answered once
    assert b"".join(pieces).count(b"\x14") == 1
    assert arrival(FRAME, LineFaults(), Random(seed)) == ([FRAME], 0)


@pytest.mark.parametrize("text", ["storm", "torn=2", "torn=x"])
def test_faults_of_a_line_have_names_and_bounds(text: str) -> None:
    with pytest.raises(UsageError):
        LineFaults.parse(text)
    assert LineFaults.parse("torn,glued=.5") == LineFaults(torn=0.1, glued=0.5)

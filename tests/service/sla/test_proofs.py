"""ANS 7: calls of which it is not known whether they came in or went out keep nothing, and are no breach."""

from __future__ import annotations

from datetime import date

import pytest

from vetlla.domain.calls import CallKey, CallOutcome, CallRecord, Direction, PhoneCall, Tie, TieMethod
from vetlla.domain.service_levels import LevelVerdict
from vetlla.service.sla.proofs import ProofTally
from vetlla.settings.shipped import parameters_file
from vetlla.tasks.parameters import read_parameters

MARCH = date(2026, 3, 1)
READING = read_parameters(parameters_file(), "--parameters").on(MARCH)
NOW_US = 1_773_000_000_000_000
UNANSWERED = CallRecord(
    direction=Direction.IN, started=NOW_US, caller="900000001", called="900000100", outcome=CallOutcome.ABANDONED
)
OF_HOME = Tie(TieMethod.BY_HAND, "H1")


def call(number: int, **changes: object) -> PhoneCall:
    """Return a call that has its proofs: it is registered and in a file, and was not answered."""
    record = UNANSWERED._replace(**changes)  # type: ignore[arg-type]
    return PhoneCall(number, CallKey("", str(number)), record, (), OF_HOME)


@pytest.mark.parametrize(
    ("other", "verdict", "unmeasured"),
    [
        ({}, LevelVerdict.KEPT, 0),
        ({"direction": None}, LevelVerdict.NOT_MEASURED, 1),
        ({"outcome": None}, LevelVerdict.NOT_KEPT, 0),
    ],
)
def test_a_call_of_unknown_direction_keeps_the_level_from_being_kept(
    other: dict[str, object], verdict: LevelVerdict, unmeasured: int
) -> None:
    tally = ProofTally()
    tally.add(call(1))
    tally.add(call(2, **other))
    found = tally.figure(7, MARCH, READING)
    assert (found.verdict, found.unmeasured) == (verdict, unmeasured)
    assert found.parts[0].denominator == 2 - unmeasured

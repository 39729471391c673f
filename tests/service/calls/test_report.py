"""The figures of a month: integers decide, abandoned calls are apart, and the hours are local."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.calls import ERASED, CallKey, CallOutcome, CallRecord, Direction, Party, PhoneCall, Tie, TieMethod
from vetlla.domain.clock import SECOND_US, to_us
from vetlla.service.calls.follow_up import least_seconds, refusal
from vetlla.service.calls.report import CallFigures, Limits, figures, limits_of
from vetlla.settings.shipped import parameters_file
from vetlla.tasks.parameters import read_parameters

MADRID = ZoneInfo("Europe/Madrid")
LIMITS = Limits(15, 90, 30)
NOON = to_us(datetime(2026, 11, 3, 12, tzinfo=MADRID))
S = SECOND_US


NO_HOME = Tie(TieMethod.UNKNOWN)


def call(t3_us: int | None = 5 * S, number: int = 1, tie: Tie = NO_HOME, **changes: object) -> PhoneCall:
    """Return a call in that was answered after some time, with other values as given."""
    answered = None if t3_us is None else NOON + t3_us
    values: dict[str, object] = {
        "direction": Direction.IN, "started": NOON, "ready": NOON, "answered": answered, "ended": NOON + 100 * S,
        "caller": "+34900000001", "outcome": CallOutcome.ANSWERED,
    }  # fmt: skip
    return PhoneCall(number, CallKey("", str(number)), CallRecord(**values | changes), (), tie)  # type: ignore[arg-type]


def of(*calls: PhoneCall) -> CallFigures:
    """Return the figures of calls."""
    return figures(calls, LIMITS, MADRID)


def test_the_limits_are_those_of_the_tender() -> None:
    """ANS 6: 15 s for 90 %, never more than 30 s."""
    reading = read_parameters(parameters_file(), "--parameters").on(date(2026, 11, 1))
    assert limits_of(reading) == LIMITS
    assert least_seconds(reading) == 30


@given(st.lists(st.integers(0, 40 * S) | st.sampled_from([15 * S, 15 * S + 1, 30 * S, 30 * S + 1]), max_size=30))
def test_ans_6_against_a_slow_count(times: list[int]) -> None:
    """At the limit is within it, and a microsecond more is not; the share needs no rounding."""
    found = of(*(call(t3_us) for t3_us in times))
    assert found.timed == len(times)
    assert found.within == sum(time <= 15 * S for time in times)
    assert len(found.breaches) == sum(time > 30 * S for time in times)
    assert found.t3_max_us == max(times, default=0)
    kept = None if not times else 10 * found.within >= 9 * len(times) and max(times) <= 30 * S
    assert found.is_kept is kept


def test_each_call_in_is_counted_once() -> None:
    """Answered, abandoned, lost and undecided are apart; only answered calls have a t3."""
    late = call(None, outcome=CallOutcome.ABANDONED, ended=NOON + 90 * S)
    found = of(
        call(),
        call(ready=None),
        late,
        call(None, outcome=CallOutcome.NO_ANSWER),
        call(None, outcome=CallOutcome.QUEUED),
        call(None, outcome=None),
        call(-S),
    )
    assert (found.incoming, found.answered, found.abandoned, found.lost, found.undecided) == (7, 3, 1, 1, 2)
    assert (found.timed, found.untimed, found.share, found.is_kept) == (1, 2, Decimal("100.0"), None)


@pytest.mark.parametrize("unknown", [{"ready": None}, {"outcome": None, "answered": None}])
def test_calls_without_a_time_never_keep_ans_6(unknown: dict[str, Any]) -> None:
    """One of them may have waited too long; one that certainly did still breaks the level."""
    assert of(call()).is_kept is True
    assert of(call(), call(**unknown)).is_kept is None
    assert of(call(31 * S), call(**unknown)).is_kept is False


def test_ans_7_counts_both_directions() -> None:
    """Registered, recorded and filed have denominators of their own; an erased call still counts."""
    home = Tie(TieMethod.PHONE, "H1")
    found = of(
        call(tie=home, recording="a.wav", digest=b"1"),
        call(recording="a.wav"),  # without a hash
        call(recording=ERASED, digest=b"1", caller="", tie=home),
        call(direction=Direction.OUT, called="+34900000112", party=Party.SERVICE, outcome=CallOutcome.NO_ANSWER),
        call(direction=Direction.OUT, party=Party.USER),  # its number is unknown
        call(direction=None),
    )
    assert (found.all, found.outgoing, found.out_answered) == (5, 2, 1)
    assert (found.registered, found.talks, found.recorded, found.filed, found.erased) == (4, 4, 2, 3, 1)


@pytest.mark.parametrize(("day", "hour"), [((2026, 7, 1), 9), ((2026, 12, 1), 9), ((2026, 10, 25), 2)])
def test_the_busiest_hour_is_local(day: tuple[int, int, int], hour: int) -> None:
    """Summer and winter time are in the same hour; both 02:00 hours of October are one band."""
    begun = [to_us(datetime(*day, hour, 30, fold=fold, tzinfo=MADRID)) for fold in (0, 1)]
    other = to_us(datetime(*day, 12, tzinfo=MADRID))
    found = of(*(call(started=time) for time in (*begun, other)))
    assert (found.busiest, found.hours[hour], sum(found.hours)) == (hour, 2, 3)


def test_a_month_without_calls_says_nothing() -> None:
    """No share and no busiest hour are made up."""
    found = of()
    assert (found.share, found.is_kept, found.busiest) == (None, None, None)


HOME = Tie(TieMethod.PHONE, "H1")


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (call(tie=HOME), ""),
        (call(tie=HOME, direction=Direction.OUT), ""),
        (call(70 * S, tie=HOME), ""),
        (call(70 * S + 1, tie=HOME), "29 s of talk, and a follow-up needs 30 s"),
        (call(tie=HOME, ended=None), "it is unknown how long the call lasted"),
        (call(None, tie=HOME, outcome=CallOutcome.NO_ANSWER), "the call was not answered"),
        (call(tie=Tie(TieMethod.PHONE, "H2")), "the call is tied to home H2"),
        (call(), "the call is tied to no home"),
    ],
)
def test_a_call_counts_as_a_follow_up(one: PhoneCall, why: str) -> None:
    """Answered, of that home, and long enough; in either direction (tender, section 5)."""
    assert refusal(one, "H1", 30) == why


def test_the_directions_of_a_follow_up_can_be_chosen() -> None:
    """A programme may count only the calls that the centre makes."""
    assert refusal(call(tie=HOME), "H1", 30, {Direction.OUT}) == "the direction of the call does not count"

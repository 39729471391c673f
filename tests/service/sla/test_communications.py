"""ANS 5 and 6: *t2* and *t3* of all communications against a slow count, at and around the limits."""

from __future__ import annotations

from datetime import UTC, date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.clock import SECOND_US
from vetlla.domain.communications import Communication, CommunicationSource
from vetlla.domain.service_levels import LevelVerdict
from vetlla.service.sla.communications import Seen, t2_figure, t3_figure
from vetlla.service.sla.comparing import combined
from vetlla.service.sla.durations import Durations
from vetlla.settings.shipped import parameters_file
from vetlla.tasks.parameters import read_parameters

MONTH = date(2026, 10, 1)
NOW_US = 2_000_000_000 * SECOND_US
SEEN = Seen(MONTH, UTC, NOW_US)
PARAMETERS = read_parameters(parameters_file(), "--parameters")
AROUND = st.sampled_from([0, 1, 14, 15, 16, 19, 20, 21, 29, 30, 31, 90]).flatmap(
    lambda second: st.integers(-1, 1).map(lambda step: max(0, second * SECOND_US + step))
)


def communication(**changes: object) -> Communication:
    """Return an answered alarm of a terminal; ``changes`` replace fields."""
    found = Communication(
        source=CommunicationSource.TERMINAL,
        number=1,
        home="H1",
        begun_us=NOW_US - 10**12,
        priority="life",
        t2_us=0,
        t3_us=0,
        waits_since_us=None,
        is_routine=False,
        on_test=False,
        was_abandoned=False,
    )
    return found._replace(**changes)  # type: ignore[arg-type]


MANY = st.lists(
    st.builds(
        communication,
        source=st.sampled_from(CommunicationSource),
        t2_us=st.none() | AROUND,
        t3_us=AROUND,
        is_routine=st.booleans(),
        on_test=st.booleans(),
    ),
    max_size=40,
)


@given(MANY)
def test_t2_of_terminals_against_a_slow_count(many: list[Communication]) -> None:
    found = t2_figure(5, many, PARAMETERS.on(MONTH), SEEN)
    of_terminals = [one for one in many if one.source is CommunicationSource.TERMINAL]
    measured = [one.t2_us for one in of_terminals if one.t2_us is not None]
    within = [one for one in measured if Fraction(one, SECOND_US) <= 20]
    assert found.unmeasured == len(of_terminals) - len(measured)
    if not of_terminals:
        assert found.verdict is LevelVerdict.NOT_MEASURED
        return
    (part,) = found.parts
    assert (part.numerator, part.denominator) == (len(within), len(measured))
    assert found.breach_count == len(measured) - len(within)


@given(MANY)
def test_t3_against_a_slow_count(many: list[Communication]) -> None:
    found = t3_figure(6, many, PARAMETERS.on(MONTH), SEEN)
    counted = [one for one in many if not one.is_routine and not one.on_test]
    if not counted:
        assert found.verdict is LevelVerdict.NOT_MEASURED
        return
    within, never, *others = found.parts
    t3s = [Fraction(one.t3_us or 0, SECOND_US) for one in counted]
    assert (within.numerator, within.denominator) == (sum(t3 <= 15 for t3 in t3s), len(t3s))
    assert (never.numerator, never.denominator) == (sum(t3 <= 30 for t3 in t3s), len(t3s))
    assert [part.name for part in others] == (
        [] if any(one.source is CommunicationSource.PHONE for one in counted) else ["phone_calls"]
    )
    kept = Fraction(within.numerator, within.denominator) >= Fraction(9, 10) and never.numerator == never.denominator
    assert (found.verdict is LevelVerdict.NOT_KEPT) is not kept
    hours = sum(group.denominator for group in found.groups if group.by == "hour")
    assert hours == len(counted)


def answered(measured: int, unmeasured: int) -> list[Communication]:
    """Return calls that were answered at once, and calls that were answered after a time that was not recorded."""
    phone = communication(source=CommunicationSource.PHONE)
    return [phone] * measured + [phone._replace(t3_us=None)] * unmeasured


@pytest.mark.parametrize(
    ("share", "measured", "unmeasured", "verdicts"),
    [
        (90, 1, 8, ["not_measured", "not_measured"]),
        (90, 9, 1, ["kept", "not_measured"]),
        (90, 8, 1, ["not_measured", "not_measured"]),
        (90, 9, 0, ["kept", "kept"]),
        (90, 0, 1, ["not_measured", "not_measured", "not_measured"]),
    ],
)
def test_a_level_is_not_kept_by_the_calls_that_happen_to_have_a_time(
    share: int, measured: int, unmeasured: int, verdicts: list[str]
) -> None:
    """None may wait longer than 30 s, and one without a time may have."""
    assert PARAMETERS.on(MONTH).integer("calls.t3_share") == share
    found = t3_figure(6, answered(measured, unmeasured), PARAMETERS.on(MONTH), SEEN)
    assert [part.verdict for part in found.parts] == verdicts
    assert (found.verdict, found.unmeasured) == (combined([part.verdict for part in found.parts]), unmeasured)


def test_a_call_without_a_time_does_not_hide_one_that_was_too_late() -> None:
    late = communication(source=CommunicationSource.PHONE, t3_us=31 * SECOND_US)
    found = t3_figure(6, [*answered(1, 8), late], PARAMETERS.on(MONTH), SEEN)
    assert found.verdict is LevelVerdict.NOT_KEPT


@pytest.mark.parametrize(
    ("age_s", "verdict", "counts"), [(59, LevelVerdict.KEPT, (1, 0)), (60, LevelVerdict.NOT_MEASURED, (0, 1))]
)
def test_a_report_whose_stamps_are_not_written_yet_is_undecided(
    age_s: int, verdict: LevelVerdict, counts: tuple[int, int]
) -> None:
    """The receiver writes them after the commit. It will never write those of an older one."""
    fresh = communication(t2_us=None, t3_us=None, begun_us=NOW_US - age_s * SECOND_US)
    many = [*answered(1, 0), communication(), fresh]
    for found in (t2_figure(5, many, PARAMETERS.on(MONTH), SEEN), t3_figure(6, many, PARAMETERS.on(MONTH), SEEN)):
        assert (found.verdict, (found.undecided, found.unmeasured)) == (verdict, counts)


def test_terminal_alarms_alone_never_prove_ans_6() -> None:
    found = t3_figure(6, [communication()], PARAMETERS.on(MONTH), SEEN)
    assert found.verdict is LevelVerdict.NOT_MEASURED


@pytest.mark.parametrize(("waited_s", "breaches", "undecided"), [(30, 0, 1), (31, 1, 0)])
def test_an_alarm_that_still_waits_breaks_the_level_once_it_is_too_late(
    waited_s: int, breaches: int, undecided: int
) -> None:
    waiting = communication(t3_us=None, waits_since_us=NOW_US - waited_s * SECOND_US)
    found = t3_figure(6, [waiting, communication()], PARAMETERS.on(MONTH), SEEN)
    assert (found.breach_count, found.undecided) == (breaches, undecided)


def test_abandoned_calls_are_shown_and_left_out_by_parameter() -> None:
    gone = communication(source=CommunicationSource.PHONE, t3_us=None, was_abandoned=True)
    found = t3_figure(6, [gone, communication()], PARAMETERS.on(MONTH), SEEN)
    assert [(one.name, one.denominator) for one in found.groups if one.by == "left_out"] == [("abandoned", 1)]
    assert found.parts[0].denominator == 1
    assert "sla.t3.abandoned" in found.assumed


@given(st.lists(AROUND, min_size=1, max_size=60))
def test_the_90th_percentile_is_the_shortest_that_nine_of_ten_do_not_exceed(many: list[int]) -> None:
    durations = Durations("t3", [15 * SECOND_US])
    for one in many:
        durations.add(one)
    spread = durations.spread()
    slow = min(value for value in many if sum(other <= value for other in many) * 10 >= 9 * len(many))
    assert (spread.cases, spread.p90_us, spread.longest_us) == (len(many), slow, max(many))
    assert sum(spread.counts) == len(many)
    assert sum(spread.counts[:15]) == sum(one <= 15 * SECOND_US for one in many)

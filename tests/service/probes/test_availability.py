"""Availability from probes, compared with a slow model that looks at each second by itself."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.clock import SECOND_US, last_of_month, to_us
from vetlla.domain.probes import Probe, ProbedPart, ProbeResult
from vetlla.service.probes.availability import (
    ComponentTime,
    Condition,
    Overlap,
    ProbeRule,
    component_time,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

MADRID: Final = ZoneInfo("Europe/Madrid")
LENGTH: Final = 300
"""Seconds of the time that the model looks at."""


def probe(at_s: int, result: ProbeResult = ProbeResult.OK, machine: str = "m1", reason: str = "") -> Probe:
    """Return a probe that starts at a second."""
    told = reason or ("" if result is ProbeResult.OK else f"{result} at {at_s}")
    return Probe(machine, "dc09-tcp", ProbedPart.SYSTEM, at_s * SECOND_US, 1_000, result, told)


PROBES: Final = st.lists(
    st.builds(probe, st.integers(-40, LENGTH + 20), st.sampled_from(ProbeResult), st.sampled_from(["m1", "m2", "m3"])),
    max_size=25,
    unique_by=lambda one: (one.machine, one.started_us),
)


def second_by_second(probes: Sequence[Probe], gap_s: int, overlap: Overlap) -> list[Condition]:
    """Return the condition in each second: of each machine its newest probe counts, if it is new enough."""
    found: list[Condition] = []
    for second in range(LENGTH):
        newest: dict[str, Probe] = {}
        for one in sorted(probes, key=lambda one: one.started_us):
            if one.started_us <= second * SECOND_US:
                newest[one.machine] = one
        looks = [
            one.result is ProbeResult.OK
            for one in newest.values()
            if second * SECOND_US < one.started_us + gap_s * SECOND_US
        ]
        if not looks:
            found.append(Condition.UNSEEN)
        elif any(looks) if overlap is Overlap.ANY else all(looks):
            found.append(Condition.AVAILABLE)
        else:
            found.append(Condition.UNAVAILABLE)
    return found


def measured(probes: Sequence[Probe], gap_s: int, overlap: Overlap) -> ComponentTime:
    """Return what the rule finds."""
    rule = ProbeRule(gap_s * SECOND_US, overlap)
    return component_time(sorted(probes, key=lambda one: one.started_us), 0, LENGTH * SECOND_US, rule)


@given(PROBES, st.integers(1, 90), st.sampled_from(Overlap))
def test_each_second_counts_as_the_slow_model_says(probes: list[Probe], gap_s: int, overlap: Overlap) -> None:
    """Overlapping machines, gaps, probes before the begin and behind the end."""
    model, found = second_by_second(probes, gap_s, overlap), measured(probes, gap_s, overlap)
    counted = (found.available_us, found.unavailable_us, found.unseen_us)
    assert counted == tuple(model.count(one) * SECOND_US for one in Condition)
    assert found.total_us == LENGTH * SECOND_US
    noted = [Condition.AVAILABLE] * LENGTH
    for span in found.spans:
        for second in range(span.begin_us // SECOND_US, span.end_us // SECOND_US):
            noted[second] = span.condition
    assert noted == model
    assert len(found.spans) == found.span_count


@given(PROBES, st.integers(1, 90), st.sampled_from(Overlap), st.randoms(use_true_random=False))
def test_the_order_of_machines_does_not_matter(
    probes: list[Probe], gap_s: int, overlap: Overlap, random: Random
) -> None:
    """Probes of several machines that start in the same second may come in any order."""
    shuffled = list(probes)
    random.shuffle(shuffled)
    assert measured(shuffled, gap_s, overlap) == measured(probes, gap_s, overlap)


@pytest.mark.parametrize(("month", "hours"), [("2026-03", 743), ("2026-10", 745), ("2026-11", 720), ("2026-02", 672)])
def test_a_month_with_a_clock_change_has_its_real_length(month: str, hours: int) -> None:
    """In the zone of the service, March is an hour shorter and October an hour longer."""
    first = date.fromisoformat(f"{month}-01")
    begin, end = (
        to_us(datetime(day.year, day.month, day.day, tzinfo=MADRID))
        for day in (first, date.fromordinal(last_of_month(first).toordinal() + 1))
    )
    hourly = [probe(at_us // SECOND_US) for at_us in range(begin, end, 3_600 * SECOND_US)]
    found = component_time(hourly, begin, end, ProbeRule(3_600 * SECOND_US, Overlap.ALL))
    assert (found.available_us, found.total_us) == (hours * 3_600 * SECOND_US,) * 2
    assert found.spans == []


@given(
    PROBES,
    st.lists(st.integers(1, LENGTH - 1), max_size=4, unique=True).map(sorted),
    st.integers(1, 90),
    st.sampled_from(Overlap),
)
def test_the_time_of_each_day_is_that_of_a_span_of_its_own(
    probes: list[Probe], edges: list[int], gap_s: int, overlap: Overlap
) -> None:
    """The days add up to the whole, whatever condition holds over midnight."""
    ordered = sorted(probes, key=lambda one: one.started_us)
    rule = ProbeRule(gap_s * SECOND_US, overlap)
    at = [edge * SECOND_US for edge in (0, *edges, LENGTH)]
    found = component_time(ordered, at[0], at[-1], rule, at[1:-1])
    parts = [component_time(ordered, begin, end, rule) for begin, end in pairwise(at)]
    kinds = ("available_us", "unavailable_us", "unseen_us")
    assert [[getattr(day, kind) for kind in kinds] for day in found.days] == [
        [getattr(part, kind) for kind in kinds] for part in parts
    ]
    assert sum(day.total_us for day in found.days) == found.total_us == LENGTH * SECOND_US


def test_an_outage_names_the_probe_that_began_it_and_the_machines_that_looked() -> None:
    """The first machine had failed before, while another one still vouched; a third one looked later."""
    probes = [
        probe(10, machine="m2"),
        probe(20, ProbeResult.FAILED, machine="m1", reason="refused"),
        probe(30, ProbeResult.TIMEOUT, machine="m2", reason="no answer"),
        probe(40, ProbeResult.FAILED, machine="m3", reason="reset"),
        probe(50, machine="m3"),
    ]
    (_, span, *_) = measured(probes, 60, Overlap.ANY).spans
    assert (span.begin_us, span.end_us) == (30 * SECOND_US, 50 * SECOND_US)
    assert (span.failed, span.failed_us, span.reason) == ("m2", 30 * SECOND_US, "no answer")
    assert span.looked == ("m1", "m2", "m3")


def test_an_outage_begins_with_the_first_failed_probe_and_ends_with_the_next_good_one() -> None:
    """Failures that follow each other are one outage, with the reason of the first."""
    probes = [
        probe(0),
        probe(30, ProbeResult.TIMEOUT, reason="no answer in 5 s"),
        probe(60, ProbeResult.FAILED),
        probe(90),
    ]
    (span, rest) = measured(probes, 120, Overlap.ANY).spans
    assert (span.begin_us, span.end_us, span.reason) == (30 * SECOND_US, 90 * SECOND_US, "no answer in 5 s")
    assert (rest.begin_us, rest.condition) == (210 * SECOND_US, Condition.UNSEEN)


def test_one_machine_without_network_makes_an_outage_only_if_all_must_reach_it() -> None:
    """The parameter availability.overlap decides."""
    probes = [probe(at, machine="m1") for at in range(0, LENGTH, 30)]
    probes += [probe(at, ProbeResult.TIMEOUT, machine="m2") for at in range(60, 120, 30)]
    probes += [probe(120, machine="m2")]
    assert measured(probes, 60, Overlap.ANY).unavailable_us == 0
    assert measured(probes, 60, Overlap.ALL).unavailable_us == 60 * SECOND_US

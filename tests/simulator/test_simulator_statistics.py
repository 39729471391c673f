from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vetlla.simulator.statistics import Counts, Latencies, conclude

PERCENTS = (50, 90, 99, 100)


@given(st.lists(st.integers(0, 60_000_000), min_size=1, max_size=200))
def test_percentiles_are_those_of_the_sorted_list_within_a_thousandth(latencies: list[int]) -> None:
    """A percentile is at most 0.2 % below the nearest rank of the sorted values. The maximum is exact."""
    histogram = Latencies()
    for latency in latencies:
        histogram.add(latency)
    ranked = sorted(latencies)
    for percent in PERCENTS:
        exact = ranked[-(-len(ranked) * percent // 100) - 1]
        found = histogram.percentile(percent)
        assert found is not None
        assert exact * 0.998 <= found <= exact
    assert histogram.max == ranked[-1]


def test_a_run_without_an_answer_has_no_latency_and_is_not_complete() -> None:
    """If nothing was acknowledged, there are no percentiles and the report is not complete."""
    report = conclude(Counts(told=3, lost=3), homes=1, seconds=2.0)
    assert (report.p50_us, report.max_us, report.per_second, report.complete) == (None, None, 0.0, False)


def test_a_run_is_complete_when_every_report_was_acknowledged() -> None:
    """Throughput counts acknowledgements. Repeats and NAKs do not make a run incomplete."""
    report = conclude(Counts(told=10, acknowledged=10, repeated=4, nak=1), homes=2, seconds=2.0)
    assert (report.per_second, report.complete) == (5.0, True)

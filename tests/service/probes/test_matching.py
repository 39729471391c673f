"""Signals of probes are found among those of the journal, each test for one probe."""

from __future__ import annotations

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.clock import SECOND_US
from vetlla.domain.probes import Probe, ProbedPart, ProbeResult, SeenThrough
from vetlla.service.probes.matching import LISTED_MOST, SKEW_US, HeardTest, matched

TIMES: Final = st.lists(st.integers(0, 200), max_size=20).map(sorted)


def probe(at_us: int) -> Probe:
    """Return a probe that was acknowledged after a second."""
    part, result, through = ProbedPart.SYSTEM, ProbeResult.OK, SeenThrough.ACK
    return Probe("m1", "dc09", part, at_us, SECOND_US, result, "", through, "99001")


def most(starts: list[int], heard: list[int]) -> int:
    """Return the largest number of pairs, by trying to pair each probe in turn (augmenting paths)."""
    owner: dict[int, int] = {}

    def pair(start: int, seen: set[int]) -> bool:
        for place, at in enumerate(heard):
            if starts[start] - 5 <= at <= starts[start] + 6 and place not in seen:
                seen.add(place)
                if place not in owner or pair(owner[place], seen):
                    owner[place] = start
                    return True
        return False

    return sum(pair(start, set()) for start in range(len(starts)))


@given(TIMES, TIMES)
def test_as_many_are_found_as_can_be(starts: list[int], heard: list[int]) -> None:
    """Clocks may differ by 5 s, so a test may be that of several probes."""
    found = matched(
        [probe(at * SECOND_US) for at in starts], [HeardTest(at * SECOND_US, is_placed=at % 2 == 0) for at in heard]
    )
    assert found.acknowledged == len(starts)
    assert found.in_journal == most(starts, heard)
    assert found.missing_count == len(found.missing) == len(starts) - found.in_journal
    unplaced = [HeardTest(at * SECOND_US, is_placed=False) for at in heard]
    assert matched([probe(at * SECOND_US) for at in starts], unplaced).placed == 0


def test_the_skew_is_exact() -> None:
    begin, end = 100 * SECOND_US, 101 * SECOND_US
    for at, is_found in ((begin - SKEW_US - 1, 0), (begin - SKEW_US, 1), (end + SKEW_US, 1), (end + SKEW_US + 1, 0)):
        assert matched([probe(begin)], [HeardTest(at, is_placed=True)]).in_journal == is_found


def test_missing_signals_are_counted_beyond_those_that_are_named() -> None:
    found = matched((probe(at) for at in range(LISTED_MOST + 5)), [])
    assert (len(found.missing), found.missing_count) == (LISTED_MOST, LISTED_MOST + 5)

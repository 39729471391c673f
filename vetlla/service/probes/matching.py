"""Finds the signals of probes among those that the journal of the receiver has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.probes import Probe

SKEW_US: Final = 5 * SECOND_US
"""How far the clocks of a machine and of the receiver may differ. With NTP they differ by milliseconds."""
LISTED_MOST: Final = 1_000
"""Missing signals that are named one by one; the others are counted."""


class HeardTest(NamedTuple):
    """A periodic test that the journal has."""

    received_us: int
    is_placed: bool
    """Whether the receiver has placed it and told the desks."""


@dataclass(slots=True)
class Matching:
    """What the journal has of the signals of an account that probes saw acknowledged."""

    acknowledged: int = 0
    in_journal: int = 0
    placed: int = 0
    missing: list[Probe] = field(default_factory=list)
    """The first ``LISTED_MOST`` probes whose signal the journal does not have."""

    @property
    def missing_count(self) -> int:
        """How many signals the journal does not have."""
        return self.acknowledged - self.in_journal


def matched(probes: Iterable[Probe], heard: Iterable[HeardTest]) -> Matching:
    """Match the probes of one account with the tests of the journal; each test proves one probe at most.

    Both are in the order of their time. A probe gets the first test that no earlier probe has, and that was received
    while it ran, give or take ``SKEW_US``.
    """
    found, tests = Matching(), iter(heard)
    test = next(tests, None)
    for probe in probes:
        found.acknowledged += 1
        while test is not None and test.received_us < probe.started_us - SKEW_US:
            test = next(tests, None)
        if test is not None and test.received_us <= probe.ended_us + SKEW_US:
            found.in_journal += 1
            found.placed += test.is_placed
            test = next(tests, None)
        elif len(found.missing) < LISTED_MOST:
            found.missing.append(probe)
    return found

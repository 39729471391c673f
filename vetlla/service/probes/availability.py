"""What time of a span each component was available, from the probes of one or several machines.

A probe vouches for the time from its start until the next probe of the same machine, at most for ``gap_us``:

    machine A    ok───────────────▶ok──────▶failed────▶ok─────
    machine B         ok────────▶           ok──────────────▶
    any          available                  available          one machine that reached it is enough
    all          available          ─       unavailable ─      each machine that looked must have reached it

Time for which no machine vouches is *unseen*. It is counted apart, and never as available. The spans are microseconds
UTC, so a month with a clock change has its real length.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.probes import ProbeResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.domain.probes import Probe

SPANS_MOST: Final = 100_000
"""Spans of a component that are kept one by one. A month of probes each 30 s that alternate has 89,000."""


class Overlap(StrEnum):
    """What holds when machines disagree about a component."""

    ANY = "any"
    """It is available if one machine reached it: the others may have lost their own network."""
    ALL = "all"
    """It is available only if each machine that looked reached it."""


class Condition(StrEnum):
    """What is known of a component in a span of time."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    UNSEEN = "unseen"


class ProbeRule(NamedTuple):
    """How probes become time."""

    gap_us: int
    """Longest time for which a probe vouches."""
    overlap: Overlap


class ProbedSpan(NamedTuple):
    """A span of time in which a component was not available, or not seen; its end is excluded."""

    begin_us: int
    end_us: int
    condition: Condition
    reason: str
    """Why the probe failed with which it begins; empty for unseen time."""
    failed: str = ""
    """The machine of that probe; empty for unseen time."""
    failed_us: int = 0
    """When that probe started."""
    looked: tuple[str, ...] = ()
    """The machines whose probes vouch for some of the time, by name."""

    @property
    def length_us(self) -> int:
        """Its length."""
        return self.end_us - self.begin_us


@dataclass(slots=True)
class ConditionTime:
    """Time by its condition. The three add up to the whole time."""

    available_us: int = 0
    unavailable_us: int = 0
    unseen_us: int = 0

    @property
    def total_us(self) -> int:
        """The whole time."""
        return self.available_us + self.unavailable_us + self.unseen_us

    def add(self, condition: Condition, length_us: int) -> None:
        """Count some time."""
        match condition:
            case Condition.AVAILABLE:
                self.available_us += length_us
            case Condition.UNAVAILABLE:
                self.unavailable_us += length_us
            case Condition.UNSEEN:
                self.unseen_us += length_us


@dataclass(slots=True)
class ComponentTime(ConditionTime):
    """The time of a component in a span."""

    probes: int = 0
    """Probes that vouch for a part of the time."""
    spans: list[ProbedSpan] = field(default_factory=list)
    """Times in which it was not available or not seen, in their order; at most ``SPANS_MOST``."""
    span_count: int = 0
    """Number of all such times."""
    days: list[ConditionTime] = field(default_factory=list)
    """The time of each day: up to the first edge of ``component_time``, and from each edge to the next one."""


class _Voucher(NamedTuple):
    started_us: int
    until_us: int
    result: ProbeResult
    reason: str


def component_time(
    probes: Iterable[Probe], begin_us: int, end_us: int, rule: ProbeRule, edges: Sequence[int] = ()
) -> ComponentTime:
    """Return the time of one component from ``begin_us`` to ``end_us``, which is excluded.

    ``probes`` are those of all machines in the order of their start. Those from before the begin count if they vouch
    for a time behind it. ``edges`` are the begins of days between begin and end, in their order.
    """
    sweep = _Sweep(begin_us, end_us, rule, edges)
    for probe in probes:
        if probe.started_us + rule.gap_us > begin_us and probe.started_us < end_us:
            sweep.take(probe)
    return sweep.ended()


class _Sweep:
    """Goes through the time once, with the newest probe of each machine."""

    def __init__(self, begin_us: int, end_us: int, rule: ProbeRule, edges: Sequence[int]) -> None:
        self._at_us = begin_us
        self._end_us = end_us
        self._rule = rule
        self._vouchers: dict[str, _Voucher] = {}
        self._time = ComponentTime(days=[ConditionTime() for _ in range(len(edges) + 1)])
        self._ends = [*edges, end_us]
        self._day = 0

    def take(self, probe: Probe) -> None:
        self._advance(probe.started_us)
        until_us = probe.started_us + self._rule.gap_us
        self._vouchers[probe.machine] = _Voucher(probe.started_us, until_us, probe.result, probe.reason)
        self._time.probes += 1

    def ended(self) -> ComponentTime:
        self._advance(self._end_us)
        return self._time

    def _advance(self, until_us: int) -> None:
        while self._vouchers and (first := min(one.until_us for one in self._vouchers.values())) < until_us:
            self._count(first)
            self._vouchers = {name: one for name, one in self._vouchers.items() if one.until_us > first}
        self._count(until_us)

    def _count(self, until_us: int) -> None:
        """Count the time until then under the condition that holds now."""
        until_us = min(until_us, self._end_us)
        if until_us <= self._at_us:
            return
        condition = self._condition()
        self._time.add(condition, until_us - self._at_us)
        if condition is not Condition.AVAILABLE:
            self._note(self._span(until_us, condition))
        while self._at_us < until_us:
            reached_us = min(until_us, self._ends[self._day])
            self._time.days[self._day].add(condition, reached_us - self._at_us)
            self._at_us = reached_us
            self._day += reached_us == self._ends[self._day]

    def _condition(self) -> Condition:
        if not self._vouchers:
            return Condition.UNSEEN
        failed = sum(one.result is not ProbeResult.OK for one in self._vouchers.values())
        is_up = not failed if self._rule.overlap is Overlap.ALL else failed < len(self._vouchers)
        return Condition.AVAILABLE if is_up else Condition.UNAVAILABLE

    def _span(self, until_us: int, condition: Condition) -> ProbedSpan:
        """Return the time until then. If several machines failed, the newest of their probes has begun it."""
        failed = [(-one.started_us, name, one) for name, one in self._vouchers.items() if one.result != ProbeResult.OK]
        if not failed:
            return ProbedSpan(self._at_us, until_us, condition, "")
        _, name, one = min(failed)
        looked = tuple(sorted(self._vouchers))
        return ProbedSpan(self._at_us, until_us, condition, one.reason, name, one.started_us, looked)

    def _note(self, span: ProbedSpan) -> None:
        spans = self._time.spans
        if spans and spans[-1].end_us == span.begin_us and spans[-1].condition is span.condition:
            looked = spans[-1].looked
            if not set(span.looked) <= set(looked):
                looked = tuple(sorted({*looked, *span.looked}))
            spans[-1] = spans[-1]._replace(end_us=span.end_us, looked=looked)
            return
        self._time.span_count += 1
        if len(spans) < SPANS_MOST:
            spans.append(span)

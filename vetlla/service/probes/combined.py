"""The availability of several components together: each has its weight, and unseen time its rule."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.service.probes.availability import Overlap, ProbeRule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.probes import ProbedPart
    from vetlla.service.parameters import Reading
    from vetlla.service.probes.availability import ComponentTime, ConditionTime


class Unseen(StrEnum):
    """How time counts that no probe saw."""

    UNAVAILABLE = "unavailable"
    EXCLUDED = "excluded"
    """It is in neither number. It never counts as available."""


class Together(NamedTuple):
    """Time available and time in all, in microseconds times the weight of each component."""

    available: int
    total: int


def probe_rule(reading: Reading) -> ProbeRule:
    """Return how probes become time (``availability.probe_gap_s`` and ``availability.overlap``).

    Raises ConfigError.
    """
    gap_s = reading.integer("availability.probe_gap_s", least=1)
    return ProbeRule(gap_s * SECOND_US, reading.choice("availability.overlap", Overlap))


def unseen_rule(reading: Reading) -> Unseen:
    """Return how unseen time counts (``availability.unseen``). Raises ConfigError."""
    return reading.choice("availability.unseen", Unseen)


def named_components(reading: Reading, part: ProbedPart) -> list[str]:
    """Return the components that must be probed (``availability.components.PART``), in the order of the file."""
    return list(dict.fromkeys(reading.names(f"availability.components.{part}")))


def together(times: Mapping[str, ConditionTime], reading: Reading) -> Together:
    """Return the time of all components, each with its weight (``availability.weight.NAME``)."""
    is_excluded = unseen_rule(reading) is Unseen.EXCLUDED
    available = total = 0
    for name, time in sorted(times.items()):
        weight = reading.integer(f"availability.weight.{name}", "availability.weight")
        available += weight * time.available_us
        total += weight * (time.total_us - time.unseen_us * is_excluded)
    return Together(available, total)


def by_day(times: Mapping[str, ComponentTime], reading: Reading) -> list[Together]:
    """Return the time of all components on each day, which adds up to that of ``together``."""
    days = zip(*(time.days for time in times.values()), strict=True)
    return [together(dict(zip(times, day, strict=True)), reading) for day in days]

"""The proof for the standard that every terminal and UCR is checked automatically at its period (ANS 13).

What is counted is device-days: one device on one day of the service. Each is of exactly one kind: supervised (for some
time of it at least) or not; each supervised one was checked in time or is a breach. Everything here is a sum of whole
numbers over device-days, so the days add up to the month and whoever has the devices' lines can count again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from vetlla.service.supervision.rules import Expectation, Pause, checked_in_time

if TYPE_CHECKING:
    from collections.abc import Iterable

NO_RECEIVER = "no_receiver"
"""The whole day passed without a receiver."""
NO_REASON = "no_reason"
"""None was noted down: above all of devices that joined in the course of the day."""


class Verdict(StrEnum):
    """What a device's day comes to."""

    CHECKED = "checked"
    BREACH = "breach"
    NOT_SUPERVISED = "not_supervised"


class Counted(Protocol):
    """A device's day as the ledger has it."""

    @property
    def interval_s(self) -> int:
        """Seconds between two signs of life, as configured; 0: nobody said."""

    @property
    def allowed_misses(self) -> int:
        """Signs of life in a row that make it lost by failing to come."""

    @property
    def supervised_s(self) -> int:
        """Seconds of the day in which it was supervised."""

    @property
    def received(self) -> int:
        """Signs of life."""

    @property
    def longest_s(self) -> int:
        """Longest silence that ended on the day, or lasted at its end."""

    @property
    def reasons(self) -> int:
        """Flags of ``Pause``: why it was not supervised for a part of the day."""


class Whole(NamedTuple):
    """What is the same for every device on a day."""

    observed_s: int
    """Length of the day (23, 24 or 25 hours) without the time in which there was no receiver."""
    tolerance_s: float


class Judged(NamedTuple):
    """A device's day with its verdict."""

    verdict: Verdict
    expected_milli: int
    """Thousandths of signs of life that were to be expected in the supervised time, rounded down."""
    unsupervised_s: int
    why: str
    """Reasons of the time in which it was not supervised, "away+suspended"; empty where there is none."""


def judged(day: Counted, whole: Whole) -> Judged:
    """Judge a device's day."""
    supervised_s, interval_s = day.supervised_s, day.interval_s
    unsupervised_s = max(0, whole.observed_s - supervised_s)
    if supervised_s and interval_s:
        expectation = Expectation(interval_s, day.allowed_misses)
        in_time = checked_in_time(day.longest_s, expectation, whole.tolerance_s)
        why = _why(day.reasons, NO_REASON) if unsupervised_s else ""
        verdict = Verdict.CHECKED if in_time else Verdict.BREACH
        return Judged(verdict, supervised_s * 1000 // interval_s, unsupervised_s, why)
    fallback = NO_REASON if whole.observed_s > 0 else NO_RECEIVER
    return Judged(Verdict.NOT_SUPERVISED, 0, unsupervised_s, _why(day.reasons, fallback))


def _why(reasons: int, fallback: str) -> str:
    return "+".join(Pause(reasons).words) or fallback


class Period(NamedTuple):
    """How often devices were to be heard, as configured."""

    interval_s: int
    allowed_misses: int


@dataclass(slots=True)
class Sums:
    """Device-days, added up."""

    device_days: int = 0
    supervised: int = 0
    """Device-days that were supervised, all day or a part of it."""
    partial: int = 0
    """Of these, those that were supervised for a part of the day only."""
    checked: int = 0
    breaches: int = 0
    supervised_s: int = 0
    unsupervised_s: int = 0
    """Of device-days in the fleet, whole or partial."""
    expected_milli: int = 0
    received: int = 0
    not_supervised: Counter[str] = field(default_factory=Counter)
    """By reason: device-days of which no second was supervised."""
    partial_s: Counter[str] = field(default_factory=Counter)
    """By reason: unsupervised seconds of device-days that were supervised for the rest."""
    periods: Counter[Period] = field(default_factory=Counter)
    """Supervised device-days."""

    def add(self, day: Counted, found: Judged) -> None:
        """Add a device's day."""
        self.device_days += 1
        self.received += day.received
        self.unsupervised_s += found.unsupervised_s
        if found.verdict is Verdict.NOT_SUPERVISED:
            self.not_supervised[found.why] += 1
            return
        self.supervised += 1
        self.supervised_s += day.supervised_s
        self.expected_milli += found.expected_milli
        self.periods[Period(day.interval_s, day.allowed_misses)] += 1
        if found.verdict is Verdict.CHECKED:
            self.checked += 1
        else:
            self.breaches += 1
        if found.unsupervised_s:
            self.partial += 1
            self.partial_s[found.why] += found.unsupervised_s

    @property
    def share(self) -> str | None:
        """Checked of supervised device-days in percent, never rounded up; None: nothing was supervised."""
        if not self.supervised:
            return None
        thousandths = 100_000 * self.checked // self.supervised
        return f"{thousandths // 1000}.{thousandths % 1000:03}"

    @property
    def kept(self) -> bool | None:
        """Whether every supervised device-day was checked in time; None: nothing was supervised."""
        return self.checked == self.supervised if self.supervised else None


def total(parts: Iterable[Sums]) -> Sums:
    """Return the sum of sums."""
    whole = Sums()
    for part in parts:
        for name in Sums.__dataclass_fields__:
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
    return whole


NOTES = (
    "period as configured; the contract's (PPT 5.14) is not known to this program",
    "a device-day counts as checked when the device was never silent for as long as makes it lost; see allowed_misses",
)
"""Footnotes of every report."""

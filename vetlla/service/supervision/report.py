"""Proves the standard that every terminal and UCR is checked automatically at its interval (ANS 13).

The unit is the device-day: one device on one day of the service. A device-day is either supervised, for the whole day
or a part of it, or not supervised. A supervised one was either checked in time or is a breach. All figures are sums of
whole numbers over device-days, so the days add up to the month, and the lines of the devices can be counted again.
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
"""No reason was recorded; the usual case is a device that joined during the day."""


class Verdict(StrEnum):
    """Result of a device-day."""

    CHECKED = "checked"
    BREACH = "breach"
    NOT_SUPERVISED = "not_supervised"


class Counted(Protocol):
    """A device-day as the ledger stores it."""

    @property
    def interval_s(self) -> int:
        """Seconds between two signs of life, as configured; 0 if no interval was set."""

    @property
    def allowed_misses(self) -> int:
        """Number of missed signs of life in a row that makes it lost."""

    @property
    def supervised_s(self) -> int:
        """Seconds of the day in which it was supervised."""

    @property
    def received(self) -> int:
        """Number of signs of life."""

    @property
    def longest_s(self) -> int:
        """Longest silence in seconds that ended on the day or still lasted at its end."""

    @property
    def reasons(self) -> int:
        """Flags of ``Pause`` with the reasons why it was not supervised for a part of the day."""


class DayBounds(NamedTuple):
    """Figures of a day that are the same for every device."""

    observed_s: int
    """Length of the day (23, 24 or 25 hours) without the time in which no receiver ran."""
    tolerance_s: float


class DayVerdict(NamedTuple):
    """Result of a device-day with its figures."""

    verdict: Verdict
    expected_milli: int
    """Expected signs of life in the supervised time, in thousandths, rounded down."""
    unsupervised_s: int
    why: str
    """Reasons for the unsupervised time, such as "away+suspended"; empty if there is no such time."""


def judged(day: Counted, whole: DayBounds) -> DayVerdict:
    """Return the result of a device-day."""
    supervised_s, interval_s = day.supervised_s, day.interval_s
    unsupervised_s = max(0, whole.observed_s - supervised_s)
    if supervised_s and interval_s:
        expectation = Expectation(interval_s, day.allowed_misses)
        in_time = checked_in_time(day.longest_s, expectation, whole.tolerance_s)
        why = _why(day.reasons, NO_REASON) if unsupervised_s else ""
        verdict = Verdict.CHECKED if in_time else Verdict.BREACH
        return DayVerdict(verdict, supervised_s * 1000 // interval_s, unsupervised_s, why)
    fallback = NO_REASON if whole.observed_s > 0 else NO_RECEIVER
    return DayVerdict(Verdict.NOT_SUPERVISED, 0, unsupervised_s, _why(day.reasons, fallback))


def _why(reasons: int, fallback: str) -> str:
    return "+".join(Pause(reasons).words) or fallback


class Period(NamedTuple):
    """Interval and allowed misses as configured."""

    interval_s: int
    allowed_misses: int


@dataclass(slots=True)
class Sums:
    """Sums over device-days."""

    device_days: int = 0
    supervised: int = 0
    """Device-days that were supervised for the whole day or a part of it."""
    partial: int = 0
    """Supervised device-days that were supervised only for a part of the day."""
    checked: int = 0
    breaches: int = 0
    supervised_s: int = 0
    unsupervised_s: int = 0
    """Unsupervised seconds of all device-days, supervised or not."""
    expected_milli: int = 0
    received: int = 0
    not_supervised: Counter[str] = field(default_factory=Counter)
    """Number of device-days without a supervised second, by reason."""
    partial_s: Counter[str] = field(default_factory=Counter)
    """Unsupervised seconds of device-days that were supervised for the rest, by reason."""
    periods: Counter[Period] = field(default_factory=Counter)
    """Number of supervised device-days, by period."""

    def add(self, day: Counted, found: DayVerdict) -> None:
        """Add a device-day."""
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
        """Percentage of supervised device-days that were checked, never rounded up; None if nothing was supervised."""
        if not self.supervised:
            return None
        thousandths = 100_000 * self.checked // self.supervised
        return f"{thousandths // 1000}.{thousandths % 1000:03}"

    @property
    def kept(self) -> bool | None:
        """Whether every supervised device-day was checked in time; None if nothing was supervised."""
        return self.checked == self.supervised if self.supervised else None


def total(parts: Iterable[Sums]) -> Sums:
    """Return the total of several sums."""
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

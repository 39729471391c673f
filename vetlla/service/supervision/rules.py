"""The rules of supervision: when a silent device is late or lost, and when its state is unknown.

A device with the interval ``interval_s`` is *late* after one missed sign of life and *lost* after ``allowed_misses`` in
a row (telecare-service facts, section 4: k consecutive misses, 3 by default). A UCR is heard through its terminal, so
while the terminal is silent, its UCRs are *unknown* and never become lost. A device that is not supervised is shown as
not supervised, never as ok.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.domain.signals import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vetlla.domain.signals import Event


class Health(IntEnum):
    """State of a device. The numbers are small, because one is stored for each of a million devices."""

    UNKNOWN = 0
    OK = 1
    LATE = 2
    LOST = 3
    NOT_SUPERVISED = 4

    @property
    def word(self) -> str:
        """The state as a word for people and JSON."""
        return self.name.lower()


class Pause(IntFlag):
    """Why a device is not supervised; several reasons may hold at once."""

    NONE = 0
    NO_INTERVAL = 1
    """No interval is set for it."""
    AWAY = 2
    """The user left the home, so its pendants may be out of reach (Home/Away, telecare-ip facts, 1.9)."""
    SUSPENDED = 4
    """The home's service is suspended or not active."""
    WAREHOUSE = 8
    ORDERED = 16
    """A person paused it with `vetlla supervision pause`."""
    REMOVED = 32
    """It is no longer in the registry."""
    UNREGISTERED = 64
    """It is a UCR that reports itself in a home with registered UCRs, but is not one of them."""

    @property
    def words(self) -> list[str]:
        """The reasons as words for people and JSON."""
        return [str(one.name).lower() for one in type(self) if one in self]


class Expectation(NamedTuple):
    """A device's interval in seconds, and how many misses make it lost."""

    interval_s: int
    allowed_misses: int


def miss_us(number: int, interval_s: int, tolerance_us: int) -> int:
    """Return the length of the silence with which this many signs of life are missed; each may be late by a tolerance.

    Only this function decides when a device is late or lost; counts, deadlines and proofs call it.
    """
    return number * interval_s * SECOND_US + tolerance_us


def misses(silent_us: int, interval_s: int, tolerance_us: int) -> int:
    """Return how many signs of life were missed during a silence: the inverse of ``miss_us``."""
    first_us = miss_us(1, interval_s, tolerance_us)
    if silent_us < first_us:
        return 0
    return 1 + (silent_us - first_us) // (miss_us(2, interval_s, tolerance_us) - first_us)


def judge(missed: int, allowed_misses: int, *, terminal_quiet: bool) -> Health:
    """Return the state of a supervised device that missed ``missed`` signs of life in a row.

    ``terminal_quiet``: the terminal through which it is heard is late or lost, so its own silence proves nothing.
    """
    if not missed:
        return Health.OK
    if terminal_quiet:
        return Health.UNKNOWN
    return Health.LOST if missed >= allowed_misses else Health.LATE


# --- Home and Away ----------------------------------------------------------------------------------------------------

_CLOSINGS = frozenset({"400", "401", "402", "403", "405", "407", "408", "409", "451", "452"})
"""Contact ID (SIA DC-05): 1 is an opening, 3 is a closing."""
_LEFT = {("sia_dcs", "CL"), ("sia_dcs", "CA"), ("scaip", "0003"), ("scaip", "0012")}
_BACK = {("sia_dcs", "OP"), ("sia_dcs", "OA"), ("scaip", "0121"), ("scaip", "0030")}
"""SIA DC-03: closing and opening report; SCAIP status codes: absent and armed, present and disarmed."""


def absence(event: Event) -> bool | None:
    """Return True if an event means that the user left the home, False if the user is back, None for other events."""
    if event.system == "contact_id":
        if event.code not in _CLOSINGS or event.phase is Phase.STATUS:
            return None
        return event.phase is Phase.RESTORE
    code = event.code.rpartition("-")[2]  # SCAIP: device type and status code
    if (event.system, code) in _LEFT:
        return True
    return False if (event.system, code) in _BACK else None


# --- many at once -----------------------------------------------------------------------------------------------------


class Collapse(NamedTuple):
    """Limits above which the losses of many devices are one incident.

    They are ``burst`` losses within ``window_s``, or a share of a small group (a cell) within one interval.
    """

    burst: int = 10
    window_s: float = 60.0
    share: float = 0.5
    share_least: int = 3
    """Least number of losses in a small group, because two losses in a group of two are no incident."""


MOSTLY = 0.8
"""A label on this share of the losses explains them; the smallest such group gives the incident its name."""


def common_cause(losses: Sequence[Iterable[str]], sizes: Mapping[str, int], rule: Collapse) -> str | None:
    """Return the label that explains the losses, given the labels of each loss; None if they are no incident.

    ``sizes``: the number of supervised devices with each label. Of the labels that cover most of the losses, the one
    with the smallest group wins, since "this SIM operator" says more than "all devices". If that label has too few
    losses, there is no incident yet: otherwise one unrelated loss in the same minute would give it a wider label.
    """
    if len(losses) < rule.burst:
        return None
    counts: dict[str, int] = {}
    for labels in losses:
        for label in labels:
            counts[label] = counts.get(label, 0) + 1
    covering = [label for label, count in counts.items() if count >= MOSTLY * len(losses)]
    smallest = min(covering, key=lambda label: (sizes[label], label), default=None)
    return smallest if smallest is not None and counts[smallest] >= rule.burst else None


def group_failed(lost: int, size: int, rule: Collapse) -> bool:
    """Return True if ``lost`` losses within one interval mean that a small group failed as a whole."""
    return lost >= rule.share_least and lost >= rule.share * size


# --- the monthly standard (ANS 13) ------------------------------------------------------------------------------------


def checked_in_time(longest_silence_s: int, expectation: Expectation, tolerance_s: float) -> bool:
    """Return True if a device was checked in time on a day: no silence was long enough to make it lost."""
    return longest_silence_s < lost_after_s(expectation, tolerance_s)


def lost_after_s(expectation: Expectation, tolerance_s: float) -> int:
    """Return the shortest silence in whole seconds with which a device is not checked in time."""
    lost_us = miss_us(expectation.allowed_misses, expectation.interval_s, round(tolerance_s * SECOND_US))
    return -(-lost_us // SECOND_US)

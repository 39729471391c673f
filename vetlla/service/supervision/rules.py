"""The rules of supervision: when a quiet device is late, when it is lost, and when nobody may say so.

A device that is expected every ``interval_s`` is *late* when one sign of life failed to come and *lost* when
``allowed_misses`` in a row did (telecare-service facts, section 4: k consecutive misses, 3 by default). A pendant (UCR)
is heard through its terminal: while the terminal is quiet itself, its UCRs are *unknown*, never lost. Whoever is not
supervised is shown as that, never as ok.
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
    """What is known of a device; small numbers, since there is one for each of a million."""

    UNKNOWN = 0
    OK = 1
    LATE = 2
    LOST = 3
    NOT_SUPERVISED = 4

    @property
    def word(self) -> str:
        """The state as people and JSON read it."""
        return self.name.lower()


class Pause(IntFlag):
    """Why a device is not supervised; several reasons may hold at once."""

    NONE = 0
    NO_INTERVAL = 1
    """Nobody said how often it is to be heard."""
    AWAY = 2
    """The home was left: its pendants may be out of reach (Home/Away, telecare-ip facts, 1.9)."""
    SUSPENDED = 4
    """The home's service is suspended, or not active at all."""
    WAREHOUSE = 8
    ORDERED = 16
    """Somebody paused it: `vetlla supervision pause`."""
    REMOVED = 32
    """It is in the registry no more."""
    UNREGISTERED = 64
    """A UCR that reports itself in a home whose UCRs are registered, and is none of them."""

    @property
    def words(self) -> list[str]:
        """The reasons as people and JSON read them."""
        return [str(one.name).lower() for one in type(self) if one in self]


class Expectation(NamedTuple):
    """How often a device is to be heard, in seconds, and how many misses make it lost."""

    interval_s: int
    allowed_misses: int


def misses(silent_us: int, interval_s: int, tolerance_us: int) -> int:
    """Return how many signs of life failed to come during a silence; each is given ``tolerance_us`` to arrive."""
    return max(0, silent_us - tolerance_us) // (interval_s * SECOND_US)


def next_miss_us(missed: int, interval_s: int, tolerance_us: int) -> int:
    """Return the length of silence at which one more sign of life has failed to come."""
    return (missed + 1) * interval_s * SECOND_US + tolerance_us


def judge(missed: int, allowed_misses: int, *, terminal_quiet: bool) -> Health:
    """Return the state of a supervised device that missed so many signs of life in a row.

    ``terminal_quiet``: the terminal through which it is heard is late or lost itself, so its silence says nothing.
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
    """Say whether an event means that the home was left (True), that somebody is back (False), or neither (None)."""
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
    """When the losses of many are one incident.

    Either ``burst`` of them within ``window_s``, or a share of a small group (a cell) within one interval.
    """

    burst: int = 10
    window_s: float = 60.0
    share: float = 0.5
    share_least: int = 3
    """Of a group of two, two lost are no incident."""


MOSTLY = 0.8
"""A label that covers this share of a burst explains it; the smallest such group names the incident."""


def common_cause(losses: Sequence[Iterable[str]], sizes: Mapping[str, int], rule: Collapse) -> str | None:
    """Return the label that explains a burst of losses, given each one's labels; None: there is no burst.

    ``sizes``: how many supervised devices carry each label. Of the labels that cover most of the burst the one of the
    smallest group is named, since "the operator" says more than "everybody". While it has too few there is none yet: a
    stranger who was lost in the same minute would make it everybody's.
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
    """Say whether so many losses within one interval mean that a small group failed as a whole."""
    return lost >= rule.share_least and lost >= rule.share * size


# --- the monthly standard (ANS 13) ------------------------------------------------------------------------------------


def checked_in_time(longest_silence_s: int, expectation: Expectation, tolerance_s: float) -> bool:
    """Say whether a device was checked at its period on a day: it was never silent for as long as makes it lost."""
    return longest_silence_s < expectation.allowed_misses * expectation.interval_s + tolerance_s

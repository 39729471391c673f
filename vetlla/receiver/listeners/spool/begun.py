"""Decides when the communication of a file was established, which is where *t2* begins.

The PBX may tell when it set up the call (its UNIQUEID). Otherwise the file itself is the first byte. Both are stamps of
a wall clock, and a wall clock may be stepped. So the time that a file waited is bounded by what the monotonic clock
knows: the file was not there at an earlier look. A file that waited for the start of the receiver has no such bound.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vetlla.domain.clock import SECOND_US, Instant
from vetlla.domain.signals import FROM_CALL, FROM_FIRST_BYTE

CALL_MAX_S: Final = 3_600
"""Longest time from the set-up of a call to its first event. A longer one is a clock that was set in between."""
WAITED_MAX_S: Final = 30 * 86_400
"""Longest time that a file may have waited for the start. A longer one is a clock that was never set."""
CLOCKS_APART_US: Final = 2 * SECOND_US
"""Difference of two clocks that is not logged. UNIQUEID has whole seconds, and a file server has a clock of its own."""


class Sighting(NamedTuple):
    """When a file was first seen."""

    at: Instant
    since: Instant | None
    """An earlier moment at which it was not there; None if the receiver had not looked before."""


class Begun(NamedTuple):
    """When a communication was established, and how that is known."""

    instant: Instant
    source: str
    is_bounded: bool
    """True if a wall clock told something else, which was not believed."""


def begun(mtime_us: int, sighting: Sighting, setup_s: int | None) -> Begun:
    """Return when the communication of a file began. ``setup_s`` is the second of the call's set-up, if the PBX told.

    Whether the set-up is believed depends on the file alone, so that a file that is read twice says the same twice.
    """
    at, since = sighting
    rang_us = None if setup_s is None else mtime_us - setup_s * SECOND_US
    is_call = rang_us is not None and 0 <= rang_us <= CALL_MAX_S * SECOND_US
    told_us = at.utc_us - mtime_us
    most_us = WAITED_MAX_S * SECOND_US if since is None else at.mono_us - since.mono_us
    waited_us = max(0, told_us) if told_us <= most_us else 0 if since is None else most_us
    back_us = waited_us + (rang_us if rang_us is not None and is_call else 0)
    is_bounded = abs(told_us - waited_us) > CLOCKS_APART_US or (rang_us is not None and not is_call)
    instant = Instant(at.utc_us - back_us, at.mono_us - back_us)
    return Begun(instant, FROM_CALL if is_call else FROM_FIRST_BYTE, is_bounded)

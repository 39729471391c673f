"""What one attempt to reach a component came to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.probes import REASON_MOST, ProbeResult, SeenThrough

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias


class Attempt(NamedTuple):
    """How an attempt ended."""

    result: ProbeResult
    reason: str = ""
    through: SeenThrough = SeenThrough.NOTHING
    ended_ns: int = 0
    """When the answer came, monotonic; 0 if that is now. Goodbyes to the peer are not counted."""


if TYPE_CHECKING:
    Prober: TypeAlias = Callable[[], Awaitable[Attempt]]
    """Reaches a component once, in a bounded time."""

ACKNOWLEDGED: Final = Attempt(ProbeResult.OK, "", SeenThrough.ACK)


def acknowledged() -> Attempt:
    """Return that the right answer came now."""
    return ACKNOWLEDGED._replace(ended_ns=time.monotonic_ns())


def failed(reason: str) -> Attempt:
    """Return that an error or a wrong answer came now."""
    return Attempt(ProbeResult.FAILED, plain(reason), ended_ns=time.monotonic_ns())


def timed_out(seconds: float, tries: int = 1) -> Attempt:
    """Return that no answer came in time."""
    times = f", {tries} times" if tries > 1 else ""
    return Attempt(ProbeResult.TIMEOUT, f"no answer in {seconds:g} s{times}", ended_ns=time.monotonic_ns())


def plain(reason: str) -> str:
    """Return a reason as a line can carry it: printable, and not too long. A peer can be its author."""
    return "".join(one if one.isprintable() else " " for one in reason)[:REASON_MOST]

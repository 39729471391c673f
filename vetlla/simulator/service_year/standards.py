"""How long communications of the generated year wait for an answer, so that ANS 6 is kept or broken as planned.

Tender 20220428, section 16.6: *t3* is at most 15 s for 90 % of the communications that come in, and never over 30 s.
In ``SHORT`` one answer in time is missing, and in ``EXACT`` none is. Each holds for calls, for urgent alarms and for
technical ones alone, and so for any of them together, because the tender does not say if technical ones count. In
``LATE`` some calls and urgent alarms wait too long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.simulator.service_year.telling import Planted

if TYPE_CHECKING:
    import random

    from vetlla.service.parameters import Reading

SHORT: Final = 4
"""Month in which one communication too many was answered late, so that the share is missed by one."""
LATE: Final = 6
"""Month in which some communications waited longer than ever is allowed."""
EXACT: Final = 9
"""Month in which exactly the share was answered in time."""
SLOW_PERCENT: Final = 4
"""Share that is answered late in the other months: the offer is better than the contract asks."""


class Answering(NamedTuple):
    """The limits of ANS 6."""

    limit_us: int
    share: int
    """Percent of the communications that must keep the limit."""
    never_over_us: int

    @property
    def limit_s(self) -> int:
        """The limit in whole seconds."""
        return self.limit_us // SECOND_US

    @property
    def never_over_s(self) -> int:
        """The longest wait that is ever allowed, in whole seconds."""
        return self.never_over_us // SECOND_US


def answering(reading: Reading) -> Answering:
    """Return the limits on the day of a reading."""
    limit_s, share, never_over_s = (reading.integer(f"calls.{name}") for name in ("t3_s", "t3_share", "t3_max_s"))
    return Answering(limit_s * SECOND_US, share, never_over_s * SECOND_US)


def waits(month: int, free: int, given: list[int], limits: Answering, rng: random.Random) -> list[int]:
    """Return how long each of ``free`` communications of a month waits, in microseconds and in random order.

    ``given`` are the waits of the month's other answered communications. All together have the share of the month. In
    the months whose share is close, the last one in time and the first late one are a microsecond apart.
    """
    total = free + len(given)
    needed = -(-limits.share * total // 100)
    slow = total - {SHORT: needed - 1, EXACT: needed}.get(month, total - total * SLOW_PERCENT // 100)
    slow = max(0, min(free, slow - sum(wait > limits.limit_us for wait in given)))
    in_time = [(1 + rng.randrange(limits.limit_s)) * SECOND_US for _ in range(free - slow)]
    late = [rng.randint(limits.limit_s + 1, limits.never_over_s) * SECOND_US for _ in range(slow)]
    if month in {SHORT, EXACT}:
        in_time[:1] = [limits.limit_us] * len(in_time[:1])
        late[:1] = [limits.limit_us + 1] * len(late[:1])
    found = in_time + late
    rng.shuffle(found)
    return found


def months_planted(what: str, year: int, *, late: bool = True) -> list[Planted]:
    """Return the lines of the plan about whole months of a kind of communication; ``late`` if some wait too long."""
    ways = [(SHORT, "one answer in time too few", "breached"), (EXACT, "exactly the share in time", "kept")]
    if late:
        ways.append((LATE, "some waited longer than ever is allowed", "breached"))
    months = ((f"{year}-{month:02}", way, verdict) for month, way, verdict in ways)
    return [Planted(what, "", month, way, verdict, ans=6, month=month) for month, way, verdict in months]

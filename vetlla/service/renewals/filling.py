"""Fills a base's days with visits up to their levels, and finds the filling with the lowest peak.

Fillings are tried from the strictest on, for each peak from the bound upwards, and they never exceed that peak. The
first keeps every day to its own level, the second allows one visit more, and the last two are limited only by the peak.
The first three fill days to their level on average (``steady``), so that a small fleet is not renewed as early as
possible. The first that succeeds has the lowest peak that these fillings find. If none succeeds, the proven filling
does (``proven_filling``).
"""

from __future__ import annotations

from math import ceil, gcd
from typing import TYPE_CHECKING

from vetlla.service.renewals.proven_filling import proven_filling
from vetlla.service.renewals.strict_filling import strict_filling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.service.renewals.levels import Stretch
    from vetlla.service.renewals.slots import Slot


def fill(slots: Sequence[Slot], levels: Sequence[Stretch], capacity: Sequence[int] | None = None) -> list[int] | None:
    """Return the day of each slot, with the lowest peak that a filling finds; None if ``capacity`` is too small.

    Without ``capacity`` the result is never None.
    """
    if not slots:
        return []
    step = gcd(*(slot.minutes for slot in slots))
    longest = max(slot.minutes for slot in slots)
    own = [max(ceil(stretch.level / step) * step, longest) for stretch in levels]
    for peak in range(max(own), max(own) + longest, step):
        for limits, steady in (
            (own, True),
            ([limit + longest for limit in own], True),
            ([peak] * len(own), True),
            ([peak] * len(own), False),
        ):
            lowest = [min(limit, peak) for limit in limits]
            if capacity is not None:
                lowest = list(map(min, lowest, capacity))
            days = strict_filling(slots, lowest, levels if steady else None)
            if days is not None:
                return days
    return proven_filling(slots, levels) if capacity is None else strict_filling(slots, capacity, None)

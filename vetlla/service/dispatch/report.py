"""The month of the emergencies in the street: ANS 11 and 12, by type (tender 20220428, 16.11 and 16.12).

An emergency belongs to the month of its first communication. Shares are compared as whole numbers, and a time that is
equal to a bound is within it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vetlla.domain.duties import DutyVerdict
from vetlla.domain.emergencies import EmergencyType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vetlla.service.dispatch.emergency import StreetEmergency


@dataclass(slots=True)
class Figures:
    """Counts of one type, for the whole service or a part of it."""

    type: EmergencyType
    emergencies: int = 0
    """Those that are judged: a unit went in, or the limit passed. Only these count for the standard."""
    within_share: int = 0
    """Of type I: reached in the time of the share, 30 minutes."""
    within_limit: int = 0
    breaches: list[StreetEmergency] = field(default_factory=list)
    """Exceeded the limit, in the order of their first communication."""
    worse: list[StreetEmergency] = field(default_factory=list)
    """Exceeded it by more than half, which is a grave fault: over 52.5 or 135 minutes."""
    no_access: int = 0
    """A unit came and could not get in. The parameter says how these are judged, and they are among the others."""
    cancelled: int = 0
    """Called off before the limit passed; not judged."""
    mobilised: int = 0
    """A unit was sent: what is invoiced."""
    open: int = 0
    """Not judged yet."""

    def keeps_share(self, offered: int) -> bool:
        """Return True if the offered percentage was reached in the time of the share, or nothing was judged."""
        return 100 * self.within_share >= offered * self.emergencies

    @property
    def keeps_limit(self) -> bool:
        """Return True if none exceeded the limit."""
        return not self.breaches


def count(
    emergencies: Iterable[StreetEmergency], share_us: Callable[[StreetEmergency], int]
) -> dict[EmergencyType, Figures]:
    """Return the figures of each type. ``share_us`` returns the time of the share that holds for an emergency."""
    found = {kind: Figures(kind) for kind in EmergencyType}
    for one in sorted(emergencies, key=lambda one: (one.opened_us, one.id)):
        _count(found[one.type], one, share_us(one))
    return found


def _count(row: Figures, one: StreetEmergency, share_us: int) -> None:
    standing = one.standing
    if one.is_retyped and standing.verdict is DutyVerdict.CANCELLED:
        return  # it is counted as the other type
    row.mobilised += one.is_mobilised
    row.no_access += one.no_access_us is not None and one.access_us is None
    match standing.verdict:
        case DutyVerdict.OPEN:
            row.open += 1
            return
        case DutyVerdict.CANCELLED:
            row.cancelled += 1
            return
        case DutyVerdict.KEPT:
            row.within_limit += 1
        case DutyVerdict.BREACHED:
            row.breaches.append(one)
            if standing.is_worse:
                row.worse.append(one)
    row.emergencies += 1
    reached = standing.verdict is DutyVerdict.KEPT
    row.within_share += one.type is EmergencyType.I and reached and standing.elapsed_us <= share_us

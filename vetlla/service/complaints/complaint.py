"""A complaint, claim or suggestion as the events of its duty make it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.duties import DutyEvent  # noqa: TC001 - NamedTuple
from vetlla.service.duties.kinds import THE_SERVICE
from vetlla.service.duties.standing import Standing  # noqa: TC001 - NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class ComplaintKind(StrEnum):
    """The three kinds of duty; only the first two may be pertinent (tender 20220428, 16.20)."""

    COMPLAINT = "complaint"
    CLAIM = "claim"
    SUGGESTION = "suggestion"


class CityVerdict(StrEnum):
    """What the city decides about a complaint or claim."""

    PERTINENT = "pertinent"
    NOT_PERTINENT = "not_pertinent"


_VERDICTS: Final = frozenset(CityVerdict)


class Complaint(NamedTuple):
    """A complaint, claim or suggestion."""

    standing: Standing
    topic: str
    judged: DutyEvent | None
    """The city's last verdict; None if there is none yet."""

    @property
    def id(self) -> int:
        """Number of its duty."""
        return self.standing.duty.id

    @property
    def home(self) -> str:
        """Code of its home; empty if it is about the service."""
        subject = self.standing.duty.subject
        return "" if subject == THE_SERVICE else subject

    @property
    def city_verdict(self) -> str:
        """The city's last verdict; empty if there is none yet."""
        return self.judged.told.event if self.judged else ""

    @property
    def is_pertinent(self) -> bool:
        """Return True if the city's last verdict says so."""
        return self.city_verdict == CityVerdict.PERTINENT


def complaint(one: Standing) -> Complaint:
    """Return what a duty of these kinds is about."""
    return Complaint(one, one.duty.events[0].told.detail.get("topic", ""), _last_verdict(one.duty.events))


def _last_verdict(events: Iterable[DutyEvent]) -> DutyEvent | None:
    """Return the latest verdict; of two at the same moment the one that was recorded later."""
    verdicts = [event for event in events if event.told.event in _VERDICTS]
    return max(verdicts, key=lambda event: (event.told.at_us, event.id), default=None)

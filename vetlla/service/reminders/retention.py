"""How long the reminder service keeps personal data.

The law forbids keeping them longer than needed (Regulation (EU) 2016/679, article 5.1.e). A month after an appointment
answers a complaint about it; after that, statistics need no person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

PERSONAL: Final = timedelta(days=30)
"""Telephones, names of WhatsApp and texts: this long after the appointment's end, or after a reply came."""
REPORTS: Final = timedelta(days=7)
"""Reports of delivery as providers sent them; what they say is in the message's row. Providers repeat a report that
was not answered for some days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionTimes:
    """What the city decided; a pseudonym takes the person's place afterwards."""

    personal: timedelta = PERSONAL
    reports: timedelta = REPORTS

    def personal_before(self, now: datetime) -> datetime:
        """Return the time before which personal data are too old."""
        return now - self.personal

    def reports_before(self, now: datetime) -> datetime:
        """Return the time before which reports of delivery are too old."""
        return now - self.reports


USUAL_RETENTION: Final = RetentionTimes()

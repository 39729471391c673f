"""Checks of the sources of appointments: doctor asks each source for the appointments of today."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from vetlla.checks.reminders.failures import failed
from vetlla.domain.clock import SECOND_US, to_datetime
from vetlla.domain.errors import VetllaError
from vetlla.domain.findings import Finding, Level
from vetlla.worker.reminders.sources import source_of

if TYPE_CHECKING:
    from vetlla.domain.clock import Clock
    from vetlla.settings.reminders.model import ReminderSettings
    from vetlla.settings.reminders.sources import Source

REMEDY: Final = "check url, password, ca_file and referer of this source; docs/reminders-qmatic.md explains them"


async def source(given: Source, settings: ReminderSettings, clock: Clock) -> Finding:
    """Ask a source for the appointments that its first office has today."""
    check = f"source {given.name}"
    office = next((one for one in settings.office if one.source == given.name), None)
    if office is None:
        text = "it was not asked, because no office belongs to it"
        return Finding(check=check, level=Level.WARNING, text=text, remedy="add an [[office]], or take the source out")
    began = clock.now()
    today = to_datetime(began.utc_us).astimezone(ZoneInfo(office.zone)).date()
    try:
        poll = await source_of(given).poll(office.id, today, today)
    except VetllaError as error:
        return failed(check, error, REMEDY)
    seconds = (clock.now().mono_us - began.mono_us) / SECOND_US
    figures = {"appointments": len(poll.appointments), "seconds": round(seconds, 3)}
    text = f"office {office.id} has {len(poll.appointments)} appointments today; the answer took {seconds:.1f} s"
    if poll.faults or not poll.is_complete:
        why = poll.faults[0] if poll.faults else "it says that there are more than it gave"
        return Finding(
            check=check,
            level=Level.WARNING,
            text=f"{text}; not all could be read: {why}",
            remedy="docs/reminders-qmatic.md says what each source must give",
            figures=figures,
        )
    return Finding(check=check, level=Level.OK, text=text, figures=figures)

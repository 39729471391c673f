"""Settings of ``[rules]`` and ``[[office]]``: which reminders citizens get, and when."""

from datetime import date, time
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from vetlla.settings.reminders.fields import LIST_MAX, Hours
from vetlla.settings.reminders.sources import Name
from vetlla.settings.section import LONGEST_WAIT_S, Section, Word, Zone

STEPS_MAX = 20
"""Most reminders of one appointment."""
POLL_LEAST_S = 1
"""A pause of less than a second between polls would be a flood for Orchestra."""

StepName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")]


class StepSettings(Section):
    """One reminder."""

    name: StepName
    """A part of the message's key: another name is another message, so it never changes."""
    hours: Annotated[float, Field(gt=0, le=24 * 366)]
    """How long before the appointment, on the wall clock of the office."""
    only_unconfirmed: bool = False
    kind: Literal["reminder", "information"] = "reminder"
    """information: which documents to bring, how to do it online, and where to find help."""


class QuietSettings(Section):
    """The hours in which no message is sent."""

    begin: time = time(21)
    end: time = time(9)
    holidays: Annotated[tuple[date, ...], Field(max_length=LIST_MAX)] = ()

    @model_validator(mode="after")
    def _over_midnight(self) -> "QuietSettings":
        if self.begin <= self.end:
            raise ValueError(
                "begin must be later than end: the quiet hours begin in the evening and end in the morning"
            )
        if self.begin.tzinfo or self.end.tzinfo:
            raise ValueError('begin and end are times of the office\'s clock, such as "21:00"')
        return self


class RuleSettings(Section):
    """The reminders of an office or a procedure."""

    steps: Annotated[tuple[StepSettings, ...], Field(max_length=STEPS_MAX)] = (StepSettings(name="24h", hours=24),)
    quiet: QuietSettings = QuietSettings()
    minimum_gap_h: Hours = 3
    """A reminder that would come sooner after the booking is left out."""
    useful_before_h: Hours = 0.5
    """A reminder is of no use later than this before the appointment."""
    notices_useful_before_h: Hours = 0
    tells_changes: bool = True
    confirms_late_booking: bool = False

    @model_validator(mode="after")
    def _names_differ(self) -> "RuleSettings":
        if len({step.name for step in self.steps}) != len(self.steps):
            raise ValueError("two steps have the same name")
        return self


class ServiceSettings(Section):
    """A procedure of an office with reminders of its own."""

    id: Word
    rules: RuleSettings
    """Keys that are not given are those of the office."""


class OfficeSettings(Section):
    """An office of a source."""

    source: Name
    id: Word
    """The source's id of the office, as in ``offices_file``."""
    zone: Zone = "Europe/Madrid"
    poll_every_s: Annotated[float, Field(ge=POLL_LEAST_S, le=LONGEST_WAIT_S)] = 300
    cancel_until_h: Hours = 0
    """So long before the appointment a citizen may cancel it."""
    cancels_late: bool = False
    """True: a later cancellation is carried out, too, until the appointment begins."""
    rules: RuleSettings = RuleSettings()
    """Keys that are not given are those of ``[rules]``."""
    service: Annotated[tuple[ServiceSettings, ...], Field(max_length=LIST_MAX)] = ()

"""What every change of an emergency needs: the registry in its transaction, the rules, and who says what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.duties import NewEvent
from vetlla.service.dispatch.emergency import emergency
from vetlla.service.duties.columns import details_text
from vetlla.tasks.duties import book

if TYPE_CHECKING:
    import sqlite3

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.book import Recording


class Work(NamedTuple):
    """One change, within the caller's transaction."""

    connection: sqlite3.Connection
    rules: DutyRules
    recording: Recording

    @property
    def now_us(self) -> int:
        """The present time, microseconds UTC."""
        return self.recording.now_us

    def shown(self, at_us: int) -> str:
        """Return a moment as messages write it, on the clock of the service."""
        return self.rules.calendar.shown(at_us)

    def record(self, number: int, event: NewEvent) -> StreetEmergency:
        """Record an event of a duty; return its emergency. Raises what ``book.record`` raises."""
        return emergency(book.record(self.connection, self.rules, number, event, self.recording))


class Told(NamedTuple):
    """Who says when that something happened to an emergency."""

    at_us: int
    by: str
    note: str = ""

    def event(self, name: str, **details: str) -> NewEvent:
        """Return the event with this name; kind and subject are those of the duty."""
        return NewEvent("", "", name, self.at_us, by=self.by, note=self.note, details=details_text(details))

"""What one transaction of the journal holds: frames, queue changes and their audit stand or fall together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.journal.units import SupervisionRows

if TYPE_CHECKING:
    from vetlla.domain.accounts import Place
    from vetlla.domain.alarms import Alarm
    from vetlla.domain.clock import Instant
    from vetlla.store.journal.rows import Row


class Entry(NamedTuple):
    """One audit record before it is chained: who did what to what; ``detail`` is JSON-ready."""

    at_us: int
    actor: str
    action: str
    subject: str
    detail: dict[str, object]


class Stamps(NamedTuple):
    """When a commit became durable and its alarms ready: known only afterwards, so written with the next batch."""

    commit: int
    durable_us: int
    ready_us: int
    ready_mono_us: int


class Note(NamedTuple):
    """What an operator wrote down about an alarm."""

    alarm: int
    at_us: int
    operator: str
    text: str


class OnTest(NamedTuple):
    """A registered account whose alarms are shown apart until a set instant."""

    place: Place
    since_us: int
    until_us: int
    """For people; the test ends by the monotonic clock of the machine start ``boot``, as long as that lasts."""
    until_mono_us: int
    boot: int
    operator: str
    reason: str

    def runs(self, boot: int, now: Instant) -> bool:
        """Return True if the test has not ended, as far as a machine start can tell."""
        return self.until_mono_us > now.mono_us if self.boot == boot else self.until_us > now.utc_us


@dataclass(slots=True)
class Batch:
    """A transaction being gathered. Nothing in it counts before ``Journal.write`` has returned."""

    commit: int
    boot: int
    began_us: int
    signals: list[Row] = field(default_factory=list)
    rejects: list[Row] = field(default_factory=list)
    duplicates: dict[int, tuple[int, int, int, str, str]] = field(default_factory=dict)
    """By signal: how many more times it came, when last (UTC, monotonic), by which transport, from which peer."""
    alarms: dict[int, Alarm] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    tests: dict[Place, OnTest | None] = field(default_factory=dict)
    """By account; None ends the test."""
    audit: list[Entry] = field(default_factory=list)
    decided: list[Entry] = field(default_factory=list)
    """Audit of what frames brought about; it stands or falls with them, while ``audit`` is kept for a later try."""
    stamps: list[Stamps] = field(default_factory=list)
    supervision: SupervisionRows = field(default_factory=SupervisionRows)
    pulse: bool = False
    """Write down that the receiver is alive: proof that commits work when nothing else is to be committed."""

    @property
    def vital(self) -> bool:
        """Whether somebody waits for it to be durable; stamps and signs of life alone need no fsync."""
        reports = self.signals or self.duplicates or self.rejects or self.supervision.vital
        return bool(self.pulse or reports or self.audit or self.decided or self.notes or self.tests)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.vital or self.alarms or self.stamps or not self.supervision.empty)

    def keep_from(self, failed: Batch) -> None:
        """Take over what a failed batch held besides frames, to be written with this one."""
        self.rejects[:0] = failed.rejects
        self.notes[:0] = failed.notes
        self.audit[:0] = failed.audit
        self.stamps[:0] = failed.stamps
        self.supervision.keep_from(failed.supervision)
        self.alarms = failed.alarms | self.alarms
        self.tests = failed.tests | self.tests

"""The content of one transaction of the journal: frames, queue changes and their audit are all stored or none is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.journal.units import SupervisionRows

if TYPE_CHECKING:
    from vetlla.domain.accounts import AccountKey
    from vetlla.domain.alarms import Alarm
    from vetlla.domain.clock import Instant
    from vetlla.store.journal.rows import Row


class Entry(NamedTuple):
    """One audit record before it is chained: actor, action and subject; ``detail`` must be ready for JSON."""

    at_us: int
    actor: str
    action: str
    subject: str
    detail: dict[str, object]


class Stamps(NamedTuple):
    """When a commit became durable and its alarms ready. It is known only afterwards, so the next batch writes it."""

    commit: int
    durable_us: int
    ready_us: int
    ready_mono_us: int


class Note(NamedTuple):
    """What an operator wrote about an alarm."""

    alarm: int
    at_us: int
    operator: str
    text: str


class OnTest(NamedTuple):
    """A registered account whose alarms are shown apart until a given instant."""

    place: AccountKey
    since_us: int
    until_us: int
    """The end that people see; until the next machine start after ``boot`` the monotonic clock decides."""
    until_mono_us: int
    boot: int
    operator: str
    reason: str

    def runs(self, boot: int, now: Instant) -> bool:
        """Return True if the test has not ended, by the best clock that this machine start has for it."""
        return self.until_mono_us > now.mono_us if self.boot == boot else self.until_us > now.utc_us


@dataclass(slots=True)
class Batch:
    """A transaction that is being gathered. Nothing in it is stored until ``Journal.write`` has returned."""

    commit: int
    boot: int
    began_us: int
    signals: list[Row] = field(default_factory=list)
    rejects: list[Row] = field(default_factory=list)
    duplicates: dict[int, tuple[int, int, int, str, str]] = field(default_factory=dict)
    """By signal: number of repetitions, when the last one came (UTC, monotonic), its transport and peer."""
    alarms: dict[int, Alarm] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    tests: dict[AccountKey, OnTest | None] = field(default_factory=dict)
    """By account; None ends the test."""
    audit: list[Entry] = field(default_factory=list)
    decided: list[Entry] = field(default_factory=list)
    """Audit of the effects of frames. If the batch fails, this is dropped with them; ``audit`` is kept and retried."""
    stamps: list[Stamps] = field(default_factory=list)
    supervision: SupervisionRows = field(default_factory=SupervisionRows)
    pulse: bool = False
    """Whether to record that the receiver is alive, which proves that commits work when there is nothing to commit."""

    @property
    def vital(self) -> bool:
        """Whether a caller or an operator waits for it to be durable; stamps and signs of life alone need no fsync."""
        reports = self.signals or self.duplicates or self.rejects or self.supervision.vital
        return bool(self.pulse or reports or self.audit or self.decided or self.notes or self.tests)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.vital or self.alarms or self.stamps or not self.supervision.empty)

    def keep_from(self, failed: Batch) -> None:
        """Take over all that a failed batch held besides frames, to write it with this batch."""
        self.rejects[:0] = failed.rejects
        self.notes[:0] = failed.notes
        self.audit[:0] = failed.audit
        self.stamps[:0] = failed.stamps
        self.supervision.keep_from(failed.supervision)
        self.alarms = failed.alarms | self.alarms
        self.tests = failed.tests | self.tests

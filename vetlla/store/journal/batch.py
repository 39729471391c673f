"""The content of one transaction of the journal: frames, queue changes and their audit are all stored or none is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.alarms import RECEIVER
from vetlla.store.journal.audit_comparison import text_digest
from vetlla.store.journal.rows import SignalRows, content, digest, more_of, reject_row
from vetlla.store.journal.supervision_rows import SupervisionRows

if TYPE_CHECKING:
    from vetlla.domain.accounts import AccountKey, OnTest
    from vetlla.domain.alarms import Alarm
    from vetlla.domain.onward import KeptSink
    from vetlla.domain.signals import Arrival, Reject, Signal
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


@dataclass(slots=True, kw_only=True)
class Batch(SignalRows):
    """A transaction that is being gathered. Nothing in it is stored until ``Journal.write`` has returned."""

    boot: int
    began_us: int
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
    sinks: dict[str, KeptSink] = field(default_factory=dict)
    """By name. A position that is written late only makes a sink send some signals again."""
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
        return not (self.vital or self.alarms or self.stamps or self.sinks or not self.supervision.empty)

    # --- what the receiver adds -------------------------------------------------------------------------------------

    def add_reject(self, arrival: Arrival, reject: Reject) -> None:
        """Add bytes that could not be read, or whose report was refused."""
        self.rejects.append(reject_row(arrival, reject))

    def add_duplicate(self, number: int, arrival: Arrival) -> None:
        """Count a repetition of the signal with this number."""
        count = self.duplicates[number][0] if number in self.duplicates else 0
        received = arrival.received
        self.duplicates[number] = (count + 1, received.utc_us, received.mono_us, arrival.transport, arrival.peer)

    def add_note(self, alarm: int, at_us: int, operator: str, text: str) -> str:
        """Add a note about an alarm; return its digest, by which the audit names the text."""
        self.notes.append(Note(alarm, at_us, operator, text))
        return text_digest(text)

    def add_stamps(self, commit: int, durable_us: int, ready_us: int, ready_mono_us: int) -> None:
        """Add the stamps of an earlier commit: when it became durable and its alarms ready."""
        self.stamps.append(Stamps(commit, durable_us, ready_us, ready_mono_us))

    def record(self, at_us: int, actor: str, action: str, subject: str, /, **detail: object) -> None:
        """Add an audit record of an action. It stays if this batch fails, and the next one writes it."""
        self.audit.append(Entry(at_us, actor, action, subject, detail))

    def record_effect(self, at_us: int, action: str, subject: str, /, **detail: object) -> None:
        """Add an audit record of what frames did. It is dropped with them if this batch fails."""
        self.decided.append(Entry(at_us, RECEIVER, action, subject, detail))

    def seal(self, at_us: int, first: int, last: int) -> None:
        """Add the audit record that proves the batch's signals by their digest. No signal may be added after it.

        ``first`` and ``last`` are the numbers that were given out; a signal that could not be added leaves a gap.
        """
        self.record_effect(
            at_us, "commit", f"commit {self.commit}", first=first, last=last, digest=digest(self.signals)
        )

    def keep_from(self, failed: Batch) -> None:
        """Take over all that a failed batch held besides frames, to write it with this batch."""
        self.rejects[:0] = failed.rejects
        self.notes[:0] = failed.notes
        self.audit[:0] = failed.audit
        self.stamps[:0] = failed.stamps
        self.supervision.keep_from(failed.supervision)
        self.alarms = failed.alarms | self.alarms
        self.tests = failed.tests | self.tests
        self.sinks = failed.sinks | self.sinks


def content_of(signal: Signal) -> int:
    """Return the checksum of a signal's content that ``add_signal`` returns, for a signal that is not added."""
    return content(signal.text, more_of(signal))

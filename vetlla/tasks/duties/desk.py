"""What a command that writes duties carries with it: the registry, the rules, and how it is recorded."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from vetlla.service.duties.standing import standing
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.tasks.duties import book
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.duties import NewEvent
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules


class OpenBook(NamedTuple):
    """The duties within one transaction."""

    connection: sqlite3.Connection
    rules: DutyRules
    recording: Recording

    @property
    def now_us(self) -> int:
        """When this is written down."""
        return self.recording.now_us

    def open_duty(self, told: NewEvent) -> Standing:
        """Open a duty (``book.open_duty``). Raises UsageError."""
        return book.open_duty(self.connection, self.rules, told, self.recording)

    def record(self, number: int, told: NewEvent) -> Standing:
        """Record an event of a duty (``book.record``). Raises UsageError."""
        return book.record(self.connection, self.rules, number, told, self.recording)

    def standing(self, number: int) -> Standing:
        """Return how a duty stands. Raises UsageError if there is none of this number."""
        return book.standing_of(self.connection, self.rules, number, self.now_us)

    def standings(self, numbers: Iterable[int]) -> list[Standing]:
        """Return how duties stand, without those whose opening was withdrawn. Raises UsageError for other numbers."""
        return [
            standing(one, self.rules, self.now_us) for one in book.not_withdrawn(self.connection, self.rules, numbers)
        ]

    def open_duties(self, kinds: Sequence[str], subject: str) -> list[Standing]:
        """Return the duties of a subject that no event has ended."""
        return book.open_duties_of(self.connection, self.rules, kinds, subject, self.now_us)


class DutyDesk(NamedTuple):
    """Where a command writes, by which rules, and as what it is recorded."""

    state_dir: Path
    clock: Clock
    rules: DutyRules
    source: str
    """The command, as the events name it."""
    dry_run: bool = False

    @contextmanager
    def reading(self) -> Iterator[OpenBook]:
        """Yield the duties as they are at one moment, without keeping others from writing. Raises StoreError."""
        with snapshot(self.state_dir, self.clock) as connection:
            yield self._opened(connection)

    @contextmanager
    def writing(self, *, large: bool = False) -> Iterator[OpenBook]:
        """Yield the duties for one change: all of it is kept, or nothing. Raises StoreError."""
        large = large and not self.dry_run
        with transaction(self.state_dir, self.clock, dry_run=self.dry_run, large=large) as connection:
            yield self._opened(connection)

    def _opened(self, connection: sqlite3.Connection) -> OpenBook:
        return OpenBook(connection, self.rules, Recording(self.clock.now().utc_us, self.source))

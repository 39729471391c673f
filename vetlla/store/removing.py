"""Removals from the journal as the daemon uses them (``ports.Removals``): each step is committed with its audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.store.erasure import finish, steps_of
from vetlla.store.journal.retention import believed_us, round_of
from vetlla.store.journal.sink_rows import waits_for
from vetlla.store.ports import RowsRemoved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vetlla.domain.clock import Clock
    from vetlla.domain.removal import Erasure, Terms
    from vetlla.store.erasure import Proof
    from vetlla.store.journal.journal import Journal
    from vetlla.store.journal.retention import Step


class JournalRemovals:
    """Removes data through the journal's writing connection."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock

    def believed_us(self, wall_us: int, running_us: int) -> int:
        """Return the instant that a round uses."""
        return believed_us(self._journal.connection, wall_us, running_us)

    def too_old(self, terms: Terms) -> Iterator[RowsRemoved]:
        """Remove what is too old by these terms."""
        return self._taken(round_of(self._journal.connection, terms, self._clock))

    def of_home(self, erasure: Erasure, registry: Mapping[str, int], window_us: int) -> Iterator[RowsRemoved]:
        """Erase a home."""
        return self._taken(steps_of(self._journal.connection, erasure, registry, self._clock, window_us))

    def waits_for(self, terms: Terms) -> str:
        """Return the sink for which signals stay that are too old; empty if there is none."""
        return waits_for(lambda sql, values: self._journal.connection.execute(sql, values).fetchall(), terms)

    def finish(self, erasure: Erasure) -> Proof:
        """Write the record that ends an erasure."""
        return finish(self._journal, erasure, self._clock)

    def _taken(self, steps: Iterator[Step]) -> Iterator[RowsRemoved]:
        while (step := self._journal.take(steps)) is not None:
            yield RowsRemoved(step.what, step.removed, step.upto_us, step.refused)

"""What the daemon needs from a store. The daemon depends on these interfaces and on values, never on a database.

``serve.py`` chooses the classes behind them: ``journal/journal.py``, ``journal/outbox.py``, ``removing.py``,
``registered.py`` and ``dispatch/waiting.py``. All methods block. Instants are in microseconds, UTC or monotonic as
their names and docstrings say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from vetlla.domain.accounts import AccountBook
from vetlla.domain.supervision import NOTHING, Expected
from vetlla.store.secrets.keyring import Keyring

if TYPE_CHECKING:
    import os
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from vetlla.domain.emergencies import WaitingEmergency
    from vetlla.domain.errors import StoreError
    from vetlla.domain.onward import Backlog, Onward
    from vetlla.domain.previous_run import Recovered
    from vetlla.domain.removal import Erasure, Terms
    from vetlla.domain.supervision import KeptDevice, KeptSupervision
    from vetlla.store.erasure import Proof
    from vetlla.store.journal.batch import Batch
    from vetlla.store.journal.digest_ranges import Range


class JournalWriter(Protocol):
    """The one writer of the journal. Every method raises StoreError if the disk or the database fails.

    A starting receiver calls the reading methods before the first batch. Later, only the writer's thread may use it.
    """

    @property
    def trouble(self) -> StoreError | None:
        """Why the journal can be read but not written; ``resume`` tries to make it writable."""

    @property
    def file(self) -> os.stat_result:
        """The file that is written, even if another file has its name now."""

    @property
    def engine(self) -> str:
        """Version of the database program."""

    # --- commits ----------------------------------------------------------------------------------------------------

    def write(self, batch: Batch) -> None:
        """Write a batch in one transaction: if this returns, all of it is durable; if it raises, nothing is stored.

        A batch with ``pulse`` also checks that the open files still have their names.
        """

    def checkpoint(self) -> None:
        """Do the upkeep that is due between two batches, without waiting for readers."""

    def resume(self) -> None:
        """Go on after a failure: make durable what was committed, and make the journal writable again."""

    def close(self) -> None:
        """Finish, and let another writer open the journal."""

    # --- what the previous run left ---------------------------------------------------------------------------------

    def recover(self, window_us: int, *, chain_us: int = 0, ports: Iterable[str] = ()) -> Recovered:
        """Return the next numbers, the open alarms, and what is needed to recognise repetitions.

        ``window_us`` is how far back repetitions are recognised. ``chain_us`` is how long after its end a closed
        emergency can be continued. ``ports`` are the names of line receivers' ports.
        """

    def supervision(self) -> KeptSupervision:
        """Return what is kept of supervision, except the devices."""

    def units(self) -> Iterator[KeptDevice]:
        """Return every device that was ever expected, by number. Read all of them before anything is written."""

    def stretches_of(self, day: str) -> set[int]:
        """Return the numbers of the device stretches that the ledger has for a day (ISO 8601)."""


class OutboxReader(Protocol):
    """Reads the stored signals that sinks send onward. All calls must come from one thread. Raises StoreError."""

    def after(self, position: int, upto: int, limit: int) -> list[Onward]:
        """Return the first ``limit`` signals above a number, up to another one, in order."""

    def backlog(self, position: int, upto: int) -> Backlog:
        """Return how many signals are above a number, up to another one, and when the first was received."""

    def numbers(self, since_us: int | None, until_us: int | None) -> tuple[int, int]:
        """Return the numbers of the first and the last signal received in a time; the first is greater if none was."""

    def close(self) -> None:
        """Close what is open."""


class EmergencyReader(Protocol):
    """Reads the emergencies in the street that wait for a unit to get in."""

    def stamp(self) -> Hashable:
        """Return what changes whenever they may have changed. Costs one stat()."""

    def read(self) -> Sequence[WaitingEmergency]:
        """Return them. Raises StoreError if they cannot be read now."""


class RowsRemoved(NamedTuple):
    """What one transaction of a removal did."""

    what: str
    """The kind of the rows: one of ``What``, or another word for a step of an erasure."""
    rows: int
    upto_us: int | None
    """Stamp (UTC) of the last row dealt with, without those stamped in the future; None if there was no such row."""
    refused: Sequence[Range]
    """Signals that were not touched, because they are not those that were committed."""


class Removals(Protocol):
    """Removes data from the journal, in transactions of some 5 ms. Only the writer's thread may use it.

    Each step of an iterator is one transaction, which is durable when the step is returned. If a step raises an error,
    it was rolled back, and its iterator must not be used again. StoreError means that the disk or the database failed.
    """

    def believed_us(self, wall_us: int, running_us: int) -> int:
        """Return the instant (UTC) that a round uses: that of the wall clock, unless it is too far ahead.

        ``running_us`` is the time since the last round, or since this run began, by the monotonic clock.
        """

    def too_old(self, terms: Terms) -> Iterator[RowsRemoved]:
        """Remove what is too old by these terms."""

    def of_home(self, erasure: Erasure, registry: Mapping[str, int], window_us: int) -> Iterator[RowsRemoved]:
        """Erase a home. ``registry`` counts the rows that the registry loses, for the audit.

        The first step raises UsageError if the home has an open alarm, or reported within ``window_us``.
        """

    def waits_for(self, terms: Terms) -> str:
        """Return the sink for which signals stay that are too old by these terms; empty if there is none."""

    def finish(self, erasure: Erasure) -> Proof:
        """Write the audit record that ends an erasure and counts all of it; return it as proof."""


class Registered(NamedTuple):
    """One reading of accounts, keys and expected devices."""

    book: AccountBook = AccountBook()
    keys: Keyring = Keyring({})
    expected: Expected = NOTHING


class RegistryReader(Protocol):
    """Reads accounts, keys and expected devices. Commands write them while the daemon runs."""

    @property
    def name(self) -> str:
        """Name of the registry in messages for people."""

    def read(self, day: date) -> Registered:
        """Return what is registered, and the devices that are expected on a day. Raises StoreError or ConfigError."""

    def is_missing(self) -> bool:
        """Return True if there is no registry. ``read`` then returns an empty one."""

    def may_recover(self, failure: StoreError) -> bool:
        """Return True if a failure of ``read`` may pass; False if a person must act, as for a newer schema."""

"""The journal's writing side: the one connection that writes and checkpoints ``journal.db``.

Only the daemon opens it, and only the writer's thread uses it. SQLite 3.7.0 to 3.51.2 can corrupt a WAL file when two
connections write or checkpoint at the same moment, so this is a rule, not a taste; a lock file keeps a second daemon
out.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import AbstractContextManager, ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vetlla.alarms import Tally
from vetlla.errors import StoreError
from vetlla.store import audit
from vetlla.store.batch import OnTest
from vetlla.store.lockfile import exclusive
from vetlla.store.migrate import migrate
from vetlla.store.ownership import create
from vetlla.store.recent import Recent, moment, read_recent, read_tallies
from vetlla.store.rewriting import remember
from vetlla.store.rows import ALARM_COLUMNS, SIGNAL_COLUMNS, alarm_from, alarm_row
from vetlla.store.units import STRETCHES_OF, Kept, Unit, read_kept, read_units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.alarms import Alarm
    from vetlla.clock import Clock, Instant
    from vetlla.store.batch import Batch
    from vetlla.store.retention import Step
    from vetlla.store.rows import Row

JOURNAL = "journal.db"
LOCK = "journal.lock"
UNFINISHED_RESTORE = "restore.unfinished"
"""There while ``db restore`` exchanges the files: what lies beside it is neither the old nor the new journal."""
PATIENCE_MS = 5_000
"""How long the receiver waits at its start for a reader that recovers the log of one that was killed."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

WAL_KEPT = 64 << 20
"""Bytes the write-ahead log may keep for itself after a reader, such as a backup, had let it grow beyond."""

ROWS_PER_STATEMENT = 64
"""Rows in one INSERT at the most. SQLite's calls give up the interpreter's lock one by one, and each return to it may
wait for the event loop; one statement of 64 rows waits once where 64 statements would wait 64 times."""

_COMMIT = "INSERT INTO commits (id, boot, began_us) VALUES (?, ?, ?)"
_STAMP = "UPDATE commits SET durable_us = ?, ready_us = ?, ready_mono_us = ? WHERE id = ?"
_REJECT = (
    "INSERT INTO rejects (at_us, listener, transport, peer, protocol, reason, receiver, line, account, text, raw)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_DUPLICATE = (
    "INSERT INTO duplicates (signal_id, count, last_us, last_mono_us, transport, peer) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count, last_us = excluded.last_us,"
    " last_mono_us = excluded.last_mono_us, transport = excluded.transport, peer = excluded.peer"
)

# Named, since the planner would rather read years of closed alarms in order than sort the open ones.
_OPEN_ALARMS = "SELECT * FROM alarms INDEXED BY alarms_open WHERE state <> 'closed' ORDER BY id"
_CLOSED_SINCE = "SELECT * FROM alarms INDEXED BY alarms_closed WHERE closed_us >= ? ORDER BY closed_us"


def _inserts(into: str, columns: Sequence[str]) -> list[str]:
    """Return the statements that insert 0, 1, 2 ... rows at once."""
    one = f"({', '.join('?' * len(columns))})"
    head = f"{into} ({', '.join(columns)}) VALUES "
    return [head + ", ".join([one] * rows) for rows in range(ROWS_PER_STATEMENT + 1)]


# OR ROLLBACK: write() gives up the whole transaction anyway, and SQLite need not be able to take back half a statement.
# To be so it copied every page that a batch touched into a file, made and removed for each commit: 15 us a frame.
_SIGNALS = _inserts("INSERT OR ROLLBACK INTO signals", SIGNAL_COLUMNS)
_ALARMS = _inserts("INSERT OR REPLACE INTO alarms", ALARM_COLUMNS)
_AUDIT = _inserts("INSERT OR ROLLBACK INTO audit", ("id", "at_us", "actor", "action", "subject", "detail", "hash"))
_STATEMENTS_KEPT = 256
"""Prepared statements that the connection keeps: those above, in the sizes that a busy receiver uses."""


class Recovered(NamedTuple):
    """What the daemon must know of the past before it may say that it is ready."""

    boot: int
    next_commit: int
    next_signal: int
    next_alarm: int
    open_alarms: list[Alarm]
    tallies: dict[int, Tally]
    on_test: list[OnTest]
    closed: list[Alarm]
    """Alarms that were closed within the chaining window, the last one last."""
    recent: Recent
    """The reports of the duplicate window."""


class Journal:
    """The writing connection. Raises StoreError for whatever the disk or SQLite does not do."""

    def __init__(self, directory: Path, clock: Clock, *, checkpoint_pages: int = 1000) -> None:
        self.path = directory / JOURNAL
        self._clock = clock
        self._checkpoint_pages = checkpoint_pages
        self._head = audit.Head(0, audit.GENESIS)
        with ExitStack() as stack:
            stack.enter_context(keep_out_receivers(directory))
            _refuse_unfinished(directory)
            self._connection = self._open()
            self._lock = stack.pop_all()

    def _open(self) -> sqlite3.Connection:
        try:
            if not self.path.exists():
                os.close(create(self.path, 0o640))
            connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS_KEPT
            )
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            # In WAL mode NORMAL may lose the last commits on power loss, and those have been acknowledged.
            connection.execute("PRAGMA synchronous = FULL")
            self._synced = True
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # between commits, by checkpoint(), after the answers
            connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT}")
            migrate(connection, "journal", str(self.path), self._clock)
            # A crash may have left commits whose fsync had not returned: before a retry of theirs is acknowledged as
            # known they must be on the disk.
            self._start_log_over(connection)
            self._head = audit.read_head(connection)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{self.path}: cannot be opened: {error}",
                remedy="check permissions and free space of the state directory; `vetlla db verify` checks the file",
            ) from error
        return connection

    def resume(self) -> None:
        """Go on after a failure: everything committed goes into the database and is synced, the log starts over.

        With the same connection, since it knows which transactions count: whoever opens the files anew reads a
        transaction that failed back from the log if all but its fsync succeeded, and takes it for committed while
        nobody was told so. After a failed fsync the kernel may also hold pages for clean that never reached the disk.
        """
        try:
            if self._connection.in_transaction:
                self._connection.rollback()
            self._start_log_over(self._connection)
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot go on after a failure: {error}") from error

    @staticmethod
    def _start_log_over(connection: sqlite3.Connection) -> None:
        # A reader in the midst of its work, such as a backup, keeps the log from being emptied: it is not waited for.
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")

    def close(self) -> None:
        """Checkpoint and close; the lock goes with the process or now."""
        with self._lock:
            self._connection.close()

    def write(self, batch: Batch) -> None:
        """Write a batch in one transaction: when this returns all of it is on the disk, when it raises none is kept."""
        connection = self._connection
        try:
            rows, head = audit.chain(self._head, [*batch.audit, *batch.decided])
            self._sync(batch.vital)
            # Each return to the interpreter waits for its lock: execute() returns thrice, executemany() twice a row,
            # and these two once.
            connection.executescript("BEGIN IMMEDIATE")
            self._insert(batch, rows)
            connection.commit()
        except Exception as error:  # not SQLite's alone: a value that no column can hold must not leave half a batch
            if connection.in_transaction:
                connection.rollback()
            raise StoreError(f"{self.path}: commit {batch.commit} failed: {error}") from error
        self._head = head

    def _insert(self, batch: Batch, audit_rows: list[Row]) -> None:
        connection = self._connection
        if batch.stamps:
            stamps = [(s.durable_us, s.ready_us, s.ready_mono_us, s.commit) for s in batch.stamps]
            connection.executemany(_STAMP, stamps)
        if batch.signals:
            connection.executemany(_COMMIT, [(batch.commit, batch.boot, batch.began_us)])
            self._put(_SIGNALS, batch.signals)
        if batch.rejects:
            connection.executemany(_REJECT, batch.rejects)
        if batch.duplicates:
            connection.executemany(_DUPLICATE, [(signal, *again) for signal, again in batch.duplicates.items()])
        self._put(_ALARMS, [alarm_row(alarm) for alarm in batch.alarms.values()])
        if batch.notes:
            connection.executemany(
                "INSERT INTO notes (alarm_id, at_us, operator, text) VALUES (?, ?, ?, ?)", batch.notes
            )
        for account, test in batch.tests.items():
            connection.execute("DELETE FROM on_test WHERE account = ?", (account,))
            if test:
                connection.execute("INSERT INTO on_test VALUES (?, ?, ?, ?, ?)", test)
        if not batch.supervision.empty:
            batch.supervision.write(connection)
        if batch.pulse:
            connection.execute("UPDATE boots SET alive_us = ? WHERE id = ?", (batch.began_us, batch.boot))
        self._put(_AUDIT, audit_rows)

    def take(self, steps: Iterator[Step]) -> Step | None:
        """Let the next step of a removal become durable, with its audit; return it, or None if there is none left.

        A step that fails is rolled back, and its iterator must not be used again. Raises StoreError for what the disk
        or SQLite does not do, and whatever else the step raises.
        """
        connection = self._connection
        try:
            self._sync(True)  # noqa: FBT003 - what it is about
            connection.execute("PRAGMA secure_delete = ON")  # what is removed is overwritten in the file, too
            connection.execute("BEGIN IMMEDIATE")
            step = next(steps, None)
            rows, head = audit.chain(self._head, step.entries if step else ())
            self._put(_AUDIT, rows)
            if step and step.ranges:
                remember(connection, step.ranges, self._head.id + 1)  # its first record
            connection.commit()
            connection.execute("PRAGMA secure_delete = OFF")
        except BaseException as error:
            if connection.in_transaction:
                connection.rollback()
            if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
                raise StoreError(f"{self.path}: a removal failed: {error}") from error
            raise
        self._head = head
        return step

    @property
    def head(self) -> audit.Head:
        """The end of the audit chain."""
        return self._head

    @property
    def connection(self) -> sqlite3.Connection:
        """The writing connection, for removals: to be used on the writer's thread alone."""
        return self._connection

    def empty_log(self) -> bool:
        """Fold the log into the database and empty it; False: a reader, such as a backup, keeps it.

        What was removed stands in older pages of the log until then.
        """
        try:
            self._start_log_over(self._connection)
            return self.path.with_name(JOURNAL + "-wal").stat().st_size == 0
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: checkpoint failed: {error}") from error

    def _sync(self, vital: bool) -> None:  # noqa: FBT001 - what it is about
        if vital is not self._synced:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if vital else 'NORMAL'}")
            self._synced = vital

    def _put(self, inserts: list[str], rows: Sequence[Row]) -> None:
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            some = rows[start : start + ROWS_PER_STATEMENT]
            self._connection.executemany(inserts[len(some)], [list(chain.from_iterable(some))])

    def checkpoint(self) -> None:
        """Move the log into the database once it has grown past its bound; readers are not waited for."""
        try:
            wal = self.path.with_name(JOURNAL + "-wal").stat().st_size
            if wal > self._checkpoint_pages * 4096:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: checkpoint failed: {error}") from error

    def recover(self, window_us: int, *, chain_us: int = 0) -> Recovered:
        """Read what the daemon needs after a start.

        ``window_us`` is how far back retries are recognised; ``chain_us`` is how long a closed emergency is continued.
        """
        now = self._clock.now()
        try:
            return self._recover(window_us, now.utc_us - chain_us, now)
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path}: cannot be read: {error}", remedy="run `vetlla db verify`, then restore a backup"
            ) from error

    def _recover(self, window_us: int, closed_since_us: int, now: Instant) -> Recovered:
        connection, now_us = self._connection, now.utc_us
        boot_id = BOOT_ID.read_text(encoding="ascii").strip()
        connection.execute("INSERT OR IGNORE INTO boots (boot, first_us) VALUES (?, ?)", (boot_id, now_us))
        (boot,) = connection.execute("SELECT id FROM boots WHERE boot = ?", (boot_id,)).fetchone()
        (commit,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM commits").fetchone()
        (signal,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM signals").fetchone()
        (alarm,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM alarms").fetchone()
        alarms = connection.execute(_OPEN_ALARMS).fetchall()
        present = moment(connection, boot, now)
        open_alarms = [alarm_from(row) for row in alarms]
        tallies = {one.id: Tally(0, one.first_signal, present.mono_us(one.opened_us)) for one in open_alarms}
        closed = connection.execute(_CLOSED_SINCE, (closed_since_us,)).fetchall()
        tests = connection.execute("SELECT * FROM on_test WHERE until_us > ?", (now_us,)).fetchall()
        return Recovered(
            boot=boot,
            next_commit=commit,
            next_signal=signal,
            next_alarm=alarm,
            open_alarms=open_alarms,
            tallies=tallies | read_tallies(connection, present),
            on_test=[OnTest(**dict(row)) for row in tests],
            closed=[alarm_from(row) for row in closed],
            recent=read_recent(connection, window_us, present),
        )

    def supervision(self) -> Kept:
        """Return what an earlier life left of supervision; of devices their rows come from ``units``."""
        return read_kept(self._connection)

    def units(self) -> Iterator[Unit]:
        """Return the devices that were ever expected, by number. Read it to its end before anything is written."""
        return read_units(self._connection)

    def stretches_of(self, day: str) -> set[int]:
        """Return which stretches of devices the ledger has of a day."""
        return {row["stretch"] for row in self._connection.execute(STRETCHES_OF, (day,))}


def keep_out_receivers(directory: Path) -> AbstractContextManager[None]:
    """Hold the journal's lock: no receiver starts meanwhile. Raises StoreError when one runs."""
    try:
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{directory}: cannot be made: {error.strerror}",
            remedy="create the state directory, owned by the user that runs the receiver",
        ) from error
    return exclusive(
        directory / LOCK, remedy="a receiver uses this state directory: stop it, or name another --state-dir"
    )


def _refuse_unfinished(directory: Path) -> None:
    if (directory / UNFINISHED_RESTORE).exists():
        raise StoreError(
            f"{directory}: a restore was interrupted half way", remedy="run the same `vetlla db restore` once more"
        )

"""The journal's writing side: the one connection that writes and checkpoints ``journal.db``.

Only the daemon opens it, and only the writer's thread uses it, because SQLite 3.7.0 to 3.51.2 can corrupt a WAL file
when two connections write or checkpoint at the same moment. A lock file keeps a second daemon out.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import AbstractContextManager, ExitStack, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from vetlla.domain.accounts import AccountKey, OnTest
from vetlla.domain.alarms import Tally
from vetlla.domain.errors import StoreError
from vetlla.domain.previous_run import Recent, Recovered
from vetlla.store.journal import audit
from vetlla.store.journal.batch import Batch
from vetlla.store.journal.numbers import next_number
from vetlla.store.journal.recent import moment, read_recent, read_tallies
from vetlla.store.journal.rewriting import remember
from vetlla.store.journal.rows import ALARM_COLUMNS, SIGNAL_COLUMNS, alarm_from, alarm_row
from vetlla.store.journal.units import STRETCHES_OF, read_kept, read_units
from vetlla.store.sqlite.in_place import KEPT, Places, Rescue, has_log_alone
from vetlla.store.sqlite.lockfile import exclusive
from vetlla.store.sqlite.migrate import migrate, migrations, version
from vetlla.store.sqlite.ownership import create, refuse_foreign, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vetlla.domain.clock import Clock, Instant
    from vetlla.domain.supervision import KeptDevice, KeptSupervision
    from vetlla.store.journal.batch import Entry
    from vetlla.store.journal.retention import Step
    from vetlla.store.journal.rows import Row

JOURNAL = "journal.db"
LOCK = "journal.lock"
UNFINISHED_RESTORE = "restore.unfinished"
"""This file exists while ``db restore`` exchanges the files, which are then neither the old nor the new journal."""
PATIENCE_MS = 5_000
"""How long a starting receiver waits for a reader that recovers the log of a receiver that was killed."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

WAL_KEPT = 64 << 20
"""Bytes to which the write-ahead log shrinks again after a reader, such as a backup, let it grow larger."""

ROWS_PER_STATEMENT = 64
"""Rows in one INSERT at most. Each call of SQLite releases the interpreter's lock and may then wait for the event loop
to get it back. One statement of 64 rows waits once; 64 statements would wait 64 times."""

_OPENING = "check permissions and free space of the state directory; `vetlla db verify` checks the file"
_LOST = "leave the receiver running: it keeps what it wrote, and takes reports again when the file is back in place"
_PASSING = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""SQLite's codes for a disk that is full or fails, and for files that another process holds. Such errors may pass."""

_COMMIT = "INSERT INTO commits (id, boot, began_us) VALUES (?, ?, ?)"
_STAMP = "UPDATE commits SET durable_us = ?, ready_us = ?, ready_mono_us = ? WHERE id = ?"
_REJECT = f"""
INSERT INTO rejects (id, at_us, listener, transport, peer, protocol, reason, receiver, line, account, text, raw)
VALUES ({next_number("rejects")}, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608 - a constant name
_DUPLICATE = (
    "INSERT INTO duplicates (signal_id, count, last_us, last_mono_us, transport, peer) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count, last_us = excluded.last_us,"
    " last_mono_us = excluded.last_mono_us, transport = excluded.transport, peer = excluded.peer"
)

# The index is named, because the planner prefers to read years of closed alarms in order to sorting the open ones.
_OPEN_ALARMS = "SELECT * FROM alarms INDEXED BY alarms_open WHERE state <> 'closed' ORDER BY id"
_CLOSED_SINCE = "SELECT * FROM alarms INDEXED BY alarms_closed WHERE closed_us >= ? ORDER BY closed_us"


def _test(row: sqlite3.Row) -> OnTest:
    account, receiver, line, *test = row
    return OnTest(AccountKey(account, receiver, line), *test)


def _inserts(into: str, columns: Sequence[str]) -> list[str]:
    """Return the statements that insert 0, 1, 2 ... rows at once."""
    one = f"({', '.join('?' * len(columns))})"
    head = f"{into} ({', '.join(columns)}) VALUES "
    return [head + ", ".join([one] * rows) for rows in range(ROWS_PER_STATEMENT + 1)]


# OR ROLLBACK, because write() rolls back the whole transaction anyway and SQLite need not undo a single statement.
# Otherwise SQLite creates a statement journal for every commit, which costs 15 us a frame.
_SIGNALS = _inserts("INSERT OR ROLLBACK INTO signals", SIGNAL_COLUMNS)
_ALARMS = _inserts("INSERT OR REPLACE INTO alarms", ALARM_COLUMNS)
_AUDIT = _inserts("INSERT OR ROLLBACK INTO audit", ("id", "at_us", "actor", "action", "subject", "detail", "hash"))
_STATEMENTS_KEPT = 256
"""Prepared statements that the connection keeps: the ones above, in the sizes that a busy receiver uses."""


class Journal:
    """The writing connection. Raises StoreError for every failure of the disk or of SQLite."""

    def __init__(self, directory: Path, clock: Clock, *, checkpoint_pages: int = 1000) -> None:
        self.path = directory / JOURNAL
        self._clock = clock
        self._checkpoint_pages = checkpoint_pages
        self._head = audit.Head(0, audit.GENESIS)
        self.trouble: StoreError | None = None
        """Why the journal could be read but not written at the start; ``resume`` tries to open it again."""
        self._unsynced = False
        self._new_boot: tuple[int, str, int] | None = None
        """The row of this machine start until it is written."""
        self._places = Places()
        self._rescue: Rescue | None = None
        with ExitStack() as stack:
            stack.enter_context(keep_out_receivers(directory))
            _refuse_unfinished(directory)
            _refuse_to_begin_anew(directory)
            self._connection = self._start()
            self.file = self.path.stat()
            self._lock = stack.pop_all()

    @property
    def engine(self) -> str:
        """The version of SQLite."""
        return sqlite3.sqlite_version

    def _start(self) -> sqlite3.Connection:
        """Return a connection that writes; one that only reads, if the disk is full or busy.

        Operators can then work the alarms that are in the journal. A new journal has no alarms, so its start fails.
        """
        try:
            return self._open()
        except StoreError as error:
            if not isinstance(error.__cause__, sqlite3.Error) or not _may_pass(error.__cause__):
                raise
            connection = self._open_to_read()
            if connection is None:
                raise
            self.trouble, self._unsynced = error, True
            return connection

    def _open_to_read(self) -> sqlite3.Connection | None:
        """Return a connection that needs no room on the disk; None if it cannot read this program's schema.

        SQLite makes the log's index in memory, which it allows only for a connection that locks out all others.
        """
        try:
            log = self.path.with_name(JOURNAL + "-wal").exists()
            way = "?mode=rw" if log else "?mode=ro&immutable=1"
            uri = self.path.absolute().as_uri() + way
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        except (sqlite3.Error, OSError):
            return None
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            known = migrations("journal")[-1].number
            if version(connection) == known:
                self._head = audit.read_head(connection)
                return connection
        except sqlite3.Error:
            pass
        connection.close()
        return None

    def _open(self) -> sqlite3.Connection:
        try:
            refuse_foreign(self.path)
            if not self.path.exists():
                os.close(create(self.path, 0o640))
            connection = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS_KEPT
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: cannot be opened: {error}", remedy=_OPENING) from error
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Prepare a connection for writing: pragmas, migrations, an empty log, the audit's head."""
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL may lose the last commits in a power cut, and their reports have been acknowledged.
        connection.execute("PRAGMA synchronous = FULL")
        self._synced = True
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # checkpoint() does it after the acknowledgements are sent
        connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT}")
        migrate(connection, "journal", str(self.path), self._clock)
        # A crash may have left commits whose fsync had not returned. They must be on the disk before a repetition of
        # one of their reports is acknowledged as a duplicate.
        self._start_log_over(connection)
        self._head = audit.read_head(connection)
        self.file = self.path.stat()
        files = (JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", LOCK)
        self._places = Places(*(self.path.with_name(name) for name in files), growing=self.path)

    def resume(self) -> None:
        """Go on after a failure: move all committed data into the database, sync it and start the log again.

        Use the same connection, because it knows which transactions failed. A new connection would read a transaction
        of which only the fsync failed from the log as committed, although no terminal had an acknowledgement for it.
        After a failed fsync the kernel may also mark pages as clean that never reached the disk.
        """
        if self.trouble is not None:
            self._open_again()
            return
        try:
            if self._rescue is None and self._connection.in_transaction:
                self._connection.rollback()
            if lost := self._places.lost():
                self._put_right(lost)
            self._start_log_over(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: cannot go on after a failure: {error}") from error

    def _open_again(self) -> None:
        """Open the journal again for writing. Raises StoreError; never creates a new journal."""
        self._connection.close()
        if not self.path.exists():
            raise StoreError(f"{self.path}: is gone", remedy="put it back; then the receiver goes on by itself")
        self._connection = self._open()
        try:
            self._write_boot()
        except sqlite3.Error as error:
            raise self._not_written(error) from error
        self.trouble = None

    def _not_written(self, error: sqlite3.Error) -> StoreError:
        trouble = StoreError(f"{self.path}: cannot be written: {error}", remedy=_OPENING)
        trouble.__cause__ = error
        return trouble

    # --- files that were deleted or replaced ------------------------------------------------------------------------

    def _stay_in_place(self) -> None:
        """Raise StoreError if one of the open files no longer has its name."""
        try:
            lost = self._places.lost()
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be checked: {error.strerror}", remedy=_OPENING) from error
        if lost:
            raise StoreError(self._told(lost), remedy=_LOST)

    def _put_right(self, lost: Mapping[Path, str]) -> None:
        """Put files back under their names, with all committed data, and go on. Raises StoreError until that is done.

        Deleted files are made again. If another file has the journal's name, the journal is kept beside it, because
        an engineer has to decide which of the two is right.
        """
        if self._places.is_cut and self.path.exists():
            # Its pages are gone, and only the log has the latest commits: to move the log would lose them, too.
            raise StoreError(self._told(lost), remedy=f"vetlla db restore; the log is kept as {self._keep_log().name}")
        if self._rescue is not None and self._rescue.running:
            raise StoreError(f"{self._told(lost)}; it is being copied to {self._rescue.target.name}", remedy=_LOST)
        if not self._start_log_over(self._connection):
            raise StoreError(f"{self._told(lost)}; a reader keeps the log from being moved into it", remedy=_LOST)
        kept = self._keep() if self.path in lost else None
        if kept and self.path.exists():
            raise StoreError(
                f"{self._told(lost)}; what the receiver wrote is kept in {kept.name}",
                remedy=f"systemctl stop vetlla; put the right one of the two in place as {self.path}; start",
            )
        lock = self.path.with_name(LOCK)
        if lock in lost:
            self._lock.enter_context(keep_out_receivers(lock.parent))
        if kept:
            kept.rename(self.path)
            sync_directory(self.path.parent)
            self._rescue = None
        # The files now hold all committed data, so they can be opened again without this connection.
        self.trouble = StoreError(f"{self._told(lost)}; it is not open again yet", remedy=_LOST)
        self._open_again()

    def _told(self, lost: Mapping[Path, str]) -> str:
        names = ", ".join(f"{path.name} {what}" for path, what in lost.items())
        return f"{self.path.parent}: {names} while the receiver was running"

    def _keep(self) -> Path:
        """Return the complete copy of a journal that lost its name. Raises StoreError until the copy is complete."""
        if self._rescue is None or self._rescue.failure:
            why = f": {self._rescue.failure}" if self._rescue else ""
            self._rescue = Rescue(self._connection, self.path, self._clock)
            raise StoreError(f"{self.path}: is gone; a copy is being made{why}", remedy=_LOST)
        return self._rescue.target

    def _keep_log(self) -> Path:
        """Copy the log of a journal that was cut off, once: closing the journal would write it into what is left."""
        log = self.path.with_name(f"{JOURNAL}-wal")
        kept = self.path.with_name(f"{log.name}{KEPT}{self.file.st_ino}")
        if not kept.exists():
            os.close(create(kept, 0o640))
            shutil.copyfile(log, kept)
            sync_directory(kept.parent)
        return kept

    @staticmethod
    def _start_log_over(connection: sqlite3.Connection) -> bool:
        """Move the log into the database and empty it; return True if all of it was moved."""
        # A reader such as a backup keeps the log from being emptied, and the receiver must not wait for it.
        connection.execute("PRAGMA busy_timeout = 0")
        ((_, logged, moved),) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
        return bool(logged == moved)

    def close(self) -> None:
        """Checkpoint, close the connection and release the lock."""
        with self._lock:
            if self._rescue is not None:
                self._rescue.wait()
            with suppress(OSError):
                if self._places.is_cut and self.path.exists():
                    self._keep_log()
            self._connection.close()
            if self._rescue is not None and not self._rescue.failure and not self.path.exists():
                self._rescue.target.rename(self.path)  # only now, since the log of the old journal is deleted

    def sign(self, entry: Entry, numbers: Mapping[str, int]) -> None:
        """Record that this journal was restored, and the first numbers that it may give out."""
        self._connection.executemany("INSERT OR REPLACE INTO numbers VALUES (?, ?)", numbers.items())
        self.write(Batch(commit=0, boot=0, began_us=entry.at_us, audit=[entry]))

    def write(self, batch: Batch) -> None:
        """Write a batch in one transaction: if this returns, all of it is on the disk; if it raises, nothing is."""
        connection = self._connection
        if self.trouble is not None:
            raise self.trouble
        if batch.pulse:
            self._stay_in_place()
        try:
            rows, head = audit.chain(self._head, [*batch.audit, *batch.decided])
            self._sync(batch.vital)
            # Each return from SQLite waits for the interpreter's lock. execute() returns three times, executemany()
            # twice a row, and these two calls once.
            connection.executescript("BEGIN IMMEDIATE")
            self._insert(batch, rows)
            connection.commit()
        except Exception as error:  # of any type, because a value that no column can hold must not leave half a batch
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
        for place, test in batch.tests.items():
            connection.execute("DELETE FROM on_test WHERE (account, receiver, line) = (?, ?, ?)", place)
            if test:
                connection.execute("INSERT INTO on_test VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (*test.place, *test[1:]))
        if not batch.supervision.empty:
            batch.supervision.write(connection)
        if batch.pulse:
            connection.execute("UPDATE boots SET alive_us = ? WHERE id = ?", (batch.began_us, batch.boot))
        self._put(_AUDIT, audit_rows)

    def take(self, steps: Iterator[Step]) -> Step | None:
        """Commit the next step of a removal with its audit; return the step, or None if no step is left.

        A step that fails is rolled back, and its iterator must not be used again. Raises StoreError for failures of
        the disk or of SQLite; other errors of the step pass through.
        """
        connection = self._connection
        try:
            self._sync(True)  # noqa: FBT003 - the flag is the method's subject
            connection.execute("PRAGMA secure_delete = ON")  # SQLite overwrites removed data in the file
            connection.execute("BEGIN IMMEDIATE")
            step = next(steps, None)
            rows, head = audit.chain(self._head, step.entries if step else ())
            self._put(_AUDIT, rows)
            if step and step.ranges:
                remember(connection, step.ranges, self._head.id + 1)  # number of the step's first record
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
        """The writing connection, for removals. Only the writer's thread may use it."""
        return self._connection

    def empty_log(self) -> bool:
        """Move the log into the database and empty it; return False if a reader, such as a backup, still needs it.

        Until the log is empty, its older pages still hold the removed data.
        """
        try:
            self._start_log_over(self._connection)
            return self.path.with_name(JOURNAL + "-wal").stat().st_size == 0
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: checkpoint failed: {error}") from error

    def _sync(self, vital: bool) -> None:  # noqa: FBT001 - the flag is the method's subject
        if vital is not self._synced:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if vital else 'NORMAL'}")
            self._synced = vital

    def _put(self, inserts: list[str], rows: Sequence[Row]) -> None:
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            some = rows[start : start + ROWS_PER_STATEMENT]
            self._connection.executemany(inserts[len(some)], [list(chain.from_iterable(some))])

    def checkpoint(self) -> None:
        """Move the log into the database once it is larger than its bound, without waiting for readers."""
        try:
            wal = self.path.with_name(JOURNAL + "-wal").stat().st_size
            if wal > self._checkpoint_pages * 4096:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: checkpoint failed: {error}") from error

    def recover(self, window_us: int, *, chain_us: int = 0) -> Recovered:
        """Return what the daemon needs after a start.

        ``window_us`` is how far back repetitions are recognised. ``chain_us`` is how long after its end a closed
        emergency can be continued.
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
        boot = self._number_boot(connection, boot_id, now_us)
        (commit,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM commits").fetchone()
        (signal,) = connection.execute(f"SELECT {next_number('signals')}").fetchone()
        (alarm,) = connection.execute(f"SELECT {next_number('alarms')}").fetchone()
        alarms = connection.execute(_OPEN_ALARMS).fetchall()
        present = moment(connection, boot, now)
        open_alarms = [alarm_from(row) for row in alarms]
        tallies = {one.id: Tally(0, one.first_signal, present.mono_us(one.opened_us)) for one in open_alarms}
        closed = connection.execute(_CLOSED_SINCE, (closed_since_us,)).fetchall()
        return Recovered(
            boot=boot,
            next_commit=commit,
            next_signal=signal,
            next_alarm=alarm,
            open_alarms=open_alarms,
            tallies=tallies | read_tallies(connection, present),
            on_test=[test for test in map(_test, connection.execute("SELECT * FROM on_test")) if test.runs(boot, now)],
            closed=[alarm_from(row) for row in closed],
            # Reports that this start could not sync may still be lost, so their repetitions must be stored again.
            recent=Recent([], []) if self._unsynced else read_recent(connection, window_us, present),
        )

    def _number_boot(self, connection: sqlite3.Connection, boot_id: str, now_us: int) -> int:
        """Return the number of this machine start; a new number if no receiver has run since it."""
        for (number,) in connection.execute("SELECT id FROM boots WHERE boot = ?", (boot_id,)):
            return int(number)
        (number,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM boots").fetchone()
        self._new_boot = (number, boot_id, now_us)
        if self.trouble is None:
            try:
                self._write_boot()
            except sqlite3.Error as error:
                if not _may_pass(error):
                    raise
                self.trouble = self._not_written(error)
        return int(number)

    def _write_boot(self) -> None:
        if self._new_boot is not None:
            self._connection.execute(
                "INSERT OR IGNORE INTO boots (id, boot, first_us) VALUES (?, ?, ?)", self._new_boot
            )
            self._new_boot = None

    def supervision(self) -> KeptSupervision:
        """Return what the previous run left of supervision, except the devices' rows, which ``units`` returns."""
        return read_kept(self._connection)

    def units(self) -> Iterator[KeptDevice]:
        """Return every device that was ever expected, by number. Read all of them before anything is written."""
        return read_units(self._connection)

    def stretches_of(self, day: str) -> set[int]:
        """Return the numbers of the device stretches that the ledger has for a day."""
        return {row["stretch"] for row in self._connection.execute(STRETCHES_OF, (day,))}


def _may_pass(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _PASSING  # the low byte: primary code


def keep_out_receivers(directory: Path) -> AbstractContextManager[None]:
    """Hold the journal's lock, so that no receiver can start. Raises StoreError if one is running."""
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
            f"{directory}: a restore was interrupted half way", remedy="run the same `vetlla db restore` again"
        )


def _refuse_to_begin_anew(directory: Path) -> None:
    """Raise StoreError if a new journal would replace one that is missing.

    SQLite deletes the log of a missing database, and that log holds acknowledged reports.
    """
    path = directory / JOURNAL
    if has_log_alone(path):
        raise StoreError(
            f"{path}: is {'empty' if path.exists() else 'gone'}, but its log holds the last acknowledged reports",
            remedy="put the journal back beside its log; or restore a backup, which keeps the log: vetlla db restore",
        )
    if path.exists():
        return
    if kept := sorted(one for one in directory.glob(f"{JOURNAL}{KEPT}*") if one.suffix != ".unfinished"):
        raise StoreError(f"{path}: is gone, and a copy of it is kept", remedy=f"mv {kept[-1]} {path}, then start")

"""The journal's writing side: the one connection that writes and checkpoints ``journal.db``.

Only the daemon opens it, and only the writer's thread uses it, because SQLite 3.7.0 to 3.51.2 can corrupt a WAL file
when two connections write or checkpoint at the same moment. A lock file keeps a second daemon out.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from vetlla.domain.errors import StoreError
from vetlla.store.journal import audit
from vetlla.store.journal.batch import Batch
from vetlla.store.journal.opening import (
    JOURNAL,
    LOCK,
    OPENING_REMEDY,
    keep_out_receivers,
    may_pass,
    open_to_read,
    open_to_write,
    refuse_to_replace,
    refuse_unfinished,
    start_log_over,
)
from vetlla.store.journal.recovery import Boot, recover, this_boot
from vetlla.store.journal.rewriting import remember
from vetlla.store.journal.supervision_rows import STRETCHES_OF, read_kept, read_units
from vetlla.store.journal.writing import insert, put_audit
from vetlla.store.sqlite.in_place import KEPT, Places, Rescue
from vetlla.store.sqlite.ownership import create, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.previous_run import Recovered
    from vetlla.domain.supervision import KeptDevice, KeptSupervision
    from vetlla.store.journal.batch import Entry
    from vetlla.store.journal.retention import Step

_LOST = "leave the receiver running: it keeps what it wrote, and takes reports again when the file is back in place"


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
        self._synced = True
        self._new_boot: Boot | None = None
        """The current start of the machine, until its row is written."""
        self._places = Places()
        self._rescue: Rescue | None = None
        with ExitStack() as stack:
            stack.enter_context(keep_out_receivers(directory))
            refuse_unfinished(directory)
            refuse_to_replace(directory)
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
            if not isinstance(error.__cause__, sqlite3.Error) or not may_pass(error.__cause__):
                raise
            found = open_to_read(self.path)
            if found is None:
                raise
            connection, self._head = found
            self.trouble, self._unsynced = error, True
            return connection

    def _open(self) -> sqlite3.Connection:
        """Return the connection that writes, and remember what belongs to it. Raises StoreError."""
        connection, self._head, self.file, self._places = open_to_write(self.path, self._clock)
        self._synced = True
        return connection

    @property
    def is_empty(self) -> bool:
        """True while the audit has no record: the journal is new, or the one before it was deleted."""
        return self._head.id == 0

    def resume(self) -> None:
        """Go on after a failure: move all committed data into the database, sync it and start the log again.

        Use the same connection, because it knows which transactions failed. If only the fsync of a transaction failed,
        a new connection would read it from the log as committed, although no terminal had an acknowledgement for it.
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
            start_log_over(self._connection)
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
        trouble = StoreError(f"{self.path}: cannot be written: {error}", remedy=OPENING_REMEDY)
        trouble.__cause__ = error
        return trouble

    # --- files that were deleted or replaced ------------------------------------------------------------------------

    def _stay_in_place(self) -> None:
        """Raise StoreError if one of the open files no longer has its name."""
        try:
            lost = self._places.lost()
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be checked: {error.strerror}", remedy=OPENING_REMEDY) from error
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
        if not start_log_over(self._connection):
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
        """Copy, once, the log of a journal that was cut short: closing the journal would write it into what is left."""
        log = self.path.with_name(f"{JOURNAL}-wal")
        kept = self.path.with_name(f"{log.name}{KEPT}{self.file.st_ino}")
        if not kept.exists():
            os.close(create(kept, 0o640))
            shutil.copyfile(log, kept)
            sync_directory(kept.parent)
        return kept

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
            insert(connection, batch, rows)
            connection.commit()
        except Exception as error:  # of any type, because a value that no column can hold must not leave half a batch
            if connection.in_transaction:
                connection.rollback()
            raise StoreError(f"{self.path}: commit {batch.commit} failed: {error}") from error
        self._head = head

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
            put_audit(connection, rows)
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

    def begin_generated(self, boot: Boot) -> None:
        """Prepare a journal that is generated, of an invented start of a machine. Its commits do not wait for the disk.

        If it is cut short, it is made again.
        """
        self._connection.execute("PRAGMA synchronous = OFF")
        boot.write(self._connection)

    def empty_log(self) -> bool:
        """Move the log into the database and empty it; return False if a reader, such as a backup, still needs it.

        Until the log is empty, its older pages still hold the removed data.
        """
        try:
            start_log_over(self._connection)
            return self.path.with_name(JOURNAL + "-wal").stat().st_size == 0
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: checkpoint failed: {error}") from error

    def _sync(self, vital: bool) -> None:  # noqa: FBT001 - the flag is the method's subject
        if vital is not self._synced:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if vital else 'NORMAL'}")
            self._synced = vital

    def checkpoint(self) -> None:
        """Move the log into the database once it is larger than its bound, without waiting for readers."""
        try:
            wal = self.path.with_name(JOURNAL + "-wal").stat().st_size
            if wal > self._checkpoint_pages * 4096:
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: checkpoint failed: {error}") from error

    def recover(self, window_us: int, *, chain_us: int = 0, ports: Iterable[str] = ()) -> Recovered:
        """Return what the daemon needs after a start.

        ``window_us`` is how far back repetitions are recognised. ``chain_us`` is how long after its end a closed
        emergency can be continued. ``ports`` are the names of line receivers' ports.
        """
        now = self._clock.now()
        try:
            boot = self._number_boot(now.utc_us)
            # Reports that this start could not sync may still be lost, so their repetitions must be stored again.
            known_us = None if self._unsynced else window_us
            return recover(
                self._connection, boot, now, closed_since_us=now.utc_us - chain_us, window_us=known_us, ports=ports
            )
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path}: cannot be read: {error}", remedy="run `vetlla db verify`, then restore a backup"
            ) from error

    def _number_boot(self, now_us: int) -> int:
        """Return the number of this machine start. Its row is written later if the disk is full or busy."""
        boot, is_new = this_boot(self._connection, now_us)
        if is_new:
            self._new_boot = boot
            if self.trouble is None:
                try:
                    self._write_boot()
                except sqlite3.Error as error:
                    if not may_pass(error):
                        raise
                    self.trouble = self._not_written(error)
        return boot.number

    def _write_boot(self) -> None:
        if self._new_boot is not None:
            self._new_boot.write(self._connection)
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

"""The journal's reading side: works with or without a running receiver, never writes, and never blocks the receiver.

Two rules of SQLite's write-ahead log shape it. Only the receiver may write or checkpoint, so the file is opened with
``mode=ro``, which can do neither, not even when it is the last to close. And the log cannot start over during a
reader's transaction. So every read is one short transaction, and long answers come in pages.

If no log lies beside the journal, no receiver has it open. Then it is read as ``immutable``, which needs no right to
make files in the state directory. A receiver may start in the middle of such a read, so each read is checked
afterwards and repeated if necessary.
"""

from __future__ import annotations

import sqlite3
import stat
from typing import TYPE_CHECKING, NamedTuple, Self

from vetlla.domain import permissions
from vetlla.domain.errors import StoreError
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.sqlite.in_place import has_log_alone
from vetlla.store.sqlite.migrate import migrations, refuse_newer, version

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from types import TracebackType

    from vetlla.domain.errors import VetllaError
    from vetlla.store.journal.rows import SqlValue

PATIENCE_S = 5.0
"""How long a read waits while the receiver recovers after a crash; only then does the receiver lock readers out."""
ATTEMPTS = 5
"""Times a read is repeated because the receiver started or stopped in the middle of it."""
COPIED_AT_ONCE = 256
"""Pages between two checks of the log and the disk while the journal is copied: a mebibyte."""
STEPS_BETWEEN_LOOKS = 100_000
"""Steps of SQLite's virtual machine between two calls of ``pace`` while the journal is checked: some milliseconds."""
DAMAGE_SHOWN = 100


class Archive:
    """A journal that is open for reading; a context manager. Raises StoreError.

    ``older`` also accepts an older schema, for work that does not depend on it: a backup must still be possible between
    the installation of a new version and the receiver's restart.
    """

    def __init__(self, directory: Path, *, older: bool = False) -> None:
        self.path = directory / JOURNAL
        self._older = older
        self._state, self._connection = self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def read(self, sql: str, parameters: Sequence[SqlValue] = ()) -> list[sqlite3.Row]:
        """Return the rows of one query, run in a transaction of its own. Ask for a page, not for a whole year."""
        for _ in range(ATTEMPTS):
            rows = self._try(sql, parameters)
            if rows is not None:
                return rows
            self._reopen()
        raise StoreError(
            f"{self.path}: the receiver starts and stops all the time", remedy="journalctl -u vetlla shows why"
        )

    def copy(self, target: sqlite3.Connection, pace: Callable[[int, int], None]) -> None:
        """Copy the whole journal as it is at one moment; ``pace`` gets the pages copied so far and in total.

        The copy is one transaction, because SQLite begins it again if another process writes between two steps. The log
        cannot start over meanwhile, so ``pace`` must raise to stop the copy before the log fills the disk.
        """
        for _ in range(ATTEMPTS):
            if look(self.path) == self._state:
                self._copy(target, pace)
                if look(self.path) == self._state:
                    return
            self._reopen()
        raise StoreError(
            f"{self.path}: the receiver starts and stops all the time", remedy="journalctl -u vetlla shows why"
        )

    def _copy(self, target: sqlite3.Connection, pace: Callable[[int, int], None]) -> None:
        connection = self._connection
        try:
            connection.execute("BEGIN")
            connection.execute("SELECT 1 FROM sqlite_schema").fetchone()  # the first read fixes the moment
            connection.backup(target, pages=COPIED_AT_ONCE, progress=lambda _, left, of: pace(of - left, of))
        except sqlite3.Error as error:
            raise StoreError(
                f"{self.path}: cannot be copied: {error}",
                remedy="is a disk full or failing? `vetlla db verify` checks the journal",
            ) from error
        finally:
            connection.rollback()

    def damage(self, pace: Callable[[], None]) -> list[str]:
        """Return what SQLite finds wrong with the file; ``pace`` is called now and then, and may raise to stop.

        This is a long read, like ``copy``.
        """
        stopped: list[BaseException] = []

        def keep_pace() -> int:
            # Keep the exception, because SQLite reports only "interrupted", and Ctrl-C is no damage.
            try:
                pace()
            except BaseException as error:  # noqa: BLE001 - raised again below
                stopped.append(error)
            return len(stopped)

        self._connection.set_progress_handler(keep_pace, STEPS_BETWEEN_LOOKS)
        try:
            found = [row[0] for row in self._connection.execute(f"PRAGMA integrity_check({DAMAGE_SHOWN})")]
        except sqlite3.Error as error:
            if stopped:
                raise stopped[0] from None
            return [str(error)]
        finally:
            self._connection.set_progress_handler(None, 0)
        return [] if found == ["ok"] else found

    def _try(self, sql: str, parameters: Sequence[SqlValue]) -> list[sqlite3.Row] | None:
        """Return the rows, or None if the journal was not the same file before and after."""
        if self._state.log and look(self.path) != self._state:
            return None  # another file has the journal's name, and the open one is no longer written
        try:
            rows = self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            if look(self.path) != self._state:
                return None
            raise unreadable(self.path, error) from error
        return rows if self._state.log or look(self.path) == self._state else None

    def _reopen(self) -> None:
        self._connection.close()
        self._state, self._connection = self._open()

    def _open(self) -> tuple[State, sqlite3.Connection]:
        for _ in range(ATTEMPTS):
            state = look(self.path)
            try:
                return state, self._checked(connect(self.path, state))
            except sqlite3.Error as error:
                if look(self.path) == state:
                    raise unreadable(self.path, error) from error
        raise StoreError(
            f"{self.path}: the receiver starts and stops all the time", remedy="journalctl -u vetlla shows why"
        )

    def _checked(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        try:
            refuse_newer(connection, "journal", str(self.path))
            _refuse_older(connection, self.path, allowed=self._older)
        except BaseException:
            connection.close()
            raise
        return connection


class State(NamedTuple):
    """The state of the journal's files on the disk, which decides how to read them."""

    inode: int
    log: bool
    """Whether a write-ahead log lies beside the journal. If so, a process has the journal open, or was killed."""
    unlogged: tuple[int, int] | None
    """Size and instant of the last change; None if there is a log, because then SQLite's locks protect the read."""


def look(path: Path) -> State:
    """Return a journal's state. Raises StoreError if there is no journal, or if we may not see it."""
    try:
        status = path.stat()
        log = path.with_name(path.name + "-wal").exists()
    except FileNotFoundError as error:
        raise StoreError(
            f"{path}: there is no journal", remedy="is --state-dir right? the receiver makes it when it first starts"
        ) from error
    except PermissionError as error:
        raise permissions.refusal(path, error.strerror, writing=False) from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}", remedy="is --state-dir right?") from error
    if has_log_alone(path):
        raise StoreError(
            f"{path}: is empty, but its log holds the last acknowledged reports",
            remedy="put the journal back beside its log; or restore a backup, which keeps the log: vetlla db restore",
        )
    if not stat.S_ISREG(status.st_mode):  # SQLite would wait for the other end of a pipe
        raise StoreError(f"{path}: is no plain file", remedy="move it away and put the journal itself there")
    return State(status.st_ino, log, None if log else (status.st_size, status.st_mtime_ns))


def connect(path: Path, state: State) -> sqlite3.Connection:
    """Return a connection that cannot change anything."""
    uri = f"{path.absolute().as_uri()}?mode=ro" + ("" if state.log else "&immutable=1")
    connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def unreadable(path: Path, error: sqlite3.Error) -> VetllaError:
    """Return the error, with a remedy, for a journal that SQLite does not read."""
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the low byte is the primary code
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_AUTH:
            for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
                making = not file.exists()  # SQLite has to make the index of a log that has none
                if permissions.obstacle(file, writing=making):
                    return permissions.refusal(file, error, writing=making)
            remedy = "the permissions allow it: check for a read-only file system"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            remedy = "the receiver is recovering it; try again in a moment"
        case _:
            remedy = "`vetlla db verify` checks it; if it is damaged, restore a backup: vetlla db restore"
    return StoreError(f"{path}: cannot be read: {error}", remedy=remedy)


def refuse_unusable(directory: Path) -> None:
    """Raise StoreError or AccessError if a receiver could not start with the journal here; there may be none."""
    if (directory / JOURNAL).exists():
        Archive(directory, older=True).close()


def is_damage(error: StoreError) -> bool:
    """Return True if the file or its content is damaged, not only the access to it."""
    code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or isinstance(error.__cause__, ValueError)


def _refuse_older(connection: sqlite3.Connection, path: Path, *, allowed: bool) -> None:
    found, known = version(connection), migrations("journal")[-1].number
    if found == 0:
        raise StoreError(f"{path}: holds no journal yet", remedy="start the receiver, which makes one")
    if found < known and not allowed:
        raise StoreError(
            f"{path}: schema {found} is older than this program's {known}",
            remedy="start the receiver of this version, which brings the journal up to date",
        )

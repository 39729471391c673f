"""Reads what a starting receiver must know of its previous runs: numbers, open alarms, tests, recent reports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.accounts import AccountKey, OnTest
from vetlla.domain.alarms import Tally
from vetlla.domain.previous_run import Recent, Recovered
from vetlla.store.journal.numbers import next_number
from vetlla.store.journal.recent import moment, read_recent, read_tallies
from vetlla.store.journal.rows import alarm_from
from vetlla.store.journal.sink_rows import read_sinks

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from vetlla.domain.clock import Instant

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

# The index is named, because the planner prefers to read years of closed alarms in order to sorting the open ones.
_OPEN_ALARMS = "SELECT * FROM alarms INDEXED BY alarms_open WHERE state <> 'closed' ORDER BY id"
_CLOSED_SINCE = "SELECT * FROM alarms INDEXED BY alarms_closed WHERE closed_us >= ? ORDER BY closed_us"


class Boot(NamedTuple):
    """A machine start, as table ``boots`` keeps it."""

    number: int
    name: str
    """The kernel's name for this start."""
    first_us: int
    """When a receiver first ran after this start."""

    def write(self, connection: sqlite3.Connection) -> None:
        """Write the row of this start, unless it is there."""
        connection.execute("INSERT OR IGNORE INTO boots (id, boot, first_us) VALUES (?, ?, ?)", self)


def this_boot(connection: sqlite3.Connection, now_us: int) -> tuple[Boot, bool]:
    """Return this machine start, with a new number if no receiver has run since it, and whether it is new."""
    name = _BOOT_ID.read_text(encoding="ascii").strip()
    for number, first_us in connection.execute("SELECT id, first_us FROM boots WHERE boot = ?", (name,)):
        return Boot(number, name, first_us), False
    (number,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM boots").fetchone()
    return Boot(number, name, now_us), True


def recover(
    connection: sqlite3.Connection,
    boot: int,
    now: Instant,
    *,
    closed_since_us: int,
    window_us: int | None,
    ports: Iterable[str] = (),
) -> Recovered:
    """Return what the daemon needs after a start; ``window_us`` is None if no repetition may be recognised.

    ``closed_since_us`` is the instant (UTC) since which closed alarms are read. ``ports`` are the names of line
    receivers' ports. The connection must give rows by name.
    """
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
        recent=read_recent(connection, window_us, present, ports) if window_us is not None else Recent([], []),
        sinks=read_sinks(connection),
    )


def _test(row: sqlite3.Row) -> OnTest:
    account, receiver, line, *test = row
    return OnTest(AccountKey(account, receiver, line), *test)

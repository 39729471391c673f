"""No acknowledgement leaves before the fsync of its report, as the system calls of a running daemon show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import Daemon
from tests.rigs.powercut import CALLS, Acknowledgement, acknowledged_too_early, read, spelled
from tests.rigs.strace import recorded
from tests.rigs.terminal import Terminal
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

# A checkpoint comes with every 64th commit, so that the record contains one.
CONFIG = "[store]\nmin_free_mib = 1\ncheckpoint_pages = 1\nretry_s = 0.02\n"
PIPELINED = 12
ONE_BY_ONE = 70
PATIENTLY = 40
EVERY_SEVENTH = "20+7"
"""strace counts in each thread. A start makes about ten syncs, and these must succeed."""

SYNC = re.compile(r"\d+\s+fdatasync\(\d+<([^>]*)>")
ACK = spelled(b'"ACK"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The system calls of one run of a daemon."""

    lines: list[str]
    state_dir: Path
    sent: int
    """Number of sent reports. All of them were acknowledged."""


def live(directory: Path, talk: Callable[[Daemon], int], *options: str) -> Record:
    """Run a daemon that takes the reports that ``talk`` sends and counts. Return the record of its system calls."""
    daemon = Daemon(directory, config=CONFIG)
    try:
        with recorded(directory, CALLS, *options) as recording:
            daemon.start(wrapper=recording.wrapper)
            sent = talk(daemon)
            assert daemon.stop() == 0
            lines = recording.lines()
    finally:
        daemon.close()
    return Record(lines=lines, state_dir=daemon.state_dir, sent=sent)


def report_in_every_manner(daemon: Daemon) -> int:
    """Send reports over TCP and UDP, one by one and pipelined."""
    with (
        Terminal(daemon.port, "1001") as tcp,
        Terminal(daemon.port, "1002", transport="udp") as udp,
        Terminal(daemon.port, "1003") as hurried,
        Terminal(daemon.port, "1004", transport="udp") as flooding,
    ):
        for number in range(ONE_BY_ONE):
            (tcp, udp)[number % 2].alarm()
        hurried.send(b"".join(hurried.frame() for _ in range(PIPELINED)))
        for _ in range(PIPELINED):
            flooding.send(flooding.frame())
        for terminal in (hurried, flooding):
            assert {terminal.reply().token for _ in range(PIPELINED)} == {"ACK"}
    return ONE_BY_ONE + 2 * PIPELINED


def report_twice(daemon: Daemon) -> int:
    """Send two reports."""
    with Terminal(daemon.port) as terminal:
        terminal.alarm()
        terminal.alarm()
    return 2


def report_with_patience(daemon: Daemon) -> int:
    """Repeat each report until it is acknowledged."""
    with Terminal(daemon.port) as terminal:
        for _ in range(PATIENTLY):
            frame = terminal.frame()
            while terminal.is_refused(frame):
                daemon.await_status(lambda status: bool(status["ready"]))
    return PATIENTLY


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Return a record of a daemon on a disk that syncs correctly."""
    return live(tmp_path_factory.mktemp("honest").resolve(), report_in_every_manner)


def early(record: Record, lines: list[str], scratch: Path) -> list[Acknowledgement]:
    """Return the acknowledgements that come too early in a changed record."""
    every, too_early = acknowledged_too_early(lines, record.state_dir, scratch)
    assert len(every) == record.sent
    return too_early


def test_every_acknowledged_report_survives_a_power_cut(record: Record, tmp_path: Path) -> None:
    """When an ACK leaves, the synced content of the disk has its report, also with group commits and checkpoints."""
    first = next(number for number, line in enumerate(record.lines) if ACK in line)
    assert any(path.endswith(JOURNAL.encode()) for path in synced(record.lines[first:])), "no checkpoint in the record"
    assert early(record, record.lines, tmp_path) == []


def synced(lines: Sequence[str]) -> set[bytes]:
    """Return the files that were synced."""
    return {read(sync[1]) for sync in map(SYNC.match, lines) if sync}


def sync_before(lines: Sequence[str], ack: int) -> int:
    """Return the line of the last sync of the log before another line."""
    log = spelled(b"-wal")
    return max(number for number in range(ack) if (sync := SYNC.match(lines[number])) and sync[1].endswith(log))


def test_without_syncs_nothing_survives(record: Record, tmp_path: Path) -> None:
    """The check fails on the same record without its syncs, so it does read them."""
    lines = [line for line in record.lines if not SYNC.match(line)]

    assert len(early(record, lines, tmp_path)) == record.sent


def test_a_sync_that_failed_covers_nothing(record: Record, tmp_path: Path) -> None:
    """The check fails if the last sync before an ACK failed."""
    ack = last_ack(record)
    lines = list(record.lines)
    sync = sync_before(lines, ack)
    lines[sync] = lines[sync].replace("= 0", "= -1 EIO (Input/output error)")

    assert early(record, lines, tmp_path)[0].line == ack + 1


def test_an_ack_ahead_of_its_sync_is_too_early(record: Record, tmp_path: Path) -> None:
    """The check fails if an ACK leaves only microseconds before the end of its sync."""
    ack = last_ack(record)
    lines = list(record.lines)
    sync = sync_before(lines, ack)
    lines.insert(sync, lines.pop(ack))

    assert [one.line for one in early(record, lines, tmp_path)] == [sync + 1]


def last_ack(record: Record) -> int:
    """Return the line of the last ACK of the terminal that reports one by one. No other report shares its sync."""
    account = spelled(b"#1001[")
    return max(number for number, line in enumerate(record.lines) if ACK in line and account in line)


def test_a_disk_that_lies_is_found_out(tmp_path: Path) -> None:
    """If the disk ignores syncs the daemon still acknowledges, and the check finds that nothing is safe."""
    record = live(tmp_path.resolve(), report_twice, "-e", "inject=fdatasync:retval=0")

    assert len(early(record, record.lines, tmp_path)) == record.sent


def test_syncs_that_fail_now_and_then_cost_nothing(tmp_path: Path) -> None:
    """Every seventh sync fails and its data never reach the disk. All acknowledged reports are still there."""
    record = live(tmp_path.resolve(), report_with_patience, "-e", f"inject=fdatasync:error=EIO:when={EVERY_SEVENTH}")
    failures = sum("EIO" in line for line in record.lines)

    assert failures > PATIENTLY // 10
    assert early(record, record.lines, tmp_path) == []

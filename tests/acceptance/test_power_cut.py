"""No acknowledgement leaves before the fsync that covers its report: the calls of a running daemon, looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.daemon import Daemon
from tests.acceptance.powercut import CALLS, Acknowledgement, acknowledged_too_early, read, spelled
from tests.acceptance.strace import recorded
from tests.acceptance.terminal import Terminal
from vetlla.store.journal import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# A checkpoint with every 64th commit, so that the record holds one.
CONFIG = "[store]\nmin_free_mib = 1\ncheckpoint_pages = 1\n"
PIPELINED = 12
ONE_BY_ONE = 70

SYNC = re.compile(r"\d+\s+fdatasync\(\d+<([^>]*)>")
ACK = spelled(b'"ACK"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One life of a daemon."""

    lines: list[str]
    state_dir: Path
    sent: int
    """Reports sent, all of which were acknowledged."""


def live(directory: Path, *options: str, one_by_one: int = ONE_BY_ONE) -> Record:
    """Let a daemon take reports over TCP and UDP, single and pipelined, with all its calls recorded."""
    daemon = Daemon(directory, config=CONFIG)
    sent = 0
    try:
        with recorded(directory, CALLS, *options) as recording:
            daemon.start(wrapper=recording.wrapper)
            with (
                Terminal(daemon.port, "1001") as tcp,
                Terminal(daemon.port, "1002", transport="udp") as udp,
                Terminal(daemon.port, "1003") as hurried,
                Terminal(daemon.port, "1004", transport="udp") as flooding,
            ):
                for number in range(one_by_one):
                    (tcp, udp)[number % 2].alarm()
                    sent += 1
                hurried.send(b"".join(hurried.frame() for _ in range(PIPELINED)))
                for _ in range(PIPELINED):
                    flooding.send(flooding.frame())
                for terminal in (hurried, flooding):
                    assert {terminal.reply().token for _ in range(PIPELINED)} == {"ACK"}
                    sent += PIPELINED
            assert daemon.stop() == 0
            lines = recording.lines()
    finally:
        daemon.close()
    return Record(lines=lines, state_dir=daemon.state_dir, sent=sent)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """Return a record of a daemon on an honest disk."""
    return live(tmp_path_factory.mktemp("honest").resolve())


def early(record: Record, lines: list[str], scratch: Path) -> list[Acknowledgement]:
    """Return the acknowledgements that came too early in a doctored record."""
    every, too_early = acknowledged_too_early(lines, record.state_dir, scratch)
    assert len(every) == record.sent
    return too_early


def test_whatever_was_acknowledged_survives_a_power_cut(record: Record, tmp_path: Path) -> None:
    """When an ACK leaves, the disk as last synced holds its report, through group commits and checkpoints."""
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
    """The check fails on the same record without its syncs: it looks at them."""
    lines = [line for line in record.lines if not SYNC.match(line)]

    assert len(early(record, lines, tmp_path)) == record.sent


def test_a_sync_that_failed_covers_nothing(record: Record, tmp_path: Path) -> None:
    """The check fails when the last sync before an ACK did not succeed."""
    ack = last_ack(record)
    lines = list(record.lines)
    sync = sync_before(lines, ack)
    lines[sync] = lines[sync].replace("= 0", "= -1 EIO (Input/output error)")

    assert [one.line for one in early(record, lines, tmp_path)] == [ack + 1]


def test_an_ack_ahead_of_its_sync_is_too_early(record: Record, tmp_path: Path) -> None:
    """The check fails when an ACK leaves while the sync is under way, by microseconds."""
    ack = last_ack(record)
    lines = list(record.lines)
    sync = sync_before(lines, ack)
    lines.insert(sync, lines.pop(ack))

    assert [one.line for one in early(record, lines, tmp_path)] == [sync + 1]


def last_ack(record: Record) -> int:
    """Return the line of the last ACK that the terminal which reports one by one got: its sync is its own."""
    account = spelled(b"#1001[")
    return max(number for number, line in enumerate(record.lines) if ACK in line and account in line)


def test_a_disk_that_lies_is_found_out(tmp_path: Path) -> None:
    """A daemon whose syncs are never carried out acknowledges all the same, and the check sees that nothing is safe."""
    record = live(tmp_path.resolve(), "-e", "inject=fdatasync:retval=0", one_by_one=1)

    assert len(early(record, record.lines, tmp_path)) == record.sent

"""A disk that fails at any step of a commit: nothing is acknowledged, operators work on, and the receiver recovers.

The faults are real errors of real system calls. strace starts and ends them in the running daemon, and one is the
kernel's limit on file sizes.
"""

from __future__ import annotations

import json
import os
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import pytest

from tests.rigs import journal
from tests.rigs.daemon import Daemon, Ended, running, vetlla
from tests.rigs.registered_homes import register
from tests.rigs.strace import attached, failing, program, slow_disk
from tests.rigs.terminal import Terminal
from vetlla.store.journal.opening import JOURNAL, LOCK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = "[store]\nmin_free_mib = 1\nretry_s = 0.2\ncheckpoint_pages = 1\n"
LOG, DATABASE, INDEX = f"{JOURNAL}-wal", JOURNAL, f"{JOURNAL}-shm"
COMMITS_TO_CHECKPOINT = 100
"""More commits than between two checkpoints."""

FAULTS = {
    "log full": ("pwrite64", "ENOSPC", LOG),
    "log unwritable": ("pwrite64", "EIO", LOG),
    "log not synced": ("fdatasync", "EIO", LOG),
    "log not synced for want of room": ("fdatasync", "ENOSPC", LOG),
    "database full": ("pwrite64", "ENOSPC", DATABASE),
    "database unwritable": ("pwrite64", "EIO", DATABASE),
    "database not synced": ("fdatasync", "EIO", DATABASE),
}


@contextmanager
def file_sizes_limited(daemon: Daemon) -> Iterator[None]:
    """Let the kernel refuse every write of the daemon beyond the first bytes of a file."""
    pid, limit = daemon.process.pid, resource.RLIMIT_FSIZE
    soft, hard = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (1, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, limit, (soft, hard))


@contextmanager
def served(directory: Path) -> Iterator[Daemon]:
    """Start a daemon with the homes of a shift registered."""
    register(directory / "state", "1001,H-1001,,", "1002,H-1002,,", "1003,H-1003,,")
    with running(directory, config=CONFIG) as daemon:
        yield daemon


class Shift:
    """Two homes, an operator, and a disk that fails for a while."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.acknowledged: list[bytes] = []
        self.refused: list[bytes] = []
        self.home = Terminal(daemon.port, "1001")
        self.neighbour = Terminal(daemon.port, "1002")
        self.mobile = Terminal(daemon.port, "1003", transport="udp")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for terminal in (self.home, self.neighbour, self.mobile):
            terminal.hang_up()

    def begin(self) -> None:
        """Let both homes call before the fault begins."""
        self.acknowledged += [self.home.alarm(), self.neighbour.alarm("1110"), self.mobile.alarm("1602")]

    def report_until_refused(self) -> None:
        """Send reports until the receiver takes none. A checkpoint is due after a fixed number of commits."""
        for zone in range(COMMITS_TO_CHECKPOINT):
            frame = self.home.frame("1602", zone=zone)
            if self.home.is_refused(frame):
                self.refused.append(frame)
                return
            self.acknowledged.append(frame)
        pytest.fail("the fault never occurred")

    def live_with_the_fault(self) -> None:
        """Check that new reports get no answer, retries of durable ones do, and operators work on."""
        daemon = self.daemon
        daemon.await_log("store.unready", state="failed")
        page = daemon.page("/readyz")
        assert page.status == 503
        assert JOURNAL in json.loads(page.body)["why"]
        assert daemon.status()["ready"] is False
        assert daemon.metric("vetlla_ready") == 0
        assert daemon.metric("vetlla_store_failures_total") >= 1

        frame = self.neighbour.frame()
        assert self.neighbour.is_refused(frame)
        self.refused.append(frame)
        assert self.neighbour.say(self.acknowledged[1]) == "ACK"  # a retry of a stored report
        self._udp_is_silent()

        assert [alarm["account"] for alarm in daemon.queue()] == ["1001", "1002"]
        for do, more in (("claim", {}), ("answer", {}), ("note", {"text": "neighbour has the keys"})):
            assert daemon.ask(f"queue.{do}", alarm=1, **more)["durable"] is False
        assert daemon.ask("queue.close", alarm=1, outcome="help_sent")["durable"] is False
        assert daemon.ask("queue.test", account="1002", seconds=600, reason="fault")["durable"] is False
        assert [alarm["account"] for alarm in daemon.queue()] == ["1002"]

    def _udp_is_silent(self) -> None:
        mobile = self.mobile
        frame = mobile.frame("1602", zone=9)
        mobile.send(frame)
        mobile.send(self.acknowledged[2])
        assert mobile.reply().sequence == "0001"  # only the retry was answered
        self.refused.append(frame)

    def end(self) -> None:
        """Check that the receiver recovers by itself after the fault, and takes the same reports."""
        daemon = self.daemon
        daemon.await_log("store.recovered")
        assert daemon.page("/readyz").status == 200
        terminals = {terminal.id.account: terminal for terminal in (self.home, self.neighbour, self.mobile)}
        for frame in self.refused:
            account = frame.partition(b"#")[2][:4].decode()
            assert terminals[account].say(frame) == "ACK"
        assert daemon.stop() == 0
        assert daemon.told == ""

    def look_back(self) -> None:
        """Check after a restart that every report is stored once, and the operators' actions are kept."""
        daemon = self.daemon.start()
        expected = dict.fromkeys([*self.acknowledged, *self.refused], 1)
        assert journal.stored(daemon.state_dir) == expected
        assert journal.flaws(daemon.state_dir) == []
        records = journal.records(daemon.state_dir)
        for record in ("claim", "answer", "note", "close"):
            assert records.count((record, "alarm 1")) == 1
        assert records.count(("test", "account 1002")) == 1
        assert [alarm["account"] for alarm in daemon.queue()] == ["1002"]
        assert [test["account"] for test in daemon.ask("queue.tests")] == ["1002"]
        (note,) = journal.query(daemon.state_dir, "SELECT text FROM notes WHERE alarm_id = 1")
        assert note["text"] == "neighbour has the keys"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_disk_costs_no_acknowledged_report(tmp_path: Path, fault: str) -> None:
    """During any failing call homes get no answer, and operators work on. Afterwards each report is stored once."""
    call, error, name = FAULTS[fault]
    with served(tmp_path) as daemon, Shift(daemon) as shift:
        shift.begin()
        with failing(daemon, call, error, [daemon.state_dir / name]):
            shift.report_until_refused()
            shift.live_with_the_fault()
        shift.end()
        shift.look_back()


def test_a_limit_of_the_kernel_costs_no_acknowledged_report(tmp_path: Path) -> None:
    """The same holds without a tracer, while the kernel lets no file grow."""
    with served(tmp_path) as daemon, Shift(daemon) as shift:
        shift.begin()
        with file_sizes_limited(daemon):
            shift.report_until_refused()
            shift.live_with_the_fault()
        shift.end()
        shift.look_back()


def test_one_failure_anywhere_within_a_commit_is_overcome(tmp_path: Path) -> None:
    """If any single write of a commit fails once, the report is not acknowledged, but its repetition is."""
    with running(tmp_path, config=CONFIG) as daemon, Terminal(daemon.port) as terminal:
        sent = [terminal.alarm()]
        log = daemon.state_dir / LOG
        for place in range(1, 9):
            seen = len(daemon.log)
            frame = terminal.frame(zone=place)
            rule = f"inject=pwrite64:error=EIO:when={place}"
            with attached(daemon, "-P", str(log), "-e", "trace=pwrite64", "-e", rule):
                assert terminal.is_refused(frame)
                daemon.await_log("store.recovered", after=seen)
            assert terminal.say(frame) == "ACK"
            sent.append(frame)
        assert journal.stored(daemon.state_dir) == dict.fromkeys(sent, 1)
        assert journal.flaws(daemon.state_dir) == []


def test_a_report_whose_sync_failed_is_stored_once(tmp_path: Path) -> None:
    """Only the sync fails, and then the receiver is killed. The next run finds the report and recognises its retry."""
    with served(tmp_path) as daemon, Terminal(daemon.port, "1001") as terminal:
        with failing(daemon, "fdatasync", "EIO", [daemon.state_dir / LOG]):
            frame = terminal.frame()
            assert terminal.is_refused(frame)
            daemon.await_log("store.unready")
            daemon.kill()
        daemon.start()
        terminal.port = daemon.port
        assert terminal.say(frame) == "ACK"
        assert journal.stored(daemon.state_dir) == {frame: 1}
        (alarm,) = daemon.queue()
        assert (alarm["priority"], alarm["signals"]) == ("LIFE", 1)
        terminal.alarm(zone=2)
        assert journal.flaws(daemon.state_dir) == []


def test_a_disk_that_stalls_makes_the_receiver_unready(tmp_path: Path) -> None:
    """It hangs up on new reports and on retries of the report under way, which it acknowledges in the end."""
    config = CONFIG + "stall_s = 0.3\n"
    with (
        running(tmp_path, config=config) as daemon,
        Terminal(daemon.port, "1001") as first,
        Terminal(daemon.port, "1001") as again,
        Terminal(daemon.port, "1002") as second,
    ):
        known = second.alarm()
        frame, late = first.frame(), second.frame()
        with slow_disk(daemon, "2s:when=1"):
            first.send(frame)
            assert "has not answered" in daemon.await_log("store.unready", state="stalled")["why"]
            assert daemon.page("/readyz").status == 503
            assert daemon.status()["store"]["state"] == "stalled"
            assert again.is_refused(frame)
            assert second.is_refused(late)
            assert second.say(known) == "ACK"
            assert [alarm["account"] for alarm in daemon.queue()] == ["1002"]
            assert first.reply().token == "ACK"
            daemon.await_log("store.recovered")
        assert daemon.page("/readyz").status == 200
        assert second.say(late) == "ACK"
        assert journal.stored(daemon.state_dir) == {known: 1, frame: 1, late: 1}
        assert [action for action, subject in journal.records(daemon.state_dir) if subject == "store"] == [
            "stalled",
            "ok",
        ]
        assert journal.flaws(daemon.state_dir) == []


def test_a_stop_while_the_disk_fails_keeps_what_it_can(tmp_path: Path) -> None:
    """The stop writes the operators' actions from the time of the fault, if the disk works again by then."""
    with running(tmp_path, config=CONFIG.replace("0.2", "3600")) as daemon, Terminal(daemon.port) as terminal:
        terminal.alarm()
        with failing(daemon, "fdatasync", "EIO", [daemon.state_dir / LOG]):
            assert terminal.is_refused(terminal.frame())
            daemon.await_log("store.unready")
            assert daemon.ask("queue.claim", alarm=1)["durable"] is False
            assert daemon.ask("queue.close", alarm=1, outcome="help_sent")["durable"] is False
        assert daemon.stop() == 0
        daemon.start()
        assert daemon.queue() == []
        assert ("close", "alarm 1") in journal.records(daemon.state_dir)


def test_a_stop_does_not_wait_for_a_disk_that_fails(tmp_path: Path) -> None:
    """With a broken disk the daemon still ends normally, and every acknowledged report is stored."""
    with running(tmp_path, config=CONFIG) as daemon, Terminal(daemon.port) as terminal:
        frame = terminal.alarm()
        with failing(daemon, "fdatasync", "EIO", [daemon.state_dir / LOG, daemon.state_dir / DATABASE]):
            assert terminal.is_refused(terminal.frame())
            assert daemon.stop() == 0
        daemon.start()
        assert journal.stored(daemon.state_dir)[frame] == 1


def test_commands_show_the_fault(tmp_path: Path) -> None:
    """``vetlla status`` shows the reason, and ``vetlla queue`` works and shows what is not on the disk yet."""
    with running(tmp_path, config=CONFIG) as daemon, Terminal(daemon.port) as terminal:
        terminal.alarm()
        with failing(daemon, "pwrite64", "ENOSPC", [daemon.state_dir / LOG]):
            assert terminal.is_refused(terminal.frame())
            status = vetlla("status", "--json", state_dir=daemon.state_dir)
            listed = vetlla("queue", "list", state_dir=daemon.state_dir)
            claimed = vetlla("queue", "claim", "1", state_dir=daemon.state_dir)
            closed = vetlla("queue", "close", "1", "--outcome", "other", "--json", state_dir=daemon.state_dir)
    assert status.returncode == os.EX_UNAVAILABLE
    assert json.loads(status.stdout)["ready"] is False
    assert "disk is full" in status.stderr
    assert "personal_emergency" in listed.stdout
    assert "not on the disk yet" in claimed.stdout
    assert json.loads(closed.stdout)["durable"] is False


STARTS = {
    "no lock file": ("openat", "ENOSPC", LOCK),
    "no database": ("openat", "ENOSPC", DATABASE),
    "read-only file system": ("openat", "EROFS", DATABASE),
    "no room in the database": ("pwrite64", "ENOSPC", DATABASE),
    "no log": ("openat", "ENOSPC", LOG),
    "no room in the log": ("pwrite64", "ENOSPC", LOG),
    "log not synced": ("fdatasync", "EIO", LOG),
    "no room for the log's index": ("ftruncate", "ENOSPC", INDEX),
}


@pytest.mark.parametrize("fault", STARTS)
def test_a_start_that_cannot_write_says_so(tmp_path: Path, fault: str) -> None:
    """The start ends with one clear error, a remedy and status 74. When the disk works again, it succeeds."""
    call, error, name = STARTS[fault]
    daemon = Daemon(tmp_path, config=CONFIG)
    path = str(daemon.state_dir / name)
    rules = ("-P", path, "-e", f"trace={call}", "-e", f"inject={call}:error={error}")
    try:
        with pytest.raises(Ended) as ended:
            daemon.start(wrapper=[program(), "-D", "-f", "-o", "/dev/null", *rules, "--"])
        assert ended.value.status == os.EX_IOERR
        assert "Traceback" not in ended.value.told
        assert str(daemon.state_dir) in ended.value.told
        assert "->" in ended.value.told
        daemon.start()
        with Terminal(daemon.port) as terminal:
            terminal.alarm()
    finally:
        daemon.close()

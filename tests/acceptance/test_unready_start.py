"""A start that lacks something it needs: operators have their alarms, and the receiver gets the rest by itself."""

from __future__ import annotations

import os
import resource
import socket
import sqlite3
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.rigs import journal
from tests.rigs.daemon import Daemon, running, vetlla
from tests.rigs.registered_homes import keep_key, register
from tests.rigs.strace import program
from tests.rigs.terminal import Terminal
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = "[store]\nmin_free_mib = 1\nretry_s = 0.2\n"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Return a receiver that was killed with a LIFE alarm in its queue, and another one only in its log."""
    register(tmp_path / "state", "1001,H-1001,,")
    with running(tmp_path, config=CONFIG) as daemon:
        with Terminal(daemon.port, "1001") as home:
            home.alarm()
        daemon.kill()
        yield daemon


def started(daemon: Daemon, **how: object) -> Daemon:
    """Start the receiver, and wait until it reports its state, ready or not."""
    daemon.start(ready=False, **how)  # type: ignore[arg-type]  # what start() takes
    daemon.await_state("READY=1")
    return daemon


def assert_operators_work(daemon: Daemon, *, durable: bool) -> None:
    """Check that operators can work the alarm of the previous run."""
    (alarm,) = daemon.queue()
    assert (alarm["account"], alarm["priority"]) == ("1001", "LIFE")
    assert daemon.ask("queue.claim", alarm=1)["durable"] is durable


@contextmanager
def held(state_dir: Path, *statements: str) -> Iterator[None]:
    """Hold the registry during the block, as a hung process does."""
    with closing(sqlite3.connect(state_dir / REGISTRY, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
        yield


HELD = {
    "locked": ("BEGIN EXCLUSIVE",),
    "in the midst of a change": (
        "PRAGMA cache_size = 1",
        "PRAGMA cache_spill = 1",
        "BEGIN EXCLUSIVE",
        "UPDATE accounts SET home = 'H-9999'",
        "CREATE TABLE filler AS SELECT randomblob(500000) FROM accounts",
    ),
}


@pytest.mark.parametrize("how", HELD)
def test_a_registry_that_a_hung_process_holds_is_still_read(daemon: Daemon, how: str) -> None:
    """The receiver starts with the last committed state. Once none started while an engineer had a shell on it."""
    with held(daemon.state_dir, *HELD[how]):
        started(daemon)
        status = daemon.status()
        assert (status["ready"], status["counts"]["accounts"]) == (True, 1)
        daemon.port = status["listening"][0]["port"]
        with Terminal(daemon.port, "1001") as home:
            home.alarm("1110")
        assert {alarm["home"] for alarm in daemon.queue()} == {"H-1001"}
        if how == "locked":
            told = vetlla("doctor", "--config", str(daemon.config_file), "--json", state_dir=daemon.state_dir)
            assert f"process {os.getpid()} has held it for too long" in told.stdout


def test_a_registry_that_cannot_be_read_makes_the_start_unready(daemon: Daemon) -> None:
    """Terminals find no listener and dial their second receiver; operators work. A retry reads the mended registry."""
    keep_key(daemon.state_dir, "north", bytes(16))
    path = daemon.state_dir / REGISTRY
    whole = path.read_bytes()
    path.write_bytes(b"something wrote over it\n" * 500)
    started(daemon)
    status = daemon.status()
    assert (status["ready"], status["listening"], status["store"]["state"]) == (False, [], "unread")
    assert "registry.db: file is not a database" in status["why"]
    assert daemon.shown.startswith("STATUS=NOT READY, nothing new is acknowledged: ")
    daemon.http_port = status["http"]["port"]
    assert daemon.page("/readyz").status == 503
    assert daemon.metric("vetlla_ready") == 0
    assert_operators_work(daemon, durable=True)
    told = vetlla("doctor", "--config", str(daemon.config_file), state_dir=daemon.state_dir)
    assert told.returncode == 2
    assert "registry.db: file is not a database" in told.stdout.replace("\n", " ")
    path.write_bytes(whole)
    assert daemon.await_log("receiver.ready")["accounts"] == 1
    daemon.port = daemon.await_status(lambda status: bool(status["ready"]))["listening"][0]["port"]
    with Terminal(daemon.port, "1001") as home:
        home.alarm("1110")
    assert daemon.stop() == 0
    assert daemon.told == ""
    assert journal.flaws(daemon.state_dir) == []


HEIR = """
import os, sys
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="ours")
os.dup2(int(sys.argv[1]), 3)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Passes a socket as systemd does, and then executes the receiver."""


@pytest.mark.parametrize("handed", [False, True])
def test_a_port_that_another_program_took_is_waited_for(daemon: Daemon, *, handed: bool) -> None:
    """If one port is in use, an unready start retries all of them, also systemd's, until it has every port."""
    path = daemon.state_dir / REGISTRY
    whole = path.read_bytes()
    path.write_bytes(b"something wrote over it\n" * 500)
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", 0)) as ours:
        port, daemon.listen_port = ours.getsockname()[1], other.getsockname()[1]
        where = f'name = "ours"\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = {port}\ntransports = ["tcp"]'
        daemon.configure(f"{CONFIG}\n[[listen]]\n{where}\n")
        if handed:
            heir = [sys.executable, "-c", HEIR, str(ours.fileno())]
            started(daemon, wrapper=heir, pass_fds=[ours.fileno()])
        else:
            ours.close()
            started(daemon)
        path.write_bytes(whole)
        for _ in range(3):
            why = daemon.await_log("receiver.cannot_listen", after=len(daemon.log))["why"]
            assert f"cannot listen on 127.0.0.1:{daemon.listen_port}: Address already in use" in why
    daemon.await_log("receiver.ready")
    for place in (port, daemon.listen_port):
        with Terminal(place, "1001") as home:
            home.alarm("1110")
    assert daemon.stop() == 0
    assert daemon.told == ""


@pytest.mark.parametrize("first", [False, True], ids=["later start", "first start after a boot of the machine"])
def test_a_journal_that_a_hung_process_writes(daemon: Daemon, *, first: bool) -> None:
    """Nothing is acknowledged, and operators work. When that process ends, the receiver becomes ready by itself."""
    with closing(sqlite3.connect(daemon.state_dir / JOURNAL, isolation_level=None)) as other:
        if first:
            other.execute("UPDATE boots SET boot = 'of yesterday'")
        other.execute("BEGIN IMMEDIATE")
        started(daemon)
        assert "database is locked" in daemon.await_log("store.unready", state="failed")["why"]
        assert_operators_work(daemon, durable=False)
        other.execute("ROLLBACK")
    daemon.await_log("store.recovered")
    assert daemon.stop() == 0
    assert ("claim", "alarm 1") in journal.records(daemon.state_dir)
    assert journal.flaws(daemon.state_dir) == []


FULL = {
    "no room in the database": ("pwrite64", "ENOSPC", JOURNAL),
    "no room in the log": ("pwrite64", "ENOSPC", f"{JOURNAL}-wal"),
    "log not synced": ("fdatasync", "EIO", f"{JOURNAL}-wal"),
    "no room for the log's index": ("ftruncate", "ENOSPC", f"{JOURNAL}-shm"),
}


@pytest.mark.parametrize("fault", FULL)
def test_a_start_on_a_full_disk_gives_operators_their_alarms(daemon: Daemon, fault: str) -> None:
    """It takes nothing and shows the reason. When there is space, it takes everything without a restart."""
    call, error, name = FULL[fault]
    path = str(daemon.state_dir / name)
    # The first calls fail: those of the start and of some retries.
    rules = ("-P", path, "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when=1..12")
    started(daemon, wrapper=[program(), "-D", "-f", "-o", "/dev/null", *rules, "--"])
    daemon.await_log("store.unready", state="failed")
    assert_operators_work(daemon, durable=daemon.status()["ready"])
    daemon.await_log("store.recovered")
    daemon.port = daemon.await_status(lambda status: bool(status["ready"]))["listening"][0]["port"]
    with Terminal(daemon.port, "1001") as home:
        home.alarm("1110")
    assert daemon.stop() == 0
    assert "Traceback" not in daemon.told
    records = journal.records(daemon.state_dir)
    assert ("claim", "alarm 1") in records
    assert journal.flaws(daemon.state_dir) == []


def test_a_start_where_no_file_may_grow(daemon: Daemon) -> None:
    """With the kernel's limit on files, and no tracer, it is unready until the limit is lifted. Commands show why."""

    def limit() -> None:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))

    started(daemon, preexec=limit)
    status = daemon.status()
    assert status["ready"] is False
    assert JOURNAL in status["why"]
    done = vetlla("status", state_dir=daemon.state_dir)
    assert (done.returncode, "NOT READY" in done.stdout) == (69, True)
    assert_operators_work(daemon, durable=False)
    port = status["listening"][0]["port"]
    with Terminal(port, "1001") as home:
        frame = home.frame("1110")
        assert home.is_refused(frame)
        _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        daemon.await_log("store.recovered")
        assert home.say(frame) == "ACK"
    assert daemon.stop() == 0
    assert ("claim", "alarm 1") in journal.records(daemon.state_dir)
    assert journal.flaws(daemon.state_dir) == []

"""``vetlla status`` says whether the receiver is ready, for a person and for a script that waits."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import PATIENCE_S, Daemon, running
from tests.rigs.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Run one receiver for all tests of this file."""
    with running(tmp_path_factory.mktemp("status")) as started:
        yield started


def test_a_receiver_that_is_ready(daemon: Daemon, vetlla: Vetlla) -> None:
    """The command says where it listens, what it counted and how its store is; the exit status is 0."""
    with Terminal(daemon.port, "1234") as terminal:
        terminal.alarm()
    done = vetlla("status", "--state-dir", daemon.state_dir)
    assert done.status == 0
    assert ": ready, since 20" in done.out
    assert f"dc09: dc09 over tcp on 127.0.0.1:{daemon.port}" in done.out
    assert f"dc09: dc09 over udp on 127.0.0.1:{daemon.port}" in done.out
    assert f"http://127.0.0.1:{daemon.http_port}/metrics" in done.out
    assert "1 signals, 0 duplicates" in done.out
    assert "alarms open: 1 LIFE; 1 waiting" in done.out
    assert "supervision: no device; 0 incidents open" in done.out
    assert "store ok" in done.out


def test_a_machine_gets_fields(daemon: Daemon, vetlla: Vetlla) -> None:
    """With --json the whole status is one object."""
    done = vetlla("status", "--json", "--state-dir", daemon.state_dir)
    (status,) = done.json
    assert status["ready"] is True
    assert status["why"] == ""
    assert {place["transport"] for place in status["listening"]} == {"tcp", "udp"}
    assert status["counts"].keys() >= {"signals", "duplicates", "refused", "rejects", "heartbeats", "waiting"}
    assert status["store"]["state"] == "ok"
    assert list(status["supervision"]["states"]) == ["lost", "late", "unknown", "not_supervised", "ok"]


def test_no_receiver(vetlla: Vetlla) -> None:
    """The exit status is 69, at once."""
    done = vetlla("status")
    assert done.status == os.EX_UNAVAILABLE
    assert "no receiver answers at" in done.error


def test_waiting_without_success(vetlla: Vetlla) -> None:
    """The exit status is 69, after the given time."""
    assert vetlla("status", "--wait", 0.2).status == os.EX_UNAVAILABLE


def test_waiting_for_a_receiver_that_starts_late(tmp_path: Path, vetlla: Vetlla) -> None:
    """A script may ask before the receiver is there."""
    late = Daemon(tmp_path / "late")
    late.state_dir.mkdir()
    answered = threading.Event()

    def start() -> None:
        late.start()
        answered.wait(PATIENCE_S)  # the kernel ends the daemon with the thread that started it (PR_SET_PDEATHSIG)

    starting = threading.Timer(0.3, start)
    starting.start()
    try:
        done = vetlla("status", "--wait", 30, "--state-dir", late.state_dir)
        assert done.status == 0, done
    finally:
        answered.set()
        starting.join()
        late.close()


def test_a_receiver_that_is_not_ready(tmp_path: Path, vetlla: Vetlla) -> None:
    """The command says why it takes no reports, and still shows its counts; the exit status is 69."""
    full = "store = { min_free_mib = 1073741824, recover_free_mib = 1073741824 }"
    with running(tmp_path / "full", config=full) as daemon:
        daemon.await_status(lambda status: not status["ready"])
        done = vetlla("status", "--state-dir", daemon.state_dir)
        assert done.status == os.EX_UNAVAILABLE
        assert "NOT READY: disk low" in done.out
        assert "store low" in done.out
        assert "not ready: disk low" in done.error
        assert vetlla("status", "--json", "--state-dir", daemon.state_dir).json[0]["ready"] is False

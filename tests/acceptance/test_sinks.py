"""Sinks of the installed receiver: kill -9, a restart, a reload, and what monitoring shows."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.daemon import Daemon, running, vetlla
from tests.rigs.hook_server import HookServer, hook_server
from tests.rigs.terminal import HungUp, Terminal
from vetlla.receiver.sinks.bounds import WRITE_AFTER
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOMES = """\
code,district,base,level,alone,active
H1,01,NORD,2,yes,2018-01-01/
H2,02,NORD,3,no,2018-01-01/
"""
STORE = "[store]\nmin_free_mib = 1\n"


@pytest.fixture
def hook() -> Iterator[HookServer]:
    with hook_server() as server:
        yield server


def sheet(daemon: Daemon) -> dict[str, Any]:
    (one,) = daemon.ask("sinks.list")["sinks"]
    return dict(one)


def drained(daemon: Daemon) -> None:
    """Wait until the sink has sent everything; at its start it does not know yet what waits."""
    last = stored(daemon.state_dir)[-1]
    daemon.await_status(lambda status: status["sinks"][0]["position"] >= last)


def stored(directory: Path) -> list[int]:
    with Archive(directory) as archive:
        return [row["id"] for row in archive.read("SELECT id FROM signals ORDER BY id")]


@pytest.mark.parametrize("instant", ["before it is taken", "after it is taken"])
def test_kill_9_in_the_middle_of_a_request_loses_nothing(tmp_path: Path, hook: HookServer, instant: str) -> None:
    """The server gets every stored signal, in order, and again only what no position told of."""
    config = STORE + hook.table(tmp_path, batch_signals=3, retry_max_s=0.2)
    daemon = Daemon(tmp_path, config=config)
    deadly = threading.Event()

    def kill_at_tenth(signals: list[dict[str, Any]]) -> int:
        if deadly.is_set() and hook.requests % 10 == 9:
            deadly.clear()
            daemon.process.kill()
            return 500 if instant == "before it is taken" else 200
        return 200

    hook.answer = kill_at_tenth
    acknowledged = 0
    try:
        for _ in range(4):
            daemon.start()
            deadly.set()
            with Terminal(daemon.port) as terminal, suppress(HungUp, OSError):
                while True:
                    terminal.alarm()
                    acknowledged += 1
            daemon.wait()
            assert not deadly.is_set()
        daemon.start()
        drained(daemon)
        position = sheet(daemon)["position"]
        assert daemon.stop() == 0
    finally:
        daemon.close()
    numbers = stored(daemon.state_dir)
    assert hook.numbers == numbers
    assert len(numbers) >= acknowledged > 0
    assert position == numbers[-1]
    assert len(hook.signals) - len(numbers) <= 4 * WRITE_AFTER


def test_a_stopped_receiver_repeats_nothing(tmp_path: Path, hook: HookServer) -> None:
    """A normal stop lets the request under way end, and writes the position."""
    config = STORE + hook.table(tmp_path)
    daemon = Daemon(tmp_path, config=config)
    try:
        for _ in range(3):
            daemon.start()
            with Terminal(daemon.port) as terminal:
                for _ in range(20):
                    terminal.alarm()
            assert daemon.stop() == 0
        daemon.start()
        drained(daemon)
    finally:
        daemon.close()
    assert [one["number"] for one in hook.signals] == stored(daemon.state_dir) == list(range(1, 61))


def test_the_receiver_starts_without_the_files_of_a_sink(tmp_path: Path, hook: HookServer) -> None:
    """Reports come first: a sink that cannot be used is shown by status, metrics, check-config and checks."""
    table = hook.table(tmp_path)
    key = tmp_path / "hook.key"
    kept = key.read_text(encoding="utf-8")
    key.unlink()
    with running(tmp_path, config=STORE + table + "lag_max_s = 0.001\nretry_max_s = 0.01\n") as daemon:
        with Terminal(daemon.port) as terminal:
            terminal.alarm()
        status = daemon.await_status(lambda status: status["sinks"][0]["state"] == "retrying")
        assert str(key) in status["sinks"][0]["why"]
        assert daemon.metric("vetlla_sink_state", sink="city", state="retrying") == 1
        assert daemon.metric("vetlla_sink_waiting", sink="city") == 1
        assert daemon.metric("vetlla_sink_lag_seconds", sink="city") > 0
        checked = vetlla("check-config", "--config", str(daemon.config_file), "--state-dir", str(daemon.state_dir))
        assert (checked.returncode, f"warning: sink city: sends nothing: sink city: {key}" in checked.stdout) == (
            0,
            True,
        )
        late = vetlla("sinks", "check", state_dir=daemon.state_dir)
        assert (late.returncode, late.stdout.splitlines()[0]) == (2, "SINKS CRITICAL: 1 sinks")
        shown = vetlla("status", state_dir=daemon.state_dir).stdout
        assert "sink city: webhook to 127.0.0.1" in shown
        assert "1 signals wait" in shown

        key.write_text(kept, encoding="utf-8")
        key.chmod(0o600)
        drained(daemon)
        assert vetlla("sinks", "check", state_dir=daemon.state_dir).returncode == 0
        assert daemon.metric("vetlla_sink_delivered_total", sink="city") == 1
    assert hook.numbers == [1]


def test_a_filter_by_district_asks_the_inventory(tmp_path: Path, hook: HookServer) -> None:
    """The district of a home is that of the inventory when the signal is sent."""
    with running(tmp_path, config=STORE + hook.table(tmp_path, districts=["01"])) as daemon:
        for words, rows in (
            ("inventory import - --what homes --format csv", HOMES),
            ("accounts import - --format csv", "account,home\nA001,H1\nA002,H2\n"),
        ):
            done = vetlla(*words.split(), stdin=rows, state_dir=daemon.state_dir)
            assert done.returncode == 0, done.stderr
        for account in ("A002", "A001"):
            with Terminal(daemon.port, account) as terminal:
                terminal.alarm()
        hook.wait_for(lambda: bool(hook.signals))
        drained(daemon)
    assert [(one["home"], one["district"]) for one in hook.signals] == [("H1", "01")]


def test_sinks_change_only_at_a_restart(tmp_path: Path, hook: HookServer) -> None:
    """A reload says so, and the sinks in force go on."""
    with running(tmp_path, config=STORE + hook.table(tmp_path)) as daemon:
        daemon.configure(STORE + hook.table(tmp_path, name="other"))
        daemon.reload()
        status = daemon.status()
        assert status["reload"] == {"refused": "", "waiting": ["sink"]}
        assert [one["name"] for one in status["sinks"]] == ["city"]
        with Terminal(daemon.port) as terminal:
            terminal.alarm()
        hook.wait_for(lambda: bool(hook.signals))


def test_an_engineer_pauses_tests_and_replays(tmp_path: Path, hook: HookServer) -> None:
    """The commands do what they say, and the audit has it."""
    with running(tmp_path, config=STORE + hook.table(tmp_path)) as daemon:

        def sinks(*words: str) -> tuple[int, str]:
            done = vetlla("sinks", *words, state_dir=daemon.state_dir)
            assert "Traceback" not in done.stderr
            return done.returncode, done.stdout + done.stderr

        with Terminal(daemon.port) as terminal:
            for _ in range(3):
                terminal.alarm()
            drained(daemon)
            assert sinks("pause", "city", "--reason", "their server moves")[0] == 0
            terminal.alarm()
            status, shown = sinks("list")
            assert (status, "paused by" in shown, "their server moves" in shown) == (0, True, True)
            assert sinks("check")[0] == 1
            status, shown = sinks("test", "city")
            assert (status, "took it in" in shown) == (0, True)
            assert hook.signals[-1]["test"]
            assert len(hook.signals) == 4
            assert sinks("resume", "city")[0] == 0
            drained(daemon)
            status, shown = sinks(
                "replay", "city", "--from-signal", "2", "--to-signal", "3", "--reason", "lost", "--dry-run"
            )
            assert (status, "signals 2 to 3 again: 2" in shown) == (0, True)
            assert sinks("replay", "city", "--from-signal", "2", "--to-signal", "3", "--reason", "lost")[0] == 0
            hook.wait_for(lambda: len(hook.signals) == 7)
            assert [(one["number"], one["replayed"]) for one in hook.signals[5:]] == [(2, True), (3, True)]
            hook.answer = lambda signals: 400 if any(one["number"] == 5 for one in signals) else 200
            terminal.alarm()
            daemon.await_log("sink.blocked", signal=5)
            assert sinks("check")[0] == 2
            status, shown = sinks("skip", "city", "--reason", "told them")
            assert status == 0
            terminal.alarm()
            hook.wait_for(lambda: hook.signals[-1]["number"] == 6)
            status, shown = sinks("skip", "city", "--reason", "told them")
            assert (status, "is not blocked" in shown) == (64, True)
            status, shown = sinks("pause", "town", "--reason", "x")
            assert (status, "no sink town" in shown) == (64, True)
        audit = vetlla("audit", "list", "--json", state_dir=daemon.state_dir).stdout
    for action in ("pause sink", "resume sink", "replay sink", "skip signal"):
        assert f'"action": "{action}"' in audit

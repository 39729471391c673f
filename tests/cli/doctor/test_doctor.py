"""``vetlla doctor`` against real directories, ports and processes."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vetlla.checks.machine import _file_system, descriptors, flushes
from vetlla.checks.running import ask_status
from vetlla.checks.state_files import _users, sqlite
from vetlla.domain.findings import Level
from vetlla.store.journal.opening import JOURNAL

VETLLA = str(Path(sys.executable).with_name("vetlla"))
FIELDS = ["check", "level", "text", "remedy", "home", "device", "figures"]


def _doctor(directory: Path, config: str = "") -> tuple[int, dict[str, dict[str, Any]]]:
    """Run the installed program; return its exit status and the findings by check."""
    file = directory / "vetlla.toml"
    file.write_text(f'state_dir = "{directory / "state"}"\n{config}', encoding="utf-8")
    done = subprocess.run(
        [VETLLA, "doctor", "--config", str(file), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert all(list(finding) == FIELDS for finding in findings), done.stderr
    return done.returncode, {finding["check"]: finding for finding in findings}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir(mode=0o750)
    return tmp_path


def test_a_fit_machine_has_nothing_critical(home: Path) -> None:
    """Every check answers. Checks of this machine itself (clock, limits) may warn, but no check is critical."""
    status, found = _doctor(home, '[[listen]]\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = 0\n')
    assert status in {0, 1}
    assert set(found) == {
        *("receiver", "python", "sqlite", "state directory", "file system", "free space", "flush"),
        *("configuration", "files", "journal", "registry"),
        *("keys", "cards", "descriptors", "clock", "listener dc09", "listener http"),
    }
    assert found["state directory"]["level"] == found["keys"]["level"] == found["listener dc09"]["level"] == "ok"
    assert found["flush"]["figures"]["flush_p50_ms"] <= found["flush"]["figures"]["flush_max_ms"]
    assert found["receiver"]["level"] == "warning"
    assert list((home / "state").iterdir()) == []


def test_every_fault_is_named_with_its_remedy(home: Path) -> None:
    """A port in use, keys and a directory open to others, and a disk without room are found; the exit status is 2."""
    (home / "state").chmod(0o755)
    (home / "keys.toml").write_text("", encoding="utf-8")
    (home / "keys.toml").chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, found = _doctor(
            home,
            f"""
keys_file = "{home / "keys.toml"}"
[[listen]]
protocol = "dc09"
host = "127.0.0.1"
port = {port}
[store]
min_free_mib = 1_000_000_000
""",
        )
    assert status == 2
    assert found["state directory"]["level"] == "warning"
    for check in ("keys", "free space", "listener dc09"):
        assert found[check]["level"] == "critical", check
        assert found[check]["remedy"], check
    assert f"127.0.0.1:{port}" in found["listener dc09"]["text"]


def test_a_missing_state_directory_stops_what_depends_on_it(tmp_path: Path) -> None:
    """The finding names the directory and the command that makes it; the rest is still checked."""
    status, found = _doctor(tmp_path)
    assert status == 2
    assert str(tmp_path / "state") in found["state directory"]["remedy"]
    assert "flush" not in found
    assert "python" in found


def test_a_table_for_people_shows_the_same(home: Path) -> None:
    """Without --json each check is a line, with its remedy below."""
    done = subprocess.run(
        [VETLLA, "doctor", "--state-dir", str(home / "state")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "state directory" in done.stdout
    assert "-> start it (systemctl start vetlla)" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_running_receiver_holds_its_own_ports(home: Path) -> None:
    """A running receiver may use its own port, and it reports its version."""
    config = home / "vetlla.toml"
    listen = '[[listen]]\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = 0\n[http]\nport = 0\n'
    config.write_text(f'state_dir = "{home / "state"}"\n{listen}', encoding="utf-8")
    receiver = subprocess.Popen(
        [VETLLA, "receiver", "--config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        asked = [VETLLA, "status", "--state-dir", str(home / "state"), "--wait", "30", "--json"]
        answer = json.loads(subprocess.run(asked, capture_output=True, check=True, timeout=60).stdout)
        (port,) = {place["port"] for place in answer["listening"]}
        status, found = _doctor(home, listen.replace("port = 0", f"port = {port}", 1))
    finally:
        receiver.terminate()
        receiver.wait(timeout=30)
    assert status in {0, 1}
    assert found["receiver"]["level"] == "ok"
    assert found["listener dc09"]["text"] == f"127.0.0.1:{port}, the receiver listens over tcp, udp"


def test_a_receiver_that_cannot_commit_is_critical() -> None:
    """The receiver's own status counts."""
    status: Any = {"ready": False, "why": "disk low", "version": "1"}
    _, found = ask_status(lambda _: status)
    assert (found.check, found.level) == ("receiver", Level.CRITICAL)
    assert "disk low" in found.text


def test_a_second_writer_is_found(tmp_path: Path) -> None:
    """Two processes that have the journal open for writing are named if this SQLite could corrupt it."""
    journal = tmp_path / JOURNAL
    journal.touch()
    script = f"import sys; file = open({str(journal)!r}, sys.argv[1]); print(flush=True); sys.stdin.read()"
    others = [
        subprocess.Popen([sys.executable, "-c", script, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for mode in ("r+", "r+", "r")
    ]
    try:
        for other in others:
            assert other.stdout is not None
            other.stdout.readline()
        assert _users(journal)[0] == sorted(other.pid for other in others[:2])
        found = sqlite(tmp_path, (3, 40, 1))
        assert found.level is Level.CRITICAL
        assert str(others[0].pid) in found.text
        assert sqlite(tmp_path, (3, 51, 3)).level is Level.OK
    finally:
        for other in others:
            other.communicate(timeout=10)
    assert sqlite(tmp_path, (3, 40, 1)).level is Level.OK
    assert _users(tmp_path / "absent.db") == ([], [])


@pytest.mark.parametrize(
    ("durations_ms", "level"),
    [
        ([0.2] * 50, Level.OK),
        ([0.2] * 49 + [120.0], Level.OK),
        ([25.0] * 50, Level.WARNING),
        ([0.2] * 49 + [900.0], Level.CRITICAL),
        ([0.004] * 50, Level.WARNING),
    ],
)
def test_flushes_are_checked(durations_ms: list[float], level: Level) -> None:
    """Slow, failing and impossibly fast flushes are three findings; a single slow flush is not a finding."""
    assert flushes(durations_ms).level is level


@pytest.mark.parametrize(
    ("kind", "level"), [("ext4", Level.OK), ("nfs4", Level.CRITICAL), ("tmpfs", Level.CRITICAL), ("", Level.UNKNOWN)]
)
def test_file_systems_are_checked(kind: str, level: Level, tmp_path: Path) -> None:
    """A network file system cannot hold the journal, and memory must not."""
    assert _file_system(tmp_path, kind).level is level


def test_descriptors_are_compared_with_what_is_promised() -> None:
    """More connections than the process may open is a warning with both figures."""
    assert descriptors(1, 1_000, "here").level is Level.OK
    assert descriptors(1 << 40, None, "here").level is Level.OK
    found = descriptors(1 << 40, 1_000, "here")
    assert found.level is Level.WARNING
    assert found.figures is not None
    assert found.figures["needed"] > 1 << 40

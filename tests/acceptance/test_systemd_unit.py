"""The shipped units: systemd understands them, they are hardened, match the settings, and suffice for the receiver."""

from __future__ import annotations

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.rigs.command_tree import commands
from vetlla.receiver.budget import SPARE_FILES
from vetlla.settings.limits import Limits
from vetlla.settings.load import load
from vetlla.settings.model import DEFAULT_STATE_DIR, KEYS_CREDENTIAL
from vetlla.settings.reminders.model import REMINDERS_STATE_DIR
from vetlla.worker.reminders.daemon import DRAIN_S

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "config" / "systemd"
VETLLA = str(Path(sys.executable).with_name("vetlla"))

NEWER = {"RestartSteps", "RestartMaxDelaySec"}
"""Settings of systemd 254, which earlier versions warn about and ignore."""

BY_ROOT = {"fchown", "chown"}
"""Calls that the unit refuses. Only root uses them, to give new files to the directory's owner (ownership.py)."""


def _tool(name: str, package: str) -> str:
    if (path := shutil.which(name)) is None:
        pytest.skip(f"needs Debian package {package}")
    return path


def _unit(name: str) -> dict[str, dict[str, list[str]]]:
    """Return a unit as sections -> keys -> values, because a key may occur more than once."""
    sections: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            sections[section][key].append(value)
    return sections


def _units(kind: str) -> list[str]:
    return sorted(path.name for path in UNITS.glob(f"*.{kind}"))


@pytest.mark.parametrize("unit", _units("service"))
def test_exposure_stays_small(unit: str) -> None:
    """Systemd's own review gives every service at most 1.5 of 10."""
    done = subprocess.run(
        [_tool("systemd-analyze", "systemd"), "security", "--offline=true", "--no-pager", str(UNITS / unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    overall = re.search(rf"Overall exposure level for {re.escape(unit)}: ([0-9.]+)", done.stdout)
    assert overall, done.stdout + done.stderr
    assert float(overall[1]) <= 1.5


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """Systemd finds nothing unknown or contradictory in them. Other programs replace those installed elsewhere."""
    for path in UNITS.iterdir():
        text = path.read_text(encoding="utf-8").replace("/opt/vetlla/bin/vetlla", VETLLA)
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    units = [str(tmp_path / unit) for kind in ("service", "socket", "timer") for unit in _units(kind)]
    done = subprocess.run(
        [_tool("systemd-analyze", "systemd"), "verify", "--man=no", "--recursive-errors=no", *units],
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    complaints = [
        line
        for line in done.stderr.splitlines()
        if "vetlla" in line and not any(f"Unknown key '{key}'" in line or f"name '{key}'" in line for key in NEWER)
    ]
    assert complaints == []


def test_unit_and_settings_agree() -> None:
    """The unit fits the settings: time to drain, descriptors, paths and names."""
    service = _unit("vetlla.service")["Service"]
    limits = Limits()
    assert int(service["TimeoutStopSec"][0].removesuffix("s")) >= 2 * limits.drain_deadline_s
    assert int(service["LimitNOFILE"][0]) >= limits.connections + SPARE_FILES
    assert service["StateDirectory"] == [DEFAULT_STATE_DIR.name]
    assert service["LoadCredential"] == [KEYS_CREDENTIAL]
    reminders = _unit("vetlla-reminders.service")["Service"]
    assert int(reminders["TimeoutStopSec"][0].removesuffix("s")) >= 2 * DRAIN_S
    assert reminders["StateDirectory"] == [REMINDERS_STATE_DIR.name]
    ports = _unit("vetlla.socket")["Socket"]
    example = tomllib.loads((ROOT / "config" / "vetlla.toml").read_text(encoding="utf-8"))
    (listen,) = example["listen"]
    assert ports["ListenStream"] == ports["ListenDatagram"] == [str(listen["port"])]
    assert ports["FileDescriptorName"] == [load(ROOT / "config" / "vetlla.toml").listen[0].name]


def test_units_call_commands_that_exist() -> None:
    """Every vetlla command that a unit starts exists in the program."""
    known = {command.path for command in commands()}
    for unit in _units("service"):
        for line in _unit(unit)["Service"]["ExecStart"]:
            called = re.findall(r"/opt/vetlla/bin/vetlla ([a-z]+(?: [a-z]+)*)", line)
            assert called or line.startswith("/usr/bin/install "), unit
            assert set(called) <= known


def test_users_and_groups_are_made() -> None:
    """Sysusers makes the user and the groups that service and configuration name."""
    users = (UNITS / "vetlla-sysusers.conf").read_text(encoding="utf-8")
    service = _unit("vetlla.service")["Service"]
    assert re.search(rf"^u {service['User'][0]} ", users, re.MULTILINE)
    example = (ROOT / "config" / "vetlla.toml").read_text(encoding="utf-8")
    for role in ("operators", "supervisors", "engineers"):
        (group,) = re.findall(rf'^#{role} = "(\S+)"', example, re.MULTILINE)
        assert re.search(rf"^g {group} ", users, re.MULTILINE)


# --- the receiver within the unit's limits ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The observations of one run of the receiver."""

    told: list[str]
    """States sent to the service manager in order, with the repeated WATCHDOG=1 only once."""
    answer: bytes
    calls: set[str]
    status: int
    state_dir: Path


def _refuse_executable_memory() -> None:
    """Apply MemoryDenyWriteExecute= in the child before it becomes the receiver (prctl(2), PR_SET_MDWE)."""
    ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    """Run the receiver as systemd would, and record every system call."""
    strace = _tool("strace", "strace")
    folder = tmp_path_factory.mktemp("life")
    frame = json.loads((ROOT / "fixtures" / "dc09" / "cid-periodic-test.json").read_text(encoding="utf-8"))
    told: list[str] = []
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        socket.create_server(("127.0.0.1", 0)) as listening,
        (folder / "log").open("wb") as log,
    ):
        manager.bind(str(folder / "notify"))
        manager.settimeout(60)

        def heard(state: str) -> str:
            while not told or not told[-1].startswith(state):
                for line in manager.recv(4096).decode().splitlines():
                    if line not in told[-1:] and not line.startswith(("STATUS=", "MONOTONIC_USEC=")):
                        told.append(line)
            return told[-1]

        # fd 3 is systemd's first socket. bash moves it there and executes strace, which executes the receiver.
        command = [strace, "-f", "-c", "-U", "name", "-o", str(folder / "calls")]
        receiver = [VETLLA, "receiver", "--listen", "dc09=127.0.0.1:0", "--state-dir", str(folder / "state")]
        process = subprocess.Popen(
            [
                *("bash", "-c", f'exec "$@" 3<&{listening.fileno()}', "bash", *command),
                *("bash", "-c", 'LISTEN_PID=$$ exec "$@"', "bash", *receiver),
            ],
            env={
                **os.environ,
                "NOTIFY_SOCKET": str(folder / "notify"),
                "WATCHDOG_USEC": "600000",
                "LISTEN_FDS": "1",
                "LISTEN_FDNAMES": "dc09",
            },
            pass_fds=[listening.fileno()],
            preexec_fn=_refuse_executable_memory,  # noqa: PLW1509 - no thread holds a lock here
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            heard("READY=1")
            heard("WATCHDOG=1")
            pid = _child_of(process.pid)
            with socket.create_connection(listening.getsockname(), timeout=30) as home:
                home.sendall(bytes.fromhex(frame["frame_hex"]))
                answer = home.recv(4096)
            os.kill(pid, signal.SIGHUP)
            heard("RELOADING=1")
            heard("READY=1")
            os.kill(pid, signal.SIGTERM)
            heard("STOPPING=1")
            status = process.wait(timeout=60)
        except TimeoutError:
            pytest.fail((folder / "log").read_text(encoding="utf-8"))
        finally:
            process.kill()
            process.wait()
    table = (folder / "calls").read_text(encoding="ascii").splitlines()
    names = {line.strip() for line in table} - {"syscall", "total"}
    return Life(
        told=told,
        answer=answer,
        calls={name for name in names if re.fullmatch(r"\w+", name)},
        status=status,
        state_dir=folder / "state",
    )


def _child_of(parent: int) -> int:
    """Return the receiver: the process whose parent is strace."""
    (child,) = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    return int(child)


def test_the_manager_gets_every_state_of_a_run(life: Life) -> None:
    """The states are ready, watchdog, reloading, ready again and stopping, and the run ends cleanly."""
    steps = [state for state in life.told if state != "WATCHDOG=1"]
    assert steps == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]
    assert life.status == 0


def test_a_socket_of_systemd_serves_homes(life: Life) -> None:
    """The receiver acknowledges a report that comes through the inherited socket."""
    assert b'"ACK"' in life.answer


def test_the_unit_allows_every_call_the_receiver_makes(life: Life) -> None:
    """Start, recovery, a report, a reload and the end need no system call that SystemCallFilter= forbids."""
    done = subprocess.run(
        [_tool("systemd-analyze", "systemd"), "syscall-filter", "--no-pager"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    sets: dict[str, set[str]] = defaultdict(set)
    name = ""
    for line in done.stdout.splitlines():
        if line.startswith("@"):
            name = line.strip()
        elif line.startswith("    ") and not line.strip().startswith("#"):
            sets[name].add(line.strip())

    def members(name: str) -> set[str]:
        return set().union(*(members(one) if one.startswith("@") else {one} for one in sets[name]))

    allowed: set[str] = members("@default")
    for value in _unit("vetlla.service")["Service"]["SystemCallFilter"]:
        for group in value.removeprefix("~").split():
            assert sets[group], group
            allowed = allowed - members(group) if value.startswith("~") else allowed | members(group)
    assert "fdatasync" in life.calls
    assert life.calls - allowed - (BY_ROOT if os.geteuid() == 0 else set()) == set()


def test_the_nightly_copy_is_made_and_verified(life: Life, tmp_path: Path) -> None:
    """The command of the backup unit makes a copy named by its time, and verifies that it is complete."""
    (line,) = _unit("vetlla-backup.service")["Service"]["ExecStart"]
    script = re.fullmatch(r"/bin/sh -c '(.+)'", line)
    assert script
    text = script[1].replace("$$", "$").replace("%%", "%")  # systemd's own escapes
    text = text.replace("/opt/vetlla/bin/vetlla", VETLLA).replace("/var/backups/vetlla", str(tmp_path))
    done = subprocess.run(
        ["/bin/sh", "-c", text],
        env={**os.environ, "VETLLA_STATE_DIR": str(life.state_dir)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (copy,) = tmp_path.iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d{4}Z", copy.name)
    assert done.stdout.splitlines()[-1].endswith(": whole")

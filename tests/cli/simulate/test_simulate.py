from __future__ import annotations

import csv
import json
import os
import pty
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import PATIENCE_S, VETLLA, Daemon, running, vetlla
from tests.rigs.drills import simulated
from tests.rigs.terminal_screen import screen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("simulate")) as started:
        yield started


def test_only_a_named_receiver_is_dialled(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """Configuration or environment alone must not open alarms at the service's own receiver."""
    monkeypatch.setenv("VETLLA_STATE_DIR", str(daemon.state_dir))
    monkeypatch.setenv("VETLLA_CONFIG", str(daemon.config_file))
    before = daemon.status()["counts"]["signals"]
    for way in (["dial"], ["dial", "--protocol", "eview"], ["mqtt"]):
        done = vetlla("simulate", *way, "--homes", "1", "--reports", "1")
        assert done.returncode == os.EX_USAGE
        assert "no receiver is named" in done.stderr
        assert "--to HOST:PORT" in done.stderr
    assert daemon.status()["counts"]["signals"] == before


def test_homes_call_the_receiver_of_the_state_directory(daemon: Daemon) -> None:
    """With --state-dir its running receiver is dialled; it counts what the homes sent."""
    before = daemon.status()["counts"]["signals"]
    result = simulated(daemon, "--closed", "--reports", "60", "--mix", "alarms=1,tests=9")
    assert (result["told"], result["acknowledged"], result["lost"], result["complete"]) == (60, 60, 0, True)
    assert result["to"] == f"127.0.0.1:{daemon.port}"
    assert 0 < result["p50_us"] <= result["p90_us"] <= result["p99_us"] <= result["max_us"]
    assert daemon.status()["counts"]["signals"] - before == 60


def test_a_seed_repeats_the_same_reports(daemon: Daemon, tmp_path: Path) -> None:
    """With the seed of an earlier run, homes send the same reports again, and the receiver takes them for other calls.

    Numbers and data are the same, but other reports of each home lie between (docs/journal.md).
    """
    first, again = tmp_path / "first.ndjson", tmp_path / "again.ndjson"
    options = ("--closed", "--reports", "20", "--mix", "tests=1")
    seed = simulated(daemon, *options, "--ledger", str(first))["seed"]
    before = daemon.status()["counts"]
    simulated(daemon, *options, "--ledger", str(again), "--seed", str(seed))
    after = daemon.status()["counts"]
    assert after["signals"] - before["signals"] + after["duplicates"] - before["duplicates"] == 20

    def told(ledger: Path) -> set[tuple[str, str, str]]:
        entries = map(json.loads, ledger.read_text(encoding="ascii").splitlines())
        return {(entry["account"], entry["sequence"], entry["data"]) for entry in entries}

    assert told(first) == told(again)


def test_mishaps_lose_nothing_at_a_real_receiver(daemon: Daemon) -> None:
    """With torn, batched, damaged, repeated and duplicated reports at once, all are acknowledged on both paths."""
    faults = "torn=.2,batch=.2,damage=.2,retry=.2,duplicate=.2,storm=3"
    result = simulated(daemon, "--rate", "200", "--reports", "200", "--homes", "20", "--faults", faults)
    assert (result["told"], result["acknowledged"], result["malformed"]) == (260, 260, 0)
    assert result["second_path"] == result["duplicated"] > 0


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("connection", ["keep", "each"])
def test_homes_dial_as_the_options_say(daemon: Daemon, transport: str, connection: str) -> None:
    """Homes dial over TCP and UDP, and stay connected or dial again each time."""
    options = ("--transport", transport, "--connection", connection, "--homes", "4")
    result = simulated(daemon, "--closed", "--reports", "20", *options)
    assert (result["acknowledged"], result["connections"]) == (20, 4 if connection == "keep" else 20)


@pytest.mark.parametrize("bits", ["128", "192", "256"])
def test_a_receiver_understands_a_drill_with_its_export(tmp_path: Path, bits: str) -> None:
    """Homes encrypt with invented keys; --export writes the accounts and keys that a receiver needs for them."""
    drill = tmp_path / "drill"
    options = ("--homes", "3", "--encrypt", bits, "--seed", "7")
    assert vetlla("simulate", "dial", *options, "--export", str(drill)).returncode == 0
    with running(tmp_path) as daemon:
        (drill / "keys.toml").rename(daemon.state_dir / "keys.toml")
        imported = vetlla("accounts", "import", str(drill / "accounts.csv"), state_dir=daemon.state_dir)
        assert imported.returncode == 0, imported.stderr
        run = ("--closed", "--reports", "30", "--mix", "tests=1", "--faults", "clock=1")
        result = simulated(daemon, *options, *run)
        assert (result["acknowledged"], result["nak"]) == (30, 3)
        in_clear = ("--accounts", str(drill / "accounts.csv"), "--encrypt", "none")
        refused = simulated(daemon, "--closed", "--reports", "3", *in_clear, status=1)
        assert (refused["refused"], refused["complete"]) == (3, False)


def test_homes_may_be_those_of_a_service(tmp_path: Path) -> None:
    """Accounts and keys come from a service's own files; homes without a key call in clear."""
    with running(tmp_path) as daemon:
        keys, accounts = daemon.state_dir / "keys.toml", tmp_path / "accounts.csv"
        secret = "00112233445566778899aabbccddeeff"
        assert vetlla("keys", "set", "north", "--hex", stdin=secret, state_dir=daemon.state_dir).returncode == 0
        accounts.write_text("account,line,key_name\n4C01,2,north\n4C02,1,\n", encoding="utf-8")
        assert vetlla("accounts", "import", str(accounts), state_dir=daemon.state_dir).returncode == 0
        options = ("--accounts", str(accounts), "--keys-from", str(keys), "--mix", "tests=1")
        assert simulated(daemon, "--closed", "--reports", "10", *options)["homes"] == 2
        assert daemon.status()["counts"]["signals"] == 10
        assert simulated(daemon, "--closed", "--reports", "4", "--homes", "1", *options)["homes"] == 1


def test_a_person_reads_the_result_as_a_table(daemon: Daemon) -> None:
    """Without --json the result is a table: what was sent, how fast, what was lost, how to repeat it."""
    done = vetlla("simulate", "dial", "--closed", "--reports", "10", "--seed", "3", state_dir=daemon.state_dir)
    assert done.returncode == 0
    for part in ("10  reports of 10 homes", "0  lost", "p99", "3  seed", "complete"):
        assert part in done.stdout


def test_on_a_terminal_progress_is_shown(daemon: Daemon) -> None:
    """While homes call, a terminal shows the progress."""
    ours, theirs = pty.openpty()
    command = [VETLLA, "simulate", "dial", "--rate", "20", "--duration", "0.7", "--state-dir", str(daemon.state_dir)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    ) as run:
        os.close(theirs)
        shown = screen(ours)
        assert run.wait(PATIENCE_S) == 0
    os.close(ours)
    assert b"acknowledged" in shown


def test_ctrl_c_ends_the_calls_and_prints_the_result(daemon: Daemon) -> None:
    """An interrupted run lets open reports finish and prints its result."""
    signals = daemon.status()["counts"]["signals"]
    command = [VETLLA, "simulate", "dial", "--json", "--rate", "100", "--duration", "600", "--mix", "tests=1"]
    with subprocess.Popen([*command, "--state-dir", str(daemon.state_dir)], stdout=subprocess.PIPE) as run:
        deadline = time.monotonic() + PATIENCE_S
        while daemon.status()["counts"]["signals"] < signals + 20:
            assert time.monotonic() < deadline
        run.send_signal(signal.SIGINT)
        out, _ = run.communicate(timeout=PATIENCE_S)
    result = json.loads(out)
    assert run.returncode == 0
    assert result["complete"]
    assert result["told"] >= 20


def test_a_second_signal_cuts_the_calls_short() -> None:
    """After a second signal the run does not wait for a silent receiver: it ends with status 1 and its result."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE_S)
        to = f"127.0.0.1:{silent.getsockname()[1]}"
        command = [VETLLA, "simulate", "dial", "--to", to, "--homes", "1", "--closed", "--timeout", "60"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as run:
            line, _ = silent.accept()
            with line:
                assert line.recv(4096)
                for number in (signal.SIGINT, signal.SIGTERM):
                    run.send_signal(number)
                _, talk = run.communicate(timeout=PATIENCE_S)
    assert (run.returncode, talk) == (1, "stopped early: 0 of 1 reports were acknowledged\n")


def test_reports_without_a_receiver_are_lost(tmp_path: Path) -> None:
    """Without a receiver the run ends with status 1 and counts every report as lost."""
    options = (
        "--to",
        "127.0.0.1:9",
        "--homes",
        "2",
        "--closed",
        "--reports",
        "2",
        "--attempts",
        "1",
        "--timeout",
        "0.3",
    )
    ledger = tmp_path / "sent.ndjson"
    done = vetlla("simulate", "dial", *options, "--json", "--ledger", str(ledger))
    assert (done.returncode, json.loads(done.stdout)["lost"]) == (1, 2)
    assert [json.loads(line)["fate"] for line in ledger.read_text().splitlines()] == ["lost", "lost"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--to", "nowhere"), "HOST:PORT"),
        (("--to", "127.0.0.1:99999"), "a port is from 1 to 65535"),
        (("--to", "127.0.0.1:0"), "a port is from 1 to 65535"),
        (("--to", "a..b:9"), "is not a host"),
        (("--encrypt", "64"), "128"),
        (("--mix", "alarm=1"), "heartbeats"),
        (("--faults", "torn=5"), "between 0 and 1"),
        (("--closed", "--faults", "storm"), "rate"),
        (("--closed", "--rate", "5"), "exclude each other"),
        (("--ledger", "/nowhere/sent.ndjson"), "can be written"),
        (("--accounts", "/nowhere/accounts.csv"), "name a file that you may read"),
        (("--export", "/dev/null/drill"), "can be written"),
        (("--transport", "tls", "--trust", "/nowhere/chain.pem"), "PEM"),
        (("--transport", "tls", "--trust", __file__), "PEM"),
    ],
)
def test_a_wrong_option_is_reported_with_its_remedy(options: tuple[str, ...], says: str) -> None:
    """A wrong option is refused before any home calls."""
    to = () if "--to" in options else ("--to", "127.0.0.1:9")
    done = vetlla("simulate", "dial", *to, *options)
    assert done.returncode == os.EX_USAGE
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_row_of_accounts_is_reported_with_its_line(tmp_path: Path) -> None:
    """A file that `accounts import` would refuse is refused here with the same message."""
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("account,interval_s\n4C01,often\n", encoding="utf-8")
    done = vetlla("simulate", "dial", "--to", "127.0.0.1:9", "--accounts", str(accounts))
    assert done.returncode == os.EX_USAGE
    assert "row 2: column interval_s" in done.stderr


def test_accounts_that_name_a_key_need_it(tmp_path: Path) -> None:
    """A home that should encrypt does not call in clear if its key is missing."""
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("account,key_name\n4C01,north\n", encoding="utf-8")
    done = vetlla("simulate", "dial", "--to", "127.0.0.1:9", "--accounts", str(accounts))
    assert done.returncode == os.EX_USAGE
    assert "no key named north" in done.stderr


def test_without_a_receiver_to_call_there_is_an_error(tmp_path: Path) -> None:
    """Without --to and without a running receiver the status is 69, and the error says what to do."""
    done = vetlla("simulate", "dial", state_dir=tmp_path)
    assert done.returncode == os.EX_UNAVAILABLE
    assert "--state-dir" in done.stderr


def test_more_homes_than_sockets_are_refused() -> None:
    """A run that needs more sockets than the system lets a process open is refused, with the limit to raise."""
    command = f"ulimit -n 128 && exec {VETLLA} simulate dial --to 127.0.0.1:9 --homes 100"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode == os.EX_USAGE
    assert "ulimit -Hn 164" in done.stderr


def test_an_export_names_every_home(tmp_path: Path) -> None:
    """An export holds each home once, with the columns of accounts import."""
    vetlla("simulate", "dial", "--homes", "5", "--export", str(tmp_path))
    with (tmp_path / "accounts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["account"] for row in rows] == ["D00001", "D00002", "D00003", "D00004", "D00005"]
    assert {row["key_name"] for row in rows} == {""}

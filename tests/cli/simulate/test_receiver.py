"""``vetlla simulate receiver`` against a computer that reads with the decoders, over sockets and terminals."""

from __future__ import annotations

import csv
import json
import os
import pty
import socket
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.computer import Computer
from tests.rigs.daemon import PATIENCE_S, VETLLA, vetlla
from vetlla.domain.signals import Kind

if TYPE_CHECKING:
    from pathlib import Path

QUICK = ("--answer-within", "0.2", "--beat-every", "0.3")


def run(*options: str, status: int = 0) -> dict[str, Any]:
    """Run a receiver; return its report."""
    done = vetlla("simulate", "receiver", "--json", "--seed", "5", *options)
    assert done.returncode == status, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def over_tcp(computer: Computer, *options: str, status: int = 0) -> dict[str, Any]:
    with socket.create_server(("127.0.0.1", 0)) as listening, computer.running(listening):
        return run("--connect", f"127.0.0.1:{listening.getsockname()[1]}", *options, status=status)


def events(computer: Computer) -> list[tuple[str, str, str, str]]:
    """Return account, code, area and device of each event of a home that the computer stored."""
    return [
        (one.id.account, one.event.code, one.area, one.device)
        for one in computer.stored
        if one.event.system == "contact_id"
    ]


@pytest.mark.parametrize("protocol", ["ademco685", "radionics6500", "surgard"])
def test_every_event_arrives_once_and_in_order(protocol: str, tmp_path: Path) -> None:
    """The CSV ledger has what the computer stored, in the same order."""
    computer, ledger = Computer(protocol), tmp_path / "ledger.csv"
    report = over_tcp(computer, "--protocol", protocol, "--closed", "--reports", "300", "--ledger", str(ledger))
    assert (report["told"], report["acknowledged"], report["repeated"], report["complete"]) == (300, 300, 0, True)
    assert 0 < report["p50_us"] <= report["p90_us"] <= report["p99_us"] <= report["max_us"]
    stored = events(computer)
    assert len(stored) == len(set(stored)) == 300
    with ledger.open(encoding="ascii", newline="") as rows:
        told = list(csv.DictReader(rows))
    assert [row["account"] for row in told] == [account for account, *_ in stored]
    assert {row["fate"] for row in told} == {"acknowledged"}


def test_a_serial_port_is_used_like_a_connection() -> None:
    controller, device = pty.openpty()
    computer = Computer("surgard", line_width="3")
    with computer.running(controller):
        report = run("--serial", os.ttyname(device), "--line-width", "3", "--closed", "--reports", "50")
    os.close(device)
    os.close(controller)
    assert report["acknowledged"] == len(events(computer)) == 50


def test_it_waits_for_a_computer_that_connects(tmp_path: Path) -> None:
    """With --accept the computer dials; the message that says where is on standard error."""
    command = [VETLLA, "simulate", "receiver", "--accept", "127.0.0.1:0", "--closed", "--reports", "20", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        port = int(started.stderr.readline().rpartition(":")[2])
        computer = Computer("surgard")
        with socket.create_connection(("127.0.0.1", port)) as peer, computer.running(peer.fileno()):
            out, _ = started.communicate(timeout=PATIENCE_S)
    assert started.returncode == 0
    assert json.loads(out)["acknowledged"] == len(events(computer)) == 20


def test_an_absent_computer_gets_everything_later() -> None:
    """The computer leaves frames without an answer: the receiver repeats, beats, and then sends all events in order."""
    computer = Computer("surgard")
    computer.answers_to = lambda number: not 10 <= number < 18
    report = over_tcp(computer, *QUICK, "--rate", "100", "--reports", "100", "--tries", "3")
    assert (report["acknowledged"], report["absences"], report["complete"]) == (100, 1, True)
    assert report["absent_s"] > 0
    assert report["heartbeats"] >= 1
    stored = events(computer)
    assert len(set(stored)) == 100
    assert list(dict.fromkeys(stored)) == list(dict.fromkeys(sorted(stored, key=stored.index)))
    assert any(one.event.kind is Kind.HEARTBEAT for one in computer.stored)


def test_faults_on_the_line_lose_nothing() -> None:
    """With damage, copies and pieces every event is stored; copies are counted by the computer alone."""
    computer = Computer("surgard")
    # This computer answers each of several copies in one read, and its further ACKs would count for the next message.
    faults = "damage=.2,parity=.1,duplicate=.2,torn=.2"
    report = over_tcp(computer, *QUICK, "--closed", "--reports", "60", "--faults", faults)
    assert (report["acknowledged"], report["complete"]) == (60, True)
    assert report["nak"] > 0
    counted = Counter(events(computer))
    assert len(counted) == 60
    assert max(counted.values()) > 1


def test_callers_come_before_their_events() -> None:
    computer = Computer("surgard")
    report = over_tcp(computer, "--closed", "--reports", "20", "--faults", "caller=1")
    assert report["acknowledged"] == 20
    assert all(one.details["caller"].startswith("600000") for one in computer.stored)


def test_a_header_goes_both_ways() -> None:
    """A computer that answers under a B32 header is understood."""
    report = over_tcp(Computer("surgard"), "--closed", "--reports", "20", "--header", "--account-width", "8")
    assert report["acknowledged"] == 20


def test_no_computer_is_a_loss() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [VETLLA, "simulate", "receiver", "--connect", f"127.0.0.1:{port}", "--closed", *QUICK, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stderr is not None
        assert f"127.0.0.1:{port} cannot be reached" in started.stderr.readline()
        started.terminate()
        assert "Ctrl-C again" in started.stderr.readline()
        started.terminate()
        _, err = started.communicate(timeout=PATIENCE_S)
    assert started.returncode == 1, err


@pytest.mark.parametrize(
    "way", [("--connect", "192.0.2.1:1025"), ("--serial", "/dev/ttyUSB0"), ("--accept", "0.0.0.0:0")]
)
def test_invented_alarms_do_not_leave_the_machine_unasked(way: tuple[str, str]) -> None:
    done = vetlla("simulate", "receiver", *way, stdin="")
    assert done.returncode == os.EX_USAGE
    assert "--yes" in done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "no line is named"),
        (("--connect", "127.0.0.1:1", "--serial", "x"), "exclude each other"),
        (("--connect", "127.0.0.1"), "not HOST:PORT"),
        (("--serial", "/dev/pts/0", "--mode", "9N1"), "not a mode"),
        (("--connect", "127.0.0.1:1", "--protocol", "dc09"), "no line receiver writes 'dc09'"),
        (("--connect", "127.0.0.1:1", "--account-width", "9"), "account_width"),
        (("--connect", "127.0.0.1:1", "--closed", "--rate", "1"), "exclude each other"),
        (("--connect", "127.0.0.1:1", "--faults", "storm"), "'storm'"),
        (("--connect", "127.0.0.1:1", "--homes", "1000"), "enough for 999 homes"),
        (("--connect", "127.0.0.1:1", "--protocol", "ademco685", "--faults", "caller"), "carries no caller ID"),
    ],
)
def test_what_cannot_be_done_is_said(options: tuple[str, ...], said: str) -> None:
    done = vetlla("simulate", "receiver", *options)
    assert done.returncode == os.EX_USAGE
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_homes_that_dial_do_not_speak_for_a_receiver() -> None:
    done = vetlla("simulate", "dial", "--protocol", "surgard", "--to", "127.0.0.1:1")
    assert done.returncode == os.EX_USAGE
    assert "vetlla simulate receiver --protocol surgard" in done.stderr

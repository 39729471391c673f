"""Line receivers on real ports of the installed daemon: serial, and TCP in either direction."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import Daemon, running, vetlla
from tests.rigs.line_port import ACK, HEARTBEAT, NAK, WAYS, daemon_with_port
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

CALL = b"5011 181234E10100007\x14"
OTHER = b"5012 185678E10100007\x14"
PARITY_7E1 = bytes(byte | (byte.bit_count() % 2) << 7 for byte in CALL)


def stored(daemon: Daemon) -> list[tuple[str, str, str, str, int]]:
    """Return receiver, line, account and code of the stored signals, and how often each was repeated."""
    with closing(sqlite3.connect(daemon.state_dir / JOURNAL)) as connection:
        return connection.execute(
            "SELECT receiver, line, account, code, coalesce(count, 0) FROM signals"
            " LEFT JOIN duplicates ON signal_id = id ORDER BY id"
        ).fetchall()


@pytest.mark.parametrize("way", WAYS)
def test_a_call_stands_in_the_queue_and_is_acknowledged(tmp_path: Path, way: str) -> None:
    """A call over each kind of port is stored before its ACK; heartbeats are answered and not stored."""
    with daemon_with_port(tmp_path, way) as (daemon, port):
        assert port.call(HEARTBEAT) == ACK
        assert port.call(CALL) == ACK
        assert stored(daemon) == [("01", "1", "1234", "101", 0)]
        (alarm,) = daemon.queue()
        assert (alarm["account"], alarm["priority"]) == ("1234", "LIFE")
        (line,) = daemon.status()["lines"]
        assert (line["open"], line["openings"], line["frames"], line["damaged"]) == (True, 1, 2, 0)
        assert daemon.metric("vetlla_line_open", line="sg") == 1
        assert daemon.metric("vetlla_line_frames_total", line="sg") == 2
        shown = vetlla("status", state_dir=daemon.state_dir).stdout
        assert any("sg: surgard at " in line and "open, last frame" in line for line in shown.splitlines())


@pytest.mark.parametrize("way", WAYS)
def test_a_repetition_is_answered_and_counted_and_a_second_call_is_stored(tmp_path: Path, way: str) -> None:
    """Only the last message can be a repetition: a receiver waits for the answer before it sends the next one."""
    with daemon_with_port(tmp_path, way) as (daemon, port):
        for frame in (CALL, CALL, OTHER, CALL):
            assert port.call(frame) == ACK
        assert stored(daemon) == [
            ("01", "1", "1234", "101", 1),
            ("01", "2", "5678", "101", 0),
            ("01", "1", "1234", "101", 0),
        ]


@pytest.mark.parametrize("way", ["serial", "accept"])
def test_a_repetition_after_kill_9_is_not_stored_twice(tmp_path: Path, way: str) -> None:
    """The receiver sends its last message again if the ACK was lost with the daemon."""
    with daemon_with_port(tmp_path, way) as (daemon, port):
        assert port.call(CALL) == ACK
        assert port.call(CALL) == ACK
        daemon.kill()
        daemon.start()
        if way == "serial":
            daemon.await_log("line.opened")
            assert port.call(CALL) == ACK
        else:
            place = next(one for one in daemon.status()["listening"] if one["name"] == "sg")
            assert dialled(place["port"], CALL) == ACK
        assert stored(daemon) == [("01", "1", "1234", "101", 2)]


def dialled(port: int, frame: bytes) -> bytes:
    """Connect as a receiver, send a frame and return the answer."""
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(frame)
        return peer.recv(1)


def test_rules_of_a_port_keep_homes_of_two_receivers_apart(tmp_path: Path) -> None:
    """The port gives its reports another receiver number, and digits before their accounts."""
    settings = 'receiver = "77"\naccount_prefix = "40"\noptions = { line_width = "3" }'
    with daemon_with_port(tmp_path, "serial", settings=settings) as (daemon, port):
        assert port.call(b"501004 181234E10100007\x14") == ACK
        assert stored(daemon) == [("77", "004", "401234", "101", 0)]


def test_a_message_of_the_receiver_itself_belongs_to_the_receiver(tmp_path: Path) -> None:
    """Its own trouble is a technical alarm of the receiver, and no home's."""
    with daemon_with_port(tmp_path, "serial") as (daemon, port):
        assert port.call(HEARTBEAT) == ACK
        assert port.call(b"0011[#0000|NYS0000]\x14") == ACK
        ((_, _, account, code, _),) = stored(daemon)
        assert (account, code) == ("LINE:sg", "YS")
        (alarm,) = daemon.queue()
        assert (alarm["home"], alarm["priority"], alarm["unknown_account"]) == ("LINE:sg", "TECHNICAL", False)


def test_a_receiver_that_falls_silent_opens_an_alarm(tmp_path: Path) -> None:
    """Its loss is shown like that of a terminal, and ends with its next message."""
    config = "supervision = { tolerance_s = 0 }"
    settings = "interval_s = 1\nallowed_misses = 1"
    with daemon_with_port(tmp_path, "serial", settings=settings, config=config) as (daemon, port):
        assert port.call(HEARTBEAT) == ACK
        alarm = daemon.await_alarm()
        assert (alarm["account"], alarm["kind"], alarm["priority"]) == ("LINE:sg", "device_lost", "TECHNICAL")
        assert daemon.metric("vetlla_supervised", state="lost") == 1
        assert port.call(CALL) == ACK
        daemon.await_metric("vetlla_supervised", lambda _: daemon.metric("vetlla_supervised", state="lost") == 0)


def test_damage_on_the_line_is_refused_and_another_parity_is_noticed(tmp_path: Path) -> None:
    """The receiver repeats what was damaged, and the status says which setting is wrong."""
    with daemon_with_port(tmp_path, "serial") as (daemon, port):
        assert port.call(HEARTBEAT) == ACK
        assert port.call(PARITY_7E1) == NAK
        assert daemon.await_log("line.parity_suspected")["parity"] == "even"
        assert "7 bits with even parity" in vetlla("status", state_dir=daemon.state_dir).stdout
        assert daemon.metric("vetlla_line_parity_suspected", line="sg") == 1
        assert port.call(CALL) == ACK
        assert len(stored(daemon)) == 1


def test_an_unplugged_port_is_opened_again_and_half_a_frame_is_kept(tmp_path: Path) -> None:
    """Bytes that came before the plug was pulled are evidence; the receiver repeats its message."""
    device = tmp_path / "tty"
    plug = ["socat", f"pty,link={device},raw,echo=0", "-"]

    def plugged() -> subprocess.Popen[bytes]:
        return subprocess.Popen(plug, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    line = f'[[line]]\nname = "sg"\nprotocol = "surgard"\nserial = {{ device = "{device}" }}'
    with running(tmp_path, config=line) as daemon:
        assert daemon.await_log("line.cannot_open")["why"].endswith("there is no such device")
        for said in (HEARTBEAT + CALL[:12], CALL):
            before = len(daemon.log)
            cable = plugged()
            try:
                daemon.await_log("line.opened", after=before)
                assert cable.stdin is not None
                assert cable.stdout is not None
                cable.stdin.write(said)
                cable.stdin.flush()
                assert cable.stdout.read(1) == ACK
            finally:
                cable.send_signal(signal.SIGKILL)
                cable.communicate()
            assert daemon.await_log("line.closed", after=before)["why"] == "the device was unplugged"
        assert len(stored(daemon)) == 1
        assert daemon.status()["counts"]["rejects"] == 1


def test_a_port_that_another_program_has_open_is_named(tmp_path: Path) -> None:
    """Two programs on one port read each other's answers, so the second one is refused."""
    with daemon_with_port(tmp_path / "one", "serial") as (daemon, _):
        config = daemon.config_file.read_text()
        line = config[config.index("[[line]]") : config.index("[[listen]]")]
        with running(tmp_path / "two", config=line) as second:
            assert "another program has the port open" in second.await_log("line.cannot_open")["why"]


def test_the_same_message_on_two_ports_is_two_calls(tmp_path: Path) -> None:
    """Two receivers may have the same numbers."""
    second = '[[line]]\nname = "two"\nprotocol = "surgard"\naccept = { host = "127.0.0.1", port = 0 }\nreceiver = "2"\n'
    with daemon_with_port(tmp_path, "serial", config=second) as (daemon, port):
        place = next(one for one in daemon.status()["listening"] if one["name"] == "two")
        assert port.call(CALL) == ACK
        assert dialled(place["port"], CALL) == ACK
        assert [one[:3] for one in stored(daemon)] == [("01", "1", "1234"), ("2", "1", "1234")]


@pytest.mark.parametrize(
    ("protocol", "frame", "account"),
    [
        ("ademco685", b"\n14 1111 18 E100 01 C00 \r", "1111"),
        ("radionics6500", b" a011 123418E10100007\x14", "1234"),
    ],
)
def test_the_other_dialects(tmp_path: Path, protocol: str, frame: bytes, account: str) -> None:
    with daemon_with_port(tmp_path, "serial", protocol=protocol) as (daemon, port):
        assert port.call(frame) == ACK
        assert [one[2] for one in stored(daemon)] == [account]


def test_a_receiver_that_is_silent_until_its_first_heartbeat_stays_connected(tmp_path: Path) -> None:
    """Limits of terminals are not those of a receiver; a newer connection replaces an older one."""
    config = "limits = { first_frame_timeout_s = 0.05, idle_timeout_s = 0.05 }"
    with daemon_with_port(tmp_path, "accept", config=config) as (daemon, port):
        daemon.await_status(lambda status: status["uptime_s"] > 1)
        assert port.call(HEARTBEAT) == ACK
        place = next(one for one in daemon.status()["listening"] if one["name"] == "sg")
        assert dialled(place["port"], CALL) == ACK
        assert daemon.await_log("line.replaced")["line"] == "sg"


def test_a_call_begins_with_its_first_byte(tmp_path: Path) -> None:
    """The connection of a receiver is open for months, so *t2* of a call begins with the call's first byte."""
    with daemon_with_port(tmp_path, "connect") as (daemon, port):
        assert port.call(CALL) == ACK
        with closing(sqlite3.connect(daemon.state_dir / JOURNAL)) as connection:
            ((setup_us, more),) = connection.execute("SELECT setup_us, more FROM signals").fetchall()
        assert setup_us == 0
        assert json.loads(more)["details"]["t2_from"] == "first_byte"

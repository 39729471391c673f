"""``vetlla capture`` and ``vetlla probe-line`` as a person uses them, against a simulated receiver."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import threading
import tomllib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

import pytest

from tests.rigs.computer import Computer
from tests.rigs.daemon import PATIENCE_S, VETLLA, vetlla
from vetlla.protocols.captures.recording import chunk_of
from vetlla.settings.line import Line
from vetlla.simulator.line_receiver.mishaps import with_parity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALARMS = b"501002 181234E10100001\x14501002 185678E10300002\x14"
BEAT = b"101000           @    \x14"


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [VETLLA, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def port_of(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    return int(process.stderr.readline().rpartition(":")[2])


def ended(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    return out


class Sender:
    """A receiver that listens on a port, and sends bytes to each connection."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces
        self.answers = b""
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        peer, _ = self.listening.accept()
        with peer:
            for piece in self._pieces:
                peer.sendall(piece)
            while data := peer.recv(100):
                self.answers += data

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self.listening.close()


# --- capture ----------------------------------------------------------------------------------------------------------


def test_a_capture_is_a_file_that_decode_reads(tmp_path: Path) -> None:
    """Bytes are written with their times, nothing is answered, and the end says what they are."""
    file = tmp_path / "monday.capture"
    with Sender(ALARMS, BEAT) as sender:
        done = vetlla("capture", "--tcp", sender.address, str(file), "--for", "1")
    assert done.returncode == 0, done.stderr
    assert sender.answers == b""
    assert "Sur-Gard" in done.stdout
    assert "line field has 3 characters" in done.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    decoded = vetlla("decode", "surgard", "--json", str(file))
    accounts = [json.loads(line)["account"] for line in decoded.stdout.splitlines()]
    assert accounts == ["1234", "5678", ""]
    guessed = json.loads(vetlla("capture", "--guess", str(file), "--json").stdout)
    assert (guessed["protocol"], guessed["line_width"], guessed["events"]) == ("surgard", 3, 2)


def test_a_capture_stands_between_a_receiver_and_its_program(tmp_path: Path) -> None:
    """Everything passes both ways: each event is acknowledged by the program behind, and both directions are kept."""
    file = tmp_path / "between.capture"
    computer = Computer("surgard")
    with socket.create_server(("127.0.0.1", 0)) as listening, computer.running(listening):
        behind = f"127.0.0.1:{listening.getsockname()[1]}"
        with started("capture", "--accept", "127.0.0.1:0", "--to", behind, str(file), "--json") as tap:
            connect = f"127.0.0.1:{port_of(tap)}"
            done = vetlla("simulate", "receiver", "--connect", connect, "--closed", "--reports", "30", "--json")
            said = json.loads(ended(tap))
    report = json.loads(done.stdout)
    assert (report["acknowledged"], report["complete"]) == (30, True)
    chunks = [chunk for line in file.read_text(encoding="ascii").splitlines() if (chunk := chunk_of(line))]
    assert len(chunks) == said["chunks"]
    sent = b"".join(chunk.data for chunk in chunks if not chunk.is_answer)
    assert sent.count(b"\x14") == len(computer.stored) == 30
    assert b"".join(chunk.data for chunk in chunks if chunk.is_answer) == b"\x06" * 30


def test_a_capture_stands_between_two_serial_ports(tmp_path: Path) -> None:
    """A real cable (socat) on the side of the receiver, and a terminal on that of the program."""
    ends = (tmp_path / "receiver", tmp_path / "tap")
    controller, device = pty.openpty()
    computer = Computer("surgard")
    cable = subprocess.Popen(
        ["socat", *(f"pty,link={end},raw,echo=0" for end in ends)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not all(end.exists() for end in ends):
            assert cable.poll() is None
        words = ("capture", "--serial", str(ends[1]), "--to", os.ttyname(device), str(tmp_path / "x"), "--json")
        with computer.running(controller), started(*words) as tap:
            assert tap.stderr is not None
            assert "is open" in tap.stderr.readline()
            done = vetlla("simulate", "receiver", "--serial", str(ends[0]), "--closed", "--reports", "30", "--json")
            said = json.loads(ended(tap))
    finally:
        cable.terminate()
        cable.wait()
        os.close(device)
        os.close(controller)
    assert json.loads(done.stdout)["acknowledged"] == said["events"] == len(computer.stored) == 30


def test_a_program_that_connects_itself_is_served(tmp_path: Path) -> None:
    """With listen: the tap takes the place of the receiver's port."""
    with (
        Sender(ALARMS) as sender,
        started("capture", "--tcp", sender.address, "--to", "listen:127.0.0.1:0", str(tmp_path / "x"), "--json") as tap,
    ):
        computer = Computer("surgard")
        with socket.create_connection(("127.0.0.1", port_of(tap))) as peer, computer.running(peer.fileno()):
            peer.sendall(b"\x06")
            answers = 0
            while answers == 0:
                answers = (tmp_path / "x").read_text(encoding="ascii").count("> 06")
            ended(tap)
    assert sender.answers.startswith(b"\x06")


def test_only_ack_acknowledges(tmp_path: Path) -> None:
    """--ack says what it costs."""
    with Sender(ALARMS, b"50\xb11 damaged\x14") as sender:
        done = vetlla("capture", "--tcp", sender.address, str(tmp_path / "x"), "--for", "1", "--ack", "surgard")
    assert sender.answers == b"\x06\x06\x15"
    assert "lost" in done.stderr


def test_no_capture_is_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "old"
    file.write_text("kept", encoding="ascii")
    done = vetlla("capture", "--tcp", "127.0.0.1:1", str(file))
    assert done.returncode == os.EX_USAGE
    assert file.read_text(encoding="ascii") == "kept"


def test_another_file_is_no_capture(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("# a comment\nhello\n", encoding="ascii")
    done = vetlla("capture", "--guess", str(file))
    assert (done.returncode, done.stdout) == (os.EX_DATAERR, "")
    assert "line 2" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--tcp", "127.0.0.1:1"),
        ("x",),
        ("--tcp", "127.0.0.1:1", "--serial", "/dev/null", "x"),
        ("--tcp", "127.0.0.1:1", "x", "--ack", "dc09"),
        ("--tcp", "127.0.0.1:1", "x", "--ack", "surgard", "--to", "127.0.0.1:2"),
        ("--guess", "/no/such/file"),
        ("--guess", "y", "x"),
        ("--tcp", "127.0.0.1:1", "--to", "nowhere", "x"),
    ],
)
def test_what_capture_cannot_do_is_said(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = vetlla("capture", *words)
    assert done.returncode == os.EX_USAGE, done
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


# --- probe-line -------------------------------------------------------------------------------------------------------


def table(out: str) -> dict[str, object]:
    """Return the [[line]] table that an output ends with."""
    (line,) = tomllib.loads(out[out.index("[[line]]") :])["line"]
    assert isinstance(line, dict)
    Line.model_validate_json(json.dumps(line))  # the receiver takes it as it is
    return line


def test_a_probe_ends_with_the_table_for_the_configuration() -> None:
    with Sender(ALARMS, BEAT) as sender:
        done = vetlla("probe-line", "--tcp", sender.address, "--for", "1")
    assert done.returncode == 0, done.stderr
    assert sender.answers == b""
    host, port = sender.address.split(":")
    assert table(done.stdout) == {
        "name": "line-1",
        "protocol": "surgard",
        "options": {"line_width": "3"},
        "connect": {"host": host, "port": int(port)},
    }


def test_a_probe_sees_a_wrong_mode_of_a_serial_port() -> None:
    """A port that reads 8N1 from a receiver with 7E1 gets the right table."""
    controller, device = pty.openpty()
    name = os.ttyname(device)
    with started("probe-line", "--serial", name, "--baud", "19200", "--for", "2") as probe:
        assert probe.stderr is not None
        assert "19200 baud, 8N1" in probe.stderr.readline()
        assert f"{name} is open" in probe.stderr.readline()
        os.write(controller, bytes(map(with_parity, b"\n14 1234 18 E101 00 C007\r\n00 OKAY @\r" * 2)))
        out, err = probe.communicate(timeout=PATIENCE_S)
    os.close(device)
    os.close(controller)
    assert probe.returncode == 0, err
    assert "7E1 that is read as 8N1" in out
    assert table(out) == {
        "name": "line-1",
        "protocol": "ademco685",
        "serial": {"device": name, "baud": 19200, "data_bits": 7, "parity": "even", "stop_bits": 1},
    }


def test_a_probe_may_answer_heartbeats_and_nothing_else() -> None:
    with Sender(BEAT, ALARMS, BEAT) as sender:
        done = vetlla("probe-line", "--tcp", sender.address, "--for", "1", "--answer-heartbeats", "--json")
    assert done.returncode == 0, done.stderr
    assert 1 <= len(sender.answers) <= 2
    assert set(sender.answers) == {0x06}
    assert json.loads(done.stdout)["heartbeats"] == 2


def test_a_probe_of_something_else_finds_nothing() -> None:
    with Sender(b"HTTP/1.1 400 Bad Request\r\n\r\n") as sender:
        done = vetlla("probe-line", "--tcp", sender.address, "--for", "0.5")
    assert (done.returncode, "[[line]]" in done.stdout) == (1, False)


def test_a_silent_line_is_said_to_be_silent() -> None:
    with Sender() as sender:
        done = vetlla("probe-line", "--tcp", sender.address, "--for", "0.3")
    assert done.returncode == 1
    assert "Nothing came" in done.stdout

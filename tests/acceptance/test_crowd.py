"""Limits on one peer, or on ten thousand: the receiver still answers a normal terminal as before."""

from __future__ import annotations

import resource
import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs import journal
from tests.rigs.daemon import PATIENCE_S, Daemon, running
from tests.rigs.terminal import HungUp, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CROWD = 10_000
SPARE_FILES = 300
"""Descriptors of the daemon besides those of connections."""
CALLS = 200
FACTOR = 5
"""Factor by which the crowd may lengthen the median answer. It is generous, for machines with other work."""
FLOOR_S = 0.005
"""Medians below this are not compared, because the scheduler decides them."""


@contextmanager
def crowd(port: int, count: int) -> Iterator[subprocess.Popen[str]]:
    """Hold half-open connections in another process while the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.rigs.crowd", str(port), str(count)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "standing\n"
            yield process
        finally:
            process.kill()


def closed_by_receiver(process: subprocess.Popen[str]) -> int:
    """Return how many of the crowd's connections the receiver has closed."""
    told, _ = process.communicate(timeout=PATIENCE_S)
    return int(told)


def median_answer_s(terminal: Terminal) -> float:
    """Return the median time from a report to its acknowledgement. No report may be lost."""
    times = []
    for number in range(CALLS):
        frame = terminal.frame("1602", zone=number)
        began = time.perf_counter()
        assert terminal.say(frame) == "ACK"
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def allow_files() -> None:
    """Raise the limit of open files for the crowd. Root may raise the hard limit, and others mostly need not."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = CROWD + SPARE_FILES
    hard = hard if hard == resource.RLIM_INFINITY else max(hard, needed)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))


def test_ten_thousand_half_open_connections_delay_no_terminal(tmp_path: Path) -> None:
    """The receiver still answers a connected terminal and one that dials again, every time and as fast as before."""
    daemon = Daemon(tmp_path, config="[limits]\nfirst_frame_timeout_s = 600\n[store]\nmin_free_mib = 1\n")
    try:
        daemon.start(preexec=allow_files)
        with Terminal(daemon.port) as terminal, Terminal(daemon.port, "1777") as newcomer:
            alone_s = median_answer_s(terminal)
            with crowd(daemon.port, CROWD) as process:
                daemon.await_status(lambda status: status["counts"]["connections"] > CROWD)
                beside_s = median_answer_s(terminal)
                newcomer.alarm()
                assert [alarm["account"] for alarm in daemon.queue() if alarm["priority"] == "LIFE"] == ["1777"]
                assert closed_by_receiver(process) == 0
        assert beside_s < max(FACTOR * alone_s, FLOOR_S), (alone_s, beside_s)
        assert sum(journal.stored(daemon.state_dir).values()) == 2 * CALLS + 1
        assert daemon.stop() == 0
        assert daemon.told == ""
    finally:
        daemon.close()


LIMITS = """
[limits]
connections = 6
connections_per_peer = 3
bogus_frames = 4
rejects_kept_per_peer_per_minute = 6
first_frame_timeout_s = {first}
idle_timeout_s = {idle}
[store]
min_free_mib = 1
"""
NEVER = 600


@contextmanager
def limited(directory: Path, *, first: float = NEVER, idle: float = NEVER) -> Iterator[Daemon]:
    """Start a daemon with small budgets."""
    with running(directory, config=LIMITS.format(first=first, idle=idle)) as daemon:
        yield daemon


def is_turned_away(terminal: Terminal) -> bool:
    """Return True if the receiver drops the connection instead of answering."""
    try:
        terminal.alarm()
    except (HungUp, ConnectionResetError, BrokenPipeError):
        terminal.hang_up()
        return True
    return False


def test_one_address_does_not_take_the_places_of_others(tmp_path: Path) -> None:
    """The receiver drops and counts a peer's connections above its budget. It takes other peers up to the total."""
    with limited(tmp_path) as daemon, ExitStack() as stack:

        def dial(source: str) -> Terminal:
            return stack.enter_context(Terminal(daemon.port, source=source))

        greedy = [dial("127.0.1.1") for _ in range(3)]
        for terminal in greedy:
            terminal.alarm()
        assert is_turned_away(dial("127.0.1.1"))
        assert daemon.metric("vetlla_connections_refused_total", why="peer") == 1

        others = [dial(f"127.0.1.{number}") for number in (2, 3, 4)]
        for terminal in others:
            terminal.alarm()
        assert is_turned_away(dial("127.0.1.5"))
        assert daemon.metric("vetlla_connections_refused_total", why="connections") == 1

        for terminal in greedy + others:
            terminal.alarm()  # open connections still get answers
        greedy[0].hang_up()
        daemon.await_status(lambda status: status["counts"]["connections"] < 6)
        dial("127.0.1.5").alarm()


def test_silence_ends_a_connection(tmp_path: Path) -> None:
    """The receiver closes a connection without a first frame and a silent one, and counts both as idle."""
    with (
        limited(tmp_path, first=0.3, idle=0.6) as daemon,
        Terminal(daemon.port, source="127.0.1.1") as mute,
        Terminal(daemon.port, source="127.0.1.2") as dripping,
        Terminal(daemon.port, source="127.0.1.3") as quiet,
    ):
        began = time.monotonic()
        mute.dial()
        dripping.send(b'\n12340023"ADM-CID')
        quiet.alarm()
        for terminal, least_s in ((mute, 0.3), (dripping, 0.3), (quiet, 0.6)):
            with pytest.raises(HungUp):
                terminal.reply()
            assert time.monotonic() - began >= least_s - 0.05
        assert daemon.metric("vetlla_connections_refused_total", why="idle") == 3
        quiet.alarm()  # the terminal may dial again


def test_a_peer_that_sends_junk_is_disconnected_and_its_bytes_are_kept(tmp_path: Path) -> None:
    """The receiver never answers damaged frames, and hangs up after some. It keeps a bounded number a minute."""
    with limited(tmp_path) as daemon, Terminal(daemon.port) as terminal:
        for _ in range(3):
            damaged = terminal.frame().replace(b"1101", b"1102")
            terminal.send(damaged)
        good = terminal.frame()
        assert terminal.say(good) == "ACK"  # the good frame between bad ones
        terminal.send(terminal.frame().replace(b"1101", b"1102"))
        with pytest.raises(HungUp):
            terminal.reply()
        assert daemon.metric("vetlla_connections_refused_total", why="bogus") == 1

        for _ in range(4):
            terminal.send(terminal.frame().replace(b"1101", b"1102") * 4)
            with pytest.raises(HungUp):
                terminal.reply()
        terminal.alarm()
        daemon.status()
        assert daemon.metric("vetlla_rejects_total", reason="bad_checksum", caller="unnamed") == 20
        (kept,) = journal.query(daemon.state_dir, "SELECT count(*) AS n FROM rejects WHERE reason = 'bad_checksum'")
        assert kept["n"] == 6
        said = daemon.logged("frame.rejected")
        assert len(said) == 1


FOREIGN = {
    "HTTP": b"GET / HTTP/1.1\r\nHost: example.invalid\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "SSH": b"SSH-2.0-OpenSSH_9.2\r\n",
    "DC-03": b"\x05\x01\x81\x59\x68",
}


def test_foreign_protocols_are_named_and_logged_once(tmp_path: Path) -> None:
    """The receiver recognises a foreign protocol by its first bytes, hangs up, keeps evidence, and logs it once."""
    with limited(tmp_path) as daemon:
        for number, said in enumerate(FOREIGN.values()):
            for _ in range(3):
                source = (f"127.0.1.{number}", 0)
                with socket.create_connection(
                    ("127.0.0.1", daemon.port), timeout=PATIENCE_S, source_address=source
                ) as peer:
                    peer.sendall(said)
                    assert peer.recv(100) == b""
        with Terminal(daemon.port) as terminal:
            terminal.alarm()
        rows = journal.query(daemon.state_dir, "SELECT text FROM rejects WHERE reason = 'foreign'")
        logged = [line["why"] for line in daemon.logged("frame.rejected")]
        for name in FOREIGN:
            assert sum(name in row["text"] for row in rows) == 3, name
            assert sum(name in why for why in logged) == 1, name
        assert daemon.metric("vetlla_connections_refused_total", why="foreign") == 12

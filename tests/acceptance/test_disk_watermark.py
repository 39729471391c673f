"""Free disk below the watermark: the receiver takes nothing new, reports it everywhere, and recovers by itself."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.rigs import journal
from tests.rigs.daemon import Daemon, running
from tests.rigs.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILL_MIB = 1024
"""Space that the test takes and gives back. The watermark is in the middle, so other work hardly reaches it."""
NEVER_MIB = 1 << 40


def config(watermark_mib: int) -> str:
    """Return the configuration of a receiver with this watermark."""
    return f"[store]\nmin_free_mib = {watermark_mib}\nrecover_free_mib = {watermark_mib}\nretry_s = 0.2\n"


def free_mib(path: Path) -> int:
    """Return the free space for this process."""
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize >> 20


@contextmanager
def filled(path: Path) -> Iterator[None]:
    """Reserve space on the disk without writing it."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, FILL_MIB << 20)
    try:
        yield
    finally:
        path.unlink()


def assert_nothing_new_is_taken(daemon: Daemon, terminal: Terminal, known: bytes) -> bytes:
    """Check that the receiver shows the reason everywhere. Return a report that it did not take."""
    frame = terminal.frame("1110")
    assert terminal.is_refused(frame)
    assert "disk low" in daemon.await_log("store.unready", state="low")["why"]
    page = daemon.page("/readyz")
    assert page.status == 503
    assert "disk low" in json.loads(page.body)["why"]
    assert daemon.page("/healthz").status == 200
    assert daemon.metric("vetlla_ready") == 0
    assert daemon.metric("vetlla_free_bytes") < daemon.metric("vetlla_watermark_bytes")
    assert daemon.status()["store"]["state"] == "low"
    assert terminal.say(known) == "ACK"
    terminal.hang_up()
    with Terminal(daemon.port, "1777", transport="udp") as udp, Terminal(daemon.port, transport="udp") as repeating:
        udp.send(udp.frame())
        assert repeating.say(known) == "ACK"
        assert not udp.has_reply()  # a later datagram was answered, so this one stays unanswered
    return frame


def test_a_disk_that_fills_silences_the_receiver_until_it_is_emptied(tmp_path: Path) -> None:
    """Below the watermark it answers only retries of stored reports, and operators work. Above it all is as before."""
    with running(tmp_path, config=config(free_mib(tmp_path) - FILL_MIB // 2)) as daemon, Terminal(daemon.port) as home:
        known = home.alarm()
        with filled(tmp_path / "ballast"):
            frame = assert_nothing_new_is_taken(daemon, home, known)
            ready = daemon.queue()[0]["ready"]
            assert daemon.ask("queue.claim", alarm=1)["durable"] is True
            assert daemon.ask("queue.note", alarm=1, text="disk is low")["durable"] is True
            assert daemon.queue()[0]["ready"] == ready
        daemon.await_log("store.recovered")
        assert daemon.page("/readyz").status == 200
        assert home.say(frame) == "ACK"
        assert journal.stored(daemon.state_dir) == {known: 1, frame: 1}
        assert [action for action, subject in journal.records(daemon.state_dir) if subject == "store"] == ["low", "ok"]
        assert journal.flaws(daemon.state_dir) == []


def test_a_watermark_counts_from_the_reload_on(tmp_path: Path) -> None:
    """SIGHUP with another watermark makes the receiver unready, and ready again, at once and without a report."""
    with running(tmp_path, config=config(1)) as daemon, Terminal(daemon.port) as home:
        known = home.alarm()
        daemon.configure(config(NEVER_MIB))
        daemon.reload()
        daemon.await_log("store.unready", state="low")
        frame = assert_nothing_new_is_taken(daemon, home, known)
        daemon.configure(config(1))
        daemon.reload()
        daemon.await_log("store.recovered")
        assert home.say(frame) == "ACK"


def test_a_receiver_may_start_on_a_low_disk(tmp_path: Path) -> None:
    """It starts and shows that it is not ready. Operators can work the alarms of the previous run."""
    with running(tmp_path, config=config(1)) as daemon:
        with Terminal(daemon.port) as home:
            home.alarm()
        assert daemon.stop() == 0
        daemon.configure(config(NEVER_MIB))
        daemon.start()
        daemon.await_log("store.unready", state="low")
        assert daemon.page("/readyz").status == 503
        assert daemon.ask("queue.claim", alarm=1)["state"] == "claimed"
        assert daemon.stop() == 0
        assert daemon.told == ""

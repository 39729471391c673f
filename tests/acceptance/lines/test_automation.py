"""``automation`` out of one Vetlla into ``[[line]]`` of another one: both have the same reports in the same order."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bench.killing.receiver import free_port
from tests.rigs.cutting_proxy import cutting_proxy
from tests.rigs.daemon import Daemon, running
from tests.rigs.terminal import Terminal
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

HASTE = "answer_s = 0.3\ntries = 4\nheartbeat_s = 0.3\nretry_max_s = 0.2"
STORE = "[store]\nmin_free_mib = 1\n"
REPORTS = 60


def line(protocol: str, port: int) -> str:
    place = f'accept = {{ host = "127.0.0.1", port = {port} }}'
    return f'[[line]]\nname = "sg"\nprotocol = "{protocol}"\n{place}\n{STORE}'


def automation(protocol: str, port: int, more: str = "") -> str:
    where = f'connect = {{ host = "127.0.0.1", port = {port} }}'
    return f'[[sink]]\nkind = "automation"\nname = "next"\nprotocol = "{protocol}"\n{where}\n{HASTE}\n{more}\n{STORE}'


def ledger(daemon: Daemon) -> list[tuple[str, str, str, str, str]]:
    """Return account, code, phase, area and zone of all reports, without the messages of receivers."""
    with closing(sqlite3.connect(daemon.state_dir / JOURNAL)) as connection:
        return connection.execute(
            "SELECT account, code, phase, area, device FROM signals WHERE account NOT LIKE 'LINE:%' ORDER BY id"
        ).fetchall()


def drained(daemon: Daemon) -> None:
    daemon.await_status(lambda status: status["sinks"][0]["waiting"] == 0)


def report(first: Daemon, account: str, event: str = "1101", zone: int = 1) -> None:
    with Terminal(first.port, account) as terminal:
        terminal.send(terminal.frame(event, zone=zone))
        terminal.reply()


@pytest.mark.parametrize("protocol", ["surgard", "ademco685"])
def test_equal_ledgers_through_a_proxy_that_drops_delays_and_cuts(tmp_path: Path, protocol: str) -> None:
    """Whatever the network does, and when the next receiver is killed, each report arrives once and in order."""
    port = free_port()
    with (
        running(tmp_path / "next", config=line(protocol, port)) as following,
        cutting_proxy(port, seed=7) as proxy,
        running(tmp_path / "first", config=automation(protocol, proxy.port)) as first,
    ):
        for number in range(REPORTS):
            if number == REPORTS // 2:
                following.kill()
                following.start()
            report(first, f"{1000 + number % 7}", ("1101", "3101", "1602")[number % 3], number)
        drained(first)
        assert proxy.dropped > 0
        assert proxy.cuts > 0
        assert len(ledger(first)) == REPORTS
        assert ledger(following) == ledger(first)


def test_heartbeats_come_before_the_first_signal(tmp_path: Path) -> None:
    """The other software supervises its receiver from the start."""
    port = free_port()
    with (
        running(tmp_path / "next", config=line("surgard", port)) as following,
        running(tmp_path / "first", config=automation("surgard", port)),
    ):
        following.await_metric("vetlla_line_frames_total", lambda frames: frames >= 3)
        assert ledger(following) == []


def test_software_that_is_away_gets_everything_when_it_comes_back(tmp_path: Path) -> None:
    """Meanwhile the sink says that its peer is away, and the first receiver answers its homes as always."""
    port = free_port()
    following = Daemon(tmp_path / "next", config=line("surgard", port))
    with running(tmp_path / "first", config=automation("surgard", port)) as first:
        for zone in range(20):
            report(first, "1234", zone=zone)
        first.await_log("sink.retrying")
        (sink,) = first.ask("sinks.list")["sinks"]
        assert (sink["waiting"], sink["state"]) == (20, "retrying")
        try:
            following.start()
            drained(first)
            assert [one[4] for one in ledger(following)] == [f"{zone:03}" for zone in range(20)]
        finally:
            following.close()


def test_a_report_whose_account_cannot_be_written_goes_under_the_other_account(tmp_path: Path) -> None:
    """A home without a number in the other software is not lost."""
    port = free_port()
    with (
        running(tmp_path / "next", config=line("surgard", port)) as following,
        running(tmp_path / "first", config=automation("surgard", port, 'other_account = "9999"')) as first,
    ):
        report(first, "123456789A")
        drained(first)
        assert [one[:2] for one in ledger(following)] == [("9999", "101")]


def test_a_message_that_cannot_be_written_blocks_and_says_so(tmp_path: Path) -> None:
    """Without another account the sink waits for an engineer, who may skip the signal."""
    port = free_port()
    with (
        running(tmp_path / "next", config=line("surgard", port)),
        running(tmp_path / "first", config=automation("surgard", port, 'other_account = ""')) as first,
    ):
        report(first, "123456789A")
        found = first.await_log("sink.blocked")
        assert "the account has 10 digits" in found["why"]
        assert "other_account" in found["remedy"]
        first.ask("sinks.skip", sink="next", signal=found["signal"], reason="not a home of the other centre")
        drained(first)

"""Answers by policy: keys, clocks, strangers and tests, from a terminal's socket to the operator's list."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.rigs import journal
from tests.rigs.daemon import Daemon, running
from tests.rigs.registered_homes import keep_key, register
from tests.rigs.terminal import Terminal
from vetlla.domain.signals import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONFIG = "[store]\nmin_free_mib = 1\n"
KEY, OTHER_KEY = bytes(range(16)), bytes(range(1, 17))
OFF = timedelta(seconds=300)


@contextmanager
def keyed(directory: Path, config: str = CONFIG) -> Iterator[Daemon]:
    """Start a daemon with two registered homes: 1001 has a key and 1002 has none."""
    keep_key(directory / "state", "north", KEY)
    register(directory / "state", "1001,H-1001,north,", "1002,H-1002,,")
    with running(directory, config=config) as daemon:
        yield daemon


def rejects(daemon: Daemon) -> list[tuple[str, str, str]]:
    """Return reason, account and explanation of the rejects, in order."""
    rows = journal.query(daemon.state_dir, "SELECT reason, account, text FROM rejects ORDER BY id")
    return [(row["reason"], row["account"], row["text"]) for row in rows]


def test_a_call_in_clear_of_a_home_with_a_key_is_refused_but_shown(tmp_path: Path) -> None:
    """The terminal gets DUH, evidence and audit are kept, and an operator gets the call with its priority."""
    with keyed(tmp_path) as daemon, Terminal(daemon.port, "1001") as plain:
        assert plain.say(plain.frame()) == "DUH"
        alarm = daemon.await_alarm()
        assert (alarm["home"], alarm["priority"], alarm["signals"]) == ("H-1001", "LIFE", 0)
        assert "refused: sent in clear" in alarm["why"]
        assert [(reason, account) for reason, account, _ in rejects(daemon)] == [("plain_refused", "1001")]
        assert ("refuse", "account 1001") in journal.records(daemon.state_dir)
        assert journal.stored(daemon.state_dir) == {}
        assert daemon.metric("vetlla_signals_total", outcome="refused") == 1

        with Terminal(daemon.port, "1001", key=KEY) as sealed:
            sealed.alarm()
        (alarm,) = daemon.queue()
        assert alarm["signals"] == 1  # the encrypted report joins the one in clear
        assert journal.flaws(daemon.state_dir) == []


def test_a_wrong_key_is_reported_to_installer_and_operator(tmp_path: Path) -> None:
    """A frame that no key opens gets DUH. The evidence explains it to the installer, and an operator gets the home."""
    with keyed(tmp_path) as daemon, Terminal(daemon.port, "1001", key=OTHER_KEY) as terminal:
        assert terminal.say(terminal.frame()) == "DUH"
        alarm = daemon.await_alarm()
        assert (alarm["home"], alarm["kind"], alarm["priority"]) == ("H-1001", "unreadable", "LIFE")
        assert "the key here or the one in the terminal is wrong" in alarm["why"]
        ((reason, _, text),) = rejects(daemon)
        assert reason == "undecryptable"
        assert "wrong" in text


def test_a_wrong_clock_is_corrected_once_and_seen_the_second_time(tmp_path: Path) -> None:
    """The receiver sends NAK with its time and takes the corrected repeat. A clock that stays wrong opens an alarm."""
    with keyed(tmp_path) as daemon, Terminal(daemon.port, "1001", key=KEY) as terminal:
        frame = terminal.frame(at=datetime.now(UTC) - OFF)
        terminal.send(frame)
        nak = terminal.reply()
        assert (nak.token, nak.sequence) == ("NAK", "0000")
        assert nak.timestamp is not None
        assert abs(nak.timestamp - datetime.now(UTC)) < timedelta(seconds=5)
        assert daemon.queue() == []

        data = b"#1001|1101 00 001"
        corrected = terminal.build("ADM-CID", f"{terminal.number:04}", data, at=nak.timestamp)
        assert terminal.say(corrected) == "ACK"
        (alarm,) = daemon.queue()
        assert (alarm["priority"], alarm["signals"]) == ("LIFE", 1)

        assert terminal.say(terminal.frame(at=datetime.now(UTC) + OFF)) == "NAK"
        daemon.ask("queue.claim", alarm=alarm["id"])
        (alarm,) = daemon.queue()
        assert (alarm["signals"], alarm["last_signal"]) == (1, 1)  # the refusal joined the home's open alarm
        assert [text.split()[0::3] for _, _, text in rejects(daemon)] == [["clock", "slow"], ["clock", "fast"]]
        daemon.ask("queue.close", alarm=alarm["id"], outcome="technical")
        assert terminal.say(terminal.frame(at=datetime.now(UTC) + OFF)) == "NAK"
        assert re.search("refused: clock (299|300) s fast", daemon.await_alarm()["why"])
        assert list(journal.stored(daemon.state_dir).values()) == [1]


def test_a_clock_without_window_is_taken(tmp_path: Path) -> None:
    """An account without a clock window is accepted with any clock. In clear the receiver checks no clock."""
    keep_key(tmp_path / "state", "north", KEY)
    register(tmp_path / "state", "1001,H-1001,north,off", "1002,H-1002,,")
    with (
        running(tmp_path, config=CONFIG) as daemon,
        Terminal(daemon.port, "1001", key=KEY) as sealed,
        Terminal(daemon.port, "1002") as plain,
    ):
        assert sealed.say(sealed.frame(at=datetime.now(UTC) - OFF)) == "ACK"
        assert plain.say(plain.frame(at=datetime.now(UTC) - OFF)) == "ACK"


def test_a_stranger_is_acknowledged_and_shown(tmp_path: Path) -> None:
    """Reports of an unregistered account are stored, marked and put before an operator, even tests and NULLs."""
    with keyed(tmp_path) as daemon, Terminal(daemon.port, "9999") as stranger:
        assert stranger.say(stranger.frame("1602")) == "ACK"
        (alarm,) = daemon.queue()
        assert (alarm["unknown_account"], alarm["priority"]) == (True, "TECHNICAL")
        assert alarm["why"].startswith("unknown account")
        (row,) = journal.query(daemon.state_dir, "SELECT flags FROM signals")
        assert row["flags"] & Flag.UNKNOWN_ACCOUNT
        assert stranger.say(stranger.frame()) == "ACK"
        (alarm,) = daemon.queue()
        assert alarm["priority"] == "LIFE"
        assert stranger.say(stranger.build("NULL", "0000", b"")) == "ACK"
        assert sum(journal.stored(daemon.state_dir).values()) == 3


def test_strangers_can_be_refused(tmp_path: Path) -> None:
    """With the policy REFUSE strangers get DUH, evidence and no signal. Registered homes are served as before."""
    config = CONFIG + '[intake]\nunknown_accounts = "refuse"\n'
    with (
        keyed(tmp_path, config) as daemon,
        Terminal(daemon.port, "9999") as stranger,
        Terminal(daemon.port, "1002") as home,
    ):
        assert stranger.say(stranger.frame()) == "DUH"
        frame = home.alarm()
        assert journal.stored(daemon.state_dir) == {frame: 1}
        assert [(reason, account) for reason, account, _ in rejects(daemon)] == [("unknown_account", "9999")]
        assert [alarm["account"] for alarm in daemon.queue()] == ["1002"]


def test_keys_can_be_made_optional(tmp_path: Path) -> None:
    """With the policy ACCEPT a home with a key may also report in clear, and the journal shows which it did."""
    config = CONFIG + '[intake]\nplain_for_keyed = "accept"\n'
    with (
        keyed(tmp_path, config) as daemon,
        Terminal(daemon.port, "1001") as plain,
        Terminal(daemon.port, "1001", key=KEY) as sealed,
    ):
        plain.alarm()
        sealed.number = 100
        sealed.alarm()
        rows = journal.query(daemon.state_dir, "SELECT sealed_with FROM signals ORDER BY id")
        assert [row["sealed_with"] for row in rows] == ["", "north"]


def test_an_account_on_test_is_stored_and_shown_apart(tmp_path: Path) -> None:
    """During a test its alarms are in a separate list. After the test, ended by time or by command, they are not."""
    with keyed(tmp_path) as daemon, Terminal(daemon.port, "1002") as home:
        answer = daemon.ask("queue.test", account="1002", seconds=3600, reason="installer on site")
        assert answer["durable"] is True
        home.alarm()
        assert daemon.queue() == []
        (alarm,) = daemon.queue(on_test=True)
        assert (alarm["account"], alarm["on_test"]) == ("1002", True)
        assert daemon.status()["counts"]["waiting"] == 0
        assert daemon.metric("vetlla_accounts_on_test") == 1
        (row,) = journal.query(daemon.state_dir, "SELECT flags FROM signals")
        assert row["flags"] & Flag.ON_TEST

        daemon.ask("queue.test", account="1002", seconds=0, reason="done")
        home.alarm(zone=2)
        (alarm,) = daemon.queue()
        assert (alarm["signals"], alarm["chained_to"]) == (1, None)  # a new alarm: it does not continue the test's

        daemon.ask("queue.test", account="1002", seconds=1, reason="short")
        assert len(daemon.ask("queue.tests")) == 1
        daemon.await_metric("vetlla_accounts_on_test", lambda count: count == 0)
        home.alarm(zone=3)
        assert [alarm["signals"] for alarm in daemon.queue()] == [2]
        assert [action for action, _ in journal.records(daemon.state_dir, "root")].count("test") <= 3

"""``vetlla queue`` as operators use it, against a running receiver."""

from __future__ import annotations

import itertools
import json
import os
import pwd
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.daemon import PATIENCE_S, VETLLA, Daemon, running
from tests.acceptance.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Done, Vetlla

_accounts = itertools.count(1)
ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Run one receiver for all tests of this file: each uses homes of its own."""
    with running(tmp_path_factory.mktemp("queue")) as started:
        yield started


class Desk:
    """A home that calls, and the commands about it."""

    def __init__(self, daemon: Daemon, vetlla: Vetlla, account: str) -> None:
        self.account = account
        self._daemon = daemon
        self._vetlla = vetlla
        self._terminal = Terminal(daemon.port, account)

    def call(self, event: str = "1101") -> int:
        """Let the home call; return the number of its alarm."""
        with self._terminal as terminal:
            terminal.alarm(event)
        (alarm,) = [alarm for alarm in self._daemon.queue() if alarm["account"] == self.account]
        number: int = alarm["id"]
        return number

    def run(self, *arguments: object) -> Done:
        """Run ``vetlla queue`` with these arguments."""
        return self._vetlla("queue", *arguments, "--state-dir", self._daemon.state_dir)

    def json(self, *arguments: object) -> dict[str, Any]:
        """Run it with --json; return the one object it prints."""
        done = self.run(*arguments, "--json")
        assert done.status == 0, done
        (answer,) = done.json
        return answer


@pytest.fixture
def desk(daemon: Daemon, vetlla: Vetlla) -> Desk:
    """Give each test an account of its own."""
    return Desk(daemon, vetlla, f"{next(_accounts):04}A")


def test_an_alarm_from_call_to_close(desk: Desk) -> None:
    """Each command says in one sentence how the alarm stands now; with --json, in fields."""
    number = desk.call()
    assert f"claimed by {ME}: alarm {number} LIFE home {desk.account}" in desk.run("claim", number).out
    assert desk.json("answer", number)["state"] == "answered"
    assert desk.run("note", number, "the neighbour has the keys").status == 0
    assert desk.json("escalate", number, "--why", "door locked")["escalated"] == 1
    assert desk.json("handover", number, ME)["operator"] == ME
    closed = desk.run("close", number, "--outcome", "handled_by_voice")
    assert closed.out.startswith(f"closed by {ME}: alarm {number} ")
    assert str(number) not in [row["id"] for row in desk.run("list", "--json").json]


def test_the_list_is_a_table_or_lines_of_json(desk: Desk) -> None:
    """People get the columns that matter in working order, machines all fields."""
    number = desk.call("1302")
    table = desk.run("list").out.splitlines()
    assert table[0].split()[:5] == ["id", "priority", "state", "home", "why"]
    (row,) = [line for line in table if f" {desk.account} " in line]
    assert row.split()[:4] == [str(number), "TECHNICAL", "waiting", desk.account]
    (fields,) = [alarm for alarm in desk.run("list", "--json").json if alarm["id"] == number]
    assert fields["kind"] == "battery_low"
    assert fields["established"].endswith("Z")
    assert fields["t2_s"] < PATIENCE_S


def test_claiming_without_a_number_takes_the_most_urgent(desk: Desk) -> None:
    """The next alarm is the first that waits."""
    desk.call("1302")
    waiting = next(alarm["id"] for alarm in desk.run("list", "--json").json if alarm["state"] == "waiting")
    assert desk.json("claim")["id"] == waiting


def test_an_account_is_put_on_test(desk: Desk) -> None:
    """Its alarms are listed apart, the list of tests says until when, and the test can be ended."""
    set_up = desk.json("test", desk.account, "--for", 60, "--reason", "installer on site")
    assert (set_up["reason"], set_up["operator"], set_up["durable"]) == ("installer on site", ME, True)
    with Terminal(desk._daemon.port, desk.account) as terminal:
        terminal.alarm()
    assert desk.account not in desk.run("list").out
    assert desk.account in desk.run("list", "--on-test").out
    assert desk.account.casefold() in desk.run("test").out
    assert desk.json("test", desk.account, "--for", 0)["until"] is None
    assert desk.account.casefold() not in desk.run("test").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("claim", 99_999), "no open alarm 99999"),
        (("answer", 99_999), "no open alarm 99999"),
        (("note", 99_999, " "), "should be a text that says something"),
        (("close", 99_999, "--outcome", "other"), "no open alarm 99999"),
        (("handover", 99_999, "berta"), "no open alarm 99999"),
        (("escalate", 99_999), "no open alarm 99999"),
        (("test", "1234", "--for", 999_999_999), "0 ends it"),
    ],
)
def test_what_the_rules_refuse_leaves_with_the_status_of_a_wrong_call(
    desk: Desk, arguments: tuple[object, ...], said: str
) -> None:
    """Exit status 64, and a message that says what to do."""
    done = desk.run(*arguments)
    assert (done.status, done.out) == (os.EX_USAGE, "")
    assert said in done.error


def test_an_outcome_that_there_is_not_is_told_before_anything_is_asked(desk: Desk) -> None:
    """The command line knows the outcomes."""
    done = desk.run("close", 1, "--outcome", "fixed")
    assert done.status == 2
    assert "handled_by_voice" in done.talk


@pytest.mark.parametrize("command", [("list",), ("watch",), ("claim",), ("note", "1", "x"), ("test",)])
def test_without_a_receiver_it_is_said(vetlla: Vetlla, command: tuple[str, ...]) -> None:
    """Exit status 69, and where a receiver was looked for."""
    done = vetlla("queue", *command)
    assert done.status == os.EX_UNAVAILABLE
    assert "no receiver answers at" in done.error


class Watcher:
    """A ``vetlla queue watch`` that runs beside the test."""

    def __init__(self, daemon: Daemon, *options: str) -> None:
        self.process = subprocess.Popen(
            [VETLLA, "queue", "watch", "--state-dir", daemon.state_dir, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self, *parts: str) -> str:
        """Return the next line that says all of this."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if all(part in line for part in parts):
                return line
        raise AssertionError(f"no line says {parts}")

    def end(self) -> tuple[int, str]:
        """Return exit status and what was said beside the answer."""
        _, talk = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, talk


def test_watching_tells_every_change(desk: Desk) -> None:
    """What is open first, then each change in a sentence, until Ctrl-C, which is no error."""
    number = desk.call("1302")
    watcher = Watcher(desk._daemon)
    watcher.line(f"open: alarm {number} TECHNICAL")
    desk.run("claim", number)
    watcher.line(f"claimed by {ME}: alarm {number} ")
    assert desk.call("1101") == number
    watcher.line(f"lifted by {ME}: alarm {number} LIFE", "2 signals")
    desk.run("close", number, "-o", "other")
    watcher.line(f"closed by {ME}: alarm {number} ")
    watcher.process.send_signal(signal.SIGINT)
    assert watcher.end() == (0, "")


def test_watching_for_machines_tells_signals_too(desk: Desk) -> None:
    """With --json each event is one object, a signal among them as soon as it is durable."""
    number = desk.call("1302")
    watcher = Watcher(desk._daemon, "--json")
    watcher.line('"event": "open"', f'"account": "{desk.account}"')
    desk.call("1302")
    said = json.loads(watcher.line('"event": "signal"', f'"account": "{desk.account}"'))["signal"]
    assert (said["kind"], said["alarm"]) == ("battery_low", number)
    joined = json.loads(watcher.line('"event": "joined"', f'"account": "{desk.account}"'))["alarm"]
    assert joined["signals"] == 2
    watcher.process.send_signal(signal.SIGINT)
    assert watcher.end()[0] == 0


def test_a_receiver_that_goes_away_ends_the_watch_with_an_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever watches must not believe that nothing happens."""
    with running(tmp_path_factory.mktemp("stopped")) as daemon:
        watcher = Watcher(daemon)
        with Terminal(daemon.port, "1234") as terminal:
            terminal.alarm()
        watcher.line("alarm 1 ")
        daemon.stop()
        status, talk = watcher.end()
    assert status == os.EX_UNAVAILABLE
    assert "the receiver hung up" in talk

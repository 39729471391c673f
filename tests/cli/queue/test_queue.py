"""``vetlla queue`` as operators use it, against a running receiver."""

from __future__ import annotations

import itertools
import json
import os
import pwd
import re
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.daemon import PATIENCE_S, VETLLA, Daemon, running
from tests.rigs.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Done, Vetlla

_accounts = itertools.count(1)
ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Run one receiver for all tests of this file; each test uses homes of its own."""
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

    def register(self) -> None:
        """Register the home's account."""
        done = self._vetlla("accounts", "set", self.account, "--state-dir", self._daemon.state_dir)
        assert done.status == 0, done

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
    """Each command says in one sentence what it did and the alarm's state; with --json, in fields."""
    number = desk.call()
    named = f"alarm {number} LIFE home {desk.account}: {ME}"
    assert desk.run("claim", number).out.startswith(f"{named} claimed (unknown account: personal_emergency 101")
    answered = desk.json("answer", number)
    assert (answered["state"], answered["action"], answered["actor"]) == ("answered", "answer", ME)
    assert desk.run("note", number, "he has the keys").out.startswith(f'{named} noted "he has the keys" (')
    told = desk.run("escalate", number, "--reason", "door locked").out
    assert told.startswith(f'{named} asked for a supervisor, "door locked" (')
    assert f"; answered by {ME}, " in told
    assert desk.run("handover", number, ME).out.startswith(f"{named} handed over to {ME} (")
    closed = desk.run("close", number, "--outcome", "handled_by_voice")
    assert closed.out.startswith(f"{named} closed as handled_by_voice (")
    assert number not in [row["id"] for row in desk.run("list", "--json").json]


def test_the_former_spelling_of_an_option_is_taken(desk: Desk) -> None:
    """--why of an escalation is --reason now; scripts still work, and the help has only the new word."""
    number = desk.call()
    assert desk.json("escalate", number, "--why", "door locked")["escalated_why"] == "door locked"
    assert "--why" not in desk.run("escalate", "--help").out


def test_the_list_is_a_table_or_lines_of_json(desk: Desk) -> None:
    """People get the important columns in the order of work, machines get all fields."""
    number = desk.call("1302")
    table = desk.run("list").out.splitlines()
    assert table[0].split()[:5] == ["id", "priority", "state", "operator", "home"]
    (row,) = [line for line in table if f" {desk.account} " in line]
    assert row.split()[:4] == [str(number), "TECHNICAL", "waiting", desk.account]
    (fields,) = [alarm for alarm in desk.run("list", "--json").json if alarm["id"] == number]
    assert fields["kind"] == "battery_low"
    assert fields["established"].endswith("Z")
    assert fields["t2_s"] < PATIENCE_S


def test_the_list_can_be_narrowed(desk: Desk) -> None:
    """The list has only the alarms that meet all conditions: priority, state, home, account, operator."""
    urgent, other = desk.call(), desk.account
    battery = Desk(desk._daemon, desk._vetlla, f"{next(_accounts):04}A").call("1302")
    desk.run("claim", urgent)

    def listed(*options: str) -> set[int]:
        return {alarm["id"] for alarm in desk.run("list", "--json", *options).json}

    assert {urgent} <= listed("--priority", "life", "--state", "claimed", "--mine")
    assert battery in listed("--priority", "TECHNICAL", "--priority", "LIFE")
    assert battery not in listed("--mine") | listed("--priority", "LIFE") | listed("--state", "claimed")
    assert listed("--account", other.casefold()) == listed("--home", other) == {urgent}
    assert listed("--home", "H-9999") == set()
    for option, word in (("--priority", "high"), ("--state", "closed")):
        refused = desk.run("list", option, word)
        assert refused.status == 2
        assert "should be one of" in refused.talk


def test_claiming_again_without_a_number_keeps_the_held_alarm(desk: Desk) -> None:
    """A claim without a number takes no second alarm while its operator holds one that is as urgent, and says so."""
    number = desk.call()
    desk.run("claim", number)
    kept = desk.run("claim").out
    assert kept.startswith("alarm ")
    assert f": {ME} holds already (" in kept


def test_claiming_without_a_number_takes_the_most_urgent(desk: Desk) -> None:
    """The next alarm is the first that waits."""
    for held in desk.run("list", "--mine", "--json").json:
        desk.run("close", held["id"], "-o", "other")
    desk.call("1302")
    waiting = next(alarm["id"] for alarm in desk.run("list", "--json").json if alarm["state"] == "waiting")
    assert desk.json("claim")["id"] == waiting


def test_an_account_is_put_on_test(desk: Desk) -> None:
    """Its alarms are listed apart, the list of tests says until when, and the end of the test closes them."""
    unknown = desk.run("test", desk.account, "--for", "1m30s")
    assert (unknown.status, unknown.out) == (64, "")
    assert f"account {desk.account} is not registered" in unknown.error
    desk.register()
    told = desk.run("test", desk.account, "--for", "1m30s", "--reason", "installer on site").out
    assert re.match(rf"{ME} put account {desk.account} on test until [0-9 :-]{{19}} CES?T: installer on site$", told)
    set_up = desk.json("test", desk.account, "--for", 60, "--reason", "installer on site")
    assert (set_up["reason"], set_up["operator"], set_up["durable"]) == ("installer on site", ME, True)
    with Terminal(desk._daemon.port, desk.account) as terminal:
        terminal.alarm()
    listed = desk.run("list")
    assert desk.account not in listed.out
    assert re.search(r"^1 of accounts on test, 1 of them LIFE: vetlla queue list --on-test$", listed.talk, re.MULTILINE)
    assert "on test" not in listed.out
    assert "of accounts on test" not in desk.run("list", "--json").talk + desk.run("list", "--mine").talk
    assert desk.account in desk.run("list", "--on-test").out
    assert desk.account in desk.run("test").out
    ended = desk.run("test", desk.account.casefold(), "--for", 0).out
    assert re.match(rf"{ME} ended the test of account {desk.account}; closed as test calls: \d+$", ended)
    assert desk.account not in desk.run("list", "--on-test").out
    again = desk.run("test", desk.account, "--for", 0)
    assert (again.status, again.out) == (64, "")
    assert f"account {desk.account} is not on test" in again.error
    assert desk.account not in desk.run("test").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("claim", 99_999), "no open alarm 99999"),
        (("answer", 99_999), "no open alarm 99999"),
        (("note", 99_999, " "), "should be a text"),
        (("close", 99_999, "--outcome", "other"), "no open alarm 99999"),
        (("handover", 99_999, "berta"), "no open alarm 99999"),
        (("escalate", 99_999), "no open alarm 99999"),
        (("test", "1234", "--for", 999_999_999), "0 ends it"),
    ],
)
def test_a_refused_action_has_the_exit_status_of_a_wrong_call(
    desk: Desk, arguments: tuple[object, ...], said: str
) -> None:
    """The exit status is 64, and the message says what to do."""
    done = desk.run(*arguments)
    assert (done.status, done.out) == (os.EX_USAGE, "")
    assert said in done.error


def test_an_unknown_outcome_is_refused_before_the_receiver_is_asked(desk: Desk) -> None:
    """The command line knows the outcomes."""
    done = desk.run("close", 1, "--outcome", "fixed")
    assert done.status == 2
    assert "handled_by_voice" in done.talk


@pytest.mark.parametrize("command", [("list",), ("watch",), ("claim",), ("note", "1", "x"), ("test",)])
def test_without_a_receiver_the_error_says_so(vetlla: Vetlla, command: tuple[str, ...]) -> None:
    """The exit status is 69, and the message says where the command looked for a receiver."""
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
        """Return the next line that has all of these parts."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if all(part in line for part in parts):
                return line
        raise AssertionError(f"no line says {parts}")

    def end(self) -> tuple[int, str]:
        """Return exit status and stderr."""
        _, talk = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, talk


def test_watching_shows_every_change(desk: Desk) -> None:
    """The watch shows what is open, then who did what and when, until Ctrl-C, which is not an error."""
    number = desk.call("1302")
    watcher = Watcher(desk._daemon)
    watcher.line(f"alarm {number} TECHNICAL home {desk.account}: open (")
    desk.run("claim", number)
    line = watcher.line(f"alarm {number} ", f": {ME} claimed (")
    assert re.match(r"\d\d:\d\d:\d\d CES?T  alarm ", line)
    assert desk.call("1101") == number
    watcher.line(f"alarm {number} LIFE ", ": now more urgent (", "2 signals", f"claimed by {ME}")
    desk.run("note", number, "the neighbour has the keys")
    watcher.line(f'{ME} noted "the neighbour has the keys" (')
    desk.run("escalate", number, "--reason", "door locked")
    watcher.line(f'{ME} asked for a supervisor, "door locked" (')
    desk.register()
    assert desk.run("test", desk.account, "--for", "5m", "--reason", "installer").status == 0
    watcher.line(f"{ME} put account {desk.account} on test until ", ": installer")
    desk.run("close", number, "-o", "other")
    watcher.line(f"alarm {number} ", f": {ME} closed as other (")
    watcher.process.send_signal(signal.SIGINT)
    assert watcher.end() == (0, "")


def test_watching_for_machines_shows_signals_too(desk: Desk) -> None:
    """With --json each event is one object with time and actor; a signal is shown as soon as it is durable."""
    number = desk.call("1302")
    watcher = Watcher(desk._daemon, "--json")
    watcher.line('"event": "open"', f'"account": "{desk.account}"')
    watcher.line('"event": "listed"')
    desk.call("1302")
    said = json.loads(watcher.line('"event": "signal"', f'"account": "{desk.account}"'))["signal"]
    assert (said["kind"], said["alarm"]) == ("battery_low", number)
    joined = json.loads(watcher.line('"event": "joined"', f'"account": "{desk.account}"'))
    assert (joined["alarm"]["signals"], joined["actor"]) == (2, "receiver")
    desk.run("note", number, "calling")
    noted = json.loads(watcher.line('"event": "noted"'))
    assert (noted["actor"], noted["action"], noted["detail"]) == (ME, "note", {"text": "calling"})
    assert re.fullmatch(r"[0-9T:.-]{26}Z", noted["at"])
    watcher.process.send_signal(signal.SIGINT)
    assert watcher.end()[0] == 0


@pytest.mark.parametrize("as_json", [False, True])
def test_a_watch_continues_after_a_restart_of_the_receiver(
    tmp_path_factory: pytest.TempPathFactory, vetlla: Vetlla, *, as_json: bool
) -> None:
    """It says that the receiver is away and back, and which alarms were closed, changed or new meanwhile."""
    with running(tmp_path_factory.mktemp("restarted")) as daemon:
        for account in ("1111", "2222", "3333"):
            Desk(daemon, vetlla, account).call()
        watcher = Watcher(daemon, *(["--json"] if as_json else []))
        watcher.line('"event": "listed"' if as_json else "alarm 3 ")
        # The watcher is stopped while the receiver restarts and an operator works.
        watcher.process.send_signal(signal.SIGSTOP)
        daemon.stop()
        daemon.start()
        where = ("--state-dir", daemon.state_dir)
        assert vetlla("queue", "answer", 1, *where).status == 0
        assert vetlla("queue", "close", 1, "-o", "false_alarm", *where).status == 0
        assert vetlla("queue", "claim", 2, *where).status == 0
        Desk(daemon, vetlla, "4444").call()
        watcher.process.send_signal(signal.SIGCONT)
        if as_json:
            assert json.loads(watcher.line('"event": "lost"'))["at"] < json.loads(watcher.line('"event": "back"'))["at"]
            opened = [json.loads(watcher.line('"event": "open"'))["alarm"]["id"] for _ in range(3)]
            assert sorted(opened) == [2, 3, 4]
            closed = json.loads(watcher.line('"event": "closed"', '"meanwhile": true'))
            assert (closed["alarm"]["id"], closed["actor"], closed["detail"]["outcome"]) == (1, ME, "false_alarm")
            watcher.line('"event": "listed"', '"count": 3')
        else:
            watcher.line("the receiver closed the connection")
            watcher.line("the receiver is back")
            told = [watcher.line("meanwhile") for _ in range(3)]
            assert sum("alarm 2 LIFE home 2222: changed meanwhile (" in line for line in told) == 1
            assert sum("alarm 4 LIFE home 4444: new meanwhile (" in line for line in told) == 1
            assert "meanwhile: " in told[2]
            assert f"alarm 1 LIFE home 1111: {ME} closed as false_alarm" in told[2]
            assert vetlla("queue", "claim", 3, *where).status == 0
            watcher.line(f"alarm 3 LIFE home 3333: {ME} claimed (")
        watcher.process.send_signal(signal.SIGINT)
        assert watcher.end() == (0, "")

"""``vetlla queue show`` shows everything about an alarm that is open or closed, and without a receiver."""

from __future__ import annotations

import os
import pwd
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.daemon import Daemon, running
from tests.rigs.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Vetlla

ME = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Run a receiver that one home called twice, with a repetition of the first call; an operator worked the alarm."""
    with running(tmp_path_factory.mktemp("show")) as started:
        with Terminal(started.port, "1234") as home:
            frame = home.alarm()
            assert home.say(frame) == "ACK"
            home.alarm("1130", zone=7)
        started.ask("queue.claim", alarm=1)
        started.ask("queue.note", alarm=1, text="the neighbour has the keys")
        started.ask("queue.escalate", alarm=1, why="no answer, door locked")
        started.ask("queue.answer", alarm=1)
        yield started


def shown(vetlla: Vetlla, daemon: Daemon, *options: str) -> str:
    done = vetlla("queue", "show", 1, "--state-dir", daemon.state_dir, *options)
    assert done.status == 0, done
    return done.out


def fields(vetlla: Vetlla, daemon: Daemon) -> dict[str, Any]:
    (answer,) = vetlla("queue", "show", 1, "--json", "--state-dir", daemon.state_dir).json
    return answer


def test_an_open_alarm_is_shown_whole(vetlla: Vetlla, daemon: Daemon) -> None:
    """The sheet has state, clocks, signals with their repetitions, and who did what when, with notes and reasons."""
    text = shown(vetlla, daemon)
    time = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} CES?T"
    for line in (
        rf"Alarm 1  LIFE  answered by {ME}",
        r"  home +1234",
        r"  why +unknown account: personal_emergency 101 from 001",
        r"  marks +unknown account, escalated",
        rf"  supervisor +{ME} asks for a supervisor: no answer, door locked",
        rf"  established +{time}   age \d+ s",
        rf"  ready +{time}   t2 \d+\.\d{{3}} s",
        rf"  answered +{time}   t3 \d+\.\d s",
        r"  lease +\d+ s left",
        rf" +1  {time}  personal_emergency 101 from 001 .*came 2 times.*last told again at \d\d:\d\d:\d\d CES?T",
        rf" +2  {time}  intrusion 130 from 007 .*",
        rf"  {time}  receiver opened.*",
        rf"  {time}  {ME} claimed",
        rf'  {time}  {ME} noted "the neighbour has the keys"',
        rf'  {time}  {ME} asked for a supervisor, "no answer, door locked"',
        rf"  {time}  {ME} answered",
    ):
        assert re.search(f"^{line}$", text, re.MULTILINE), (line, text)


def test_a_machine_gets_the_same_in_fields(vetlla: Vetlla, daemon: Daemon) -> None:
    """The fields are the alarm as in the list, its signals, notes and history; times are UTC."""
    answer = fields(vetlla, daemon)
    (listed,) = daemon.queue()
    assert set(answer["alarm"]) == set(listed)
    assert [signal["id"] for signal in answer["signals"]] == [1, 2]
    assert answer["signals"][0]["duplicates"] == 1
    assert answer["signals"][0]["last_told_again"] > answer["signals"][0]["received"]
    assert [(note["operator"], note["text"]) for note in answer["notes"]] == [(ME, "the neighbour has the keys")]
    assert [one["action"] for one in answer["history"]] == ["open", "claim", "note", "escalate", "answer"]
    assert all(one["at"].endswith("Z") for one in answer["history"])


def test_times_are_utc_on_request(vetlla: Vetlla, daemon: Daemon) -> None:
    """--utc helps a person who compares with machines."""
    assert re.search(r"opened +[0-9-]{10} [0-9:.]{12} UTC$", shown(vetlla, daemon, "--utc"), re.MULTILINE)


def test_a_closed_alarm_and_one_without_a_receiver_are_read_from_the_journal(vetlla: Vetlla, daemon: Daemon) -> None:
    """The sheet is the same, with the outcome; without a receiver a message on stderr says so."""
    daemon.ask("queue.close", alarm=1, outcome="contact_went")
    text = shown(vetlla, daemon)
    assert text.startswith(f"Alarm 1  LIFE  closed by {ME}: contact_went\n")
    assert f"{ME} closed as contact_went" in text
    closed = fields(vetlla, daemon)
    daemon.stop()
    done = vetlla("queue", "show", 1, "--state-dir", daemon.state_dir)
    assert (done.status, done.out.splitlines()[0]) == (0, text.splitlines()[0])
    assert "as the journal has it, because no receiver answers" in done.talk.replace("\n", " ")
    away = fields(vetlla, daemon)
    clocks = {"age_s"}
    assert {name: value for name, value in away["alarm"].items() if name not in clocks} == {
        name: value for name, value in closed["alarm"].items() if name not in clocks
    }
    daemon.start()


def test_an_alarm_that_never_existed_is_an_error(vetlla: Vetlla, daemon: Daemon) -> None:
    """The exit status is 64."""
    done = vetlla("queue", "show", 99, "--state-dir", daemon.state_dir)
    assert (done.status, done.out) == (os.EX_USAGE, "")
    assert "there is no alarm 99" in done.error

"""``vetlla supervision`` as people use it, against a receiver with homes that fall silent."""

from __future__ import annotations

import os
import pwd
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.daemon import PATIENCE_S, Daemon, vetlla
from tests.rigs.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla

ME = pwd.getpwuid(os.geteuid()).pw_name
MANY = 12
"""More devices than the ten that make an incident."""
ACCOUNTS = "account,home,interval_s,allowed_misses,labels\n4C01,H-0001,3600,3,\n4C02,H-0002,,,\n" + "".join(
    f"5C{number:02},H-5{number:02},1,1,operator:example\n" for number in range(MANY)
)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Run one receiver with a home that reports, one without an interval, and twelve of one network that go silent."""
    started = Daemon(tmp_path_factory.mktemp("supervision"), config="supervision = { tolerance_s = 0 }")
    started.state_dir.mkdir(mode=0o750)
    done = vetlla("accounts", "import", "-", "--format", "csv", stdin=ACCOUNTS, state_dir=started.state_dir)
    assert done.returncode == 0, done.stderr
    try:
        started.start()
        with Terminal(started.port, "4C01") as terminal:
            terminal.alarm("1602")
        _await(lambda: started.ask("supervision.counts")["states"]["lost"] == MANY)
        yield started
    finally:
        started.close()


def _await(fits: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not fits():
        assert time.monotonic() < deadline


@pytest.fixture
def ask(daemon: Daemon, vetlla: Vetlla) -> Callable[..., Done]:
    """Run ``vetlla supervision`` with these arguments."""

    def run(*arguments: object) -> Done:
        return vetlla("supervision", *arguments, "--state-dir", daemon.state_dir)

    return run


def test_devices_that_need_attention_are_listed(ask: Callable[..., Done]) -> None:
    """The lost devices are listed with the reason; those that report, or have no interval, are not listed."""
    listed = ask("list", "--json").json
    assert {one["account"] for one in listed} == {f"5C{number:02}" for number in range(MANY)}
    assert {one["state"] for one in listed} == {"lost"}
    table = ask("list", "--home", "H-503").out
    assert "5C03" in table
    assert "in a row failed to come; one of many: incident 1, operator:example" in table
    assert "5C04" not in table


def test_states_are_chosen(ask: Callable[..., Done]) -> None:
    """Each state can be asked for; for an unknown state the error lists the known ones."""
    assert [one["account"] for one in ask("list", "--state", "ok", "--json").json] == ["4C01"]
    (idle,) = ask("list", "--state", "not_supervised", "--json").json
    assert (idle["account"], idle["not_supervised"]) == ("4C02", ["no_interval"])
    assert ask("list", "--state", "late").out == ""
    done = ask("list", "--state", "dead")
    assert (done.status, "not_supervised" in done.error) == (os.EX_USAGE, True)


def test_a_home_is_shown(ask: Callable[..., Done]) -> None:
    """The sheet shows what is expected, what came and when the home is late; an unknown account is an error."""
    text = ask("show", "4c01").out
    for part in ("terminal of account 4C01, home H-0001", "heard in time", "expected every 3600 s", "next deadline 20"):
        assert part in text
    (one,) = ask("show", "4C01", "--json").json
    assert (one["state"], one["pause"], one["labels"]) == ("ok", None, ["listener:dc09", "receiver"])
    assert ask("show", "0000").status == os.EX_USAGE


def test_a_pause_from_dry_run_to_end(ask: Callable[..., Done]) -> None:
    """A dry run changes nothing; a pause is shown with its operator and reason; after it a whole interval begins."""
    pause = ("pause", "4C01", "--reason", "installer on site", "--for", 3600)
    rehearsed = ask(*pause, "--dry-run")
    assert ("4C01" in rehearsed.out, "dry run: nothing was changed" in rehearsed.talk) == (True, True)
    assert ask("show", "4C01", "--json").json[0]["pause"] is None
    (paused,) = ask(*pause, "--json").json
    assert (paused["operator"], paused["durable"], paused["state"]) == (ME, True, "not_supervised")
    shown = ask("show", "4C01").out
    assert "not supervised since 20" in shown
    assert f"paused by {ME}: installer on site" in shown
    assert ask("resume", "4C01", "--json").json[0]["state"] in {"ok", "unknown"}
    assert ask("resume", "4C01").status == os.EX_USAGE


def test_an_incident_and_its_members(ask: Callable[..., Done], daemon: Daemon) -> None:
    """An open incident comes from the receiver, all come from the journal with --all; a number lists its devices."""
    (standing,) = ask("incidents", "--json").json
    assert (standing["label"], standing["lost"]) == ("operator:example", MANY)
    _await(lambda: len(_members(ask)) == MANY)
    assert {one["back"] for one in _members(ask)} == {None}
    assert "operator:example" in ask("incidents").out
    (kept,) = ask("incidents", "--all", "--json").json
    assert (kept["incident"], kept["closed"], kept["alarm"]) == (1, None, standing["alarm"])
    assert ask("incidents", "--since", "1h").out
    assert "5C07" in ask("incidents", 1).out
    assert ask("incidents", 99).status == os.EX_USAGE
    assert "operator:example" in vetlla("status", state_dir=daemon.state_dir).stdout
    assert "fleet 12 lost" in vetlla("board", "--once", state_dir=daemon.state_dir).stdout
    assert daemon.metric("vetlla_supervised", state="lost") == MANY
    assert daemon.metric("vetlla_incidents_open") == 1


def test_a_table_of_members_ends_at_its_limit(ask: Callable[..., Done]) -> None:
    """The table says how many devices of an incident are left out."""
    _await(lambda: len(_members(ask)) == MANY)
    done = ask("incidents", 1, "--limit", 5)
    assert done.out.count("5C") == 5
    assert f"{MANY - 5} more" in done.talk
    assert len(ask("incidents", 1, "--limit", 5, "--json").json) == 5


def _members(ask: Callable[..., Done]) -> list[dict[str, Any]]:
    return ask("incidents", 1, "--json").json


def test_without_a_receiver(vetlla: Vetlla) -> None:
    """The exit status is 69, at once."""
    for words in (("list",), ("show", "1"), ("incidents",), ("pause", "1", "--reason", "x"), ("resume", "1")):
        assert vetlla("supervision", *words).status == os.EX_UNAVAILABLE


def test_a_table_shows_what_a_person_reads_and_json_all(tmp_path: Path) -> None:
    """A large fleet's table ends after some hundred rows and says how many are left."""
    daemon = Daemon(tmp_path)
    daemon.state_dir.mkdir(mode=0o750)
    rows = "".join(f"7C{number:03},H-{number},3600\n" for number in range(700))
    vetlla(
        "accounts",
        "import",
        "-",
        "--format",
        "csv",
        stdin=f"account,home,interval_s\n{rows}",
        state_dir=daemon.state_dir,
    )
    listing = ("supervision", "list", "--state", "unknown")
    try:
        daemon.start()
        done = vetlla(*listing, state_dir=daemon.state_dir)
        assert (done.stdout.count("7C"), "200 more" in done.stderr) == (500, True)
        done = vetlla(*listing, "--limit", "700", state_dir=daemon.state_dir)
        assert (done.stdout.count("7C"), done.stderr) == (700, "")
        done = vetlla(*listing, "--json", state_dir=daemon.state_dir)
        assert (len(done.stdout.splitlines()), done.stderr) == (700, "")
    finally:
        daemon.close()

"""``vetlla audit`` lists who did what, and its proof exits with the right status."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import Daemon
from tests.rigs.journals import journal, report, write_a_story
from tests.rigs.terminal import Terminal
from vetlla.store.journal.batch import Entry
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture
def story(state_dir: Path) -> Path:
    """Write an alarm from call to close, and sixty signals."""
    write_a_story(state_dir)
    return state_dir


def tamper(state_dir: Path, sql: str) -> None:
    with closing(sqlite3.connect(state_dir / JOURNAL, isolation_level=None)) as connection:
        for trigger in ("audit_is_append_only_update", "audit_is_append_only_delete", "signals_stay_update"):
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute(sql)


# --- list -------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("story")
def test_actors_and_actions_are_listed(vetlla: Vetlla) -> None:
    """The list has what people and policy did; it has the receiver's records of stored signals only with --commits."""
    lines = vetlla("audit", "list").out.splitlines()

    assert lines[0].split() == ["id", "at", "actor", "action", "subject", "detail"]
    assert [line.split()[5] for line in lines[1:]] == ["open", "answer", "note", "close"]
    assert lines[2].split()[:7] == ["3", "2026-01-01", "01:00:05.000", "CET", "maria", "answer", "alarm"]
    assert '{"outcome": "handled_by_voice", "t2_us": 1300, "t3_us": 5000000}' in lines[4]
    assert len(vetlla("audit", "list", "--commits", "--limit", 100).out.splitlines()) == 65


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--actor", "maria"], [3, 4, 5]),
        (["--action", "close"], [5]),
        (["--subject", "alarm 1", "--actor", "receiver"], [2]),
        (["--action", "commit"], []),
        (["--action", "commit", "--commits", "--limit", 1], [64]),
        (["--since", "2026-01-01T01:00:01", "--until", "2026-01-01T01:00:10"], [3, 4]),
    ],
)
def test_records_are_found(vetlla: Vetlla, options: list[object], expected: list[int]) -> None:
    """Records are found by actor, action, subject and time."""
    assert [line["id"] for line in vetlla("audit", "list", "--json", *options).json] == expected


@pytest.mark.usefixtures("story")
def test_machines_get_the_hash_too(vetlla: Vetlla) -> None:
    """A machine can so keep heads elsewhere, record by record."""
    (line,) = vetlla("audit", "list", "--json", "--limit", 1).json

    assert len(line.pop("hash")) == 64
    assert line == {
        "id": 5, "at": "2026-01-01T00:01:05.000000Z", "actor": "maria", "action": "close", "subject": "alarm 1",
        "detail": {"outcome": "handled_by_voice", "t2_us": 1300, "t3_us": 5_000_000},
    }  # fmt: skip


# --- verify -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("story")
def test_a_whole_chain_prints_its_head(vetlla: Vetlla) -> None:
    """The command prints one line to keep elsewhere, with status 0; the same head is expected the next time."""
    done = vetlla("audit", "verify")
    head = done.out.strip()

    assert done.status == 0
    assert head.startswith("64:")
    assert vetlla("audit", "verify", "--expect", head).status == 0
    (fields,) = vetlla("audit", "verify", "--json").json
    assert fields == {"whole": True, "head": head, "flaws": []}


def test_an_expected_head_still_holds_when_the_chain_has_grown(vetlla: Vetlla, story: Path) -> None:
    """The former end of the chain is now in its middle."""
    head = vetlla("audit", "verify").out.strip()
    with journal(story) as scribe:
        scribe.commit(report(61))

    done = vetlla("audit", "verify", "--expect", head)
    assert done.status == 0
    assert done.out.startswith("65:")


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE signals SET code = '602' WHERE id = 1", "record 1: signals 1 to 1 are not those that were committed"),
        ("UPDATE audit SET actor = 'pere' WHERE id = 3", "record 3: its hash does not follow"),
        ("DELETE FROM audit WHERE id = 3", "record 4: records 3 to 3 are missing"),
        ("DELETE FROM audit WHERE id > 60", "record 60: the chain ends here, but 64 records were written"),
    ],
)
def test_a_change_is_reported_and_the_exit_status_is_1(vetlla: Vetlla, story: Path, sql: str, what: str) -> None:
    """People read the record and a sentence, machines get fields."""
    tamper(story, sql)
    done = vetlla("audit", "verify")

    assert done.status == 1
    assert done.out.startswith(what)
    again = vetlla("audit", "verify", "--json")
    assert again.status == 1
    assert again.json[0]["whole"] is False
    assert {"record", "what"} == set(again.json[0]["flaws"][0])


def test_a_cut_without_a_trace_is_found_with_a_kept_head(vetlla: Vetlla, story: Path) -> None:
    """The end of the chain, its signals and the counter are gone: only the head that was kept elsewhere shows it."""
    head = vetlla("audit", "verify").out.strip()
    tamper(story, "DELETE FROM audit WHERE id > 60")
    with closing(sqlite3.connect(story / JOURNAL, isolation_level=None)) as connection:
        connection.execute("UPDATE sqlite_sequence SET seq = 60")
        connection.execute("DELETE FROM signals WHERE id > 56")

    assert vetlla("audit", "verify").status == 0
    done = vetlla("audit", "verify", "--expect", head)
    assert done.status == 1
    assert done.out.startswith("record 64: the chain does not contain the expected head")


def test_a_journal_that_was_overwritten_does_not_flood_the_terminal(vetlla: Vetlla, state_dir: Path) -> None:
    """Every record is flawed: the command prints the first ones, and that there are more."""
    with journal(state_dir) as scribe:
        batch = scribe.batch()
        batch.audit = [Entry(number, "maria", "note", "alarm 1", {}) for number in range(1010)]
        scribe.write(batch)
    tamper(state_dir, "UPDATE audit SET actor = 'pere'")
    lines = vetlla("audit", "verify").out.splitlines()

    assert len(lines) == 1002
    assert lines[-2].endswith("there are more flaws from here on: the check ended here")


@pytest.mark.usefixtures("story")
def test_a_text_that_is_not_a_head_is_a_wrong_call(vetlla: Vetlla) -> None:
    """This is not a flaw of the chain: the status is 64."""
    assert vetlla("audit", "verify", "--expect", "63").status == os.EX_USAGE


def test_a_working_receiver_has_a_whole_chain(tmp_path: Path, vetlla: Vetlla) -> None:
    """Real signals and a worked alarm are checked while the receiver runs and after its end."""
    daemon = Daemon(tmp_path / "daemon")
    try:
        daemon.start()
        with Terminal(daemon.port) as home:
            for _ in range(20):
                assert home.say(home.frame()) == "ACK"
        for step in (["claim"], ["answer", "1"], ["close", "1", "--outcome", "test"]):
            assert vetlla("queue", *step, "--state-dir", daemon.state_dir).status == 0
        beside = vetlla("audit", "verify", "--state-dir", daemon.state_dir)
        actions = [line["action"] for line in vetlla("audit", "list", "--json", "--state-dir", daemon.state_dir).json]
        daemon.stop()
        after = vetlla("audit", "verify", "--state-dir", daemon.state_dir, "--expect", beside.out.strip())
    finally:
        daemon.close()

    assert (beside.status, after.status) == (0, 0), beside.out + after.out
    assert [action for action in actions if action in ("claim", "answer", "close")] == ["claim", "answer", "close"]

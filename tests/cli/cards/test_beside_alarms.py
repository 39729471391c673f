"""The card under an alarm, with a real receiver: it is shown and recorded, and nothing about it can hold up a claim."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.cards import CARD, SECRETS, assert_sealed, keep
from tests.rigs.daemon import Daemon, running
from tests.rigs.permissions import NOBODY_UID, reachable_directory
from tests.rigs.registered_homes import register
from tests.rigs.terminal import Terminal
from vetlla.cli.cards.sheet import card_fields
from vetlla.domain.cards import ReadReason
from vetlla.domain.clock import SystemClock
from vetlla.store.cards.opening import CARDS, LOCK
from vetlla.tasks.cards import looking
from vetlla.tasks.cards.reading import read_card

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rigs.nursery import Left, Nursery
    from vetlla.tasks.cards.place import CardPlace

IN_SHORT = ("Invenció", "audiòfon", "a poc a poc", "04-zona-17", "Inventat 12", "900 000 101", "Carla Fictícia")
NOT_IN_SHORT = ("imaginària", "nebot")
"""Health notes, and the fourth contact."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with reachable_directory() as made:
        yield made


@pytest.fixture(scope="module")
def daemon(folder: Path) -> Iterator[Daemon]:
    """Run a receiver that two registered homes have called; the second has no card."""
    state_dir = folder / "state"
    state_dir.mkdir(mode=0o750)
    register(state_dir, "0001,H-0001,,", "0002,H-0002,,")
    with running(folder) as started:
        for account in ("0001", "0002"):
            with Terminal(started.port, account) as home:
                home.alarm()
        yield started


@pytest.fixture
def place(daemon: Daemon) -> Iterator[CardPlace]:
    yield keep(daemon.state_dir, CARD)
    for name in (CARDS, LOCK, "cards.toml"):
        (daemon.state_dir / name).unlink(missing_ok=True)


def run(program: Nursery, daemon: Daemon, *words: object, **options: Any) -> Left:  # noqa: ANN401 - passed on
    environment = {"VETLLA_STATE_DIR": str(daemon.state_dir), "VETLLA_CONFIG": str(daemon.config_file)}
    environment |= options.pop("environment", {})
    return program.run(*words, environment=environment, **options)


def readings(place: CardPlace) -> list[tuple[str, str, int | None]]:
    return [(one.action, one.home, one.alarm) for one in looking.readers(place.state_dir)]


@pytest.mark.parametrize("words", [("queue", "show", 1), ("queue", "claim", 1, "--force")])
def test_the_card_stands_under_the_alarm(
    program: Nursery, daemon: Daemon, place: CardPlace, words: tuple[object, ...]
) -> None:
    """It stands there in short, and the reading is recorded with the alarm; --no-card leaves both out."""
    left = run(program, daemon, *words)
    assert (left.status, left.err) == (0, "")
    assert left.out.lower().index("alarm 1") < left.out.index("Card")
    assert [word for word in IN_SHORT if word not in left.out] == []
    assert [word for word in NOT_IN_SHORT if word in left.out] == []
    assert readings(place) == [("read", "H-0001", 1)]
    answer = json.loads(run(program, daemon, *words, "--json").out)
    people = tuple(replace(one, health="") for one in CARD.people)
    short = replace(CARD, people=people, contacts=CARD.contacts[:3])
    assert answer["card"] == card_fields(short) | {"problem": None, "warning": None}
    assert len(readings(place)) == 2
    left = run(program, daemon, *words, "--no-card")
    assert (left.status, "Card" in left.out, left.err) == (0, False, "")
    assert "card" not in json.loads(run(program, daemon, *words, "--no-card", "--json").out)
    assert len(readings(place)) == 2


def test_a_home_without_a_card_takes_one_line(program: Nursery, daemon: Daemon, place: CardPlace) -> None:
    """The look is recorded all the same. A service that keeps no cards is told nothing."""
    left = run(program, daemon, "queue", "show", 2)
    assert (left.status, left.err) == (0, "home H-0002 has no card\n")
    assert readings(place) == [("absent", "H-0002", 2)]
    for path in (place.state_dir / CARDS, place.state_dir / LOCK, place.key_file):
        path.unlink()
    left = run(program, daemon, "queue", "show", 2)
    assert (left.status, left.err, left.out.startswith("Alarm 2")) == (0, "", True)


@pytest.mark.parametrize("trace", [LOCK, "cards.toml"])
def test_a_card_file_that_is_gone_is_told(program: Nursery, daemon: Daemon, place: CardPlace, trace: str) -> None:
    """It is another thing than a home without card: the key, or the lock file, says that there were cards."""
    for name in {CARDS, LOCK, "cards.toml"} - {trace}:
        (place.state_dir / name).unlink()
    for words in (("queue", "claim", 1, "--force"), ("queue", "show", 1)):
        left = run(program, daemon, *words)
        assert (left.status, len(left.err.splitlines())) == (0, 1)
        assert "the card file is missing" in left.err
    left = run(program, daemon, "home", "H-0001", "--alarm", 1)
    assert (left.status, "the card file is missing" in left.err, "has no card" in left.err) == (74, True, False)
    assert "Alarms" in left.out


def no_key(place: CardPlace) -> None:
    place.key_file.unlink()


def open_key(place: CardPlace) -> None:
    place.key_file.chmod(0o644)


def damaged(place: CardPlace) -> None:
    (place.state_dir / CARDS).write_bytes(b"SQLite format 3\0" + b"\xff" * 5_000)


def empty(place: CardPlace) -> None:
    (place.state_dir / CARDS).write_bytes(b"")
    place.key_file.unlink()


def changed(place: CardPlace) -> None:
    with closing(sqlite3.connect(place.state_dir / CARDS, isolation_level=None)) as db:
        db.execute("UPDATE cards SET sealed = 'text'")


def not_ours(place: CardPlace) -> None:
    with closing(sqlite3.connect(place.state_dir / CARDS, isolation_level=None)) as db:
        db.execute("DROP TABLE cards")


@pytest.mark.parametrize("harm", [no_key, open_key, damaged, empty, changed, not_ours])
def test_no_fault_of_the_cards_keeps_an_alarm_from_its_operator(
    program: Nursery,
    daemon: Daemon,
    place: CardPlace,
    harm: Any,  # noqa: ANN401 - a function of the place
) -> None:
    """The alarm is claimed and shown with status 0, and one line says what is wrong with the card."""
    harm(place)
    for words in (("queue", "claim", 1, "--force"), ("queue", "show", 1)):
        left = run(program, daemon, *words)
        assert (left.status, len(left.err.splitlines())) == (0, 1), left
        assert left.err.startswith("the card of home H-0001 cannot be shown: ")
        assert "larm 1" in left.out
        answer = json.loads(run(program, daemon, *words, "--json").out)
        assert answer["card"]["home"] == "H-0001"
        assert answer["card"]["problem"] + "\n" == left.err


def test_a_file_in_use_delays_a_claim_by_a_bounded_time(program: Nursery, daemon: Daemon, place: CardPlace) -> None:
    """Another process holds the file for ever: the claim is made, and the line says that the file is locked."""
    with closing(sqlite3.connect(place.state_dir / CARDS, isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        left = run(program, daemon, "queue", "claim", 1, "--force")
    assert (left.status, "locked" in left.err) == (0, True)


# --- operators who may not open the file ------------------------------------------------------------------------------

SUDO = '#!/bin/sh\nprintf "%s\\n" "$*" > {0}/asked\ncat {0}/answer\ncat {0}/told >&2\nexit $(cat {0}/status)\n'
OPERATOR = (NOBODY_UID, [0])
"""A user in the group of the state directory, as operators are."""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def sudo(folder: Path) -> Iterator[Path]:
    """Put a program in the place of sudo, which says what the test wants it to say."""
    made = folder / "sudo"
    made.mkdir()
    made.chmod(0o777)
    (made / "sudo").write_text(SUDO.format(made), encoding="utf-8")
    (made / "sudo").chmod(0o755)
    yield made
    shutil.rmtree(made)


def says(sudo: Path, *, status: int = 0, answer: str = "", told: str = "") -> dict[str, str]:
    for name, text in {"status": str(status), "answer": answer, "told": told}.items():
        (sudo / name).write_text(text, encoding="utf-8")
    return {"PATH": f"{sudo}:/usr/bin:/bin"}


@needs_root
@pytest.mark.usefixtures("place")
def test_an_operator_reads_a_card_as_its_owner(program: Nursery, daemon: Daemon, sudo: Path) -> None:
    """The commands ask sudo for one card, with the alarm or the reason, and show what it answers."""
    answer = json.dumps({"home": "H-0001", "card": card_fields(CARD)})
    environment = says(sudo, answer=answer)
    for words, why in (
        (("queue", "claim", 1, "--force"), "--alarm 1"),
        (("queue", "show", 1), "--alarm 1"),
        (("home", "H-0001", "--alarm", 1), "--alarm 1"),
        (("home", "H-0001", "--reason", "test"), "--reason test"),
    ):
        left = run(program, daemon, *words, user=OPERATOR, environment=environment)
        assert (left.status, left.err) == (0, ""), left
        assert "Invenció" in left.out
        wanted = f"home --only-card --json {why} --state-dir {daemon.state_dir} -- H-0001"
        assert (sudo / "asked").read_text(encoding="utf-8") == f"-n -u root vetlla {wanted}\n"


@needs_root
@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"status": 1, "told": "sudo: a password is required\n"}, "may be read by its owner alone"),
        ({"status": 78, "told": "vetlla: the key is missing\n  -> rekey\n"}, "the key is missing"),
        ({"answer": "{}"}, "gave no card"),
        ({"answer": '{"card": {"home": 7}}'}, "gave no card"),
    ],
)
@pytest.mark.usefixtures("place")
def test_what_sudo_refuses_takes_one_line(
    program: Nursery, daemon: Daemon, sudo: Path, said: dict[str, Any], line: str
) -> None:
    """The alarm is shown all the same; `vetlla home` ends with an error."""
    environment = says(sudo, **said)
    left = run(program, daemon, "queue", "claim", 1, "--force", user=OPERATOR, environment=environment)
    assert (left.status, len(left.err.splitlines()), line in left.err) == (0, 1, True), left
    left = run(program, daemon, "home", "H-0001", "--alarm", 1, user=OPERATOR, environment=environment)
    assert (left.status in {os.EX_NOPERM, os.EX_IOERR}, line in left.err) == (True, True), left
    assert "Alarms" in left.out


@needs_root
@pytest.mark.usefixtures("place")
def test_without_sudo_a_card_stays_closed(program: Nursery, daemon: Daemon, folder: Path) -> None:
    """A member of the group of the state directory opens neither the file nor its key."""
    environment = {"PATH": str(folder)}
    left = run(program, daemon, "home", "H-0001", "--alarm", 1, user=OPERATOR, environment=environment)
    assert left.status == os.EX_NOPERM
    assert "Invenció" not in left.out + left.err
    left = run(program, daemon, "queue", "claim", 1, "--force", user=OPERATOR, environment=environment)
    assert (left.status, len(left.err.splitlines())) == (0, 1)


@needs_root
@pytest.mark.usefixtures("place")
def test_a_person_with_the_owners_rights_by_sudo_reads_the_services_cards_alone(
    program: Nursery, daemon: Daemon, folder: Path
) -> None:
    """A reading in a backup would be recorded in the log of the backup alone."""
    config = folder / "readable.toml"
    config.write_text(f'state_dir = "{daemon.state_dir}"\n', encoding="utf-8")
    config.chmod(0o644)
    environment = {"SUDO_UID": "1991", "SUDO_USER": "ana", "PATH": str(folder), "VETLLA_CONFIG": str(config)}
    for words in (("--state-dir", folder / "backup"), ("--key-file", folder / "cards.toml")):
        left = run(
            program, daemon, "home", "H-0001", "--reason", "x", "--only-card", *words,
            user=OPERATOR, environment=environment,
        )  # fmt: skip
        assert (left.status, "by sudo only the cards of" in left.err) == (os.EX_NOPERM, True)
    left = run(
        program, daemon, "home", "H-0001", "--reason", "x", "--only-card", user=OPERATOR, environment=environment
    )
    assert "by sudo" not in left.err


def test_an_alarm_that_was_closed_long_ago_opens_no_card(program: Nursery, daemon: Daemon, place: CardPlace) -> None:
    """The rule of `home` is that of `queue show`, and the refusal is recorded."""
    for words in (("answer", 2, "--force"), ("close", 2, "--outcome", "test", "--force")):
        run(program, daemon, "queue", *words)
    keep(place.state_dir, replace(CARD, home="H-0002"))
    assert "Card" in run(program, daemon, "queue", "show", 2).out
    with closing(sqlite3.connect(daemon.state_dir / "journal.db", isolation_level=None)) as db:
        day_us = 86_400_000_000
        db.execute("UPDATE alarms SET closed_us = closed_us - ? WHERE id = 2", [day_us + 1])
    left = run(program, daemon, "queue", "show", 2)
    assert (left.status, "Card" in left.out, "closed more than 24 hours ago" in left.err) == (0, False, True)
    assert readings(place) == [("read", "H-0002", 2), ("refused", "H-0002", 2)]


# --- traces -----------------------------------------------------------------------------------------------------------


def test_no_card_leaves_a_trace_outside_its_file(program: Nursery, daemon: Daemon, place: CardPlace) -> None:
    """Neither the log, the metrics, the journal, the registry, a backup nor any other file has a word of it."""
    for words in (
        ("queue", "claim", 1, "--force"), ("queue", "show", 1), ("home", "H-0001", "--alarm", 1),
        ("cards", "readers"), ("cards", "verify"), ("audit", "list"), ("queue", "list", "--json"), ("status",),
    ):  # fmt: skip
        left = run(program, daemon, *words)
        assert left.status == 0, left
        if words[0] in {"cards", "audit", "status"} or "list" in words:
            assert [word for word in SECRETS if word in left.out] == []
    read_card(place, SystemClock(), "H-0001", ReadReason(1), by="ana")
    backup = daemon.state_dir.parent / "backup"
    assert run(program, daemon, "db", "backup", backup).status == 0
    log = json.dumps(daemon.log, ensure_ascii=False) + daemon.told + daemon.page("/metrics").body
    assert [word for word in SECRETS if word in log] == []
    files = [path for path in daemon.state_dir.parent.rglob("*") if path.is_file()]
    assert {"journal.db", "registry.db", "cards.db", "cards.toml"} <= {path.name for path in files}
    assert_sealed(*files)
    shutil.rmtree(backup)

"""Cards in backups: they stay sealed, damage is found without their key, and a restore brings no erased card back."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.rigs.cards import CARD, assert_sealed, keep
from tests.rigs.journals import write_a_story
from vetlla.domain.cards import ReadReason
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import StoreError
from vetlla.store.backups.backup import back_up
from vetlla.store.backups.inspection import Damage, inspect
from vetlla.store.backups.restore import restore
from vetlla.store.cards import log
from vetlla.store.cards.opening import CARDS, LOCK, reading
from vetlla.store.journal.free_space import FreeSpace
from vetlla.store.sqlite.lockfile import exclusive
from vetlla.tasks.cards import changing, looking
from vetlla.tasks.cards.place import CardPlace
from vetlla.tasks.cards.reading import read_card

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.store.backups.restore import Restored

CLOCK = SystemClock()
WHY = ReadReason(text="a question")


@pytest.fixture
def place(tmp_path: Path) -> CardPlace:
    """Make a state directory with a journal and two cards, and a backup of it beside it."""
    write_a_story(tmp_path / "state")
    made = keep(tmp_path / "state", CARD, replace(CARD, home="H-0002"))
    back_up(made.state_dir, tmp_path / "backup", CLOCK, FreeSpace(made.state_dir, reserve=0))
    return made


@pytest.fixture
def backup(place: CardPlace) -> Path:
    return place.state_dir.parent / "backup"


def restored(place: CardPlace, backup: Path) -> Restored:
    room = FreeSpace(place.state_dir, reserve=0)
    return restore(backup, place.state_dir, CLOCK, room, actor="enric")


def found(where: Path) -> list[Damage]:
    return list(inspect(where, CLOCK))


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement)


def test_a_backup_has_the_cards_and_not_their_key(place: CardPlace, backup: Path) -> None:
    """They are as sealed and as closed to others as where they came from; the manifest has the end of their log."""
    assert_sealed(*backup.iterdir())
    assert not (backup / "cards.toml").exists()
    assert stat.S_IMODE((backup / CARDS).stat().st_mode) == 0o600
    manifest = json.loads((backup / "manifest.json").read_text(encoding="utf-8"))
    with reading(place.state_dir) as db:
        assert manifest["cards_head"] == str(log.head(db))
    for where in (backup, backup / CARDS, place.state_dir, place.state_dir / CARDS):
        assert found(where) == []
    assert read_card(CardPlace(backup, place.key_file), CLOCK, "H-0001", WHY, by="eva") == CARD


def test_a_changed_card_of_a_state_directory_is_found_without_the_key(place: CardPlace) -> None:
    """The log has the digest of each sealed card."""
    place.key_file.unlink()
    change(place.state_dir / CARDS, "DELETE FROM cards WHERE home = 'H-0001'")
    assert found(place.state_dir) == [Damage(CARDS, "home H-0001: the card was removed without a record")]


def test_a_backup_with_another_log_is_found(place: CardPlace, backup: Path) -> None:
    """A reading in a copy is no damage of the copy, but it is not the copy that was made."""
    read_card(CardPlace(backup, place.key_file), CLOCK, "H-0001", WHY, by="eva")
    checksum, head = found(backup)
    assert (checksum.what, head.file) == ("is not the file that was backed up: its checksum differs", CARDS)
    assert head.what.startswith("its log ends with 4:")


@pytest.mark.parametrize("where", [0, 4_096, 8_192])
def test_an_overwritten_page_is_found(place: CardPlace, where: int) -> None:
    """It is damage of this file, and no fault of the program."""
    path = place.state_dir / CARDS
    with path.open("r+b") as file:
        file.seek(where)
        file.write(os.urandom(4_000))
    assert found(path)
    assert {damage.file for damage in found(path)} == {CARDS}


def test_a_restore_brings_cards_back_and_says_so(place: CardPlace, backup: Path) -> None:
    """The restored log goes on with a record of the restore, and names the end of the log that it replaced."""
    changing.set_card(place, CLOCK, replace(CARD, floor="9"), by="eva")
    read_card(place, CLOCK, "H-0001", WHY, by="ana")
    with reading(place.state_dir) as db:
        replaced = str(log.head(db))
    done = restored(place, backup)
    assert read_card(place, CLOCK, "H-0001", WHY, by="ana") == CARD
    with reading(place.state_dir) as db:
        rows = db.execute("SELECT actor, detail FROM audit WHERE action = 'restore'").fetchall()
    ((actor, detail),) = map(tuple, rows)
    assert (actor, json.loads(detail)["replaced_head"]) == ("enric", replaced)
    assert looking.verified(place).damage == []
    assert stat.S_IMODE((place.state_dir / CARDS).stat().st_mode) == 0o600
    assert done.aside is not None
    assert [one.actor for one in looking.readers(done.aside)] == ["ana"]


def test_a_restore_erases_again_what_was_erased(place: CardPlace, backup: Path) -> None:
    """A person who was forgotten stays forgotten."""
    changing.erase_card(place.state_dir, CLOCK, "H-0001", by="eva")
    restored(place, backup)
    assert read_card(place, CLOCK, "H-0001", WHY, by="ana") is None
    assert read_card(place, CLOCK, "H-0002", WHY, by="ana") == replace(CARD, home="H-0002")
    assert looking.verified(place).damage == []


def test_a_damaged_file_is_replaced(place: CardPlace, backup: Path) -> None:
    """Nothing is known of its log then."""
    (place.state_dir / CARDS).write_bytes(b"SQLite format 3\0" + bytes(5_000))
    restored(place, backup)
    assert looking.verified(place).damage == []


def test_a_restore_waits_for_the_end_of_a_change(place: CardPlace, backup: Path) -> None:
    """An import that runs meanwhile would be lost."""
    with exclusive(place.state_dir / LOCK), pytest.raises(StoreError, match="is writing"):
        restored(place, backup)

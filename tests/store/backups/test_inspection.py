"""The inspection of stored files finds and names damage anywhere, and writes nothing."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import journal, report, write_a_story
from vetlla.domain.accounts import AccountKey
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError, UsageError
from vetlla.store.accounts.table import AccountEntry, register
from vetlla.store.backups.backup import MANIFEST, back_up
from vetlla.store.backups.inspection import Damage, inspect
from vetlla.store.journal.free_space import FreeSpace
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.registry import REGISTRY, writing

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = ManualClock()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a state directory, and a backup of it beside it."""
    folder = tmp_path_factory.mktemp("original")
    write_a_story(folder / "state")
    with writing(folder / "state", CLOCK) as db:
        places = [AccountEntry(AccountKey(f"{number:04}"), {"home": "H-1"}) for number in range(300)]
        register(db, places, by="enric", at_us=0)
    back_up(folder / "state", folder / "backup", CLOCK, FreeSpace(folder / "state", reserve=0))
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """Copy both, so that a test can damage them."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return tmp_path


def found(place: Path) -> list[Damage]:
    return list(inspect(place, CLOCK))


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def overwrite(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def test_whole_files_have_no_damage_and_are_left_alone(folder: Path) -> None:
    """A state directory, a backup and each database pass, and no byte and no file changes."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for place in ("state", "backup", f"state/{JOURNAL}", f"backup/{REGISTRY}"):
        assert found(folder / place) == []
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_running_receivers_files_can_be_checked(tmp_path: Path) -> None:
    """The receiver goes on meanwhile, and the rows that it writes are no damage."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        told: list[str] = []

        def work_on(doing: str, _: int, __: int) -> None:
            scribe.commit(report(scribe.next_signal))
            told.append(doing)

        assert list(inspect(tmp_path, CLOCK, lambda: None, work_on)) == []
    assert told == [f"structure of {JOURNAL}", "audit chain"]


@pytest.mark.parametrize("name", [JOURNAL, REGISTRY])
@pytest.mark.parametrize("place", ["state", "backup"])
def test_pages_overwritten_are_found(folder: Path, place: str, name: str) -> None:
    """Overwritten bytes in the middle of a journal or a registry are found, in use or in a backup."""
    path = folder / place / name
    overwrite(path, path.stat().st_size // 2 // 4096 * 4096, b"\xff" * 4096)

    damages = found(folder / place)

    assert damages
    assert {damage.file for damage in damages} == {name}


@pytest.mark.parametrize("name", [JOURNAL, REGISTRY])
@pytest.mark.parametrize("place", ["state", "backup"])
def test_a_file_that_is_not_a_database_is_found(folder: Path, place: str, name: str) -> None:
    """A file that is no longer a database is damage, not an error of the check."""
    (folder / place / name).write_bytes(b"something else altogether, of a good length" * 100)

    assert any(
        damage.file == name and damage.what.endswith("file is not a database") for damage in found(folder / place)
    )


@pytest.mark.parametrize("name", [JOURNAL, REGISTRY])
def test_a_torn_file_is_found(folder: Path, name: str) -> None:
    """The end of the file is missing, as after a copy that ran out of room."""
    path = folder / "backup" / name
    overwrite(path, 0, path.read_bytes())
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 8192)

    assert Damage(name, "is not the file that was backed up: its checksum differs") in found(folder / "backup")
    (folder / "backup" / MANIFEST).unlink()
    assert found(folder / "backup")


def test_one_bit_of_a_backup_is_found(folder: Path) -> None:
    """If neither the structure nor the audit chain shows a change, the checksum does."""
    path = folder / "backup" / REGISTRY
    content = path.read_bytes()
    at = content.index(b"enric")
    overwrite(path, at, bytes([content[at] ^ 1]))

    assert found(folder / "backup") == [Damage(REGISTRY, "is not the file that was backed up: its checksum differs")]


def test_a_wrong_index_is_found(folder: Path) -> None:
    """The structure is checked with all indexes, because an index that hides a row would hide a home's signals."""
    change(
        folder / "state" / JOURNAL,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = replace(sql, 'IS NOT NULL', 'IS NULL') WHERE name = 'signals_by_alarm'",
    )
    assert any("missing from index signals_by_alarm" in damage.what for damage in found(folder / "state"))


def test_a_flaw_of_the_chain_is_damage(folder: Path) -> None:
    """A signal was changed in a file that is otherwise whole."""
    change(
        folder / "state" / JOURNAL, "DROP TRIGGER signals_stay_update", "UPDATE signals SET code = '602' WHERE id = 1"
    )

    (damage,) = found(folder / "state")

    assert damage == Damage(JOURNAL, "audit record 1: signals 1 to 1 are not those that were committed")


def test_a_backup_with_another_history_is_found(folder: Path) -> None:
    """Files of another history are found by the head of the chain, even with correct checksums."""
    manifest = folder / "backup" / MANIFEST
    said = json.loads(manifest.read_text(encoding="utf-8"))
    said["head"] = "63:" + "00" * 32
    manifest.write_text(json.dumps(said), encoding="utf-8")

    (damage,) = found(folder / "backup")

    assert "its audit chain ends with 64:" in damage.what


def test_an_invalid_account_is_found(folder: Path) -> None:
    """The daemon could not start with such an account."""
    change(folder / "state" / REGISTRY, "UPDATE accounts SET clock_window = 'whenever' WHERE account = '0001'")

    assert ["0001" in damage.what for damage in found(folder / "state")] == [True]


def test_a_file_of_a_backup_that_is_missing_is_found(folder: Path) -> None:
    """The file is reported by its name, and no other damage is reported."""
    (folder / "backup" / JOURNAL).unlink()

    assert found(folder / "backup") == [Damage(JOURNAL, "is missing")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 3}', '{"files": {}, "more": 1}', "\x00"])
def test_an_unusable_manifest_is_an_error(folder: Path, text: str) -> None:
    """Without a manifest the backup cannot be checked."""
    (folder / "backup" / MANIFEST).write_text(text, encoding="utf-8")

    with pytest.raises(StoreError, match="is no manifest"):
        found(folder / "backup")


def test_a_newer_schema_cannot_be_checked(folder: Path) -> None:
    """A newer schema is an error with a remedy, and not damage."""
    change(folder / "state" / JOURNAL, "PRAGMA user_version = 9999")

    with pytest.raises(StoreError, match="is newer than this program's"):
        found(folder / "state")


def test_other_places_cannot_be_checked(folder: Path) -> None:
    """An empty directory, a file with another name and a missing path are errors."""
    (folder / "empty").mkdir()
    with pytest.raises(StoreError, match="there is no journal"):
        found(folder / "empty")
    for place in (folder / "nowhere", folder / "backup" / MANIFEST):
        with pytest.raises(UsageError, match="cannot be verified"):
            found(place)


def test_a_check_stops_when_the_receiver_needs_the_room(tmp_path: Path) -> None:
    """The check stops during SQLite's own long read, not only between reads."""
    with journal(tmp_path) as scribe:
        for _ in range(4):
            scribe.commit(*(report(number, raw=bytes(300)) for number in range(5000)))
    looks: list[int] = []

    def pace() -> None:
        looks.append(1)
        if len(looks) > 1:
            raise StoreError("the receiver needs the room")

    with pytest.raises(StoreError, match="needs the room"):
        list(inspect(tmp_path, CLOCK, pace))

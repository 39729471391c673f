"""``vetlla db`` makes, verifies and restores backups beside a receiver, as an engineer types it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import PATIENCE_S, VETLLA, Daemon
from tests.rigs.journals import journal, report, write_a_story
from tests.rigs.terminal import Terminal
from vetlla.store.backups.backup import MANIFEST
from vetlla.store.cards.opening import CARDS, LOCK
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.registry import REGISTRY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture
def story(state_dir: Path, vetlla: Vetlla) -> Path:
    """Write sixty signals and register an account, with settings for a small disk."""
    config = state_dir.parent / "vetlla.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(f"store = {{ min_free_mib = 1 }}\n{text}", encoding="utf-8")
    write_a_story(state_dir)
    assert vetlla("accounts", "set", "0001", "--home", "H-0001").status == 0
    return state_dir


@pytest.fixture
def backup(story: Path, vetlla: Vetlla, tmp_path: Path) -> Path:
    """Make a backup."""
    assert story.is_dir()
    assert vetlla("db", "backup", tmp_path / "backup").status == 0
    return tmp_path / "backup"


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(content)


# --- backup -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("story")
def test_a_backup_says_what_it_contains(vetlla: Vetlla, tmp_path: Path) -> None:
    """People get size, last signal and audit head; machines get the manifest."""
    done = vetlla("db", "backup", tmp_path / "first")
    assert done.status == 0
    assert f"{tmp_path / 'first'}: 0." in done.out
    assert "signals up to 60, audit head 64:" in done.out

    (fields,) = vetlla("db", "backup", tmp_path / "second", "--json").json
    assert fields.pop("backup") == str(tmp_path / "second")
    assert fields == json.loads((tmp_path / "second" / MANIFEST).read_text(encoding="utf-8"))
    assert set(fields["files"]) == {JOURNAL, REGISTRY}


def test_a_backup_is_not_overwritten(vetlla: Vetlla, backup: Path) -> None:
    """The call makes no sense, so the status is 64."""
    done = vetlla("db", "backup", backup)
    assert (done.status, "is there already" in done.error) == (os.EX_USAGE, True)


def test_cards_that_were_lost_are_told(vetlla: Vetlla, story: Path, tmp_path: Path) -> None:
    """A service that never had cards hears nothing of them."""
    before = vetlla("db", "backup", tmp_path / "before"), vetlla("db", "verify")
    assert all("card file" not in done.out + done.talk and done.status == 0 for done in before)
    (story / LOCK).touch()
    done = vetlla("db", "backup", tmp_path / "backup")
    assert done.status == 0
    assert f"the backup has no cards: {story / CARDS}: the card file is missing" in done.talk
    assert "vetlla db restore" in done.talk
    checked = vetlla("db", "verify", "--json")
    assert (checked.status, checked.json[0]["damage"][0]["file"]) == (1, CARDS)
    assert vetlla("db", "verify", tmp_path / "backup").status == 0, "the copy is what it was made from"


def test_without_a_journal_there_is_no_backup(vetlla: Vetlla, tmp_path: Path) -> None:
    """The status is 74, and nothing that looks like a backup is left."""
    done = vetlla("db", "backup", tmp_path / "backup")
    assert (done.status, "there is no journal" in done.error) == (os.EX_IOERR, True)
    assert list(tmp_path.glob("backup*")) == []


def test_the_receivers_reserve_is_the_configured_one(vetlla: Vetlla, story: Path, tmp_path: Path) -> None:
    """A backup on the receiver's disk leaves as much free as the receiver needs to take reports again."""
    config = story.parent / "vetlla.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("min_free_mib = 1", f"min_free_mib = {1 << 30}"), encoding="utf-8")

    done = vetlla("db", "backup", tmp_path / "backup")
    assert done.status == os.EX_IOERR
    assert "MiB are left to the receiver" in done.error


# --- verify -----------------------------------------------------------------------------------------------------------


def test_verify_exits_with_0_if_all_is_whole(vetlla: Vetlla, backup: Path, state_dir: Path) -> None:
    """A name means a backup; no name means the state directory."""
    assert vetlla("db", "verify", backup).out == f"{backup}: whole\n"
    assert vetlla("db", "verify").out == f"{state_dir}: whole\n"
    (fields,) = vetlla("db", "verify", backup / JOURNAL, "--json").json
    assert fields == {"path": str(backup / JOURNAL), "whole": True, "damage": []}


@pytest.mark.parametrize("name", [JOURNAL, REGISTRY])
def test_verify_exits_with_1_if_a_file_is_damaged(vetlla: Vetlla, backup: Path, name: str) -> None:
    """Each fault is printed with its file."""
    damage(backup / name)
    done = vetlla("db", "verify", backup)

    assert done.status == 1
    assert done.out.startswith(f"{name}: is not the file that was backed up: its checksum differs\n")
    again = vetlla("db", "verify", backup, "--json")
    assert again.status == 1
    assert again.json[0]["whole"] is False
    assert again.json[0]["damage"][0]["file"] == name


def test_verify_ends_with_an_error_if_it_cannot_check(vetlla: Vetlla, tmp_path: Path) -> None:
    """A missing backup is not a damaged one."""
    assert vetlla("db", "verify", tmp_path / "nowhere").status == os.EX_USAGE
    assert vetlla("db", "verify", tmp_path).status == os.EX_IOERR


# --- restore ----------------------------------------------------------------------------------------------------------


def test_a_restore_says_what_it_did(vetlla: Vetlla, backup: Path, story: Path) -> None:
    """It prints what is there now, where the replaced files are, and what to check next; the audit has it, too."""
    with journal(story) as scribe:
        scribe.commit(report(61))
    would = vetlla("db", "restore", backup, "--dry-run")
    assert would.out.startswith(f"would restore {backup} of 20")
    assert len(vetlla("signals", "export").json) == 61

    done = vetlla("db", "restore", backup)
    assert done.status == 0
    assert done.out.startswith(f"restored {backup} of 20")
    assert "signals up to 60" in done.out
    assert "check-config" in done.talk
    (aside,) = story.glob("replaced-*")
    assert f"kept what it replaces in {aside}" in done.out.replace("\n", " ")
    assert len(vetlla("signals", "export").json) == 60
    assert len(vetlla("signals", "export", "--state-dir", aside).json) == 61
    (record,) = vetlla("audit", "list", "--action", "restore", "--json").json
    assert record["detail"]["replaced_head"].startswith("65:")
    assert vetlla("db", "verify").status == 0


def test_a_restore_for_machines(vetlla: Vetlla, backup: Path) -> None:
    """Machines get the heads before and after, and the directory of the replaced files."""
    (fields,) = vetlla("db", "restore", backup, "--json", "--dry-run").json

    assert fields["dry_run"] is True
    assert fields["last_signal"] == 60
    assert fields["head"] == fields["replaced_head"]
    assert "replaced-" in fields["aside"]


def test_a_damaged_backup_is_not_restored(vetlla: Vetlla, backup: Path, story: Path) -> None:
    """Every fault is printed, the status is 1, and nothing is changed."""
    damage(backup / JOURNAL)
    before = (story / JOURNAL).read_bytes()
    done = vetlla("db", "restore", backup)

    assert done.status == 1
    assert f"{JOURNAL}: is not the file that was backed up" in done.out
    assert (story / JOURNAL).read_bytes() == before


def test_a_directory_without_a_manifest_is_not_restored(vetlla: Vetlla, story: Path) -> None:
    """A directory without a manifest is refused."""
    done = vetlla("db", "restore", story)
    assert (done.status, MANIFEST in done.error) == (os.EX_IOERR, True)


# --- with a real receiver ---------------------------------------------------------------------------------------------


def test_a_backup_is_made_and_restored(tmp_path: Path) -> None:
    """A backup is made while the receiver works; it cannot be restored while it runs, only when it is stopped."""
    daemon = Daemon(tmp_path, config="store = { min_free_mib = 1 }")
    copy = tmp_path / "copy"

    def vetlla(*arguments: object) -> subprocess.CompletedProcess[str]:
        line = [VETLLA, *map(str, arguments), "--state-dir", str(daemon.state_dir)]
        environment = os.environ | {"VETLLA_CONFIG": str(daemon.config_file)}
        return subprocess.run(line, check=False, capture_output=True, text=True, env=environment, timeout=PATIENCE_S)

    try:
        daemon.start()
        with Terminal(daemon.port) as home:
            assert home.say(home.frame()) == "ACK"
            made = vetlla("db", "backup", copy)
            assert made.returncode == 0, made.stderr
            assert home.say(home.frame()) == "ACK"
        assert vetlla("db", "verify", copy).returncode == 0
        assert vetlla("db", "verify").returncode == 0
        refused = vetlla("db", "restore", copy)
        assert refused.returncode == os.EX_IOERR
        assert f"process {daemon.process.pid} is writing" in refused.stderr
        assert daemon.stop() == 0

        restored = vetlla("db", "restore", copy)
        assert restored.returncode == 0, restored.stderr
        daemon.start()
        with Terminal(daemon.port, "5678") as home:
            assert home.say(home.frame()) == "ACK"
        exported = vetlla("signals", "export").stdout.splitlines()
        assert [json.loads(line)["account"] for line in exported] == ["1234", "5678"]
        assert vetlla("audit", "verify").returncode == 0
    finally:
        daemon.close()

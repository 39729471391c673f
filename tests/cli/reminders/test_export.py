"""``vetlla reminders export`` and ``erase``: the duties at the end of a contract, and to a person who asks."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

from tests.rigs.reminders_desk import ANNA, BIEL
from vetlla.store.reminders import export
from vetlla.tasks.reminders.desk.handover import read_rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.rigs.reminders_desk import DeskWorld


def all_rows(desk: DeskWorld) -> str:
    """Return everything that is stored."""
    return str([row for table in export.TABLES for row in export.rows_of(desk.db, table)])


def test_a_hand_over_has_every_row_and_can_be_read_again(vetlla: Vetlla, desk: DeskWorld, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    done = vetlla("reminders", "export", "--out", folder, "--json")
    assert "personal data" in done.talk
    (told,) = done.json
    assert [one["table"] for one in told["tables"]] == list(export.TABLES)
    for table in export.TABLES:
        assert list(read_rows(folder, table)) == list(export.rows_of(desk.db, table))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["tables"] == told["tables"]
    assert {one["table"]: one["rows"] for one in manifest["tables"]}["outbox"] == 2
    assert desk.audited() == [("handed over", "all tables")]


def test_a_hand_over_is_private(vetlla: Vetlla, desk: DeskWorld, tmp_path: Path) -> None:
    vetlla("reminders", "export", "--out", tmp_path / "out")
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "out").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700


def test_a_check_finds_what_was_changed_or_is_missing(vetlla: Vetlla, desk: DeskWorld, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    vetlla("reminders", "export", "--out", folder)
    assert vetlla("reminders", "export", "--check", folder).status == 0
    with (folder / "outbox.ndjson").open("ab") as file:
        file.write(b"{}\n")
    (folder / "replies.ndjson").unlink()
    done = vetlla("reminders", "export", "--check", folder, "--json")
    assert done.status == 1
    assert [one.partition(":")[0] for one in done.json[0]["faults"]] == ["outbox.ndjson", "replies.ndjson"]
    (folder / "manifest.json").unlink()
    assert vetlla("reminders", "export", "--check", folder).status == os.EX_USAGE


def test_a_folder_with_files_is_not_written_into(vetlla: Vetlla, desk: DeskWorld, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("", encoding="utf-8")
    assert vetlla("reminders", "export", "--out", tmp_path / "out").status == os.EX_USAGE
    assert vetlla("reminders", "export").status == os.EX_USAGE
    assert vetlla("reminders", "export", "--out", tmp_path / "none" / "out").status == os.EX_IOERR


# --- erase ------------------------------------------------------------------------------------------------------------


def test_a_dry_run_counts_and_removes_nothing(vetlla: Vetlla, desk: DeskWorld) -> None:
    before = all_rows(desk)
    (told,) = vetlla("reminders", "erase", "--phone", ANNA, "--dry-run", "--json").json
    assert list(told) == ["phone", "found", "dry_run", "removed", "left", "pseudonyms", "years"]
    assert (told["phone"], told["found"], told["left"]) == ("\u2026001", True, {})
    assert told["removed"]["appointments"] == 2
    assert all_rows(desk) == before


def test_a_person_is_erased_and_others_stay(vetlla: Vetlla, desk: DeskWorld) -> None:
    (told,) = vetlla("reminders", "erase", "--phone", ANNA, "--yes", "--json").json
    assert told["removed"] | {"appointment_events": 0} == {
        "citizens": 1, "appointments": 2, "outbox": 1, "replies": 1, "delivery_reports": 1, "inbox": 1,
        "appointment_events": 0,
    }  # fmt: skip
    left = all_rows(desk)
    assert ANNA not in left
    assert "documentació" not in left
    assert BIEL in left
    assert desk.audited() == [("erased", "a person")]
    assert vetlla("reminders", "erase", "--phone", ANNA, "--yes", "--json").json[0]["found"] is False


def test_the_opt_out_of_an_erased_person_stays_unless_it_is_removed_too(vetlla: Vetlla, desk: DeskWorld) -> None:
    vetlla("reminders", "optout", "add", ANNA)
    planned = vetlla("reminders", "erase", "--phone", ANNA, "--dry-run", "--json").json[0]["left"]
    done = vetlla("reminders", "erase", "--phone", ANNA, "--yes", "--json")
    assert done.json[0]["left"] == planned == {"citizens": 1, "opt_outs": 2}
    assert "--opt-out-too" in vetlla("reminders", "erase", "--phone", ANNA, "--yes").out
    vetlla("reminders", "erase", "--phone", ANNA, "--yes", "--opt-out-too")
    assert ANNA not in all_rows(desk)


def test_without_a_terminal_an_erasure_needs_a_yes(vetlla: Vetlla, desk: DeskWorld) -> None:
    before = all_rows(desk)
    done = vetlla("reminders", "erase", "--phone", ANNA)
    assert done.status == os.EX_USAGE
    assert "--dry-run first, then --yes" in done.error
    assert all_rows(desk) == before

"""``vetlla db`` serves the reminder service's directory, as an engineer types it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vetlla.store.reminders.opening import REMINDERS, keep_out_services

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.rigs.reminders_desk import DeskWorld


def test_a_service_is_backed_up_and_restored(vetlla: Vetlla, desk: DeskWorld, state_dir: Path, tmp_path: Path) -> None:
    """What waited is suppressed with a reason that people can list, and machines get the numbers."""
    desk.remind("b1", "+34600000009", 3)
    backup = tmp_path / "copy"
    done = vetlla("db", "backup", backup)
    assert done.status == 0
    assert "reminders' audit head" in done.out
    assert "signals" not in done.out
    assert vetlla("db", "verify", backup / REMINDERS).out == f"{backup / REMINDERS}: whole\n"

    (would,) = vetlla("db", "restore", backup, "--dry-run", "--json").json
    assert would["reminders"] == {"waiting": 2, "unreported": 0, "opt_outs": 0}
    with keep_out_services(state_dir):
        refused = vetlla("db", "restore", backup)
    assert (refused.status, "a reminder service uses" in refused.error) == (os.EX_IOERR, True)

    done = vetlla("db", "restore", backup)
    assert done.status == 0
    assert "2 messages were due and are not sent" in done.out
    assert "vetlla reminders list --state suppressed" in done.talk
    rows = vetlla("reminders", "list", "--state", "suppressed", "--json").json
    assert [row["reason"] for row in rows] == ["restored", "restored"]


def test_a_damaged_database_is_reported(vetlla: Vetlla, desk: DeskWorld, tmp_path: Path) -> None:
    assert desk.answers() == []
    backup = tmp_path / "copy"
    vetlla("db", "backup", backup)
    (backup / REMINDERS).write_bytes(b"garbage" * 1000)
    done = vetlla("db", "verify", backup)
    assert done.status == 1
    assert f"{REMINDERS}: is not the file that was backed up" in done.out

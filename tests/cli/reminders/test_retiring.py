"""``vetlla reminders retire``: what cron runs each night."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders_desk import ANNA, DeskWorld
from vetlla.store.reminders import export
from vetlla.store.reminders.pseudonyms import key_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture
def old(state_dir: Path, now: datetime, vetlla: Vetlla) -> Iterator[DeskWorld]:
    """Make a database of two months ago, whose replies a person has closed, and the keys of its years."""
    for year in {now.year, now.year - 1}:
        assert vetlla("keys", "set", key_name(year), "--hex", stdin=f"{year}" * 8 + "\n").status == 0
    with DeskWorld.opened(state_dir, now - timedelta(days=60)) as world:
        world.live()
        for reply in (1, 2):
            assert vetlla("reminders", "inbox", "answer", reply, "--close").status == 0
        yield world


def all_rows(desk: DeskWorld) -> str:
    return str([row for table in export.TABLES for row in export.rows_of(desk.db, table)])


def test_what_is_too_old_loses_its_person_and_the_next_run_says_nothing(vetlla: Vetlla, old: DeskWorld) -> None:
    before = all_rows(old)
    (would,) = vetlla("reminders", "retire", "--dry-run", "--json").json
    assert would == {
        "dry_run": True, "appointments": 3, "messages": 1, "replies": 2, "reports": 1, "citizens": 0,
    }  # fmt: skip
    assert all_rows(old) == before
    done = vetlla("reminders", "retire")
    assert done.out.splitlines() == ["appointments: 3", "messages: 1", "replies: 2", "reports: 1", "citizens: 1"]
    assert ANNA not in all_rows(old)
    again = vetlla("reminders", "retire")
    assert (again.status, again.out, again.talk) == (0, "", "")
    (erased,) = vetlla("reminders", "erase", "--phone", ANNA, "--yes", "--json").json
    assert erased["found"] is True
    assert erased["removed"] == {}
    assert erased["pseudonyms"] == {"appointments": 2, "outbox": 1, "replies": 1}


def test_the_times_are_the_citys(vetlla: Vetlla, old: DeskWorld) -> None:
    assert vetlla("reminders", "retire", "--days", "90", "--reports-days", "90").out == ""
    assert ANNA in all_rows(old)


def test_without_the_key_of_the_year_the_command_names_it(vetlla: Vetlla, old: DeskWorld, tmp_path: Path) -> None:
    (tmp_path / "none.toml").write_text("", encoding="utf-8")
    (tmp_path / "none.toml").chmod(0o600)
    done = vetlla("reminders", "retire", "--keys-file", tmp_path / "none.toml")
    assert done.status == os.EX_CONFIG
    assert "vetlla keys set pseudonyms-" in done.error
    assert ANNA in all_rows(old)

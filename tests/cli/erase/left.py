"""What tests of the erasure of a home ask and do."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from vetlla.store.journal.archive import Archive
from vetlla.store.registry.registry import REGISTRY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = """\
code,district,base,level,alone,language,phones,active
H-1,01,NORD,2,yes,ca,+34931234567,2020-01-01/2025-06-30
H-2,01,NORD,3,no,es,+34937654321,2020-01-01/
"""
LIMITS = 'state_dir = "{}"\nstore = {{ min_free_mib = 1 }}\n'


def live_on(vetlla: Vetlla, folder: Path) -> None:
    """Give the home that left a history: an earlier number, a note, and a person who moved to the other home."""
    for words in (
        ("homes", "set", "H-1", "--phones", "+34931234568", "--reason", "number of Carrer Major 7"),
        ("homes", "set", "H-1", "--language", "es"),
        ("people", "set", "P-1", "--user-type", "B", "--reason", "hip broken"),
    ):
        assert vetlla(*words).status == 0
    (folder / "moved.csv").write_text("code,home,user_type\nP-3,H-1,A\n", encoding="utf-8")
    assert vetlla("inventory", "import", folder / "moved.csv", "--what", "people").status == 0
    assert vetlla("people", "set", "P-3", "--home", "H-2").status == 0


def remove_account(vetlla: Vetlla) -> None:
    """Remove the terminal of the home that left from the registry."""
    assert vetlla("accounts", "remove", "0001").status == 0


def rows(state_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return rows of the journal."""
    with Archive(state_dir) as archive:
        return [tuple(row) for row in archive.read(sql)]


def assert_gone(state_dir: Path) -> None:
    """Check that the home that left is gone, and that the other one is whole."""
    assert rows(state_dir, "SELECT count(*) FROM signals WHERE home = 'H-1' OR account = '0001'") == [(0,)]
    assert rows(state_dir, "SELECT home, account, why, t2_us, t3_us, outcome FROM alarms WHERE id = 1") == [
        ("", "", "", 7, 9, "help_sent")
    ]
    assert rows(state_dir, "SELECT count(*) FROM signals WHERE home = 'H-2' AND text = 'in the bath'") == [(3,)]
    assert rows(state_dir, "SELECT alarm_id FROM notes") == [(2,)]
    assert rows(state_dir, "SELECT account FROM rejects ORDER BY id") == [("",), ("0002",)]
    with closing(sqlite3.connect(state_dir / REGISTRY)) as registry:
        people = registry.execute("SELECT person, note, home FROM person_facts ORDER BY recording, person").fetchall()
        assert people == [("(erased 1)", "", "H-1"), ("P-2", "", "H-2"), ("(erased 1)", "", None)]
        assert registry.execute("SELECT phones, language, level FROM home_facts ORDER BY home").fetchall() == [
            ("[]", "", 2),
            ('["+34937654321"]', "es", 3),
        ]

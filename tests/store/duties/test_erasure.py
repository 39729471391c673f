"""An erasure of duties empties what a person may have written freely, and keeps what clocks and figures need."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.rigs.duties import registry, told, us
from vetlla.store.duties import erasure
from vetlla.store.duties import events as store
from vetlla.store.duties.erasure import ErasedSubject

if TYPE_CHECKING:
    from pathlib import Path

DETAILS = json.dumps({"base": "NORD", "free": "Carrer Inventat 7", "place": "at Sra. Invenció's", "visit": "4"})


def test_free_details_go_and_codes_stay(tmp_path: Path) -> None:
    """The place of a key stays, because the key may still be there; other subjects keep all."""
    with registry(tmp_path) as connection:
        for number, (kind, subject) in enumerate((("fault", "H1"), ("key", "H1"), ("fault", "H2")), start=1):
            event = told("opened", number, "A", kind=kind, subject=subject, note="fell", details=DETAILS)
            store.add(connection, event, "test", 1)
        store.add(connection, told("solved", 9, details='{"base":"NORD"}'), "test", 1)
        subjects = [ErasedSubject("H1"), ErasedSubject("H1")]
        assert erasure.count(connection, subjects) == {"notes_of_duties": 2, "details_of_duties": 2}
        erasure.erase(connection, subjects)
        assert erasure.count(connection, subjects) == {"notes_of_duties": 0, "details_of_duties": 0}
        kept = [store.event(connection, number) for number in (1, 2, 3, 4)]
        assert [one and (one.told.note, json.loads(one.told.details)) for one in kept] == [
            ("", {"base": "NORD", "visit": "4"}),
            ("", {"base": "NORD", "place": "at Sra. Invenció's", "visit": "4"}),
            ("fell", json.loads(DETAILS)),
            ("", {"base": "NORD"}),
        ]
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("UPDATE duty_events SET note = ''")


def test_only_the_time_of_a_subject_counts(tmp_path: Path) -> None:
    """A device that moved on keeps the notes of its next home."""
    begin, end = us("2026-11-01 00:00"), us("2026-11-02 00:00")
    with registry(tmp_path) as connection:
        for at_us in (begin - 1, begin, end, end + 1):
            store.add(connection, told("planned", at_us, kind="renewal", subject="ucr:U1", note="dog"), "test", 1)
        erasure.erase(connection, [ErasedSubject("ucr:U1", begin, end)])
        notes = [store.event(connection, number) for number in (1, 2, 3, 4)]
    assert [one and one.told.note for one in notes] == ["dog", "", "", "dog"]

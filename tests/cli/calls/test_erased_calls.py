"""Calls of a home that was erased: no number of it stays in the registry, and no import brings one back."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.journals import journal
from vetlla.domain.clock import SystemClock
from vetlla.store.backups.restore import restore
from vetlla.store.journal.free_space import FreeSpace
from vetlla.store.registry.registry import REGISTRY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = """\
code,district,base,level,alone,active,phones
H1,01,NORD,2,yes,{},{}
H2,01,NORD,3,no,2018-01-01/,900000002
H3,01,NORD,3,no,2018-01-01/,900000003
"""
CALLS = """\
external_id,direction,started,ready,answered,ended,caller,called,recording
1,in,2026-11-03T09:00Z,2026-11-03T09:00Z,2026-11-03T09:01Z,2026-11-03T09:05Z,900 000 001,100,a1.wav
2,in,2026-11-03T10:00Z,2026-11-03T10:00Z,2026-11-03T10:01Z,2026-11-03T10:05Z,+34900000003,100,a2.wav
3,in,2026-11-03T11:00Z,2026-11-03T11:00Z,2026-11-03T11:01Z,2026-11-03T11:05Z,900000001,100,a3.wav
4,out,2026-11-03T12:00Z,,2026-11-03T12:01Z,2026-11-03T12:05Z,100,900000004,a4.wav
5,in,2026-11-03T13:00Z,2026-11-03T13:00Z,2026-11-03T13:01Z,2026-11-03T13:05Z,900000002,100,a5.wav
"""
RECORDINGS = "external_id,recording\n1,b1.wav\n2,b2.wav\n4,b4.wav\n"


@pytest.fixture
def erased(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Path:
    """Erase home H1. It had three numbers: one alone, one that H3 has too, and one that came after a call to it."""

    def homes(active: str, *phones: str) -> None:
        (tmp_path / "homes.csv").write_text(HOMES.format(active, ";".join(phones)), encoding="utf-8")
        assert vetlla("inventory", "import", tmp_path / "homes.csv", "--what", "homes").status == 0

    homes("2018-01-01/", "900000001", "900000003")
    (tmp_path / "calls.csv").write_text(CALLS, encoding="utf-8")
    (tmp_path / "recordings.csv").write_text(RECORDINGS, encoding="utf-8")
    assert vetlla("calls", "import", tmp_path / "calls.csv").status == 0
    assert vetlla("calls", "tie", "3", "H2", "--reason", "the neighbour called").status == 0
    with journal(state_dir) as scribe:
        scribe.flush()
    assert vetlla("db", "backup", tmp_path / "attended").status == 0
    homes("2018-01-01/2026-11-04", "+34 900 000 004")
    assert vetlla("db", "backup", tmp_path / "left").status == 0
    done = vetlla("erase", "--home", "H1", "--yes", "--out", tmp_path)
    assert done.status == 0, done.error
    return tmp_path


def said(vetlla: Vetlla) -> dict[str, tuple[str, ...]]:
    """Return numbers, recording and home of each call."""
    calls = vetlla("calls", "list", "--since", "2026-11-01", "--numbers", "--json").json
    return {
        call["external_id"]: (
            call["caller"],
            call["called"],
            call["recording"],
            call["home"] or "|".join(call["homes"]),
        )
        for call in calls
    }


GONE = "(erased)"
AFTER: dict[str, tuple[str, ...]] = {
    "1": (GONE, GONE, GONE, "H1"),
    "2": (GONE, GONE, GONE, "H1|H3"),
    "3": (GONE, "100", "a3.wav", "H2"),
    "4": (GONE, GONE, GONE, ""),
    "5": ("+34900000002", "100", "a5.wav", "H2"),
}


def test_every_call_with_a_number_of_the_home_loses_it(vetlla: Vetlla, erased: Path, state_dir: Path) -> None:
    """So do a choice of several homes, a call that a person tied to another home, and one to a later number."""
    assert said(vetlla) == AFTER
    certificate = json.loads(next(erased.glob("erasure-H1-*.json")).read_text(encoding="utf-8"))
    assert (certificate["destroyed"]["calls"], certificate["destroyed"]["recordings"]) == (4, 3)
    content = (state_dir / REGISTRY).read_bytes()
    assert [name for name in (b"+34900000001", b"+34900000004", b"a1.wav", b"a2.wav") if name in content] == []
    with closing(sqlite3.connect(state_dir / REGISTRY)) as registry, pytest.raises(sqlite3.IntegrityError):
        registry.execute("UPDATE call_records SET caller = ''")


def test_an_import_brings_nothing_back(vetlla: Vetlla, erased: Path) -> None:
    """The same file, and one with other recordings, leave the calls as they are and say how many were left."""
    told: list[dict[str, Any]] = [
        vetlla("calls", "import", erased / name, "--json").json[0] for name in ("calls.csv", "recordings.csv")
    ]
    assert [(one["new"], one["changed"], one["erased"]) for one in told] == [(0, 0, 4), (0, 0, 3)]
    assert said(vetlla) == AFTER
    assert "of 4 erased calls were not written again" in vetlla("calls", "import", erased / "calls.csv").talk


def test_a_file_of_another_kind_brings_nothing_back(vetlla: Vetlla, erased: Path) -> None:
    """The times of Asterisk's line are new, and are kept; its numbers and its tie are not."""
    line = '"","900000001","100","ctx","","PJSIP/t-1","PJSIP/101-1","Queue","q","2026-11-03 10:00:00",'
    line += '"2026-11-03 10:01:00","2026-11-03 10:05:00",300,240,"ANSWERED","DOCUMENTATION","1",""\n'
    (erased / "Master.csv").write_text(line, encoding="utf-8")
    done = vetlla("calls", "import", erased / "Master.csv", "--format", "asterisk-cdr", "--json")
    assert done.status == 0, done.error
    assert (done.json[0]["changed"], done.json[0]["erased"]) == (1, 1)
    assert said(vetlla) == AFTER


def test_an_export_keeps_what_was_erased(vetlla: Vetlla, erased: Path) -> None:
    """The file says that there was a number, and its import is accepted."""
    assert vetlla("calls", "export", erased / "out.csv").status == 0
    assert "+34900000001" not in (erased / "out.csv").read_text(encoding="utf-8")
    assert vetlla("calls", "import", erased / "out.csv").status == 0
    assert said(vetlla)["1"] == AFTER["1"]


def test_a_restore_erases_again_what_was_erased_since(vetlla: Vetlla, erased: Path, state_dir: Path) -> None:
    """The backup has the numbers of the home, and telephones of the registry; the restored place has none of them."""
    assert b"+34900000001" in (erased / "left" / REGISTRY).read_bytes()
    assert "would erase 1 home again: H1" in vetlla("db", "restore", erased / "left", "--dry-run").out
    done = vetlla("db", "restore", erased / "left")
    assert done.status == 0, done.error
    assert "erased home H1 again" in done.out
    assert said(vetlla) == AFTER
    content = (state_dir / REGISTRY).read_bytes()
    assert [name for name in (b"+34900000001", b"+34900000004", b"a1.wav") if name in content] == []
    assert vetlla("audit", "verify").status == 0
    assert vetlla("db", "restore", erased / "left", "--json").json[0]["erased_again"] == [{"home": "H1", "refusal": ""}]


def test_a_restore_that_ended_before_it_erased_again_is_completed(
    vetlla: Vetlla, erased: Path, state_dir: Path
) -> None:
    """The files were exchanged, and then the process was killed. The restored journal knows nothing of the erasure."""
    restore(erased / "left", state_dir, SystemClock(), FreeSpace(state_dir, 0), actor="test")
    assert said(vetlla) != AFTER
    done = vetlla("db", "restore", erased / "left")
    assert done.status == 0, done.error
    assert "erased home H1 again" in done.out
    assert said(vetlla) == AFTER


def test_a_restore_says_which_erased_home_is_back(vetlla: Vetlla, erased: Path) -> None:
    """The backup was made while the service attended the home, so a person has to decide."""
    done = vetlla("db", "restore", erased / "attended")
    assert done.status == os.EX_DATAERR
    assert "home H1 was erased after the backup, and its data are back: home H1 is attended" in done.talk
    assert said(vetlla)["1"][0] == "+34900000001"


def test_a_restore_in_an_empty_place_says_that_erasures_are_unknown(
    vetlla: Vetlla, erased: Path, tmp_path: Path
) -> None:
    done = vetlla("db", "restore", erased / "left", "--state-dir", tmp_path / "new")
    assert done.status == 0, done.error
    assert "cannot say which homes were erased since the backup" in done.talk

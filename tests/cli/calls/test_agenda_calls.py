"""Calls that came in count as calls of the agenda, once each, if exactly one open call of their home fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = """\
code,district,base,level,alone,active,phones
H1,01,NORD,2,yes,2018-01-01/,900000001
H2,01,NORD,3,no,2018-01-01/,900000002
H3,01,NORD,3,no,2018-01-01/,900000003
"""
CALLS = """\
external_id,direction,started,ready,answered,ended,caller,called
short,in,2026-11-03T08:00Z,2026-11-03T08:00Z,2026-11-03T08:01:00Z,2026-11-03T08:01:01Z,900000001,100
out,out,2026-11-03T09:00Z,,2026-11-03T09:01Z,2026-11-03T09:05Z,100,900000001
early,in,2026-10-03T09:00Z,2026-10-03T09:00Z,2026-10-03T09:01Z,2026-10-03T09:05Z,900000001,100
good,in,2026-11-03T10:00Z,2026-11-03T10:00Z,2026-11-03T10:01Z,2026-11-03T10:05Z,900000001,100
two,in,2026-11-03T11:00Z,2026-11-03T11:00Z,2026-11-03T11:01Z,2026-11-03T11:05Z,900000002,100
none,in,2026-11-03T12:00Z,2026-11-03T12:00Z,2026-11-03T12:01Z,2026-11-03T12:05Z,900000003,100
stranger,in,2026-11-03T13:00Z,2026-11-03T13:00Z,2026-11-03T13:01Z,2026-11-03T13:05Z,900000009,100
"""
PLANNED = ("--at", "2026-11-01T00:00", "--from", "2026-11-01", "--to", "2026-11-30")


@pytest.fixture
def file(vetlla: Vetlla, tmp_path: Path) -> Path:
    """Register homes with open follow-ups (H1 one, H2 two, H3 none); return a file of calls."""
    (tmp_path / "homes.csv").write_text(HOMES, encoding="utf-8")
    (tmp_path / "calls.csv").write_text(CALLS, encoding="utf-8")
    assert vetlla("inventory", "import", tmp_path / "homes.csv", "--what", "homes").status == 0
    for home in ("H1", "H2", "H2"):
        done = vetlla("duties", "open", "follow_up", home, *PLANNED)
        assert done.status == 0, done.error
    return tmp_path / "calls.csv"


def duties(vetlla: Vetlla, home: str = "H1") -> list[dict[str, Any]]:
    """Return the follow-ups of a home."""
    return vetlla("duties", "list", "--subject", home, "--json").json


def taken(vetlla: Vetlla, file: Path, *words: str) -> dict[str, Any]:
    done = vetlla("calls", "import", file, "--json", *words)
    assert done.status == 0, done.error
    return done.json[0]


def test_a_call_counts_once(vetlla: Vetlla, file: Path) -> None:
    """Only the answered call in of the home with one open follow-up counts, and only at the first import."""
    assert taken(vetlla, file, "--dry-run")["counted"] == 1
    assert taken(vetlla, file, "--no-agenda")["counted"] == 0
    assert [one["ended"] for one in duties(vetlla)] == [None]
    assert [taken(vetlla, file)["counted"] for _ in range(2)] == [1, 0]
    (one,) = duties(vetlla)
    assert (one["verdict"], one["ended"]) == ("kept", "2026-11-03T10:01:00.000000Z")
    (told,) = [
        event
        for event in vetlla("duties", "show", one["id"], "--json").json[0]["events"]
        if event["at"] == one["ended"]
    ]
    assert told["details"] == {"ref": "good", "way": "incoming"}
    assert [one["ended"] for one in duties(vetlla, "H2")] == [None, None]


def test_an_answer_that_was_withdrawn_stays_withdrawn(vetlla: Vetlla, file: Path) -> None:
    """The next import of the file does not bring it back, and does not fail."""
    assert taken(vetlla, file)["counted"] == 1
    (one,) = duties(vetlla)
    (told,) = [
        event
        for event in vetlla("duties", "show", one["id"], "--json").json[0]["events"]
        if event["at"] == one["ended"]
    ]
    assert vetlla("duties", "withdraw", told["id"], "--reason", "another person").status == 0
    assert taken(vetlla, file)["counted"] == 0
    assert [one["ended"] for one in duties(vetlla)] == [None]


def test_a_call_that_is_tied_by_hand_counts(vetlla: Vetlla, file: Path) -> None:
    """--no-agenda leaves the agenda as it is."""
    assert taken(vetlla, file, "--no-agenda")["counted"] == 0
    words = ("calls", "tie", "stranger", "H1", "--reason", "she said so", "--json")
    assert [vetlla(*words, *more).json[0]["counted"] for more in (["--no-agenda"], [], [])] == [False, True, False]
    assert [one["verdict"] for one in duties(vetlla)] == ["kept"]

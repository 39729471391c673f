"""What is doubtful about emergencies of files and of ``vetlla duties``: calls of one emergency, and units not sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.rigs.street import furnish

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla

HEADING = "kind,subject,event,at,ref,team,base\n"
FIRST = """\
umo_1,H1,communicated,2026-11-20T10:00:00+01:00,E-1,,
umo_1,H1,sent,2026-11-20T10:03:00+01:00,E-1,UMO-03,NORD
umo_1,H1,access,2026-11-20T10:20:00+01:00,E-1,umo- 03,NORD
umo_1,H1,finished,2026-11-20T11:00:00+01:00,E-1,,
"""


@pytest.fixture
def street(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    furnish(vetlla, tmp_path)
    return vetlla


def take(street: Vetlla, folder: Path, rows: str) -> list[str]:
    """Import rows; return the warnings."""
    file = folder / "umo.csv"
    file.write_text(HEADING + rows, encoding="utf-8")
    done = street("duties", "import", file, "--json")
    assert done.status == 0, done
    return [one["warning"] for one in done.json if "warning" in one]


def checked(street: Vetlla) -> Done:
    return street("dispatch", "check")


def test_a_second_call_of_a_file_that_became_its_own_emergency_is_named(street: Vetlla, tmp_path: Path) -> None:
    """E-2 is a breach for ever. After its opening is taken back it is a call of E-1."""
    assert take(street, tmp_path, FIRST) == []
    assert checked(street).status == 0
    second = "umo_2,H1,communicated,2026-11-20T10:05:00+01:00,E-2,,\n"
    (said,) = take(street, tmp_path, second)
    assert "emergency E-2 of H1 began at 2026-11-20 10:05:00" in said
    assert "when the home had emergency E-1 since 2026-11-20 10:00:00" in said
    assert take(street, tmp_path, FIRST + second) == []
    assert "emergency E-2 of H1 began" in checked(street).out
    later, first = re.findall(r"duties (?:withdraw|event) (\d+)", said)
    assert street("duties", "withdraw", later, "--reason", "the same emergency").status == 0
    repeated = street("duties", "event", first, "repeated", "--at", "2026-11-20T10:05:00+01:00")
    assert (repeated.status, checked(street).status) == (0, 0)


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ("umo_1,H1,communicated,2026-11-20T10:20:01+01:00,E-2,,\n", 0),  # the unit was in the home, and has left
        ("umo_1,H1,communicated,2026-11-20T11:10:00+01:00,E-2,,\n", 0),
        ("umo_1,H1,communicated,2026-11-20T10:00:00+01:00,E-2,,\n", 0),  # the clock is right
        ("umo_1,H2,communicated,2026-11-20T10:05:00+01:00,E-2,,\n", 0),
        ("umo_1,H1,communicated,2026-11-20T09:59:00+01:00,E-2,,\n", 1),
        (("umo_1,H1,communicated,2026-11-20T09:00:00+01:00,E-2,,\n"
         "umo_1,H1,cancelled,2026-11-20T09:10:00+01:00,E-2,,\n"), 0),
        (("umo_1,H1,communicated,2026-11-20T09:00:00+01:00,E-2,,\n"
         "umo_1,H1,cancelled,2026-11-20T09:40:00+01:00,E-2,,\n"), 1),
    ],
)  # fmt: skip
def test_which_calls_may_be_one_emergency(street: Vetlla, tmp_path: Path, rows: str, count: int) -> None:
    assert len(take(street, tmp_path, rows + FIRST)) == count


def test_a_second_call_by_hand_is_named(street: Vetlla) -> None:
    assert street("duties", "open", "umo_1", "H1", "--at", "20m", "--ref", "E-1").talk == ""
    done = street("duties", "open", "umo_1", "H1", "--at", "15m", "--ref", "E-2")
    assert (done.status, "when the home had emergency E-1" in done.talk) == (0, True)
    (row,) = [one for one in street("duties", "list", "--json").json if one["ref"] == "E-2"]
    assert "when the home had emergency E-1" in street("dispatch", "show", f"D{row['id']}").out


def test_a_unit_that_was_not_sent_is_named(street: Vetlla, tmp_path: Path) -> None:
    """It may be a typing error, or its ``sent`` comes with another file: then nothing is doubtful any longer."""
    rows = FIRST.replace("umo- 03", "UMO-99")
    first, second = take(street, tmp_path, rows)
    assert {first, second} == {
        "access is told of unit UMO-99, which was not sent there: vetlla dispatch check has the event",
        "is no known unit: vetlla dispatch units add UMO-99 --base BASE",
    }
    found = checked(street)
    assert (found.status, "access is told of unit UMO-99, which was not sent there" in found.out) == (1, True)
    (row,) = street("duties", "list", "--json").json
    assert "access is told of unit UMO-99" in street("dispatch", "show", f"D{row['id']}").out
    sent = "umo_1,H1,sent,2026-11-20T10:10:00+01:00,E-1,UMO-99,NORD\n"
    assert take(street, tmp_path, sent) == ["is no known unit: vetlla dispatch units add UMO-99 --base BASE"]
    assert checked(street).status == 0


def test_a_file_without_the_sending_is_not_doubtful(street: Vetlla, tmp_path: Path) -> None:
    rows = "".join(line for line in FIRST.splitlines(keepends=True) if ",sent," not in line)
    assert take(street, tmp_path, rows) == []
    assert checked(street).status == 0


def test_a_unit_that_was_not_sent_is_named_by_hand(street: Vetlla) -> None:
    (one,) = street("duties", "open", "umo_1", "H1", "--at", "20m", "--json").json
    assert street("duties", "event", one["id"], "sent", "--team", "UMO-03", "--at", "15m").talk == ""
    done = street("duties", "event", one["id"], "access", "--team", "UMO-01")
    assert (done.status, "unit UMO-01, which was not sent there" in done.talk) == (0, True)

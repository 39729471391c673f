"""Files of duty events: every format and mapping, and files that are cut off, mixed up or imported twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.files.workbooks import OWN_DATE, number, rows, workbook
from tests.rigs.killed_import import kill_while_reading

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla

HEADING = "kind,subject,event,at,ref,by,note,from,to,base,team,alarm"
EVENTS = """\
kind,subject,event,at,ref,by,note
fault,H1,detected,2026-11-02T09:00:00+01:00,F-1,desk,
fault,H1,solved,2026-11-03 12:40,F-1,T7,new battery
complaint,H2,received,05/11/2026 10:15,Q-9,desk,
"""


def take(vetlla: Vetlla, folder: Path, content: str | bytes, *options: object, name: str = "events.csv") -> Done:
    """Import a file."""
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return vetlla("duties", "import", file, "--json", *options)


def duties(vetlla: Vetlla) -> list[dict[str, Any]]:
    """Return what is said of every duty, without its number and what depends on the present time."""
    without = ("id", "elapsed", "why")
    return [
        {key: text for key, text in one.items() if key not in without}
        for one in vetlla("duties", "list", "--json").json
    ]


def faults(done: Done) -> list[tuple[int, str, str]]:
    """Return row, column and reason of each fault."""
    return [(one["row"], one["column"], one["reason"]) for one in done.json if "reason" in one]


def test_an_import_and_the_same_again(stocked: Vetlla, tmp_path: Path) -> None:
    done = take(stocked, tmp_path, EVENTS)
    assert (done.status, done.json[0]["new"], done.json[0]["unchanged"]) == (0, 3, 0)
    before = duties(stocked)
    assert [(one["kind"], one["subject"], one["verdict"]) for one in before] == [
        ("fault", "H1", "kept"),
        ("complaint", "H2", "breached"),
    ]
    again = take(stocked, tmp_path, EVENTS)
    assert (again.status, again.json[0]["new"], again.json[0]["unchanged"]) == (0, 0, 3)
    assert duties(stocked) == before


def test_a_dry_run_writes_nothing(stocked: Vetlla, tmp_path: Path) -> None:
    assert take(stocked, tmp_path, EVENTS, "--dry-run").json[0]["new"] == 3
    assert duties(stocked) == []


# --- formats ----------------------------------------------------------------------------------------------------------

MAPPING = """\
[columns]
kind = "Tipus"
subject = "Domicili"
event = "Fet"
at = "Data"
ref = "Expedient"
[values.kind]
Queixa = "complaint"
[values.event]
rebuda = "received"
contestada = "answered"
"""
THEIRS = [
    {"Tipus": "Queixa", "Domicili": "H1", "Fet": "rebuda", "Data": "02/11/2026 9:05", "Expedient": "Q-1"},
    {"Tipus": "Queixa", "Domicili": "H1", "Fet": "contestada", "Data": "09/11/2026 23:59", "Expedient": "Q-1"},
]


@pytest.mark.parametrize("form", ["csv", "json", "ndjson", "xlsx"])
def test_every_format_with_a_mapping(stocked: Vetlla, tmp_path: Path, form: str) -> None:
    """The complaint desk has its own words; in a workbook the times are real dates."""
    (tmp_path / "desk.toml").write_text(MAPPING, encoding="utf-8")
    table = [list(THEIRS[0]), *(list(one.values()) for one in THEIRS)]
    content: bytes = {
        "csv": lambda: "\n".join(";".join(cells) for cells in table).encode(),
        "json": lambda: json.dumps(THEIRS).encode(),
        "ndjson": lambda: "\n".join(json.dumps(one) for one in THEIRS).encode(),
        "xlsx": lambda: workbook(rows(table[0], *(_with_date(cells) for cells in table[1:]))),
    }[form]()
    done = take(stocked, tmp_path, content, "--mapping", tmp_path / "desk.toml", name=f"desk.{form}")
    assert (done.status, done.json[0]["new"]) == (0, 2), done
    (one,) = duties(stocked)
    assert (one["opened"], one["ended"]) == ("2026-11-02T08:05:00.000000Z", "2026-11-09T22:59:00.000000Z")
    assert (one["verdict"], one["due"]) == ("kept", "2026-11-09T22:59:59.999999Z")


def _with_date(cells: list[str]) -> list[Any]:
    """Return cells with the date as a workbook keeps it: days since 1899-12-30."""
    days = {"02/11/2026 9:05": 46_328 + 545 / 1440, "09/11/2026 23:59": 46_335 + 1439 / 1440}
    return [number(f"{days[cell]:.11f}", OWN_DATE) if cell in days else cell for cell in cells]


@pytest.mark.parametrize("form", ["csv", "json", "ndjson", "xlsx"])
def test_an_export_makes_the_same_duties_in_another_registry(stocked: Vetlla, tmp_path: Path, form: str) -> None:
    promise = (
        f"{HEADING}\nvisit,H2,scheduled,2026-11-02 09:00,V-1,desk,,2026-11-04 10:00,2026-11-04 11:30,NORD,T1,\n"
        "visit,H2,arrived,2026-11-04 10:20,V-1,T1,,,,,,17\nfault,H1,detected,2026-10-01,,,,,,,,\n"
        "fault,H1,detected,2026-10-02,,,,,,,,\n"
    )
    assert take(stocked, tmp_path, EVENTS).status == take(stocked, tmp_path, promise).status == 0
    second = next(one for one in stocked("duties", "list", "--json").json if one["opened"].startswith("2026-10-01T22"))
    assert stocked("duties", "event", second["id"], "solved", "--at", "2026-10-03T09:00", "--base", "NORD").status == 0
    assert stocked("duties", "withdraw", 1, "--reason", "wrong home").status == 0
    file = tmp_path / f"all.{form}"
    assert stocked("duties", "export", file).status == 0
    other = tmp_path / "other"
    other.mkdir()
    assert stocked("inventory", "import", tmp_path / "homes.csv", "--what", "homes", "--state-dir", other).status == 0
    done = stocked("duties", "import", file, "--json", "--state-dir", other)
    assert done.status == 0, done
    mine = duties(stocked)
    theirs = stocked("duties", "list", "--json", "--state-dir", other).json
    assert [{key: text for key, text in one.items() if key in mine[0]} for one in theirs] == mine
    assert stocked("duties", "import", file, "--json").json[0]["new"] == 0


def test_an_export_of_an_unknown_kind_is_refused(stocked: Vetlla) -> None:
    assert "there is no kind of duty 'faults'" in stocked("duties", "export", "-", "--kind", "faults").error


# --- half broken ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(EVENTS[:-20], "4 cells, the heading has 7", id="cut off in a row"),
        pytest.param(EVENTS + "fault,H1\n", "2 cells, the heading has 7", id="a row with too few cells"),
        pytest.param(EVENTS.replace("new battery", "bateria núvia").encode("latin-1"), "utf-8", id="another encoding"),
        pytest.param(EVENTS.replace("solved", "mended"), "a fault has", id="an unknown event"),
        pytest.param(EVENTS.replace("H2", "H9"), "H9", id="an unknown home"),
        pytest.param(EVENTS.replace("2026-11-03 12:40", "2099-11-03 12:40"), "lies in the future", id="the future"),
        pytest.param(EVENTS.replace('"', "").replace("desk,", '"desk,'), "is not CSV", id="an open quote"),
        pytest.param(EVENTS.replace("kind,", "what,"), "kind", id="an unknown heading"),
    ],
)
def test_of_a_broken_file_nothing_is_imported(stocked: Vetlla, tmp_path: Path, content: str | bytes, said: str) -> None:
    done = take(stocked, tmp_path, content)
    assert done.status == os.EX_USAGE
    assert said.casefold() in (done.out + done.talk + done.error).casefold()
    assert duties(stocked) == []
    assert take(stocked, tmp_path, EVENTS).json[-1]["new"] == 3


def test_the_good_rows_of_a_broken_file(stocked: Vetlla, tmp_path: Path) -> None:
    done = take(stocked, tmp_path, EVENTS + "fault,H1,detected,soon,F-2,,\n", "--partial")
    assert done.status == os.EX_DATAERR
    assert [(row, column) for row, column, _ in faults(done)] == [(5, "at")]
    assert (done.json[-1]["new"], done.json[-1]["bad"]) == (3, 1)


def test_what_belongs_to_no_duty_is_told(stocked: Vetlla, tmp_path: Path) -> None:
    lost = "kind,subject,event,at\nfault,H1,solved,2026-11-03\n"
    done = take(stocked, tmp_path, lost)
    assert done.json[0]["loose"] == 1
    assert "1 events belong to no duty" in done.talk
    checked = stocked("duties", "check", "--loose", "--json")
    assert [(one["kind"], one["subject"], one["event"]) for one in checked.json] == [("fault", "H1", "solved")]
    assert stocked("duties", "check").status == 1
    late = "kind,subject,event,at\nfault,H1,detected,2026-11-02\n"
    assert take(stocked, tmp_path, late).json[0]["loose"] == 0, "its duty came later, and it found it"
    assert stocked("duties", "check", "--loose").out == ""


def test_a_killed_import_leaves_nothing(stocked: Vetlla, tmp_path: Path, state_dir: Path) -> None:
    """A real process reads a pipe and is killed with thousands of rows in its transaction."""
    events = (f"fault,H1,detected,2026-11-02 09:00,F-{place}" for place in range(20_000))
    feed = chain(["kind,subject,event,at,ref"], events)
    kill_while_reading(tmp_path, ("duties", "import"), feed, "--state-dir", state_dir)
    assert duties(stocked) == []
    assert take(stocked, tmp_path, EVENTS).json[0]["new"] == 3


KILLED_AT = """
import itertools, os, signal, sys
calls, sync, at = itertools.count(1), os.fdatasync, int(sys.argv.pop(1))
def fdatasync(file):
    if next(calls) == at:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(file)
os.fdatasync = fdatasync
import vetlla.cli.duties.files as files
files.LARGE = 1000
from vetlla.cli.main import main
main()
"""


def test_a_large_import_that_is_killed_while_it_is_written_leaves_nothing(
    stocked: Vetlla, tmp_path: Path, state_dir: Path
) -> None:
    """A large import makes a copy of the registry; it is killed while the copy is written."""
    file = tmp_path / "large.csv"
    lines = (f"fault,H1,detected,2026-11-02 09:00,F-{place}\n" for place in range(2_000))
    file.write_text("kind,subject,event,at,ref\n" + "".join(lines), encoding="utf-8")
    command = ["duties", "import", str(file), "--state-dir", str(state_dir)]
    killed = subprocess.run([sys.executable, "-c", KILLED_AT, "1", *command], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert duties(stocked) == []
    done = subprocess.run([sys.executable, "-c", KILLED_AT, "99", *command], check=False, timeout=120)
    assert done.returncode == 0
    assert len(duties(stocked)) == 2_000


def test_a_number_is_no_code(stocked: Vetlla, tmp_path: Path) -> None:
    """A spreadsheet that made numbers of the references has lost their zeros."""
    content = workbook(
        rows(["kind", "subject", "event", "at", "ref"], ["fault", "H1", "detected", "2026-11-02", number("7")])
    )
    done = take(stocked, tmp_path, content, name="events.xlsx")
    assert [(column, reason.partition(",")[0]) for _, column, reason in faults(done)] == [("ref", "is a number")]

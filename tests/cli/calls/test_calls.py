"""``vetlla calls`` as people use it, on the fixtures: import, list, show, tie, report, verify, export, erase."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.rigs.daemon import vetlla as program_of
from tests.rigs.journals import journal
from vetlla.domain.calls import ERASED

if TYPE_CHECKING:
    from tests.cli.conftest import Done, Vetlla

FIXTURES = Path(__file__).parents[3] / "fixtures" / "calls"
HOMES = """\
code,district,base,level,alone,active,phones
H1,01,NORD,2,yes,2018-01-01/,900 000 001
H2,01,NORD,3,no,2018-01-01/,+34900000002
H4,01,NORD,3,no,2018-01-01/,900000003
H5,01,NORD,3,no,2018-01-01/,900000003
"""
CDR = ("--format", "asterisk-cdr")
QUEUE = ("--format", "asterisk-queue-log")
NOVEMBER = ("--since", "2026-11-01", "--until", "2026-12-01")


@pytest.fixture
def homes(vetlla: Vetlla, tmp_path: Path) -> Path:
    """Register homes with telephones; return the folder of the test."""
    (tmp_path / "homes.csv").write_text(HOMES, encoding="utf-8")
    assert vetlla("inventory", "import", tmp_path / "homes.csv", "--what", "homes").status == 0
    return tmp_path


@pytest.fixture
def full(vetlla: Vetlla, homes: Path) -> Path:
    """Import the files of Asterisk and the recordings."""
    for file, form in (("queue_log", QUEUE), ("recordings.csv", ()), ("Master.csv", CDR)):
        assert vetlla("calls", "import", FIXTURES / file, *form).status == 0
    return homes


def one(done: Done) -> dict[str, Any]:
    """Return the only object of an answer."""
    (found,) = done.json
    return found


def test_asterisks_files_join(vetlla: Vetlla, full: Path) -> None:
    """Each call has its numbers from one file, its operator from another, its recording from a third."""
    assert full.is_dir()
    calls = {call["external_id"]: call for call in vetlla("calls", "list", *NOVEMBER, "--numbers", "--json").json}
    assert len(calls) == 5
    first = calls["1793692800.1"]
    assert (first["started"], first["ready"]) == ("2026-11-03T08:00:00.000000Z", "2026-11-03T08:00:01.000000Z")
    assert (first["t3_s"], first["talk_s"], first["agent"], first["caller"]) == (5.0, 124, "PJSIP/101", "+34900000001")
    assert (first["home"], first["home_method"], first["recording"][-4:]) == ("H1", "phone", ".wav")
    assert [calls[name]["outcome"] for name in sorted(calls)] == [
        "answered", "answered", "abandoned", "answered", "no_answer",
    ]  # fmt: skip
    assert calls["1793696400.6"]["homes"] == ["H4", "H5"]


@pytest.mark.parametrize("file", ["Master.csv", "queue_log", "recordings.csv"])
def test_a_file_again_adds_nothing(vetlla: Vetlla, full: Path, file: str) -> None:
    """Nothing is new, nothing is changed, and the history has no further fact."""
    assert full.is_dir()
    form = {"Master.csv": CDR, "queue_log": QUEUE}.get(file, ())
    before = vetlla("calls", "show", "1793692800.1", "--json").out
    done = one(vetlla("calls", "import", FIXTURES / file, *form, "--json"))
    assert (done["new"], done["changed"], done["bad"]) == (0, 0, 0)
    assert vetlla("calls", "show", "1793692800.1", "--json").out == before


def test_the_sample_of_cdr_custom_and_the_hour_that_comes_twice(vetlla: Vetlla, homes: Path) -> None:
    """Two calls at 02:30 of the same day are an hour apart, as their ids say."""
    assert homes.is_dir()
    assert vetlla("calls", "import", FIXTURES / "Custom.csv", *CDR).status == 0
    calls = vetlla("calls", "list", "--since", "2026-10-25", "--until", "2026-10-26", "--json").json
    assert [call["started"] for call in calls] == ["2026-10-25T00:30:00.000000Z", "2026-10-25T01:30:00.000000Z"]
    assert {call["t3_s"] for call in calls} == {5.0}


def test_the_table_of_another_pbx(vetlla: Vetlla, homes: Path) -> None:
    """A mapping translates headings and words; local times are of the zone of the PBX."""
    assert homes.is_dir()
    done = vetlla("calls", "import", FIXTURES / "pbx.csv", "--mapping", FIXTURES / "pbx.toml", "--source", "old")
    assert done.status == 0, done.error
    first, second = vetlla("calls", "list", *NOVEMBER, "--json").json
    assert (first["source"], first["started"], first["t3_s"]) == ("old", "2026-11-03T08:00:00.000000Z", 8.0)
    assert (first["home"], second["home"], second["outcome"]) == ("H1", "H2", "no_answer")


def test_numbers_are_masked(vetlla: Vetlla, full: Path) -> None:
    """Tables, JSON and history show the last digits only, unless --numbers asks for all."""
    assert full.is_dir()
    for command in (("list", *NOVEMBER), ("show", "1793692800.1"), ("report", "--month", "2026-11")):
        for form in ((), ("--json",)):
            assert "900000" not in vetlla("calls", *command, *form).out
            assert "900000" in vetlla("calls", *command, *form, "--numbers").out


def test_filters(vetlla: Vetlla, full: Path) -> None:
    """Each filter leaves the calls that it names; the limit leaves the newest."""
    assert full.is_dir()

    def ids(*words: str) -> list[str]:
        return [call["external_id"][-2:] for call in vetlla("calls", "list", *NOVEMBER, *words, "--json").json]

    assert ids() == [".1", ".3", ".6", ".7", ".9"]
    assert ids("--home", "H1") == [".1", ".7"]
    assert ids("--agent", "101") == [".1", ".7"]
    assert ids("--direction", "out") == [".7", ".9"]
    assert ids("--untied") == [".6", ".9"]
    assert ids("--limit", "2") == [".7", ".9"]
    assert ids("--until", "2026-11-03T10:30") == [".1", ".3", ".6"]


def test_show_says_why(vetlla: Vetlla, full: Path) -> None:
    """The reasons of home and alarm, and each fact with its file."""
    assert full.is_dir()
    said = vetlla("calls", "show", "1793696400.6").out
    assert "several homes have the number: H4, H5; a person has to choose" in said
    assert "queue_log" in said
    assert "Master.csv" in said
    assert vetlla("calls", "show", "3").out == said
    assert vetlla("calls", "show", "nothing").status == os.EX_USAGE


def test_a_choice_is_settled_by_hand_and_stays(vetlla: Vetlla, full: Path) -> None:
    """A dry run changes nothing; the tie outlasts imports, can be changed, and every one is in the history."""
    assert full.is_dir()
    tie = ("calls", "tie", "1793696400.6")
    assert one(vetlla(*tie, "H4", "--reason", "her voice", "--dry-run", "--json"))["dry_run"] is True
    assert one(vetlla("calls", "show", "1793696400.6", "--json"))["home"] == ""
    assert vetlla(*tie, "H4", "--reason", "her voice").status == 0
    assert vetlla("calls", "import", FIXTURES / "Master.csv", *CDR).status == 0
    found = one(vetlla("calls", "show", "1793696400.6", "--json"))
    assert (found["home"], found["home_method"]) == ("H4", "by_hand")
    assert "her voice" in found["home_why"]
    assert vetlla(*tie, "H9", "--reason", "x").status == os.EX_USAGE
    assert vetlla(*tie, "-", "--reason", "a wrong number").status == 0
    found = one(vetlla("calls", "show", "1793696400.6", "--json"))
    assert found["home"] == ""
    ties = [fact["said"]["home"] for fact in found["history"] if fact["what"] == "tie"]
    assert ties[-2:] == ["H4", ""]


def test_the_report_of_a_month(vetlla: Vetlla, full: Path) -> None:
    """One of two kept 15 s, one took over 30 s and is listed, the abandoned one is apart; status 1."""
    assert full.is_dir()
    done = vetlla("calls", "report", "--month", "2026-11", "--json")
    found = one(done)
    assert done.status == 1
    assert (found["in"], found["out"], found["abandoned"], found["undecided"]) == (3, 2, 1, 0)
    ans6 = found["ans6"]
    assert ans6["within"] == {"count": 1, "of": 2, "percent": 50.0}
    assert (ans6["max_t3_s"], ans6["kept"]) == (35.0, False)
    assert [call["external_id"] for call in ans6["breaches"]] == ["1793693400.3"]
    assert {name: found["ans7"][name]["count"] for name in ("registered", "recorded", "filed")} == {
        "registered": 5, "recorded": 2, "filed": 3,
    }  # fmt: skip
    assert (found["busiest_hour"], found["by_hour"][9], found["by_hour"][10]) == (9, 2, 1)
    said = vetlla("calls", "report", "--month", "2026-11").out
    assert "NOT KEPT" in said
    assert "1793693400.3" in said
    assert vetlla("calls", "report", "--month", "2026-10").status == 0


def test_recordings_are_verified(vetlla: Vetlla, full: Path) -> None:
    """A missing and an altered recording are listed with status 1; whole ones give 0."""
    folder = full / "monitor" / "2026" / "11"
    folder.mkdir(parents=True)
    verify = ("calls", "verify", "--recordings", full / "monitor")
    (folder / "1793692800.1.wav").write_bytes(b"abc")
    done = vetlla(*verify, "--json")
    assert done.status == 1
    assert [line.get("state") for line in done.json] == ["missing", None]
    (folder / "1793693400.3.wav").write_bytes(b"")
    assert vetlla(*verify).status == 0
    (folder / "1793692800.1.wav").write_bytes(b"abd")
    done = vetlla(*verify, "--json")
    assert (done.status, done.json[0]["state"], done.json[1]["altered"]) == (1, "altered", 1)
    assert vetlla("calls", "verify", "--recordings", full / "nowhere").status == os.EX_USAGE


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json", "ndjson"])
def test_an_export_comes_back_unchanged(vetlla: Vetlla, full: Path, ending: str) -> None:
    """Another registry has the same calls after its import, and the export of it is the same."""
    first, second = full / f"first.{ending}", full / f"second.{ending}"
    assert vetlla("calls", "export", first, *NOVEMBER).status == 0
    other = ("--state-dir", full / "other")
    assert vetlla("inventory", "import", full / "homes.csv", "--what", "homes", *other).status == 0
    done = vetlla("calls", "import", first, *other)
    assert done.status == 0, done.error + done.talk
    assert vetlla("calls", "export", second, *NOVEMBER, *other).status == 0
    if ending == "xlsx":  # its bytes have the time at which it was made
        first, second = full / "first.csv", full / "second.csv"
        vetlla("calls", "export", first, *NOVEMBER)
        vetlla("calls", "export", second, *NOVEMBER, *other)
    assert first.read_bytes() == second.read_bytes()


BAD = """\
external_id,direction,started,ended,recording,recording_sha256,alarm,home,caller
C1,in,2026-10-25 02:30:00,,,,,,
C2,sideways,2026-11-03 10:00:00,,,,,,
C3,in,2026-03-29 02:30:00,,,,,,
C4,in,2026-11-03 10:00:00,2026-11-03 09:00:00,,,,,
C5,in,2026-11-03,,,,,,
C6,in,,,/etc/passwd,,,,
C7,in,,,../x.wav,,,,
C8,in,,,,1234,,,
C9,in,,,,,0,,
,in,,,,,,,
C11,in,2026-11-03 10:00:00,,,,,,900000001
C12,in,2026-11-03 10:00:00,,,,,H9,
"""


def test_every_bad_cell_is_named_and_nothing_is_taken(vetlla: Vetlla, tmp_path: Path) -> None:
    """Each fault has row, column, value and reason; --partial takes the good row and ends with 65."""
    file = tmp_path / "bad.csv"
    file.write_text(BAD, encoding="utf-8")
    done = vetlla("calls", "import", file, "--json")
    assert done.status == os.EX_USAGE
    assert "11 faults, nothing imported" in done.error
    faults = [(fault["row"], fault["column"]) for fault in done.json]
    assert sorted(faults) == [
        (2, "started"), (3, "direction"), (4, "started"), (5, "ended"), (6, "started"), (7, "recording"),
        (8, "recording"), (9, "recording_sha256"), (10, "alarm"), (11, "external_id"), (13, "home"),
    ]  # fmt: skip
    twice = next(fault["reason"] for fault in done.json if fault["row"] == 2)
    assert "write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00" in twice
    assert vetlla("calls", "list", "--since", "2020-01-01").out == ""
    assert vetlla("calls", "import", file, "--partial").status == os.EX_DATAERR
    assert [call["external_id"] for call in vetlla("calls", "list", "--since", "2020-01-01", "--json").json] == ["C11"]


@pytest.mark.parametrize(
    ("content", "form", "said"),
    [
        ("", CDR, "is empty"),
        ('"a","b"\n', CDR, "has 2 columns"),
        (",".join(['"x"'] * 16) + "\n", CDR, "loguniqueid=yes"),
        ("hello\n", QUEUE, "has 1 fields"),
        ("now|7.1|q|NONE|ENTERQUEUE\n", QUEUE, "1 faults"),
        ("1793692801|7.1|q|NONE|\n", QUEUE, "1 faults"),
    ],
)
def test_a_file_of_another_form_is_refused(
    vetlla: Vetlla, tmp_path: Path, content: str, form: tuple[str, ...], said: str
) -> None:
    """The message says what to set in Asterisk, or which cell is wrong."""
    file = tmp_path / "file"
    file.write_text(content, encoding="utf-8")
    done = vetlla("calls", "import", file, *form)
    assert done.status == os.EX_USAGE
    assert said in done.error + done.talk


def test_a_line_that_was_cut_off_is_a_fault(vetlla: Vetlla, tmp_path: Path) -> None:
    """The good lines before it are kept only with --partial."""
    whole = (FIXTURES / "Master.csv").read_text(encoding="utf-8")
    file = tmp_path / "Master.csv"
    file.write_text(whole[: whole.index("1793700000.7") - 40], encoding="utf-8")
    assert vetlla("calls", "import", file, *CDR).status == os.EX_USAGE
    done = vetlla("calls", "import", file, *CDR, "--partial", "--json")
    assert done.status == os.EX_DATAERR
    assert done.json[-1]["new"] == 3


def test_no_message_shows_a_whole_number(vetlla: Vetlla, tmp_path: Path) -> None:
    """A fault in a cell of a number hides it, because logs keep what cron prints."""
    file = tmp_path / "calls.csv"
    file.write_text(f"external_id,caller\nC1,{'900000001' * 30}\n", encoding="utf-8")
    done = vetlla("calls", "import", file)
    assert done.status == os.EX_USAGE
    assert "900000001" not in done.talk + done.error


def test_an_erased_home_loses_its_numbers(vetlla: Vetlla, full: Path, state_dir: Path) -> None:
    """The certificate counts its calls; the month's figures stay as they were."""
    before = one(vetlla("calls", "report", "--month", "2026-11", "--json"))
    (full / "left.csv").write_text(HOMES.replace("2018-01-01/,900 000 001", "2018-01-01/2026-11-30,"), encoding="utf-8")
    assert vetlla("inventory", "import", full / "left.csv", "--what", "homes").status == 0
    with journal(state_dir) as scribe:
        scribe.flush()
    done = vetlla("erase", "--home", "H1", "--yes", "--json", "--out", full)
    assert done.status == 0, done.error
    certificate = json.loads(next(full.glob("erasure-H1-*.json")).read_text(encoding="utf-8"))
    assert (certificate["destroyed"]["calls"], certificate["destroyed"]["recordings"]) == (2, 1)
    found = one(vetlla("calls", "show", "1793692800.1", "--numbers", "--json"))
    assert (found["caller"], found["recording"], found["home"]) == ("(erased)", "(erased)", "H1")
    after = one(vetlla("calls", "report", "--month", "2026-11", "--json"))
    assert after["ans7"]["registered"] == before["ans7"]["registered"]
    assert {name: after["ans7"][name]["count"] for name in ("recorded", "filed")} == {"recorded": 2, "filed": 3}
    assert after["ans6"]["within"] == before["ans6"]["within"]


def test_an_erased_home_loses_its_numbers_in_calls_of_no_home_and_of_others(
    vetlla: Vetlla, full: Path, state_dir: Path
) -> None:
    """No call keeps a telephone of the home, unless it is tied to another home that has the number, too."""
    given = (
        "external_id,direction,started,caller,recording\n"
        "EARLY,in,2026-11-03 12:00:00,900000091,early.wav\n"
        "HAND,in,2026-11-03 12:10:00,900000001,\n"
        "FIRST,in,2026-11-03 12:20:00,900000001,\n"
        "BOTH,in,2026-11-03 12:30:00,900000092,\n"
    )
    assert vetlla("calls", "import", "-", stdin=given).status == 0
    corrected = "external_id,direction,started,caller\nFIRST,in,2026-11-03 12:20:00,900000002\n"
    assert vetlla("calls", "import", "-", stdin=corrected).status == 0
    assert vetlla("calls", "tie", "HAND", "-", "--reason", "a visitor").status == 0
    phones = "900000001;900000091;900000092"
    assert vetlla("homes", "set", "H1", "--phones", phones, "--from", "2026-11-01").status == 0
    assert vetlla("homes", "set", "H2", "--phones", "900000092", "--from", "2026-11-01").status == 0
    (full / "left.csv").write_text(HOMES.replace("2018-01-01/,900 000 001", "2018-01-01/2026-11-30,"), encoding="utf-8")
    assert vetlla("inventory", "import", full / "left.csv", "--what", "homes").status == 0
    with journal(state_dir) as scribe:
        scribe.flush()
    before = one(vetlla("calls", "report", "--month", "2026-11", "--json"))
    assert vetlla("erase", "--home", "H1", "--yes", "--out", full).status == 0
    certificate = json.loads(next(full.glob("erasure-H1-*.json")).read_text(encoding="utf-8"))
    assert certificate["destroyed"]["calls"] == 5 + 1
    after = one(vetlla("calls", "report", "--month", "2026-11", "--json"))
    assert after["ans7"] == before["ans7"] | {"erased": 5}
    shown = vetlla("calls", "list", *NOVEMBER, "--numbers", "--json")
    callers = {call["external_id"]: call["caller"] for call in shown.json}
    assert [callers[name] for name in ("EARLY", "HAND", "FIRST", "BOTH")] == [ERASED, ERASED, "+34900000002", ERASED]
    kept = (state_dir / "registry.db").read_bytes()
    assert [word for word in (b"900000001", b"900000091", b"early.wav", b"a visitor") if word in kept] == []


def test_real_processes_import_through_a_pipe(state_dir: Path) -> None:
    """The installed program takes a log from standard input, as a cron job would give it."""
    text = (FIXTURES / "queue_log").read_text(encoding="utf-8")
    done = program_of("calls", "import", "-", *QUEUE, "--json", stdin=text, state_dir=state_dir)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["new"] == 3
    shown = subprocess.run(
        [sys.executable, "-m", "vetlla", "calls", "list", *NOVEMBER, "--state-dir", str(state_dir), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(shown.stdout.splitlines()) == 3


def test_a_mapping_names_agents_directions_and_parties(vetlla: Vetlla, homes: Path) -> None:
    """The operators of both files of Asterisk get the names that the queue of alarms has."""
    mapping = homes / "calls.toml"
    mapping.write_text(
        '[values.agent]\n"PJSIP/101" = "maria"\n"PJSIP/102" = "joan"\n'
        '[values.dcontext]\n"from-operators" = "out"\n"from-pstn" = "in"\n'
        '[values.accountcode]\n"SERVICE" = "service"\n',
        encoding="utf-8",
    )
    words = '[values.agent]\n"PJSIP/101" = "maria"\n"PJSIP/102" = "joan"\n'
    (homes / "agents.toml").write_text(words, encoding="utf-8")
    for file, form, named in (("Master.csv", CDR, mapping), ("queue_log", QUEUE, homes / "agents.toml")):
        done = vetlla("calls", "import", FIXTURES / file, *form, "--mapping", named)
        assert done.status == 0, done.error
    calls = vetlla("calls", "list", *NOVEMBER, "--json").json
    assert [call["agent"] for call in calls] == ["maria", "joan", "", "maria", "joan", "maria"]
    assert [call["party"] for call in calls] == [None, None, None, None, "service", None]
    assert [call["direction"] for call in calls] == ["in", "in", "in", "out", "out", "out"]


def test_times_of_a_workbook_keep_their_time_of_day(vetlla: Vetlla, tmp_path: Path) -> None:
    """A cell that the spreadsheet holds as date and time is read whole; a number or a date alone is refused."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["external_id", "direction", "started"])
    sheet.append(["C1", "in", datetime(2026, 11, 3, 10, 15, 30)])  # noqa: DTZ001 - a workbook has no zone
    book.save(tmp_path / "good.xlsx")
    sheet.append(["C2", "in", 46329.5])
    sheet.append(["C3", "in", date(2026, 11, 3)])
    book.save(tmp_path / "bad.xlsx")
    assert vetlla("calls", "import", tmp_path / "good.xlsx").status == 0
    assert one(vetlla("calls", "show", "C1", "--json"))["started"] == "2026-11-03T09:15:30.000000Z"
    done = vetlla("calls", "import", tmp_path / "bad.xlsx", "--json")
    assert (done.status, [fault["row"] for fault in done.json]) == (os.EX_USAGE, [3, 4])

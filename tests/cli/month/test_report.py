"""``vetlla month report``: each figure of a small record that was counted by hand, its files, and what it refuses."""

# ruff: noqa: RUF001 - Catalan has this apostrophe

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.rigs.journals import journal, report
from vetlla.domain.clock import ManualClock, SystemClock, to_us
from vetlla.tasks.activity.pages import activity_pdf
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.months.sources import MonthSources
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = """code,district,base,level,alone,active,suspended
H1,01,NORD,2,yes,2018-01-01/,
H2,02,NORD,3,no,2025-10-05/,
H3,02,SUD,1,no,2018-01-01/2025-10-20,
H4,02,SUD,1,no,2018-01-01/,2025-10-10/
H5,02,SUD,1,no,2025-11-02/,
"""
PEOPLE = """code,home,user_type,active
P1,H1,A,
P2,H1,C,
P3,H2,B,
P4,H3,A,
P5,H4,A,
P6,H5,A,
"""
DEVICES = """type,serial,ownership,place,home,first_installed,since
terminal_pstn,T1,municipal,home,H1,2012-05-02,2012-05-02
terminal_ip,T2,offered,home,H2,2025-10-06,2025-10-06
terminal_gsm,T4,municipal,home,H4,2016-03-02,2016-03-02
ucr,U1,municipal,home,H1,2018-05-02,2018-05-02
smoke,S1,leased,warehouse,,,2025-01-01
"""
EVENTS = """kind,subject,event,at,ref,from,to
umo_1,H1,communicated,2025-10-06T09:00:00+02:00,E-1,,
umo_1,H1,sent,2025-10-06T09:02:00+02:00,E-1,,
umo_1,H1,arrived,2025-10-06T09:28:00+02:00,E-1,,
umo_1,H1,access,2025-10-06T09:30:00+02:00,E-1,,
umo_1,H1,finished,2025-10-06T10:00:00+02:00,E-1,,
umo_1,H2,communicated,2025-10-07T09:00:00+02:00,E-2,,
umo_1,H2,sent,2025-10-07T09:02:00+02:00,E-2,,
umo_1,H2,access,2025-10-07T09:30:01+02:00,E-2,,
umo_1,H2,finished,2025-10-07T10:00:00+02:00,E-2,,
umo_1,H3,communicated,2025-10-08T09:00:00+02:00,E-3,,
umo_1,H3,access,2025-10-08T09:36:00+02:00,E-3,,
umo_1,H3,finished,2025-10-08T10:00:00+02:00,E-3,,
umo_1,H1,communicated,2025-10-09T09:00:00+02:00,E-4,,
umo_1,H1,cancelled,2025-10-09T09:05:00+02:00,E-4,,
umo_1,H1,communicated,2025-10-11T09:00:00+02:00,E-6,,
umo_1,H1,retyped,2025-10-11T09:05:00+02:00,E-6,,
umo_1,H1,communicated,2025-11-01T00:00:00+01:00,E-5,,
umo_1,H1,access,2025-11-01T00:10:00+01:00,E-5,,
umo_2,H1,communicated,2025-10-12T09:00:00+02:00,E-7,,
umo_2,H1,access,2025-10-12T10:00:00+02:00,E-7,,
fault,H1,detected,2025-10-06T09:00:00+02:00,F-1,,
fault,H1,solved,2025-10-06T15:00:00+02:00,F-1,,
fault,H2,detected,2025-10-07T09:00:00+02:00,F-2,,
fault,H2,solved,2025-10-30T15:00:00+01:00,F-2,,
complaint,H1,received,2025-10-06T09:00:00+02:00,Q-1,,
complaint,H1,answered,2025-10-07T09:00:00+02:00,Q-1,,
complaint,H1,pertinent,2025-10-08T09:00:00+02:00,Q-1,,
suggestion,H2,received,2025-10-06T09:00:00+02:00,Q-2,,
suggestion,H2,answered,2025-10-07T09:00:00+02:00,Q-2,,
follow_up,H1,planned,2025-10-01T09:00:00+02:00,A-1,2025-10-02T00:00:00+02:00,2025-10-20T00:00:00+02:00
follow_up,H1,answered,2025-10-08T09:00:00+02:00,A-1,,
key,H1,ceded,2024-10-06T09:00:00+02:00,K-1,,
key,H1,taken,2025-10-06T09:05:00+02:00,K-1,,
key,H1,used,2025-10-06T09:30:00+02:00,K-1,,
key,H1,brought_back,2025-11-03T09:00:00+01:00,K-1,,
key,H3,ceded,2024-10-06T09:00:00+02:00,K-3,,
key,H3,returned,2025-10-21T09:00:00+02:00,K-3,,
key,H2,ceded,2025-11-06T09:00:00+01:00,K-2,,
"""
CALLS = """external_id,direction,started,ready,answered,ended,outcome
C-1,in,2025-10-06 10:00:00,2025-10-06 10:00:01,2025-10-06 10:00:05,2025-10-06 10:01:00,answered
C-2,in,2025-10-06 10:30:00,2025-10-06 10:30:01,2025-10-06 10:30:31,2025-10-06 10:31:00,answered
C-3,in,2025-10-06 23:00:00,2025-10-06 23:00:01,,2025-10-06 23:01:00,abandoned
C-4,out,2025-10-06 11:00:00,,2025-10-06 11:00:05,2025-10-06 11:01:00,answered
C-5,in,2025-11-06 10:00:00,2025-11-06 10:00:01,2025-11-06 10:00:05,2025-11-06 10:01:00,answered
"""
SIGNALS = (datetime(2025, 9, 30, 22, tzinfo=UTC), datetime(2025, 10, 31, 22, 59, tzinfo=UTC))
"""The first and the last minute of October 2025 on the clock of the service."""


@pytest.fixture
def service(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Vetlla:
    """Make the record of October 2025."""
    for at in SIGNALS:
        with journal(state_dir, ManualClock(at)) as scribe:
            scribe.commit(report(1), home="H1")
    day = ("--day", "2018-01-01")
    _import(vetlla, tmp_path / "homes.csv", HOMES, "inventory", "import", "--what", "homes", *day)
    _import(vetlla, tmp_path / "people.csv", PEOPLE, "inventory", "import", "--what", "people", *day)
    _import(
        vetlla, tmp_path / "devices.csv", DEVICES, "inventory", "import", "--what", "devices", "--day", "2025-10-10"
    )
    _import(vetlla, tmp_path / "events.csv", EVENTS, "duties", "import")
    _import(vetlla, tmp_path / "calls.csv", CALLS, "calls", "import", "--format", "rows")
    return vetlla


def _import(vetlla: Vetlla, file: Path, content: str, *words: object) -> None:
    file.write_text(content, encoding="utf-8")
    done = vetlla(*words, file)
    assert done.status == 0, done.error or done.talk


def tables(service: Vetlla, *words: object) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of the report of October."""
    done = service("month", "report", "--month", "2025-10", *words, "--json")
    assert done.status == 0, done.error
    found: dict[str, list[dict[str, Any]]] = done.json[0]["tables"]
    return found


def row(table: list[dict[str, Any]], **wanted: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any cell
    """Return the other cells of the one row that has these cells."""
    (found,) = [one for one in table if wanted.items() <= one.items()]
    return tuple(value for name, value in found.items() if name not in wanted)


def test_homes_and_people_are_those_of_the_last_day(service: Vetlla) -> None:
    found = tables(service)
    assert row(found["homes"], by="total") == ("", 2, 1, 3)
    assert row(found["homes"], by="level", name="1") == (0, 1, 1)
    assert row(found["homes"], by="base", name="NORD") == (2, 0, 2)
    assert row(found["people"], by="total") == ("", 3, 1, 4)
    assert row(found["people"], by="user_type", name="A") == (1, 1, 2)
    # H2 joined and H3 left; H4 was attended until the ninth. P4 left with its home.
    assert row(found["changes"], who="homes") == (1, 1, 4)
    assert row(found["changes"], who="people") == (1, 1, 5)
    # Home-days: 31 of H1, 27 of H2, 20 of H3, 9 of H4.
    assert row(found["units"], concept="essential") == ("87",)


def test_communications_of_the_month(service: Vetlla) -> None:
    found = tables(service)
    assert row(found["signals"], priority="life") == (2, 0, 0), "the rig opens no alarm"
    assert {one["call"]: one["number"] for one in found["calls"]} == {
        "in": 3, "answered": 2, "abandoned": 1, "lost": 0, "undecided": 0, "out": 1, "out_answered": 1, "recorded": 0,
    }  # fmt: skip
    assert [one["hour"] for one in found["call_hours"] if one["calls"]] == [10, 23]
    assert row(found["durations"], source="t3.phone") == (6, 2, 30, 30)


def test_the_proof_has_each_emergency_of_type_i(service: Vetlla) -> None:
    found = tables(service)
    proof = [
        tuple(one[name] for name in ("minutes", "within_share", "within_limit", "outcome")) for one in found["type_1"]
    ]
    assert proof == [
        ("30.0", "yes", "yes", "kept"),
        ("30.1", "no", "yes", "kept"),
        ("36.0", "no", "no", "breached"),
        (None, None, None, "cancelled"),
    ]
    assert [one["home"] for one in found["type_1"]] == ["H1", "H2", "H3", "H1"]
    assert found["type_1"][0]["first_communication"] == "2025-10-06T09:00:00+02:00"
    assert found["type_1"][0]["arrived"] == "2025-10-06T09:28:00+02:00"
    assert row(found["emergencies"], type="I") == (3, 1, 2, 1, 0, 0, 1, 0, 2)
    assert row(found["emergencies"], type="II") == (1, None, 1, 0, 0, 0, 0, 0, 0)
    share = next(one for one in found["levels"] if (one["ans"], one["part"]) == (11, "share"))
    assert (share["numerator"], share["denominator"], share["required"], share["verdict"]) == (1, 3, "80", "not_kept")


def test_work_complaints_and_keys(service: Vetlla) -> None:
    found = tables(service)
    assert row(found["agenda"], kind="total") == (1, 1, 0, 0, 0, 0, 0)
    assert row(found["duties"], kind="fault") == (2, 1, 1, 0, 0)
    assert row(found["complaints"], by="total") == (None, 2, 2, 0, 0, 1)
    assert row(found["complaints"], by="district", name="01") == (1, 1, 0, 0, 1)
    assert {one["key_state"]: one["number"] for one in found["keys"]} == {"out": 1, "total": 1}
    assert {one["key_act"]: one["number"] for one in found["key_acts"]} == {"taken": 1, "used": 1, "returned": 1}


def test_devices_are_those_of_the_last_day(service: Vetlla) -> None:
    found = tables(service)
    assert row(found["inventory"], device="total") == ("", 4, 1, 5)
    assert row(found["inventory"], device="terminal_ip") == ("offered", 1, 0, 1)
    assert row(found["digital"], demand="terminals")[:2] == (1, 3)
    assert row(found["digital"], demand="level_3")[:2] == (1, 1)
    assert row(found["digital"], demand="offered")[:2] == (1, 3)
    # The terminal of 2012 is beyond its ten years, and so is no other device; that of 2016 ends in March 2026.
    assert row(found["renewals"], device="terminal_pstn") == (0, 1, 0)
    assert row(found["renewals"], device="terminal_gsm") == (0, 0, 1)
    assert row(found["renewals"], device="total") == (0, 1, 1)


def test_every_level_has_its_verdict_and_twelve_months(service: Vetlla) -> None:
    found = tables(service)
    assert {one["ans"] for one in found["levels"]} == set(range(1, 24))
    of_report = service("sla", "report", "--month", "2025-10", "--json").json
    verdicts = {one["ans"]: one["verdict"] for one in found["year"] if one["month"] == "2025-10-01"}
    assert verdicts == {one["ans"]: one["verdict"] for one in of_report}
    assert sorted({one["month"] for one in found["year"]})[::11] == ["2024-11-01", "2025-10-01"]


def test_faults_of_the_month_and_corrective_actions(service: Vetlla) -> None:
    planned = ("2025-10-13T10:00", "2025-10-14T10:00", "2025-11-03T10:00")
    for at in planned:
        words = ("ANS 11", "second unit", "--who", "Q1", "--due", "2025-10-20", "--at", at)
        assert service("sanctions", "action", "add", *words).status == 0
    assert service("sanctions", "action", "done", 2, "--at", "2025-10-30T10:00").status == 0
    found = tables(service)
    of_ledger = service("sanctions", "ledger", "--month", "2025-10", "--json").json
    wanted = [(one["fault"], one["about"]) for one in of_ledger if one["day"].startswith("2025-10")]
    assert [(one["fault"], one["about"]) for one in found["faults"]] == wanted
    assert wanted
    assert [(one["action"], one["action_state"]) for one in found["actions"]] == [(1, "overdue"), (2, "done")]


def test_a_closed_month_is_shown_as_it_was_closed(service: Vetlla, tmp_path: Path) -> None:
    assert service("month", "close", "2025-09").status == 0
    late = "kind,subject,event,at,ref\nfault,H1,detected,2025-09-01T09:00:00+02:00,F-9\n"
    before = [one for one in tables(service)["year"] if one["month"] == "2025-09-01"]
    _import(service, tmp_path / "late.csv", late, "duties", "import")
    after = [one for one in tables(service)["year"] if one["month"] == "2025-09-01"]
    assert before == after
    assert {one["closed_version"] for one in after} == {1}


def test_the_same_record_gives_the_same_bytes(service: Vetlla, tmp_path: Path) -> None:
    names = ("report.pdf", "report.html", "report.xlsx", "report.json")
    made, known = [], datetime.now(UTC).isoformat()
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        files = [word for name in names for word in ("--out", folder / name)]
        done = service("month", "report", "--month", "2025-10", "--known", known, *files)
        assert (done.status, done.out) == (0, ""), done.error
        made.append({name: (folder / name).read_bytes() for name in names})
    assert made[0] == made[1]
    sheets = openpyxl.load_workbook(tmp_path / "one" / "report.xlsx").sheetnames
    assert sheets == list(json.loads(made[0]["report.json"])["tables"])


def test_a_part_of_a_closed_month_has_the_bytes_of_the_command(
    service: Vetlla, state_dir: Path, tmp_path: Path
) -> None:
    known = datetime.now(UTC)
    out = tmp_path / "report.pdf"
    assert service("month", "report", "--month", "2025-10", "--known", known.isoformat(), "--out", out).status == 0
    clock = SystemClock()
    with month_record(state_dir, clock, load_rules(), date(2025, 10, 1), to_us(known)) as record:
        assert activity_pdf(MonthSources(state_dir, clock, record)) == out.read_bytes()


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("ca", "Informe mensual d’activitat"),
        ("es", "Informe mensual de actividad"),
        ("en", "Monthly report of activity"),
    ],
)
def test_a_page_in_each_language(service: Vetlla, tmp_path: Path, language: str, title: str) -> None:
    out = tmp_path / "report.html"
    assert service("month", "report", "--month", "2025-10", "--out", out, "--language", language).status == 0
    page = out.read_text(encoding="utf-8")
    assert title in page
    assert f'lang="{language}"' in page


def test_the_terminal_shows_the_most_important_tables(service: Vetlla) -> None:
    done = service("month", "report", "--month", "2025-10")
    assert "emergencies" in done.out
    assert "S43" in done.out


def test_before_anything_was_known_there_is_a_report_of_nothing(service: Vetlla) -> None:
    found = tables(service, "--known", "2025-11-05")
    assert row(found["homes"], by="total") == ("", 0, 0, 0)
    assert not found["type_1"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--month", "2099-01"), "2099-01 is not over"),
        (("--month", "2025-10", "--known", "2025-10-20"), "2025-10 is not over"),
        (("--month", "2025-10", "--out", "report.doc"), "what kind of report is it?"),
    ],
)
def test_what_is_refused(service: Vetlla, words: tuple[str, ...], told: str) -> None:
    done = service("month", "report", *words)
    assert done.status == 64
    assert told in done.error

"""``vetlla documents``: the calendar, planning, deliveries with their proof, rejections."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from icalendar import Calendar

from tests.rigs.homes_on_record import register_homes

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla

ROOT = Path(__file__).parents[3]
OF_MARCH = ("--from", "2025-03-01", "--until", "2025-03-31")


@pytest.fixture
def office(vetlla: Vetlla, state_dir: Path) -> Vetlla:
    """Make a registry with the documents of March 2025 planned."""
    register_homes(state_dir.parent)
    done = vetlla("documents", "plan", *OF_MARCH)
    assert done.status == 0, done.error
    return vetlla


def test_the_plan_of_a_month(office: Vetlla) -> None:
    listed = office("documents", "list", "--json").json
    assert len(listed) == 11
    assert {one["period"] for one in listed} == {"2025-02", "2025"}
    again = office("documents", "plan", *OF_MARCH, "--json").json[0]
    expected = {"opened": [], "cancelled": [], "kept": 11, "from": "2025-03-01", "missed": [], "dry_run": False}
    assert again == expected
    more = office("documents", "plan", "--from", "2025-04-01", "--until", "2025-04-05", "--dry-run", "--json").json[0]
    assert {one["day"] for one in more["opened"]} == {"2025-04-01", "2025-04-05"}
    assert len(office("documents", "list", "--json").json) == 11


def test_a_delivery_keeps_its_proof_and_not_the_file(office: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "invoice.xml"
    file.write_bytes(b"abc")
    words = (
        "documents",
        "deliver",
        "invoice",
        "--file",
        file,
        "--receipt",
        "E-1",
        "--at",
        "2025-03-04T10:00",
        "--json",
    )
    (done,) = office(*words).json
    assert (done["verdict"], done["document"], done["period"]) == ("kept", "invoice", "2025-02")
    assert done["proof"]["bytes"] == 3
    assert done["proof"]["sha256"].startswith("ba7816bf")
    assert done["title"]["ca"] == "Factura mensual amb la documentació annexa"
    (shown,) = office("duties", "show", done["id"], "--json").json
    assert shown["events"][1]["details"] == {
        "file": "invoice.xml", "bytes": "3", "sha256": done["proof"]["sha256"], "receipt": "E-1",
    }  # fmt: skip


def test_a_rejected_document_is_delivered_again(office: Vetlla) -> None:
    at = "2025-03-04T10:00"
    assert office("documents", "deliver", "invoice", "--receipt", "E-1", "--at", at).status == 0
    assert office("documents", "reject", "invoice").status == os.EX_USAGE
    done = office("documents", "reject", "invoice", "--reason", "an annex is missing", "--at", "2025-03-05T10:00")
    assert "rejected once" in done.out
    assert [one["document"] for one in office("documents", "list", "--rejected", "--json").json] == ["invoice"]
    (again,) = office("documents", "deliver", "invoice", "--receipt", "E-2", "--at", "2025-03-05T12:00", "--json").json
    assert (again["verdict"], again["rejected"], again["proof"]["receipt"]) == ("kept", 1, "E-2")


def test_what_is_late_stands_first(office: Vetlla) -> None:
    rows = office("documents", "due", "--json").json
    assert rows[0]["due"].startswith("2025-03-05")
    assert {one["verdict"] for one in rows} == {"breached"}
    assert office("documents", "list", "invoice", "--verdict", "kept").out == ""
    assert "invoice" in office("documents", "list").out


def test_a_request_has_working_days(office: Vetlla) -> None:
    (one,) = office("documents", "request", "protocols", "--ref", "R1", "--at", "2025-04-14T10:00", "--json").json
    assert (one["period"], one["due"]) == ("R1", "2025-04-30T21:59:59.999999Z")
    assert "R1" in office("documents", "deliver", "protocols", "--period", "R1", "--receipt", "E1").out
    assert office("documents", "request", "invoice").status == os.EX_USAGE


def test_the_calendar_as_rows_and_as_files(vetlla: Vetlla, tmp_path: Path) -> None:
    days = ("--from", "2025-04-01", "--until", "2025-04-30")
    rows = vetlla("documents", "calendar", *days, "--json").json
    assert list(rows[0]) == ["day", "document", "period", "title", "title_en", "rule", "basis", "clause"]
    dated = [one for one in rows if one["day"]]
    assert len(dated) == 14
    assert {one["document"] for one in rows if not one["day"]} == {"language_certificates", "protocols", "subcontract"}
    file = tmp_path / "documents.ics"
    assert vetlla("documents", "calendar", *days, "--out", file).status == 0
    events = list(Calendar.from_ical(file.read_bytes()).walk("VEVENT"))
    assert [event.decoded("dtstart").isoformat() for event in events] == [one["day"] for one in dated]
    assert len({event["uid"] for event in events}) == 14
    page = tmp_path / "documents.html"
    assert vetlla("documents", "calendar", *days, "--out", page).status == 0
    text = page.read_text(encoding="utf-8")
    assert 'lang="ca"' in text
    assert "30 d\N{RIGHT SINGLE QUOTATION MARK}abril de 2025, tots dos inclosos" in text
    assert "10 dies hàbils després del fet" in text
    assert vetlla("documents", "calendar", *days, "--out", tmp_path / "x.txt").status == os.EX_USAGE


def test_the_calendar_as_pdf(vetlla: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "documents.pdf"
    assert vetlla("documents", "calendar", "--from", "2025-04-01", "--until", "2025-04-30", "--out", file).status == 0
    assert file.read_bytes().startswith(b"%PDF-")


def test_a_calendar_of_ones_own(office: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "documents.toml"
    installed = (ROOT / "config" / "documents.toml").read_text(encoding="utf-8")
    file.write_text(installed.replace("after = 15", "after = 20"), encoding="utf-8")
    # What is late stays as it is, and March 2025 is long over.
    done = office("documents", "plan", *OF_MARCH, "--calendar", file, "--json").json[0]
    assert (done["opened"], done["kept"]) == ([], 11)
    file.write_text("[invoice]\nca = 1\n", encoding="utf-8")
    refused = office("documents", "plan", *OF_MARCH, "--calendar", file)
    assert refused.status == os.EX_CONFIG
    assert "invoice.ca" in refused.error


@pytest.mark.parametrize(
    "words", ["plan --until 2025-03-31 --from 2025-04-01", "calendar --from 2025-02-01 --until 2025-01-01"]
)
def test_days_in_the_wrong_order_are_refused(vetlla: Vetlla, words: str) -> None:
    assert vetlla("documents", *words.split()).status == os.EX_USAGE

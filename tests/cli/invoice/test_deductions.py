"""Recorded deductions of 20.2.d are lines of the invoice of their month, everywhere; a withdrawn one is not."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from tests.cli.invoice.test_make import MONTH
from vetlla.documents.facturae.reading import read
from vetlla.domain.clock import SystemClock, iso

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

REASON = "control of visits"


@pytest.fixture
def recorded(service: Vetlla) -> Vetlla:
    """Record deductions of the last second of October, of the first one of November, and one that is withdrawn."""
    for at, amount, reason in (
        ("2025-10-31T23:59:59+01:00", "25.50", REASON),
        ("2025-11-01T00:00:00+01:00", "99.00", "next month"),
        ("2025-10-05T10:00:00+02:00", "7.00", "a mistake"),
    ):
        done = service("sanctions", "record", "20.2.d", "--at", at, "--amount", amount, "--reason", reason)
        assert done.status == 0, done.error
    assert service("sanctions", "withdraw", 3, "--reason", "wrong home").status == 0
    return service


def deductions(service: Vetlla, *words: object) -> list[dict[str, Any]]:
    """Return the lines of deductions."""
    rows = service("invoice", "make", *MONTH, *words, "--json").json
    return [row for row in rows if row["concept"] == "deduction"]


def test_a_recorded_deduction_is_a_line_with_its_number_and_reason(recorded: Vetlla) -> None:
    (row,) = deductions(recorded)
    assert (row["units"], row["price"], row["amount"], row["vat"]) == ("1", "-25.50", "-25.50", "4")
    assert row["notes"] == [{"name": "deducted_by_record", "number": 1, "about": REASON}]
    assert f"recorded deduction 1: {REASON}" in recorded("invoice", "make", *MONTH).talk


def test_those_of_the_command_stand_beside_it(recorded: Vetlla) -> None:
    rows = deductions(recorded, "--deduction", "3.00:control of the 4th")
    assert [(row["amount"], row["notes"][0]["name"]) for row in rows] == [
        ("-3.00", "deducted"),
        ("-25.50", "deducted_by_record"),
    ]


def test_one_that_was_recorded_later_was_not_known(service: Vetlla) -> None:
    before = iso(SystemClock().now().utc_us)
    words = ("--at", "2025-10-10T10:00", "--amount", "1.00", "--reason", REASON)
    assert service("sanctions", "record", "20.2.d", *words).status == 0
    assert len(deductions(service)) == 1
    assert deductions(service, "--known", before) == []


def test_one_without_an_amount_is_said(service: Vetlla) -> None:
    assert service("sanctions", "record", "20.2.d", "--at", "2025-10-10T10:00", "--reason", REASON).status == 0
    (row,) = deductions(service)
    assert (row["amount"], row["notes"][0]["name"]) == ("0.00", "deduction_unknown")
    assert "recorded deduction 1 has no amount" in service("invoice", "make", *MONTH).talk


def test_files_have_it(recorded: Vetlla, tmp_path: Path) -> None:
    """The Facturae says number and reason on its line, and passes our own comparison; the workbook has a sheet."""
    xml, xlsx = tmp_path / "i.xml", tmp_path / "i.xlsx"
    done = recorded("invoice", "make", *MONTH, "--xml", xml, "--xlsx", xlsx, "--issued", "2025-11-04")
    assert done.status == 0, done.error
    text = xml.read_text(encoding="utf-8")
    assert f"<AdditionalLineItemInformation>mes; 20.2.d/1: {REASON}</AdditionalLineItemInformation>" in text
    assert {one.concept: f"{one.amount}" for one in read(xml.read_bytes()).lines}["deduction"] == "-25.50"
    assert recorded("invoice", "check", xml, *MONTH).out == ""
    book = openpyxl.load_workbook(io.BytesIO(xlsx.read_bytes()), read_only=True)
    rows = [[cell.value for cell in row] for row in book["deduction"].iter_rows()]
    assert [str(cell)[:20] for cell in rows[1]] == ["1", "2025-10-31 00:00:00", REASON, "25.50"]


def test_explain_lists_them(recorded: Vetlla) -> None:
    done = recorded("invoice", "explain", "deduction", *MONTH, "--json")
    assert done.json == [{"record": 1, "day": "2025-10-31", "reason": REASON, "amount": "25.50"}]
    assert "1 recorded deductions of 25.50 EUR" in recorded("invoice", "explain", "deduction", *MONTH).talk
    assert recorded("invoice", "explain", "deduction", *MONTH, "--home", "H1").status == 64


@pytest.mark.parametrize(("amount", "is_told"), [("134.12", False), ("134.13", True), ("99999.00", True)])
def test_25_reductions_above_what_they_are_taken_of_are_told(service: Vetlla, amount: str, is_told: bool) -> None:  # noqa: FBT001
    """The services of the month are 134.12 EUR, and the reduction is taken of them."""
    words = ("--reduction", amount, "--reason", "ANS 3")
    assert (
        "the reductions are more than what they are taken of" in service("invoice", "make", *MONTH, *words).talk
    ) is (is_told)
    rows = service("invoice", "make", *MONTH, *words, "--json").json
    assert ("reduced_below_zero" in {note["name"] for note in rows[-1]["notes"]}) is is_told

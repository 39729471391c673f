"""``vetlla reminders report`` and ``arms``: the figures of a period, for people, programs and spreadsheets."""

from __future__ import annotations

import csv
import json
import os
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.rigs.invented_month import Month
from vetlla.domain.clock import SystemClock
from vetlla.store.reminders.opening import REMINDERS, opened
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders.report_files import CSV_COLUMNS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

PERIOD = ("--from", "2026-11-02", "--to", "2026-11-06")
REPORT = ("reminders", "report", *PERIOD)
RATES = """
[[rate]]
from = 2026-01-01
channel = "whatsapp"
category = "utility"
eur = "0.0123"  # a price for tests

[[rate]]
from = 2026-11-04
channel = "sms"
category = "segment"
eur = 0.0456
"""


@pytest.fixture
def month(state_dir: Path) -> Path:
    """Fill a database with two offices in a week of November, and the same week of September."""
    with opened(state_dir, SystemClock()) as db, atomic(db):
        Month(db, held_back=0.2).fill(date(2026, 11, 2), date(2026, 11, 6), ("OMAC", "OGAT"), 10)
        Month(db, absent=0.5).fill(date(2026, 9, 7), date(2026, 9, 11), ("OMAC", "OGAT"), 10)
    return state_dir


def test_a_terminal_shows_the_most_important_tables(vetlla: Vetlla, month: Path) -> None:
    out = vetlla(*REPORT).out
    titles = ("key", "groups", "answers", "freed", "channels", "replies", "costs", "not known")
    lines = [line.strip() for line in out.splitlines()]
    assert [line for line in lines if line in titles] == list(titles)


def test_json_has_all_tables_and_every_figure_has_its_whole(vetlla: Vetlla, month: Path) -> None:
    (told,) = vetlla(*REPORT, "--json").json
    assert (told["from"], told["to"], told["office"], told["compared_with"]) == ("2026-11-02", "2026-11-06", None, None)
    tables = told["tables"]
    ends = {row["end"]: row["appointments"] for row in tables["ends"]}
    assert ends["total"] == 100
    no_show = next(row for row in tables["key"] if row["figure"] == "no_show")
    assert (no_show["number"], no_show["whole"]) == (ends["no_show"], ends["no_show"] + ends["came"])
    assert Decimal(no_show["low"]) < Decimal(no_show["share"]) < Decimal(no_show["high"])
    assert sum(row["appointments"] for row in tables["groups"]) == 100
    channels = {row["channel"]: row for row in tables["channels"]}
    assert sum(row["whatsapp"] + row["sms"] for row in tables["days"]) <= channels["total"]["used"]
    assert sum(row["used"] for row in tables["texts"]) == channels["total"]["used"]


def test_an_office_has_its_own_report(vetlla: Vetlla, month: Path) -> None:
    whole, one, other = (
        vetlla(*REPORT, "--json", *more).json[0]["tables"] for more in ((), ("--office", "OMAC"), ("--office", "OGAT"))
    )
    assert [row["office"] for row in one["offices"]] == ["OMAC"]
    assert one["offices"] + other["offices"] == whole["offices"][::-1]
    for name in ("handed_over", "used", "delivered", "segments", "conversations"):
        assert sum(part["channels"][-1][name] for part in (one, other)) == whole["channels"][-1][name]


def test_an_earlier_period_is_compared(vetlla: Vetlla, month: Path) -> None:
    (told,) = vetlla(*REPORT, "--compare-from", "2026-09-07", "--compare-to", "2026-09-11", "--json").json
    before, after = told["tables"]["compared"][:2]
    assert told["compared_with"] == {"from": "2026-09-07", "to": "2026-09-11"}
    assert (before["first"], after["first"]) == ("2026-09-07", "2026-11-02")
    assert Decimal(after["change"]) == pytest.approx(
        Decimal(after["no_show_share"]) - Decimal(before["no_show_share"]), abs=Decimal("0.0001")
    )
    assert Decimal(after["change_low"]) < Decimal(after["change"]) < Decimal(after["change_high"])


def test_prices_of_a_rate_card_give_an_exact_cost(vetlla: Vetlla, month: Path, tmp_path: Path) -> None:
    rates = tmp_path / "rates.toml"
    rates.write_text(RATES, encoding="utf-8")
    rows = vetlla(*REPORT, "--rates", rates, "--json").json[0]["tables"]["costs"]
    by_name = {(row["channel"], row["category"], row["told_by"]): row for row in rows}
    utility = by_name["whatsapp", "utility", "meta"]
    assert Decimal(utility["eur"]) == utility["units"] * Decimal("0.0123")
    sms = by_name["sms", "segment", "assumed"]
    assert sms["unpriced"] > 0  # before the price was in force
    assert Decimal(sms["eur"]) == sms["priced"] * Decimal("0.0456")
    assert by_name["whatsapp", "service", "meta"]["eur"] is None
    total = by_name["total", "", ""]
    assert total["units"] == total["free"] + total["priced"] + total["unpriced"]


def test_an_empty_period_has_figures_and_no_shares(vetlla: Vetlla, month: Path, tmp_path: Path) -> None:
    empty = ("reminders", "report", "--from", "2026-01-01", "--to", "2026-01-31")
    (told,) = vetlla(*empty, "--json").json
    figures = {row["figure"]: row for row in told["tables"]["key"]}
    assert figures["no_show"] == {
        "figure": "no_show", "number": 0, "whole": 0, "share": None, "low": None, "high": None, "eur": None
    }  # fmt: skip
    assert (figures["messages_used"]["number"], figures["cost"]["eur"]) == (0, None)
    assert len(told["tables"]["days"]) == 31
    assert vetlla(*empty, "--out", tmp_path / "empty.html").status == 0
    assert vetlla(*empty).status == 0


# --- files ------------------------------------------------------------------------------------------------------------


def test_csv_and_xlsx_have_the_figures_of_json(vetlla: Vetlla, month: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"report.{ending}" for ending in ("csv", "xlsx", "json")]
    done = vetlla(*REPORT, *(word for file in files for word in ("--out", file)))
    assert (done.status, done.out) == (0, "")
    told = json.loads(files[2].read_text(encoding="utf-8"))["tables"]
    with files[0].open(encoding="utf-8", newline="") as text:
        heading, *rows = csv.reader(text)
    assert tuple(heading) == CSV_COLUMNS
    for table, row, _, figure, value in rows:
        assert value == ("" if (known := told[table][int(row) - 1][figure]) is None else str(known))
    book = openpyxl.load_workbook(files[1], read_only=True)
    assert book.sheetnames == ["period", *told]
    for name, records in told.items():
        head, *cells = book[name].iter_rows(values_only=True)
        assert list(head) == (list(records[0]) if records else list(head))
        for values, record in zip(cells, records, strict=True):
            for cell, known in zip(values, record.values(), strict=True):
                assert _same(cell, known), (name, cell, known)


def _same(cell: object, known: object) -> bool:
    if isinstance(cell, float | int) and isinstance(known, str):
        return Decimal(str(cell)) == Decimal(known)
    return str(cell) == str(known) or (cell is None and known in {"", None}) or str(cell).startswith(f"{known} 00:00")


def test_pages_are_written_in_both_languages(vetlla: Vetlla, month: Path, tmp_path: Path) -> None:
    for language in ("ca", "es"):
        page = tmp_path / f"{language}.html"
        assert vetlla(*REPORT, "--language", language, "--out", page).status == 0
        assert f'<html lang="{language}">' in page.read_text(encoding="utf-8")


def test_a_page_is_written_as_pdf(vetlla: Vetlla, month: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.pdf"
    assert vetlla("reminders", "report", "--from", "2026-01-01", "--to", "2026-01-02", "--out", page).status == 0
    assert page.read_bytes().startswith(b"%PDF-")


def test_a_report_goes_to_standard_output_if_its_kind_is_given(vetlla: Vetlla, month: Path) -> None:
    assert vetlla(*REPORT, "--out", "-", "--format", "csv").out.startswith('"table","row",')
    refused = vetlla(*REPORT, "--out", "-")
    assert refused.status == os.EX_USAGE
    assert "--format" in refused.error


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from", "2026-11-30", "--to", "2026-11-01"), "2026-11-01 is before 2026-11-30"),
        ((*PERIOD, "--compare-from", "2026-09-01"), "a period has two ends"),
        ((*PERIOD, "--out", "report.doc"), "what kind of report"),
        ((*PERIOD, "--rates", "/nowhere/rates.toml"), "/nowhere/rates.toml"),
    ],
)
def test_a_wrong_wish_is_refused(vetlla: Vetlla, month: Path, words: tuple[str, ...], said: str) -> None:
    done = vetlla("reminders", "report", *words)
    assert done.status == os.EX_USAGE
    assert said in done.error


@pytest.mark.parametrize(
    "text",
    [
        "rate = 3",
        "[[price]]\neur = 1",
        "[[rate]]\nfrom = 2026-01-01\nchannel = 'fax'\ncategory = 'x'\neur = '1'",
        "[[rate]]\nfrom = 2026-01-01\nchannel = 'sms'\ncategory = 'segment'\neur = '-1'",
        "[[rate]]\nfrom = 2026-01-01\nchannel = 'sms'\ncategory = 'segment'\neur = '1'\nvat = '21'",
        "[[rate]]\nchannel = 'sms'\ncategory = 'segment'\neur = '1'",
        "[[rate",
    ],
)
def test_a_broken_rate_card_is_refused(vetlla: Vetlla, month: Path, tmp_path: Path, text: str) -> None:
    rates = tmp_path / "rates.toml"
    rates.write_text(text, encoding="utf-8")
    done = vetlla(*REPORT, "--rates", rates)
    assert done.status == os.EX_USAGE
    assert str(rates) in done.error


def test_the_shipped_rate_card_has_no_price(vetlla: Vetlla, month: Path) -> None:
    """It shows the form in comments alone: an invented price must not count."""
    shipped = "config/reminders/rates.toml"
    rows = vetlla(*REPORT, "--rates", shipped, "--json").json[0]["tables"]["costs"]
    assert {row["eur"] for row in rows} == {None}


def test_a_report_makes_no_database(vetlla: Vetlla, state_dir: Path) -> None:
    done = vetlla(*REPORT)
    assert done.status == os.EX_USAGE
    assert not (state_dir / REMINDERS).exists()


# --- arms -------------------------------------------------------------------------------------------------------------


def test_the_groups_of_the_draw_are_compared(vetlla: Vetlla, month: Path) -> None:
    arms = ("reminders", "arms", *PERIOD, "--points", "10")
    (told,) = vetlla(*arms, "--json").json
    held, reminded = told["arms"]
    assert (held["arm"], reminded["arm"]) == ("held_back", "reminded")
    assert 0 < held["appointments"] + reminded["appointments"] < 100  # some never came to the draw
    assert (told["points"], told["power"]) == ("10", "0.8")
    assert told["missing"] == max(0, told["needed"] - held["known"] - reminded["known"])
    assert set(told["effect"]) == {"value", "low", "high"}
    out = vetlla(*arms).out
    assert "drawn by chance from 2026-11-0" in out
    assert "to see 10 points with a power of 80 %" in out


def test_only_days_with_a_draw_are_compared(vetlla: Vetlla, month: Path) -> None:
    """In September no appointment was held back, so its reminded ones say nothing about the draw of November."""
    wide = ("reminders", "arms", "--from", "2026-09-01", "--to", "2026-11-30", "--json")
    (told,) = vetlla(*wide).json
    assert "2026-11-02" <= told["measured_from"] <= told["measured_to"] <= "2026-11-06"


def test_without_a_draw_there_is_nothing_to_compare(vetlla: Vetlla, month: Path) -> None:
    before = ("reminders", "arms", "--from", "2026-09-01", "--to", "2026-09-30")
    done = vetlla(*before)
    assert (done.status, done.out) == (0, "")
    assert "held back" in done.talk
    assert vetlla(*before, "--json").json == [{"measured_from": None, "measured_to": None, "arms": []}]


@pytest.mark.parametrize("points", ["0", "-1", "51", "nan", "many"])
def test_points_are_a_number_that_a_share_can_fall_by(vetlla: Vetlla, month: Path, points: str) -> None:
    assert vetlla("reminders", "arms", *PERIOD, "--points", points).status == 2

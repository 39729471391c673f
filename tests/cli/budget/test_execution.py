"""``vetlla budget execution`` and ``offer``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture
def invoices(tmp_path: Path) -> Path:
    """Write two months of 2026."""
    lines = [
        {"month": month, "concept": concept, "units": "1", "price": amount, "amount": amount, "vat": vat}
        for month in ("2026-01", "2026-02")
        for concept, amount, vat in (("umo", "200000.00", "4"), ("rent.smoke", "300.50", "21"))
    ]
    file = tmp_path / "2026.ndjson"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return file


def test_a_row_for_each_concept_and_sum(vetlla: Vetlla, invoices: Path) -> None:
    """59 days of 365; the bounds of the year are with its net amount."""
    found = {one["concept"]: one for one in vetlla("budget", "execution", "--invoices", invoices, "--json").json}
    assert found["umo"] == {
        "year": 2026,
        "concept": "umo",
        "budgeted": "2364120.00",
        "expected": "394020.00",
        "executed": "400000.00",
        "remaining": "1964120.00",
        "share": "16.92",
        "projected": "2474576.27",
        "state": "projected_beyond",
        "without_modification": None,
        "with_modification": None,
        "months": ["2026-01", "2026-02"],
        "missing": [],
        "closed": [],
    }
    assert found["rent.gas"]["state"] == "within"
    assert (found["vat_4"]["executed"], found["vat_21"]["executed"]) == ("16000.00", "126.22")
    assert found["net"]["without_modification"] == "12787344.52"
    assert found["net"]["with_modification"] == "13949830.38"


def test_a_table_says_what_goes_beyond(vetlla: Vetlla, invoices: Path) -> None:
    """The bounds of the year stand below it."""
    left = vetlla("budget", "execution", "--invoices", invoices, "--until", "2026-03")
    (row,) = [line for line in left.out.splitlines() if " umo " in line]
    assert row.endswith("will go beyond")
    assert "2026: 2 months invoiced; net up to 12,787,344.52 EUR without a modification" in left.talk
    assert "without an invoice: 2026-03" in left.talk


def test_the_check_is_a_plug_in(vetlla: Vetlla, invoices: Path, tmp_path: Path) -> None:
    """0 within, 1 beyond or a missing month, 3 if the invoices cannot be read."""
    left = vetlla("budget", "execution", "--invoices", invoices, "--check")
    assert left.status == 1
    first, *others = left.out.splitlines()
    assert first == "BUDGET WARNING: 3.45 % of 11624858.65 EUR net of 2026 invoiced in 2 months"
    assert others[0].startswith("WARNING umo 2026: 2474576.27 EUR by the end of the year, 2364120.00 EUR budgeted -> ")
    invoices.write_text(invoices.read_text(encoding="utf-8").replace("200000", "190000"), encoding="utf-8")
    assert vetlla("budget", "execution", "--invoices", invoices, "--check").status == 0
    (missing,) = vetlla("budget", "execution", "--invoices", invoices, "--until", "2026-03", "--check", "--json").json
    assert (missing["check"], missing["level"]) == ("missing_month", "warning")
    left = vetlla("budget", "execution", "--invoices", tmp_path / "absent", "--check")
    assert (left.status, left.out.partition(":")[0]) == (3, "BUDGET UNKNOWN")


def test_an_offer_shows_what_changes(vetlla: Vetlla) -> None:
    """A table has the rows that change, JSON has every cell."""
    words = ("budget", "offer", "--price", "rent.smoke=0.50")
    rows = [line.split() for line in vetlla(*words).out.splitlines()]
    assert rows[1] == ["2024", "rent.smoke", "370.62", "319.50", "-51.12", "-13.79", "%"]
    assert rows[-1] == ["total", "purchase_option", "4,189,435.60", "4,182,859.12", "-6,576.48", "-0.16", "%"]
    found = vetlla(*words, "--json").json
    assert found[0] == {
        "year": 2024,
        "concept": "essential",
        "ceiling": "4266263.79",
        "offered": "4266263.79",
        "difference": "0.00",
    }
    assert len(found) == 5 * 25 + 1


@pytest.mark.parametrize(
    ("price", "message"),
    [
        ("umo", "'umo' is no price"),
        ("umo=x", "umo: 'x' is no number"),
        ("umo=99.01", "umo: 99.01 is above the ceiling 99.00"),
    ],
)
def test_a_price_that_is_none_is_refused(vetlla: Vetlla, price: str, message: str) -> None:
    """With the status of a wrong call."""
    left = vetlla("budget", "offer", "--price", price)
    assert (left.status, left.error.splitlines()[0]) == (64, message)
    twice = vetlla("budget", "offer", "--price", "umo=1", "--price", "umo=2")
    assert twice.error.splitlines()[0] == "umo has two prices"


RECORD = {
    "homes": "code,district,base,level,alone,active,suspended\nH1,01,NORD,2,yes,2025-10-10/,\n",
    "people": "code,home,user_type,programmes,active,suspended\nP1,H1,A,home_safety:2025-10-01/,,\n",
    "devices": "type,serial,ownership,place,home,since,first_installed\n"
    "smoke,S1,leased,home,H1,2025-10-10,2025-10-10\n",
}


@pytest.fixture
def record(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Register one home, from October 2025 on."""
    for what, text in RECORD.items():
        (tmp_path / f"{what}.csv").write_text(text, encoding="utf-8")
        file = tmp_path / f"{what}.csv"
        assert vetlla("inventory", "import", "--what", what, file, "--day", "2025-10-31").status == 0
    return vetlla


def test_without_files_the_record_says_what_was_invoiced(record: Vetlla, tmp_path: Path) -> None:
    """As with the files of the same months; a month in which no home was in the service has no invoice."""
    words = ("budget", "execution", "--until", "2025-12", "--json")
    rows = record(*words).json
    assert [(row["year"], row["months"]) for row in rows if row["concept"] == "net"] == [
        (2025, ["2025-10", "2025-11", "2025-12"])
    ]
    assert rows[0]["missing"] == [f"2025-0{month}" for month in range(1, 10)]
    file = tmp_path / "2025.ndjson"
    made = [record("invoice", "make", "--month", f"2025-{month}", "--json").out for month in (10, 11, 12)]
    file.write_text("".join(made), encoding="utf-8")
    assert record(*words, "--invoices", file).json == rows
    essential = next(row for row in rows if row["concept"] == "essential")
    assert essential["executed"] == "16.60", "22, 30 and 31 days of 0.20 EUR"
    text = record("budget", "execution", "--until", "2025-12")
    assert "2025: 3 months invoiced; net up to" in text.talk


def test_as_known_before_anything_was_recorded_there_is_no_invoice(record: Vetlla, invoices: Path) -> None:
    left = record("budget", "execution", "--known", "2024-01-01")
    assert (left.status, left.error.splitlines()[0]) == (64, "the record has no month with an invoice")
    assert record("budget", "execution", "--known", "2024-01-01", "--check").status == 3
    both = record("budget", "execution", "--known", "2026-01-01", "--invoices", invoices)
    assert both.error.splitlines()[0] == "files are no record that was known at a time"

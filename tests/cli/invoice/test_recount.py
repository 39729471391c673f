"""The invoice equals an independent count, written from docs/invoice.md by someone who had not seen the code."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pytest

from tests.rigs.recount.exports import Ask, Exports, exported, in_force
from tests.rigs.recount.invented import Inventor
from tests.rigs.recount.lines import NOTHING, Asked, Line, count, days_of
from vetlla.settings.shipped import parameters_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Vetlla

    Compared = Callable[..., list[Line]]

MONTHS: Final = [f"2025-{number:02}" for number in range(1, 13)]
HOMES: Final = 150
CALLS_AND_EMERGENCIES: Final = ("follow_up", "revaluation", "umo_1", "umo_2")
LINES: Final = 20
VARIANTS: Final[list[dict[str, str]]] = [
    {"rent.pro_rata": "whole_month"},
    {"rent.pro_rata": "none"},
    {"rent.suspended": "no"},
    {"rent.home_left": "yes"},
    {"rent.warehouse": "yes"},
    {"rent.pilot_free": "3", "rent.pilot_lines": "smoke, gas, terminal_analog", "rent.pro_rata": "whole_month"},
    {"rent.geolocator_at": "smartwatch"},
    {"invoice.umo.counts": "arrived"},
    {"invoice.umo.each": "unit"},
    {"invoice.umo.counts": "arrived", "invoice.umo.each": "unit"},
    {"invoice.programme.integrated": "carers, early_detection", "agenda.excluded_programmes": "mimal, carers"},
]


def _asking(vetlla: Vetlla) -> Ask:
    """Return what runs a command and reads its objects."""
    return lambda *words: vetlla(*words).json


@pytest.fixture
def valued(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes the installed parameters with other values, in force since long before the contract."""

    def write(values: dict[str, str], more: str = "") -> Path:
        lines = (
            parameters_file().read_text(encoding="utf-8").replace("valid_from = 2024-04-01", "valid_from = 2020-01-01")
        )
        lines = lines.replace("value = 2024-04-01", "value = 2020-01-01")
        parts = lines.split("[[parameter]]")
        for name, value in values.items():
            for place, part in enumerate(parts):
                if f'name = "{name}"' in part:
                    number = value.replace("-", "").isdigit()
                    new = f"value = {value}" if number else f'value = "{value}"'
                    parts[place] = "\n".join(new if line.startswith("value") else line for line in part.split("\n"))
        file = tmp_path / "parameters.toml"
        file.write_text("[[parameter]]".join(parts) + more, encoding="utf-8")
        return file

    return write


@pytest.fixture
def compared(vetlla: Vetlla) -> Compared:
    """Return what compares an invoice with our count, and returns its lines."""
    ask = _asking(vetlla)

    def compare(
        exports: Exports, month: str, *words: object, asked: Asked = NOTHING, rest: tuple[object, ...] = ()
    ) -> list[Line]:
        rows = ask("invoice", "make", "--month", month, "--json", *words, *rest)
        made = [
            Line(row["concept"], *(Decimal(row[name]) for name in ("units", "price", "amount", "vat"))) for row in rows
        ]
        assert made == count(exports, in_force(ask, days_of(month)[-1], *words), month, asked), month
        return made

    return compare


def test_every_month_of_a_generated_year(vetlla: Vetlla, compared: Compared, tmp_path: Path) -> None:
    year = tmp_path / "year"
    assert vetlla("simulate", "year", "--homes", HOMES, "--year", 2025, "--seed", 3, "--out", year).status == 0
    _lease_some(year / "devices.csv")
    for what in ("homes", "people", "devices"):
        words = ("--what", what, "--day", "2024-04-01")
        assert vetlla("inventory", "import", year / f"{what}.csv", *words).status == 0
    for kind in CALLS_AND_EMERGENCIES:
        assert vetlla("duties", "import", year / "events" / f"{kind}.csv").status == 0
    exports = exported(_asking(vetlla))
    for month in MONTHS:
        lines = compared(exports, month)
        assert len(lines) == LINES
        units = {line.concept: line.units for line in lines}
        assert units["essential"] > 110 * len(days_of(month))
        assert min(units["agendas"], units["umo"], units["home_safety"], units["rent.terminal_analog"]) > 0


def _lease_some(file: Path) -> None:
    """Make every third device a leased one, because the year begins with the devices of the city."""
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    for row in rows[::3]:
        row["ownership"] = "leased"
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("first", [date(2024, 1, 25), date(2025, 2, 24)])
def test_a_record_at_random_with_every_value_of_the_parameters(
    vetlla: Vetlla, compared: Compared, valued: Callable[..., Path], tmp_path: Path, first: date
) -> None:
    ask = _asking(vetlla)
    inventor = Inventor(vetlla, tmp_path, 1, first)
    inventor.begin()
    assert inventor.done["inventory replace"] > 20
    exports, known = exported(ask), datetime.now(UTC).isoformat()
    months = [f"{first.year}-{first.month + number:02}" for number in (1, 2)]
    usual = [line for month in months for line in compared(exports, month, "--parameters", valued({}))]
    seen = {line.concept for line in usual if line.units}
    for values in VARIANTS:
        lines = [line for month in months for line in compared(exports, month, "--parameters", valued(values))]
        assert lines != usual, f"{values} decides nothing in this record"
        seen |= {line.concept for line in lines if line.units}
    assert seen == {line.concept for line in usual}
    assert any(line.units for line in usual if line.concept == "rent.choice"), "no device above the 250 that are free"
    inventor.correct()
    later = exported(ask)
    words = ("--parameters", valued({}))
    changed = [line for month in months for line in compared(later, month, *words)]
    assert [line for month in months for line in compared(exports, month, *words, rest=("--known", known))] == usual
    assert changed != usual


def test_12_a_contract_that_starts_or_ends_within_a_month_counts_its_days(
    vetlla: Vetlla, compared: Compared, valued: Callable[..., Path], tmp_path: Path
) -> None:
    ask = _asking(vetlla)
    Inventor(vetlla, tmp_path, 5, date(2025, 2, 24)).begin()
    exports = exported(ask)
    for pro_rata in ("days", "whole_month", "none"):
        for days in ({"contract.start": "2025-03-12"}, {"contract.end": "2025-03-20"}):
            compared(exports, "2025-03", "--parameters", valued({"rent.pro_rata": pro_rata, **days}))


def test_reductions_by_amount_by_bands_and_by_deductions(
    vetlla: Vetlla, compared: Compared, valued: Callable[..., Path], tmp_path: Path
) -> None:
    ask = _asking(vetlla)
    Inventor(vetlla, tmp_path, 3, date(2025, 2, 24)).begin()
    exports, month = exported(ask), "2025-03"
    asked = Asked((), Decimal("123.45"), (Decimal("10.01"), Decimal("0.99")))
    rest = (
        "--reduction",
        "123.45",
        "--reason",
        "agreed",
        "--deduction",
        "10.01:control",
        "--deduction",
        "0.99:another",
    )
    for vat in ("services", "rent", "both"):
        compared(exports, month, "--parameters", valued({"invoice.reduction_vat": vat}), asked=asked, rest=rest)
    bands = "".join(
        f'\n[[parameter]]\nname = "invoice.ans_reduction.{ans}"\nvalue = {ans}.5\nunit = "%"\nvalid_from = 2020-01-01\n'
        f'basis = "assumed"\nref = "invented"\n'
        for ans in (3, 11, 12)
    )
    for vat in ("services", "rent", "both"):
        file = valued({"invoice.ans_reduction": "bands", "invoice.reduction_vat": vat}, bands)
        report = ask("sla", "report", "--month", month, "--json", "--parameters", file)
        not_kept = [row["ans"] for row in report if row["verdict"] == "not_kept"]
        assert {3, 11, 12} & set(not_kept)
        lines = compared(exports, month, "--parameters", file, asked=Asked(not_kept))
        assert sum(line.amount for line in lines if line.concept == "ans_reduction") < 0

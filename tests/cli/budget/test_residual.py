"""``vetlla budget residual`` on a registry that commands made."""

from __future__ import annotations

import csv
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import openpyxl
import pytest

from vetlla.domain.money import cents
from vetlla.settings.shipped import parameters_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = """\
code,district,base,level,alone,active,suspended
H1,01,NORD,2,yes,2018-01-01/,
H2,02,NORD,3,no,2018-01-01/,
H3,02,SUD,1,no,2018-01-01/2025-06-30,
"""
DEVICES = """\
type,serial,ownership,place,home,since,first_installed,cost_from
terminal_ip,T1,leased,home,H1,2024-07-01,2024-07-01,2024-07-01
terminal_pstn,T2,municipal,home,H2,2020-01-01,2020-01-01,
terminal_ip,T3,offered,home,H3,2024-05-01,2024-05-01,
smoke,S1,leased,home,H1,2025-01-16,2025-01-16,
smoke,S2,leased,warehouse,,2025-01-16,,
smoke,S3,leased,home,H3,2025-01-16,2025-01-16,
gas,G1,leased,home,H2,2026-01-01,2024-04-01,2024-04-01
gas,G9,leased,home,H2,2020-01-01,2020-01-01,2020-01-01
smartwatch,W1,leased,home,H1,2026-01-01,2026-01-01,
ucr,U1,leased,home,H1,2026-01-01,2026-01-01,
"""
ON = ("--on", "2027-03-31")
EXPECTED = {
    "terminal_ip:T1": ("33", "190.20", "104.61", "85.59", None),
    "smoke:S2": ("26.51612903", "34.80", "15.38", "19.42", None),
    "smoke:S3": ("5.51612903", "34.80", "3.20", "0.00", "home_left"),
    "gas:G1": ("36", "55.20", "33.12", "22.08", None),
    "gas:G9": ("87", "55.20", "80.04", "0.00", "past_life"),
    "smartwatch:W1": ("0", "100.20", "0.00", "0.00", "pilot"),
}
"""Months, price, rent paid, residual value, reason. S2 took the place of S1 in February 2026."""


@pytest.fixture
def park(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Make a registry with a device of each kind of right."""
    for what, text in (("homes", HOMES), ("devices", DEVICES)):
        file = tmp_path / f"{what}.csv"
        file.write_text(text, encoding="utf-8")
        assert vetlla("inventory", "import", file, "--what", what, "--day", "2026-01-10").status == 0
    assert vetlla("inventory", "replace", "smoke:S1", "smoke:S2", "--day", "2026-02-01").status == 0
    return vetlla


def test_every_device_and_the_totals_as_objects(park: Vetlla) -> None:
    """Municipal and offered devices are counted only; a UCR is in the price of its terminal."""
    found = park("budget", "residual", *ON, "--json").json
    devices = {one["device"]: one for one in found if one["device"] != "total"}
    fields = ("months", "price", "paid", "residual", "reason")
    assert {name: tuple(one[key] for key in fields) for name, one in devices.items()} == EXPECTED
    assert list(devices["gas:G1"]) == [
        "on", "device", "line", "home", "cost_from", "months", "price", "paid", "residual", "reason", "assumed",
    ]  # fmt: skip
    assert devices["smoke:S2"]["cost_from"] == "2025-01-16"
    assert devices["smoke:S2"]["assumed"] == [
        "life.from.default", "life.smoke", "price.rent.smoke", "rent.home_left", "rent.pro_rata", "rent.suspended",
            "rent.warehouse",
    ]  # fmt: skip
    assert found[-1] == {
        "on": "2027-03-31",
        "device": "total",
        "line": "total",
        "devices": 3,
        "price": "280.20",
        "paid": "153.11",
        "residual": "127.09",
        "left_out": {"municipal": 1, "offered": 1, "pilot": 1, "past_life": 1, "home_left": 1},
    }


def test_files_have_the_same_devices(park: Vetlla, tmp_path: Path) -> None:
    """CSV and XLSX, and the workbook has the totals, too."""
    book, table = tmp_path / "p.xlsx", tmp_path / "p.csv"
    left = park("budget", "residual", *ON, "--csv", table, "--xlsx", book)
    assert "127.09" in left.out
    with table.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    found = {row["device"]: tuple(row[key] for key in ("months", "price", "paid", "residual")) for row in rows}
    assert found == {name: values[:4] for name, values in EXPECTED.items()}
    sheets = openpyxl.load_workbook(book)
    devices = list(sheets["devices"].iter_rows(min_row=2, values_only=True))
    assert [row[1] for row in devices] == [row["device"] for row in rows]
    (*_, last) = sheets["totals"].iter_rows(min_row=2, values_only=True)
    assert last[1:6] == ("total", 3, 280.2, 153.11, 127.09)
    assert last[6] == "municipal 1, offered 1, pilot 1, past_life 1, home_left 1"


def test_without_a_day_it_is_the_three_dates(park: Vetlla) -> None:
    """A device whose life has ended by a later date is not bought then, and prices fall by a fifth a year."""
    totals = [one for one in park("budget", "residual", "--json").json if one["line"] == "total"]
    found = [(one["on"], one["residual"]) for one in totals]
    assert found == [("2027-03-31", "127.09"), ("2028-03-31", "71.05"), ("2029-03-31", "15.01")]


def test_a_life_that_ends_on_the_day_has_ended(park: Vetlla) -> None:
    """G9 is past the end of its five years on 1 January 2025, and not on the day before."""
    for day, reason in (("2024-12-31", None), ("2025-01-01", "past_life")):
        found = park("budget", "residual", "--on", day, "--json").json
        (gas,) = (one for one in found if one["device"] == "gas:G9")
        assert gas["reason"] == reason


def test_what_was_bought_has_no_price_any_more(park: Vetlla) -> None:
    """After the transfer the device is municipal."""
    assert park("inventory", "transfer", "terminal_ip:T1", "municipal", "--day", "2026-11-01").status == 0
    totals = {one["line"]: one for one in park("budget", "residual", *ON, "--json").json if one["device"] == "total"}
    assert totals["terminal_digital"]["left_out"] == {"municipal": 1, "offered": 1}
    assert totals["terminal_digital"]["devices"] == 0


def test_a_wrong_parameter_and_two_answers_are_refused(
    park: Vetlla, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the parameter; standard output takes one answer."""
    both = park("budget", "residual", "--json", "--csv", "-")
    assert (both.status, both.error.splitlines()[0]) == (64, "standard output takes one answer")
    assert park("budget", "residual", *ON, "--csv", "-").out.startswith('"on","device","line"')
    file = tmp_path / "parameters.toml"
    file.write_text(parameters_file().read_text(encoding="utf-8").replace('value = "days"', 'value = "weeks"'))
    monkeypatch.setenv("VETLLA_PARAMETERS", str(file))
    wrong = park("budget", "residual", *ON)
    assert wrong.status == 78
    assert wrong.error.splitlines()[0] == "parameter rent.pro_rata is 'weeks'"


def test_as_known_before_a_movement_was_recorded(park: Vetlla) -> None:
    """Before its first record the registry knew no device."""
    (only,) = park("budget", "residual", *ON, "--known", "2020-01-01", "--json").json
    assert (only["line"], only["devices"]) == ("total", 0)


RENTED = {
    "homes": """\
code,district,base,level,alone,active,suspended
H1,01,NORD,2,yes,2020-01-01/,2025-10-10/2025-11-12
H2,01,NORD,2,no,2020-01-01/2025-11-20,
""",
    "people": """\
code,home,user_type,programmes,active,suspended
P1,H1,A,,,
P2,H2,A,,,
""",
    "devices": """\
type,serial,ownership,place,home,since,first_installed
smoke,S1,leased,home,H1,2025-09-11,2025-09-11
gas,G1,leased,home,H2,2025-10-06,2025-10-06
geolocator,L1,leased,home,H1,2025-09-01,2025-09-01
""",
}
AT_SMARTWATCH = """
[[parameter]]
name = "rent.geolocator_at"
value = "smartwatch"
unit = "line of rent"
valid_from = 2025-11-15
basis = "contract"
ref = "a test"
"""


@pytest.mark.parametrize("suspended", ["yes", "no"])
def test_the_rent_that_is_deducted_is_the_one_that_was_invoiced(vetlla: Vetlla, tmp_path: Path, suspended: str) -> None:
    """Four months have a suspension, a home that left, and geolocators at another price from November on."""
    for what, text in RENTED.items():
        (tmp_path / f"{what}.csv").write_text(text, encoding="utf-8")
        assert (
            vetlla("inventory", "import", tmp_path / f"{what}.csv", "--what", what, "--day", "2025-12-31").status == 0
        )
    shipped = parameters_file().read_text(encoding="utf-8")
    before, name, after = shipped.partition('name = "rent.suspended"\nvalue = ')
    assert after.startswith('"yes"')
    file = tmp_path / "parameters.toml"
    file.write_text(f'{before}{name}"{suspended}"{after[5:]}{AT_SMARTWATCH}', encoding="utf-8")
    invoiced: defaultdict[str, Decimal] = defaultdict(Decimal)
    for month in ("2025-09", "2025-10", "2025-11", "2025-12"):
        for line in vetlla("invoice", "make", "--month", month, "--parameters", file, "--json").json:
            invoiced[line["concept"]] += Decimal(line["units"]) * Decimal(line["price"])
    found = vetlla("budget", "residual", "--on", "2025-12-31", "--parameters", file, "--json").json
    paid = {one["line"]: Decimal(one["paid"]) for one in found if one["device"] != "total"}
    assert paid == {line: cents(invoiced[f"rent.{line}"]) for line in ("smoke", "gas", "geolocator")}
    (watch,) = (one for one in found if one["device"] == "geolocator:L1")
    assert (watch["price"], "rent.suspended" in watch["assumed"]) == ("100.20", True)

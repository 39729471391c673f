"""``vetlla inventory report`` and ``digital`` give the month's figures in every format."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.cli.conftest import ON, imported

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def test_the_reports_formats_have_the_same_totals_and_they_add_up(vetlla: Vetlla, park: Path, tmp_path: Path) -> None:
    """XLSX, CSV and JSON show the same devices and totals, and the totals are those of the devices."""
    imported(vetlla, park)
    files = [tmp_path / f"r.{ending}" for ending in ("json", "csv", "xlsx")]
    outs = [part for file in files for part in ("--out", file)]
    assert vetlla("inventory", "report", "--month", "2024-04", *outs).status == 0
    document = json.loads(files[0].read_text(encoding="utf-8"))
    totals = [[*map(str, row.values())] for row in document["totals"]]
    book = openpyxl.load_workbook(files[2])
    sheet = [["" if cell is None else str(cell) for cell in row] for row in book["totals"].iter_rows(values_only=True)]
    with (tmp_path / "r.totals.csv").open(encoding="utf-8") as lines:
        text = [row for row in csv.reader(lines) if row[0] != "at no cost"]
    assert sheet[1:] == text[1:] == totals
    rows = [*book["inventory"].iter_rows(min_row=2, values_only=True)]
    assert len(rows) == len(document["devices"])
    assert [row[3] for row in rows] == [device["serial"] for device in document["devices"]]
    everything = next(row for row in document["totals"] if (row["type"], row["ownership"]) == ("all", "all"))
    assert everything["total"] == everything["in_homes"] + everything["in_warehouse"] == len(rows)
    for row in document["totals"]:
        fitting = [
            device
            for device in document["devices"]
            if row["type"] in ("all", device["type"]) and row["ownership"] in ("all", device["ownership"])
        ]
        assert row["in_homes"] == sum(device["place"] == "home" for device in fitting)
        assert row["total"] == len(fitting)


def test_the_report_opens_in_libreoffice(vetlla: Vetlla, park: Path, tmp_path: Path) -> None:
    """LibreOffice reads the workbook headless, and its rows are the report's."""
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("needs Debian package libreoffice-calc-nogui")
    imported(vetlla, park)
    file = tmp_path / "r.xlsx"
    assert vetlla("inventory", "report", "--month", "2024-04", "--out", file, "--out", tmp_path / "r.csv").status == 0
    out = tmp_path / "converted"
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    subprocess.run(
        [office, profile, "--headless", "--convert-to", "csv", "--outdir", out, file],
        check=True,
        capture_output=True,
        timeout=120,
    )
    with (out / "r.csv").open(encoding="utf-8") as ours, (tmp_path / "r.csv").open(encoding="utf-8") as theirs:
        assert [row[3] for row in csv.reader(ours)] == [row[3] for row in csv.reader(theirs)]


def test_the_workbook_is_well_formed(vetlla: Vetlla, stocked: Vetlla, tmp_path: Path) -> None:
    """Text that looks like XML stays text, and dates are dates."""
    assert stocked("inventory", "add", "gas", "<&>", "--model", 'a"b', "--day", "2024-04-02").status == 0
    file = tmp_path / "all.xlsx"
    assert stocked("inventory", "report", "--month", "2024-04", "--out", file).status == 0
    assert zipfile.ZipFile(file).testzip() is None
    sheet = openpyxl.load_workbook(file)["inventory"]
    assert sheet.column_dimensions["A"].width > len("31/12/2024")  # a narrower column would show a date as ####
    assert sheet.column_dimensions["A"].max == sheet.max_column
    rows = [*sheet.iter_rows(values_only=True)]
    gas = next(row for row in rows if row[0] == "gas")
    assert gas[3:5] == ("<&>", 'a"b')
    terminal = next(row for row in rows if row[0] == "terminal_gsm")
    assert terminal[7] == datetime(2018, 5, 2)  # noqa: DTZ001 - a spreadsheet's dates have no zone


def test_digital_shows_the_share_and_the_next_homes(stocked: Vetlla) -> None:
    """It counts all of level 3, and half of level 2 with people who live alone first, against the target."""
    assert stocked("homes", "set", "H1", "--active", "2018-01-01/").status == 0
    (share,) = stocked("inventory", "digital", *ON, "--json").json
    assert (share["terminals"], share["digital"], share["share"], share["missing"]) == (1, 0, "0.0", 1)


def test_digital_exits_with_1_when_a_date_has_passed(stocked: Vetlla) -> None:
    """Before the contract ends the target may still be missed; after it, a missing part is a standard not kept."""
    assert stocked("homes", "set", "H1", "--active", "2018-01-01/").status == 0
    assert stocked("inventory", "digital", *ON).status == 0
    done = stocked("inventory", "digital", "--day", "2027-03-31", "--json")
    assert (done.status, done.json[0]["kept"], done.json[0]["reached_by"]) == (1, False, "2027-03-31")


def test_a_month_that_has_not_begun_is_not_reported(stocked: Vetlla) -> None:
    """Today's figures under a future month's name would be a false document."""
    done = stocked("inventory", "report", "--month", "2099-01")
    assert done.status == os.EX_USAGE
    assert "has not begun" in done.error


def test_the_report_shows_which_device_another_replaced(stocked: Vetlla, tmp_path: Path) -> None:
    """Tender, section 5: from its day on, the inventory shows the device whose cost date a replacement inherits."""
    stocked("inventory", "add", "ucr", "U2", "--day", "2024-04-02")
    assert stocked("inventory", "replace", "U1", "U2", "--day", "2024-05-02").status == 0
    links = []
    for month in ("2024-04", "2024-05"):
        file = tmp_path / f"{month}.json"
        assert stocked("inventory", "report", "--month", month, "--out", file).status == 0
        devices = {one["serial"]: one for one in json.loads(file.read_text(encoding="utf-8"))["devices"]}
        links.append((devices["U2"]["replaces"], devices["U2"]["cost_from"]))
    assert links == [("", None), ("ucr:U1", "2018-05-02")]

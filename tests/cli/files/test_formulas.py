"""In exported CSV no text of a home becomes a formula, whatever separator a spreadsheet assumes."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.journals import journal, report
from vetlla.tables import delimited
from vetlla.tables.formulas import guarded, guarded_row, unguarded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    '"=1"',
    "'=1",
    "a;=1",
    "a;b;=cmd|' /C calc'!A0;c",
    "a,=1",
    "a\t=1",
    "a\r=1",
    "a\n=1",
    'a";=1',
    'a;"=1',
    "a; =1",
    "\uff1d1",
    "a;\uff0b1",
)
TEXTS = st.text(st.sampled_from("=+-@;,|\t\r\n\"' a1\uff1d"), max_size=12)
FORMULA = re.compile(r"""[\s"]*[=+@\uff1d\uff0b\uff20-]""")


def cells(file: str, separator: str) -> list[str]:
    """Return the cells that a spreadsheet with this separator finds. The spreadsheet ends a row at any line end."""
    return [
        cell for line in re.split(r"[\r\n]", file) for row in csv.reader([line], delimiter=separator) for cell in row
    ]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_no_text_begins_a_formula(text: str, separator: str) -> None:
    """This holds for the beginning, the middle and the end of a row."""
    out = io.StringIO(newline="")
    delimited.write(out, ["a", "b", "c"], [["x", text, "y"], [text, "x", text]])
    assert not [cell for cell in cells(out.getvalue(), separator) if FORMULA.match(cell)]


@given(TEXTS)
def test_guarded_text_is_read_back_unchanged(text: str) -> None:
    """Any text comes back, and one search of a row finds what needs a guard."""
    assert unguarded(guarded(text)) == text
    assert guarded_row(["x", 1, text, None]) == ["x", 1, guarded(text), None]


@given(st.lists(TEXTS.filter(lambda text: "\0" not in text), min_size=2, max_size=4))
def test_a_row_comes_back_as_it_was(row: list[str]) -> None:
    """A row is written and read again."""
    out = io.StringIO(newline="")
    delimited.write(out, ["a"] + ["b"] * (len(row) - 1), [["first", *row[1:]]])
    out.seek(0)
    table = delimited.table(out, lambda: 0.0)
    assert [cells for _, cells in table.rows] == [["first", *row[1:]]]


EXPORTS = [
    "signals export --csv",
    "supervision report --month 2026-10 --csv",
    "inventory export - --what homes",
    "inventory export - --what devices --format csv",
    "renewals export - --format csv",
]


@pytest.mark.parametrize("words", EXPORTS)
def test_every_export_puts_every_cell_into_quotes(stocked: Vetlla, state_dir: Path, words: str) -> None:
    """There is one writer; a new export with another writer must be named here."""
    with journal(state_dir) as scribe:
        scribe.commit(report(1, text="=1"))
    for line in stocked(*words.split()).out.splitlines():
        assert re.fullmatch(r'"(?:[^"]|"")*"(?:,"(?:[^"]|"")*")*', line), line


def test_an_export_is_imported_unchanged(vetlla: Vetlla, tmp_path: Path) -> None:
    """Homes, devices and accounts have texts that look like formulas."""
    homes = tmp_path / "homes.json"
    homes.write_text(
        """[{"code": "=H;-1", "district": "'01", "base": "L'Hospitalet;=A1", "level": 2, "alone": true,
        "language": "'=ca, -x", "phones": "+34900000001;+34900000002", "active": "2018-01-01/"}]""",
        encoding="utf-8",
    )
    devices = tmp_path / "devices.json"
    devices.write_text(
        """[{"type": "terminal_ip", "serial": "@S|+1", "model": "-=D'400; '=x", "ownership": "leased", "place": "home",
        "home": "=H;-1", "account": "+34900000003", "first_installed": "2024-01-10", "since": "2024-01-10"}]""",
        encoding="utf-8",
    )
    for what, file in (("homes", homes), ("devices", devices)):
        assert vetlla("inventory", "import", file, "--what", what, "--day", "2024-04-01").status == 0
        out = tmp_path / f"out-{what}.csv"
        assert vetlla("inventory", "export", out, "--what", what).status == 0
        done = vetlla("inventory", "import", out, "--what", what, "--day", "2024-04-01")
        assert "0 new, 0 changed, 1 unchanged" in done.out, (done, out.read_text(encoding="utf-8"))
    accounts = tmp_path / "accounts.csv"
    assert vetlla("inventory", "export", accounts, "--what", "accounts").status == 0
    assert vetlla("accounts", "import", accounts).status == 0
    (account,) = vetlla("accounts", "list", "--json").json
    assert (account["account"], account["home"]) == ("+34900000003", "=H;-1")


def test_no_other_writer_of_csv_is_used() -> None:
    """Only the writer's own file uses the csv module to write."""
    from tests.test_layout import ROOT  # noqa: PLC0415

    using: list[Any] = [
        file.name
        for file in (ROOT / "vetlla").rglob("*.py")
        if re.search(r"csv\.(?:writer|DictWriter)", file.read_text(encoding="utf-8"))
    ]
    assert using == ["delimited.py"]

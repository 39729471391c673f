"""`vetlla inventory import` reads faulty files row by row."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import openpyxl
import pytest

from vetlla.cli.kit.registry import NOTE_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

GOOD = {"code": "H1", "district": "01", "base": "NORD", "level": 1, "alone": True}
BAD = {**GOOD, "code": "H2", "level": 7}


def test_each_bad_line_of_ndjson_is_named(vetlla: Vetlla, tmp_path: Path) -> None:
    """A line that is not JSON or not an object is a bad row like any other; --partial leaves it out."""
    file = tmp_path / "homes.ndjson"
    file.write_text(f'{json.dumps(GOOD)}\n{{"code": oh}}\n\n5\n{json.dumps(BAD)}\n', encoding="utf-8")
    done = vetlla("inventory", "import", file, "--what", "homes")
    assert done.status == os.EX_USAGE
    assert done.talk.splitlines()[:3] == [
        "row 2: '{\"code\": oh}' is no JSON: Expecting value at character 10",
        "row 4: '5' is no object",
        "row 5: column level: '7' a support level is 1, 2 or 3",
    ]
    assert vetlla("inventory", "import", file, "--what", "homes", "--partial").status == os.EX_DATAERR
    assert vetlla("inventory", "show", "H1").status == 0


def test_an_element_that_is_no_object_is_named(vetlla: Vetlla, tmp_path: Path) -> None:
    """The same holds in a JSON list."""
    file = tmp_path / "homes.json"
    file.write_text(json.dumps([GOOD, None]), encoding="utf-8")
    done = vetlla("inventory", "import", file, "--what", "homes", "--json")
    assert [(fault["row"], fault["reason"]) for fault in done.json] == [(2, "is no object")]


def test_rows_of_empty_cells_are_no_rows(vetlla: Vetlla, tmp_path: Path) -> None:
    """Spreadsheets save the empty rows under a table as commas; the rows after them keep their number."""
    file = tmp_path / "homes.csv"
    file.write_text(
        "code,district,base,level,alone\nH1,01,NORD,1,yes\n,,,,\nH2,01,NORD,9,yes\n,,,,\n", encoding="utf-8"
    )
    (fault,) = vetlla("inventory", "import", file, "--what", "homes", "--json").json
    assert (fault["row"], fault["column"], fault["value"]) == (4, "level", "9")


def test_a_file_in_another_encoding_names_the_line(vetlla: Vetlla, tmp_path: Path) -> None:
    """What Windows saves as "CSV" is refused, and the error names the first bad line."""
    file = tmp_path / "homes.csv"
    file.write_bytes("code,district,base,level,alone\nH1,01,NORD,1,yes\nH2,Gràcia,NORD,1,yes\n".encode("latin-1"))
    done = vetlla("inventory", "import", file, "--what", "homes")
    assert done.status == os.EX_USAGE
    assert "line 3 is not UTF-8 text" in done.error


def test_a_fault_names_the_column_as_the_file_does(vetlla: Vetlla, tmp_path: Path) -> None:
    """A person who looks for the fault has the office's file before them, in any format."""
    book = openpyxl.Workbook()
    book.active.append(["Codi", "Districte", "Base", "Nivell", "Sol"])  # type: ignore[union-attr]
    book.active.append(["H1", "01", "NORD", 9, "S"])  # type: ignore[union-attr]
    file = tmp_path / "llars.xlsx"
    book.save(file)
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        '[columns]\ncode = "Codi"\ndistrict = "Districte"\nbase = "Base"\nlevel = "Nivell"\nalone = "Sol"\n'
        '[values.alone]\n"S" = "yes"\n',
        encoding="utf-8",
    )
    done = vetlla("inventory", "import", file, "--what", "homes", "--mapping", mapping)
    assert "row 2: column Nivell (level): '9' a support level is 1, 2 or 3" in done.talk
    (fault,) = vetlla("inventory", "import", file, "--what", "homes", "--mapping", mapping, "--json").json
    assert (fault["column"], fault["heading"]) == ("level", "Nivell")


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ('[constants]\nlevel = "77"\n', "constant level = '77': a support level is 1, 2 or 3"),
        ('[values.levle]\n"x" = "1"\n', "values of an unknown column: levle"),
        ('[columns]\ncode = "code"\nbase = "code"\n', "heading for two columns: code"),
        ('ignore = "Notes"\n', "ignore is a list of headings"),
        ("[columns]\ncode = 5\n", "names and words are texts"),
    ],
)
def test_a_wrong_mapping_file_is_reported(vetlla: Vetlla, tmp_path: Path, mapping: str, said: str) -> None:
    """A mistake in it gives a message and a remedy, never a traceback or a word that is silently ignored."""
    file = tmp_path / "homes.csv"
    file.write_text("code,district,base,alone\nH1,01,NORD,yes\n", encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(mapping, encoding="utf-8")
    done = vetlla("inventory", "import", file, "--what", "homes", "--mapping", tmp_path / "mapping.toml")
    assert done.status == os.EX_CONFIG
    assert said in done.error


def test_a_movement_has_the_date_that_the_file_gives(vetlla: Vetlla, tmp_path: Path) -> None:
    """Its own `since` counts if it is later than the last known movement; otherwise the import's day counts."""
    (tmp_path / "homes.csv").write_text(
        "code,district,base,level,alone\nH1,01,NORD,1,yes\nH2,01,NORD,1,yes\n", encoding="utf-8"
    )
    head = "type,serial,ownership,place,home,since,first_installed\n"
    (tmp_path / "before.csv").write_text(
        f"{head}smoke,A,leased,home,H1,2024-01-10,2024-01-10\nsmoke,B,leased,home,H1,2024-01-10,2024-01-10\n",
        encoding="utf-8",
    )
    (tmp_path / "after.csv").write_text(
        f"{head}smoke,A,leased,home,H2,2024-03-05,2024-01-10\nsmoke,B,leased,home,H2,2024-01-10,2024-01-10\n",
        encoding="utf-8",
    )
    assert vetlla("inventory", "import", tmp_path / "homes.csv", "--what", "homes").status == 0
    assert vetlla("inventory", "import", tmp_path / "before.csv", "--day", "2024-02-01").status == 0
    assert vetlla("inventory", "import", tmp_path / "after.csv", "--day", "2024-04-01").status == 0
    days = [vetlla("inventory", "history", serial, "--json").json[-1]["day"] for serial in ("A", "B")]
    assert days == ["2024-03-05", "2024-04-01"]


def test_impossible_records_are_refused(vetlla: Vetlla) -> None:
    """A device needs a serial and cannot come from the future, and its battery cannot be changed before it came."""
    assert vetlla("inventory", "add", "smoke", "").status == os.EX_USAGE
    assert "before that week" in vetlla("inventory", "add", "smoke", "S", "--made", "2099-W01").error
    assert vetlla("inventory", "add", "smoke", "S", "--day", "2024-04-01").status == 0
    done = vetlla("inventory", "battery", "S", "--day", "1999-01-01")
    assert done.status == os.EX_USAGE
    assert "it came on 2024-04-01" in done.error
    assert [line["kind"] for line in vetlla("inventory", "history", "S", "--json").json] == ["received"]


def test_homes_without_periods_are_reported(vetlla: Vetlla, tmp_path: Path) -> None:
    """A file without periods is imported, and a message says that its homes count as not attended."""
    file = tmp_path / "homes.csv"
    file.write_text("code,district,base,level,alone\nH1,01,NORD,1,yes\n", encoding="utf-8")
    assert "1 home without an active period" in vetlla("inventory", "import", file, "--what", "homes").talk
    file.write_text("code,district,base,level,alone,active\nH1,01,NORD,1,yes,2020-01-01/\n", encoding="utf-8")
    assert vetlla("inventory", "import", file, "--what", "homes").talk == ""


def test_a_large_file_that_changes_nothing_leaves_the_registry_alone(
    vetlla: Vetlla, tmp_path: Path, state_dir: Path
) -> None:
    """Importing again writes nothing at all, so the receiver has nothing to read again."""
    file = tmp_path / "devices.csv"
    rows = "".join(f"smoke,{number:060},leased,warehouse\n" for number in range(15_000))
    file.write_text(f"type,serial,ownership,place\n{rows}", encoding="utf-8")
    assert vetlla("inventory", "import", file, "--day", "2024-04-01").status == 0
    before = (state_dir / "registry.db").stat().st_ino
    (done,) = vetlla("inventory", "import", file, "--day", "2024-04-01", "--json").json
    assert done["unchanged"] == 15_000
    assert (state_dir / "registry.db").stat().st_ino == before


def test_a_table_shows_what_a_person_reads_and_json_all(vetlla: Vetlla, tmp_path: Path) -> None:
    """A park's list on a terminal ends after some hundred rows and says how many rows are left."""
    file = tmp_path / "devices.csv"
    rows = "".join(f"smoke,S{number},leased,warehouse\n" for number in range(700))
    file.write_text(f"type,serial,ownership,place\n{rows}", encoding="utf-8")
    vetlla("inventory", "import", file, "--day", "2024-04-01")
    done = vetlla("inventory", "list")
    assert done.out.count("smoke") == 500
    assert "200 more" in done.talk
    assert vetlla("inventory", "at", "2024-04-01", "--limit", "600").out.count("smoke") == 600
    assert len(vetlla("inventory", "list", "--json").json) == 700
    assert len(vetlla("inventory", "list", "--json", "--limit", "3").json) == 3


@pytest.mark.parametrize("ending", ["csv", "json", "ndjson"])
def test_a_byte_order_mark_is_skipped(vetlla: Vetlla, tmp_path: Path, ending: str) -> None:
    """Windows writes a mark before what it saves as UTF-8."""
    text = {
        "csv": "code,district,base,level,alone\nH1,01,NORD,1,yes\n",
        "json": json.dumps([GOOD]),
        "ndjson": json.dumps(GOOD),
    }[ending]
    file = tmp_path / f"homes.{ending}"
    file.write_text(text, encoding="utf-8-sig")
    assert vetlla("inventory", "import", file, "--what", "homes").status == 0


def test_a_date_of_another_century_is_refused(vetlla: Vetlla, tmp_path: Path) -> None:
    """01/04/0218 is not in the future, and would count as a useful life that ended long ago."""
    file = tmp_path / "devices.csv"
    file.write_text("type,serial,ownership,place,last_battery\nsmoke,A,leased,warehouse,01/04/0218\n", encoding="utf-8")
    (fault,) = vetlla("inventory", "import", file, "--json").json
    assert (fault["column"], fault["reason"]) == ("last_battery", "lies before 1990")


def test_a_note_has_a_bound(stocked: Vetlla) -> None:
    """A note is shown with every movement of the device, so it must be short."""
    repair = ("inventory", "repair", "S1", "--day", "2024-07-03", "--reason")
    assert stocked(*repair, "x" * NOTE_MAX).status == 0
    done = stocked(*repair, "x" * (NOTE_MAX + 1))
    assert done.status == 2
    assert f"holds at most {NOTE_MAX} characters" in " ".join(done.talk.replace("│", "").split())

"""CSV and JSON as programs and offices write them: the import takes them, or refuses them with the reason.

The ids are those of public reports and of the collection of field cases (X: files; XA: cases on which people may
disagree, decided in docs/inventory.md).
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.files.conftest import DEVICE, HEADING, IMEI, device, faults, taken

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.cli.files.conftest import Taker

HEAD = ";".join(HEADING)
ROW = ";".join(device(imei=IMEI))
PLAIN = f"{HEAD}\r\n{ROW}\r\n"
ONE_CELL_MORE = f"{HEAD}\r\n{ROW};note\r\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(PLAIN, id="XP-1"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN.encode(), id="XP-2: UTF-8 with BOM"),
        pytest.param(f"{PLAIN};;;;;;;;;\r\n;;;;;;;;;\r\n\r\n\r\n", id="XP-3"),
        pytest.param(PLAIN.replace("\r\n", "\r"), id="XP-7: CR only"),
        pytest.param(PLAIN.replace("\r\n", "\n"), id="LF only"),
        pytest.param(PLAIN.rstrip(), id="XP-8: no line end"),
        pytest.param(PLAIN.replace(";", "\t"), id="tabulators"),
        pytest.param(PLAIN.replace(";", ","), id="commas"),
        pytest.param(f"{HEAD};;;\r\n{ROW};;;\r\n", id="blank cells behind heading and row"),
        pytest.param(f"{HEAD}\r\n{ROW};;;\r\n", id="X4-2"),
        pytest.param(f"{HEAD}\r\n{ROW}; ;\u00a0;\r\n", id="X4-2 with blanks"),
        pytest.param(f"{HEAD}\r\n{ROW}\r\n ; ;;;;;;;;\r\n", id="X4-3"),
        pytest.param(f"{HEAD}\r\n{ROW}\r\n\t\r\n \u00a0 \r\n", id="lines of blanks"),
        pytest.param(f"\r\n;;;\r\n{PLAIN}", id="blank rows above the heading"),
        pytest.param(PLAIN.encode("utf-16"), id="XA-5: UTF-16 with BOM"),
        pytest.param(b"\xfe\xff" + PLAIN.encode("utf-16-be"), id="UTF-16, the other byte order"),
        pytest.param(b"\xff\xfe" + PLAIN.replace(";", "\t").encode("utf-16-le"), id="what Excel saves as Unicode text"),
        pytest.param(f"sep=;\r\n{PLAIN}", id="XA-6"),
        pytest.param(f'"sep=;"\r\n{PLAIN}', id="sep= in quotes"),
        pytest.param(b"\xef\xbb\xbf" + f"SEP=|\r\n{PLAIN.replace(';', '|')}".encode(), id="sep=|"),
        pytest.param(f"{PLAIN}\0\0\0", id="XA-10"),
        pytest.param(f"{PLAIN}\x1a", id="Ctrl-Z of DOS at the end"),
        pytest.param(PLAIN.replace("type", "Type").replace("serial", "SERIAL"), id="headings in another case"),
        pytest.param(PLAIN.replace("type", " type\u00a0"), id="XP-32: a blank that does not break"),
        pytest.param(PLAIN.replace("serial", '"serial\r\n"'), id="XP-32: a line break in a heading"),
        pytest.param(PLAIN.replace("SN0001", "SN0001\u00a0"), id="a blank that does not break behind a value"),
        pytest.param("\r\n".join(f'"{line}"' for line in PLAIN.replace(";", '";"').split()), id="quotes"),
    ],
)
def test_files_as_programs_write_them_are_taken(take: Taker, homes: Vetlla, content: str | bytes) -> None:
    """The file gives one device with the meant values."""
    done = take(content)
    assert done.status == os.EX_OK, done
    (found,) = taken(homes)
    assert (found["serial"], found["account"], found["imei"]) == ("SN0001", "0123", IMEI)
    assert (found["since"], found["made"]) == ("2024-04-01", "2019-W07")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(f"{HEAD}\r\n{ROW.rpartition(';')[0]}\r\n", "9 cells, the heading has 10", id="XP-9"),
        pytest.param(ONE_CELL_MORE, "11 cells, the heading has 10", id="a cell too many"),
        pytest.param(PLAIN.replace(IMEI, "3,53512E+14"), "a number that a spreadsheet has shortened", id="XP-13"),
        pytest.param(PLAIN.replace("01/04/2024\r", "31/02/2024\r"), "no such day", id="XP-15"),
        pytest.param(PLAIN.replace("2019-W07", "feb-19"), "no week of manufacture", id="XP-16"),
        pytest.param(PLAIN.replace("SN0001", '"SN\n0001"'), "unprintable", id="XP-19"),
        pytest.param(PLAIN.replace("01/04/2024", "01/04/24"), "write the year with four digits", id="XA-2"),
        pytest.param(PLAIN.replace("01/04/2024", "2024-04-011"), "no date", id="a day too long"),
        pytest.param(
            PLAIN.replace("01/04/2024", "########"), "its column is too narrow", id="a date in a narrow column"
        ),
        pytest.param(PLAIN.replace("SN0001", "#N/D"), "is an error of the spreadsheet", id="an error in Spanish"),
        pytest.param(PLAIN.replace("SN0001", "1,2E+20"), "has shortened", id="a serial that was shortened"),
        pytest.param(PLAIN.replace("0123", "1E+11"), "has shortened", id="an account that was shortened"),
        pytest.param(PLAIN.replace("0123", "1.05514380400001E+016"), "has shortened", id="pandas 31821"),
        pytest.param(PLAIN.replace("SN0001", "1.2e20"), "has shortened", id="1.2e20, as programs write it"),
        pytest.param(PLAIN.replace("SN0001", "1e+21"), "has shortened", id="1e+21, as JavaScript writes it"),
        pytest.param(PLAIN.replace("SN0001", "1,5E-05"), "has shortened", id="a small number that was shortened"),
        pytest.param(PLAIN.replace("H000001", "12.3E20"), "has shortened", id="engineers' exponents"),
        pytest.param(PLAIN.replace("SN0001", "#WERT!"), "is an error of the spreadsheet", id="an error in German"),
        pytest.param(PLAIN.replace("SN0001", "#BLOCKED!"), "is an error of the spreadsheet", id="a new error of Excel"),
        pytest.param(PLAIN.replace("SN0001", "Err:502"), "is an error of the spreadsheet", id="LibreOffice's errors"),
        pytest.param(PLAIN.replace("SN0001", "#GETTING_DATA"), "is an error of the", id="what Excel still fetches"),
        pytest.param(PLAIN.replace("SN0001", "123.0"), "is a number with decimals", id="pandas 20717"),
        pytest.param(PLAIN.replace("SN0001", '"SN0001'), "is not CSV", id="a quote that never ends"),
        pytest.param(PLAIN.replace("SN0001", "SN\0001"), "unprintable", id="NUL within a value"),
        pytest.param(PLAIN.replace("serial;", ";"), "missing column", id="a heading that lost a name"),
        pytest.param(PLAIN.replace("imei;", "Serial;"), "is a heading twice", id="a heading twice, but for its case"),
        pytest.param(f"Devices of April;;\r\n\r\n{PLAIN}", "looks like the heading: delete the rows above", id="XA-9"),
    ],
)
def test_an_impossible_value_is_refused_with_the_reason(take: Taker, homes: Vetlla, content: str, reason: str) -> None:
    """The fault names row and reason, and nothing is imported."""
    done = take(content, "--json")
    assert done.status == os.EX_USAGE
    assert any(reason in told for _, _, told in faults(done)), done.out
    assert not taken(homes)


@pytest.mark.parametrize(
    ("written", "column", "value"),
    [
        pytest.param("01-04-2024", "since", "2024-04-01", id="XP-20"),
        pytest.param("1/4/2024", "since", "2024-04-01", id="XA-1"),
        pytest.param("2024-04-01 00:00:00", "since", "2024-04-01", id="with the time of day"),
        pytest.param("2024-04-01T22:30:00Z", "since", "2024-04-01", id="with the time of day, ISO 8601"),
        pytest.param("20240401", "since", "2024-04-01", id="ISO 8601 without hyphens"),
        pytest.param("07/2019", "made", "2019-W07", id="XP-21"),
        pytest.param('"=""0123"""', "account", "0123", id="XA-8: a formula that is a text"),
        pytest.param('"=""SN""""1"""', "serial", 'SN"1', id="with a quote in it"),
        pytest.param("'0123", "account", "0123", id="XA-8: an apostrophe"),
        pytest.param("'+34931234567", "account", "+34931234567", id="an apostrophe before a sign"),
        pytest.param("1E11", "account", "1E11", id="a hexadecimal code that was not shortened"),
        pytest.param("00:AB:CD:12", "account", "00:AB:CD:12", id="an account of colons"),
    ],
)
def test_an_unambiguous_value_is_taken(take: Taker, homes: Vetlla, written: str, column: str, value: str) -> None:
    """There are several ways to write a date, and to mark a text as a text."""
    cells = ";".join(device(**{column: written}))
    assert take(f"{HEAD}\n{cells}\n").status == os.EX_OK
    assert taken(homes)[0][column] == value


def test_a_file_with_a_heading_alone_holds_nothing(take: Taker) -> None:
    """XP-11: such a file is taken. An empty file is refused (XP-10), because its heading is missing."""
    assert take(f"{HEAD}\r\n", "--json").json[0]["new"] == 0
    for content in ("", "\r\n\r\n", ";;;\r\n", "\0\0"):
        assert "devices.csv: is empty" in take(content).error


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le", "utf-16-be", "utf-8"])
def test_letters_are_read_as_they_were_written(homes: Vetlla, tmp_path: Path, encoding: str) -> None:
    """--encoding or a byte order mark gives the encoding. What is certainly UTF-8 is not read as anything else."""
    file = tmp_path / "llars.csv"
    content = "code,district,base,level,alone\nH9,Gràcia,Nòrd “1”,1,yes\n"
    file.write_bytes(content.encode(encoding))
    given = "windows-1252" if encoding == "cp1252" else "utf-16"
    plain = homes("inventory", "import", file, "--what", "homes")
    asked = homes("inventory", "import", file, "--what", "homes", "--encoding", given)
    match encoding:
        case "utf-8":
            assert plain.status == os.EX_OK
            assert homes("inventory", "import", file, "--what", "homes", "--encoding", "windows-1252").error.startswith(
                f"{file}: is UTF-8"
            )
            return
        case "cp1252":
            assert "line 2 is not UTF-8 text" in plain.error
            assert "--encoding windows-1252" in plain.error
        case _:
            assert "if it is UTF-16, give --encoding utf-16" in plain.error
    assert asked.status == os.EX_OK, asked
    assert homes("inventory", "show", "H9", "--json").json[0]["base"] == "Nòrd “1”"


@pytest.mark.parametrize(
    ("content", "encoding", "reason"),
    [
        pytest.param(PLAIN.encode(), "utf-16", "is not UTF-16", id="ASCII"),
        pytest.param(PLAIN.encode("utf-16-be")[:-1], "utf-16", "is not utf-16-be throughout", id="half a letter"),
        pytest.param(PLAIN.encode() + b"\x81", "windows-1252", "is not windows-1252 throughout", id="a byte of none"),
    ],
)
def test_a_file_that_contradicts_its_option_is_refused(take: Taker, content: bytes, encoding: str, reason: str) -> None:
    """The remedy differs from the option that was just given."""
    error = take(content, "--encoding", encoding).error
    assert reason in error
    assert f"--encoding {encoding}" not in error


def test_an_encoding_is_named_in_any_case(take: Taker) -> None:
    """Windows writes Windows-1252 with a capital W."""
    assert take(PLAIN.replace("SN", "Ñ").encode("cp1252"), "--encoding", "Windows-1252", "--format", "CSV").status == 0


def test_a_byte_order_mark_takes_precedence_over_the_option(take: Taker, homes: Vetlla) -> None:
    """The mark cannot be wrong, but an option in a script can."""
    assert take(b"\xef\xbb\xbf" + PLAIN.encode(), "--encoding", "windows-1252").status == os.EX_OK
    assert taken(homes)[0]["serial"] == "SN0001"


def test_a_mapping_names_headings_in_any_case_and_spelling(take: Taker, homes: Vetlla, tmp_path: Path) -> None:
    """Accents may take one or two characters, and quotes may hold line breaks and commas."""
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[columns]\nserial = "Núm. de sèrie, etiqueta"\n', encoding="utf-8")
    heading = HEAD.replace("serial", '"NU\u0301M. de\nse\u0300rie, etiqueta"')
    assert take(f"{heading}\n{ROW}\n", "--mapping", str(mapping)).status == os.EX_OK
    assert taken(homes)[0]["serial"] == "SN0001"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("serial,number\n", "not TOML"),
        ("column = 1\n", "unknown: column"),
        ("columns = 1\n", "are tables"),
        ("[columns]\nserial = 1\n", "are texts"),
        ("ignore = 1\n", "is a list"),
        (None, "No such file or directory"),
    ],
)
def test_a_wrong_mapping_is_reported_with_its_remedy(
    take: Taker, tmp_path: Path, content: str | None, told: str
) -> None:
    """The message is for people: it has no error number, and it does not name the file twice."""
    mapping = tmp_path / "mapping.toml"
    if content is not None:
        mapping.write_text(content, encoding="utf-8")
    done = take(PLAIN, "--mapping", str(mapping))
    assert done.status == os.EX_CONFIG
    assert told in done.error
    assert "\n  -> " in done.error
    assert "Errno" not in done.error


def item(**changed: object) -> dict[str, object]:
    return dict(zip(HEADING, DEVICE, strict=True)) | changed


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(json.dumps([item(account=123)]), "is a number, which loses leading zeros", id="X2-3"),
        pytest.param(json.dumps([item(serial=12345678901234567890)]), "after its 15th digit", id="20 digits"),
        pytest.param(json.dumps([item(serial=1.2e20)]), "after its 15th digit", id="1.2e20"),
        pytest.param(json.dumps([item(serial=True)]), "is true or false", id="a truth"),
        pytest.param(json.dumps([item(serial=["SN1", "SN2"])]), "should be a code", id="a list"),
        pytest.param(json.dumps([item(serial={"number": "SN1"})]), "should be a code", id="an object"),
        pytest.param('[{"type": "ucr", "serial": "1", "serial": "2"}]', "occurs twice in one object", id="twice"),
        pytest.param('{"type": "ucr", "serial": NaN}', "NaN is not a number in JSON", id="NaN"),
        pytest.param(f'{{"serial": {"9" * 5000}}}', "is no JSON", id="5,000 digits"),
        pytest.param(f'{{"serial": {"[" * 100_000}', "lists within lists", id="nested without end"),
    ],
)
def test_values_of_json_that_are_not_text_are_refused(take: Taker, content: str, reason: str) -> None:
    """Such values are refused as in a workbook, each with its row."""
    done = take(content, "--json", name="devices.json")
    assert done.status == os.EX_USAGE
    assert reason in faults(done)[0][2]


def test_numbers_of_json_are_taken_where_a_number_is_meant(homes: Vetlla, take: Taker, tmp_path: Path) -> None:
    """Levels, true and false, lists of telephone numbers, and an IMEI with all its digits are taken."""
    home = {"code": "H9", "district": "01", "base": "N", "level": 2.0, "alone": 0, "phones": ["0034 931234567"]}
    (tmp_path / "homes.ndjson").write_text(json.dumps(home), encoding="utf-8")
    assert homes("inventory", "import", tmp_path / "homes.ndjson", "--what", "homes").status == os.EX_OK
    (shown,) = homes("inventory", "show", "H9", "--json").json
    assert (shown["level"], shown["alone"], shown["phones"]) == ("2", "no", "0034 931234567")
    assert take(json.dumps([item(imei=int(IMEI))]), name="devices.json").status == os.EX_OK

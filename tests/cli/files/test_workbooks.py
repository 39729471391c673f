"""Workbooks from the field: the import takes what they hold, and refuses with a reason what a spreadsheet has lost.

The ids are those of public reports and of the collection of field cases (X: files).
"""

from __future__ import annotations

import io
import os
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from tests.cli.files.conftest import HEADING, IMEI, device, faults, taken
from tests.cli.files.workbooks import DATE, OWN_DATE, TEXT, ZEROS, number, rows, workbook
from vetlla.tables.source import opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.cli.files.conftest import Taker

BOOK = "devices.xlsx"
THREE = rows(HEADING, *(device(serial=f"SN{one}", account=f"0{one}", home=f"H00000{one}") for one in (1, 2, 3)))


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(f"<dimension ref={reference!r}/>", id=f"X1-{place} {reference}")
        for place, reference in enumerate(("A1:J2", "A1:J1", "A1", "A1:F4"), start=1)
    ]
    + [
        pytest.param("", id="X1-5 none"),
        pytest.param('<dimension ref="A1:XFD1048576"/>', id="X1-6 the whole sheet"),
        pytest.param('<dimension ref="C2:J4"/>', id="beginning too late"),
        pytest.param('<dimension ref="A0"/>', id="no reference at all"),
        pytest.param('<dimension ref=""/>', id="empty"),
    ],
)
def test_the_dimension_is_a_hint(take: Taker, homes: Vetlla, before: str) -> None:
    """Spreadsheets ignore the extent that a writer gives; to leave out rows silently would be the worst fault."""
    assert take(workbook(THREE, before=before), name=BOOK).status == os.EX_OK
    assert [one["serial"] for one in taken(homes)] == ["SN1", "SN2", "SN3"]


LOST = "is a number, which loses leading zeros"


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        pytest.param("account", number("123"), LOST, id="X2-1"),
        pytest.param("account", number("123", ZEROS), LOST, id="X2-1 shown as 0123"),
        pytest.param("account", number("123.0"), LOST, id="saved as a float"),
        pytest.param("account", number("0"), LOST, id="0, or 0000"),
        pytest.param("account", number("-5"), LOST, id="negative"),
        pytest.param("account", number("1.5"), LOST, id="with decimals"),
        pytest.param("account", number("123", TEXT), LOST, id="a number although the format says text"),
        pytest.param(
            "account", ' t="str"><f>TEXT(123,"0000")</f><v>0123</v></c>', "", id="XP-28: a formula that makes a text"
        ),
        pytest.param("account", ' s="0"><f>100+23</f><v>123</v></c>', LOST, id="a formula that makes a number"),
        pytest.param(
            "serial", number("1.2e20"), "is a number, and the digits after its 15th digit are lost", id="X3-2"
        ),
        pytest.param("serial", number("1234567890123456789"), "after its 15th digit", id="19 digits"),
        pytest.param("serial", number("8.9390101023584785E18"), "after its 15th digit", id="snipe-it 10791"),
        pytest.param("serial", number("100E10"), LOST, id="bad-data-guide 33: a hexadecimal code"),
        pytest.param("serial", number("4", DATE), "is a date, which the spreadsheet made", id="a date"),
        pytest.param("serial", number("45383.5", OWN_DATE), "is a date, which", id="a date in a format of its own"),
        pytest.param("serial", ' t="d"><v>2024-04-01</v></c>', "is a date, which the spreadsheet made", id="ISO date"),
        pytest.param("serial", ' t="b"><v>1</v></c>', "is true or false, not a code", id="a truth"),
        pytest.param("serial", ' t="e"><v>#N/A</v></c>', "is an error of the spreadsheet", id="an error"),
        pytest.param("serial", "#¡REF!", "is an error of the spreadsheet", id="an error as a text"),
        pytest.param("account", "1E+11", "is a number that a spreadsheet has shortened", id="shortened, as a text"),
        pytest.param("account", "123.0", "is a number with decimals", id="pandas 20717: a float, as a text"),
        pytest.param(
            "account", '><f>TEXT(B2,"0000")</f><v></v></c>', "never calculated", id="openpyxl: never calculated"
        ),
        pytest.param(
            "home", ' t="str"><f>TEXT(1,"0000")</f></c>', "never calculated", id="a text that was never calculated"
        ),
        pytest.param("model", ' t="str"><f>""</f><v></v></c>', "", id="a formula that makes an empty text"),
        pytest.param("home", number("1"), LOST, id="a home"),
        pytest.param("model", number("400"), LOST, id="a model"),
        pytest.param("made", number("43647", DATE), "is a date, which", id="07/2019 became a day of July"),
        pytest.param("since", number("45383"), "is a number, not a date", id="a date without its format"),
        pytest.param("since", ' t="b"><v>1</v></c>', "is true or false, not a date", id="a truth for a date"),
        pytest.param("imei", number(IMEI), "", id="XP-23: an IMEI with all its digits"),
        pytest.param("imei", number(f"{IMEI}.0"), "", id="an IMEI as a float"),
        pytest.param("imei", number("1000000000017"), LOST, id="an IMEI that began with 00"),
        pytest.param("imei", number("3.53512E14"), "the IMEI's check digit", id="an IMEI that lost its end"),
    ],
)
def test_a_code_that_a_spreadsheet_changed_is_refused(take: Taker, column: str, cell: str, reason: str) -> None:
    """0123 and 123 are two homes, and a number 123 may have been either."""
    heading = HEADING if column in HEADING else (*HEADING, column)
    cells = dict(zip(HEADING, device(), strict=True)) | {column: cell}
    done = take(workbook(rows(heading, [cells[name] for name in heading])), "--json", name=BOOK)
    if not reason:
        assert done.json[-1]["new"] == 1
        return
    ((row, named, told),) = faults(done)
    assert done.status == os.EX_USAGE
    assert (row, named) == (2, column)
    assert reason in told


def test_a_number_that_the_mapping_names_has_lost_nothing(take: Taker, homes: Vetlla, tmp_path: Path) -> None:
    """An office may go on numbering its types, because the mapping says what each number means."""
    mapping = tmp_path / "mapping.toml"
    mapping.write_text('[values.type]\n3 = "terminal_ip"\n[values.home]\n1 = "H000001"\n', encoding="utf-8")
    book = workbook(rows(HEADING, device(type=number("3"), home=number("1.0"))))
    assert take(book, "--mapping", str(mapping), name=BOOK).status == os.EX_OK
    assert (taken(homes)[0]["type"], taken(homes)[0]["home"]) == ("terminal_ip", "H000001")


def saved(book: openpyxl.Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def made_with_openpyxl(*lines: list[Any]) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in (list(HEADING), *lines):
        book.active.append(line)
    return book


@pytest.mark.parametrize("epoch", ["1900", "1904"])
def test_dates_are_the_days_that_were_meant(take: Taker, homes: Vetlla, epoch: str) -> None:
    """XP-25: a date may have a time of day, and a workbook may count from 1904."""
    cells: list[object] = [*device()[:-2], datetime(2024, 4, 1, 23, 59, 59), date(2024, 3, 31)]  # noqa: DTZ001
    book = made_with_openpyxl(cells)
    if epoch == "1904":
        book.epoch = CALENDAR_MAC_1904
    assert take(saved(book), name=BOOK).status == os.EX_OK
    assert (taken(homes)[0]["since"], taken(homes)[0]["first_installed"]) == ("2024-04-01", "2024-03-31")


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2024, 2, 29), date(1999, 12, 31)])
def test_a_time_of_day_is_kept(tmp_path: Path, day: date) -> None:
    """To the millisecond. A day is a day without a time only if the cell shows none."""
    times = [time(), time(0, 0, 1), time(9, 15), time(12), time(23, 59, 59), time(17, 3, 7, 250_000)]
    book = openpyxl.Workbook()
    assert book.active is not None
    for cell in ("at", *(datetime.combine(day, one) for one in times)):
        book.active.append([cell])
    file = tmp_path / "times.xlsx"
    book.save(file)
    with opened(file, what="times") as table:
        cells = [cells[0] for _, cells in table.rows]
    assert cells == [datetime.combine(day, one) for one in times]
    iso = workbook(rows(["at"], [' t="d"><v>2026-03-29T09:15:00.000</v></c>'], [' t="d"><v>2026-03-29</v></c>']))
    file.write_bytes(iso)
    with opened(file, what="times") as table:
        assert [cells[0] for _, cells in table.rows] == [datetime(2026, 3, 29, 9, 15), date(2026, 3, 29)]  # noqa: DTZ001


def test_a_text_marked_with_an_apostrophe_is_a_text(take: Taker, homes: Vetlla) -> None:
    """XP-24: people keep zeros in a spreadsheet in this way (quotePrefix)."""
    book = made_with_openpyxl(list(device(account="0123")))
    assert book.active is not None
    cell = book.active["G2"]
    cell.quotePrefix = True
    assert take(saved(book), name=BOOK).status == os.EX_OK
    assert taken(homes)[0]["account"] == "0123"


@pytest.mark.parametrize(
    ("data", "behind"),
    [
        pytest.param(
            f'{rows(HEADING, device())}<row r="3" s="1" customFormat="1"><c r="A3" s="1"/></row>', "", id="XP-26"
        ),
        pytest.param(
            f'{rows(HEADING, device())}<row r="1048576"><c r="A1048576" s="1"/><c r="XFD1048576" s="1"/></row>',
            "",
            id="XP-26: the last cell there is",
        ),
        pytest.param(rows(HEADING, device(), [" ", "\u00a0", ""]), "", id="a row of blanks"),
        pytest.param(rows([*HEADING, "", " "], [*device(), "", "\u00a0", " "]), "", id="X4: blank cells beyond it"),
        pytest.param(rows(HEADING, device(), first=4), "", id="the table begins in row 4"),
        pytest.param(rows(["", *HEADING], ["", *device()]), "", id="the table begins in column B"),
        pytest.param(
            rows(HEADING, device()), '<mergeCells><mergeCell ref="L2:M9"/></mergeCells>', id="merged beside the table"
        ),
        pytest.param(
            rows(HEADING, device()), '<mergeCells><mergeCell ref="A5:J9"/></mergeCells>', id="merged below the table"
        ),
    ],
)
def test_cells_without_a_value_are_ignored(take: Taker, homes: Vetlla, data: str, behind: str) -> None:
    """Cells may have a colour or a border without a value, and the table may have room around it."""
    assert take(workbook(data, behind=behind), name=BOOK).status == os.EX_OK
    assert [one["serial"] for one in taken(homes)] == ["SN0001"]


@pytest.mark.parametrize(
    ("data", "behind", "reason"),
    [
        pytest.param(
            rows(HEADING, device(), device(serial="SN2", home="", account="2")),
            '<mergeCells><mergeCell ref="E2:E3"/></mergeCells>',
            "are merged cells",
            id="XP-31: one home for two devices",
        ),
        pytest.param(
            rows(HEADING, device(), device(serial="SN2", account="")),
            '<mergeCells><mergeCell ref="G2:G3"/></mergeCells>',
            "are merged cells",
            id="merged in a column that may be empty",
        ),
        *(
            pytest.param(
                rows(HEADING, device(), device(serial="SN2", account="")),
                f'<mergeCells><mergeCell ref="{reference}"/></mergeCells>',
                f"{reference} are merged cells",
                id=f"merged, written {reference}",
            )
            for reference in ("$G$2:$G$3", "g2:g3", "G3:G2")
        ),
        pytest.param(rows(HEADING, [*device(), "check!"]), "", "11 cells, the heading has 10", id="a note beside it"),
        pytest.param(
            rows([*HEADING[:5], "", *HEADING[6:]], device(imei="note")), "", "column 6 has no heading", id="no heading"
        ),
    ],
)
def test_a_value_that_no_column_takes_is_refused(take: Taker, data: str, behind: str, reason: str) -> None:
    """A value that no column takes is refused and not skipped."""
    told = faults(take(workbook(data, behind=behind), "--json", name=BOOK))
    assert any(reason in why for _, _, why in told)


def test_a_missing_shared_text_is_refused(take: Taker) -> None:
    """Python would count -1 from the end and import the text of another cell."""
    for number_of_text in ("-1", "7"):
        cell = f' t="s"><v>{number_of_text}</v></c>'
        done = take(workbook(rows(HEADING, device(account=cell)), shared=("<t>0123</t>",)), name=BOOK)
        assert done.status == os.EX_USAGE
        assert "is no XLSX file, or damaged" in done.error


@pytest.mark.parametrize(
    ("cell", "account"),
    [
        pytest.param(' t="s"><v>0</v></c>', "0123", id="a shared text"),
        pytest.param(' t="s"><v>1</v></c>', "0123", id="in parts of different style"),
        pytest.param(' t="inlineStr"><is><r><t>01</t></r><r><t>23</t></r></is></c>', "0123", id="its own, in parts"),
        pytest.param(' t="s"><v>2</v></c>', "0123", id="with how it is read aloud beside it"),
        pytest.param(' t="str"><v>0123_x000D_</v></c>', "0123", id="with an escape"),
        pytest.param(">\n  <v>\n</v></c>", "", id="white space for a value"),
    ],
)
def test_a_text_is_read_from_every_form_of_cell(take: Taker, homes: Vetlla, cell: str, account: str) -> None:
    """A text may be shared between cells, in the cell itself, in parts, or escaped."""
    shared = ("<t>0123</t>", "<r><t>01</t></r><r><rPr><b/></rPr><t>23</t></r>", "<t>0123</t><rPh><t>zero</t></rPh>")
    done = take(workbook(rows(HEADING, device(account=cell)), shared=shared), name=BOOK)
    if account:
        assert done.status == os.EX_OK
        assert taken(homes)[0]["account"] == account


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"strict": True}, id="ExcelDataReader 498: Strict Open XML"),
        pytest.param({"names": {"xl/workbook.xml": "xl\\workbook.xml"}}, id="backslashes in the archive"),
        pytest.param({"names": {"xl/sharedStrings.xml": "xl/SharedStrings.xml"}}, id="names in another case"),
        pytest.param({"behind": "<extLst><ext uri='{0}'/></extLst>"}, id="unknown extensions"),
        pytest.param({"sheets": (("Hidden", 'state="hidden"'), ("Full1", ""))}, id="a hidden sheet in front"),
        pytest.param({"sheets": (("Notes", ""), ("DEVICES", ""))}, id="a sheet named devices in whatever case"),
    ],
)
def test_workbooks_of_other_programs_are_read(take: Taker, homes: Vetlla, changed: dict[str, object]) -> None:
    """Excel opens these workbooks, and so does the import."""
    assert take(workbook(THREE, **changed), name=BOOK).status == os.EX_OK  # type: ignore[arg-type]
    assert len(taken(homes)) == 3


def test_sheets_that_were_not_read_are_reported(take: Taker, homes: Vetlla) -> None:
    """The command says that a second sheet was not read, and --sheet selects the right one."""
    two = (("South", ""), ("North", ""), ("Secret", 'state="veryHidden"'))
    assert "sheet 'South' was read, 'North' not (--sheet)" in take(workbook(THREE, sheets=two, at=0), name=BOOK).talk
    assert len(taken(homes)) == 3
    assert take(workbook(THREE, sheets=two, at=1), "--sheet", "north", name=BOOK).status == os.EX_OK
    assert "one of 'South', 'North'" in take(workbook(THREE, sheets=two), "--sheet", "East", name=BOOK).error


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        pytest.param(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "devices.xlsx", "a workbook of an old kind", id="XP-33: .xls"
        ),
        pytest.param(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "devices.xls", "a workbook of an old kind", id=".xls by name"
        ),
        pytest.param(b"type;serial\r\n", "devices.xlsx", "is not an XLSX workbook", id="XP-33: CSV"),
        pytest.param(workbook(THREE), "devices.csv", "is an XLSX workbook", id="a workbook named .csv"),
        pytest.param(b"<html><table>", "devices.csv", "is HTML or XML", id="a web page"),
        pytest.param(workbook(THREE)[:-200], "devices.xlsx", "is no XLSX file, or damaged", id="cut off"),
        pytest.param(workbook("<row>"), "devices.xlsx", "is no XLSX file, or damaged", id="broken XML"),
        pytest.param(workbook('<row r="2147483647"/>'), "devices.xlsx", "or damaged", id="a row beyond the last"),
        pytest.param(
            workbook('<row r="1"><c r="ZZZ1"><v>1</v></c></row>'), "devices.xlsx", "or damaged", id="a column"
        ),
        pytest.param(
            workbook('<row r="1"><c t="s"><v>9</v></c></row>'), "devices.xlsx", "or damaged", id="no such text"
        ),
        pytest.param(workbook(""), "devices.xlsx", "is empty", id="an empty sheet"),
    ],
)
def test_a_file_that_is_not_a_workbook_is_refused_by_name(take: Taker, content: bytes, name: str, said: str) -> None:
    """The error is one line with the reason, and no traceback."""
    done = take(content, name=name)
    assert done.status == os.EX_USAGE
    assert said in done.error
    assert name in done.error


def test_exported_text_stays_text_in_a_spreadsheet(homes: Vetlla, take: Taker, tmp_path: Path) -> None:
    """Every text and every empty cell has the format @, so that 0124 typed over 0123 keeps its zero."""
    take(workbook(rows(HEADING, device())), name=BOOK)
    assert homes("inventory", "export", tmp_path / "out.xlsx").status == os.EX_OK
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx").active
    assert isinstance(sheet, Worksheet)
    assert {cell.number_format for cell in sheet[2]} == {"@"}
    assert "0123" in [cell.value for cell in sheet[2]]
    assert sheet.column_dimensions["A"].number_format == "@"


def test_an_empty_first_sheet_is_named_with_the_others(take: Taker) -> None:
    """The rows may be on the sheet behind it; the user must say which sheet is the right one."""
    book = workbook(THREE, sheets=(("Notes", ""), ("Llars", "")), at=1)
    done = take(book, name=BOOK)
    assert done.status == os.EX_USAGE
    assert "sheet 'Notes' is empty\n  -> name another: --sheet 'Llars'" in done.error
    assert take(book, "--sheet", "llars", name=BOOK).status == os.EX_OK

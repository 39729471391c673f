"""Appointments out of files, for offices without an API."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime, time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from tests.rigs.qmatic import calendar_row, queue_row, recorded
from vetlla.domain.appointments import AppointmentKey, AppointmentStatus
from vetlla.domain.errors import LinkError
from vetlla.gateways.contracts import RefusedError
from vetlla.gateways.qmatic.files import AppointmentFiles, FileSettings
from vetlla.tables.source import Encoding
from vetlla.tasks.reminders.appointment_files import appointment_rows

if TYPE_CHECKING:
    from vetlla.gateways.contracts import Poll

DAY = date(2026, 11, 24)
HEAD = "id;office;date;time;phone;service;language\n"
ROW = "A1;OMAC;24/11/2026;10:30;600 000 001;Padró;ca\n"


def source(path: Path, encoding: Encoding | None = None) -> AppointmentFiles:
    read_rows = partial(appointment_rows, encoding=encoding)
    return AppointmentFiles(FileSettings(name="files", path=path, read_rows=read_rows))


def write(path: Path, row: str) -> None:
    path.write_text(f"{HEAD}{ROW}{row}\n", encoding="utf-8")


def save(path: Path, row: list[object]) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "office", "date", "time", "phone"])
    sheet.append(row)
    book.save(path)


async def polled(path: Path, office: str = "OMAC") -> Poll:
    return await source(path).poll(office, DAY, DAY)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cites.csv"
    path.write_text(HEAD + ROW, encoding="utf-8")
    return path


async def test_a_row_of_a_csv_file_is_an_appointment(file: Path) -> None:
    found = await polled(file)
    assert (found.is_complete, found.faults) == (True, ())
    (one,) = found.appointments
    assert one.key == ("files", "A1")
    assert one.start == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    assert (one.phone, one.language, one.zone) == ("+34600000001", "ca", "Europe/Madrid")
    assert one.services == (("Padró", "Padró", True),)
    assert one.status is AppointmentStatus.CREATED
    assert await source(file).get(one.key) == one


@pytest.mark.parametrize(
    "text",
    [
        "Codi,Oficina,Data,Hora,Telèfon,Tràmit,Idioma\nA1,OMAC,2026-11-24,10.30 h,600000001,Padró,català\n",
        "CODIGO;OFICINA;FECHA;HORA;MÓVIL;TRÁMITE;IDIOMA\nA1;OMAC;24-11-2026;10:30:00;600000001;Padró;ca\n",
        "id\toffice\tstart\tphone\tservice\tlang\nA1\tOMAC\t2026-11-24T10:30\t600000001\tPadró\tca\n",
        "id;office;start;phone;service;lang\nA1;OMAC;2026-11-24T09:30:00+00:00;600000001;Padró;ca\n",
    ],
)
@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", None), ("utf-8-sig", None), ("utf-16", None), ("cp1252", Encoding.WINDOWS_1252)],
)
async def test_an_office_names_its_columns_in_its_own_language(
    tmp_path: Path, text: str, encoding: str, named: Encoding | None
) -> None:
    path = tmp_path / "cites.csv"
    path.write_text(text, encoding=encoding)
    (one,) = (await source(path, named).poll("OMAC", DAY, DAY)).appointments
    assert one.start == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    assert one.phone == "+34600000001"
    assert one.services[0].name == "Padró"


async def test_a_file_says_what_may_be_cancelled_and_what_was(tmp_path: Path) -> None:
    path = tmp_path / "cites.csv"
    path.write_text(
        "id;office;start;service;status;may_cancel\n"
        "A1;OMAC;2026-11-24T10:30;Padró;CANCELLED;no\n"
        "A2;OMAC;2026-11-24T10:40;Padró;20;sí\n"
        "A3;OMAC;2026-11-24T10:50;Padró;perhaps;\n",
        encoding="utf-8",
    )
    found = (await polled(path)).appointments
    assert [one.status for one in found] == ["cancelled", "created", "unknown"]
    assert [one.services[0].may_cancel for one in found] == [False, True, True]


async def test_hours_of_a_file_are_those_of_the_clock_also_on_the_days_of_a_change(tmp_path: Path) -> None:
    path = tmp_path / "cites.csv"
    path.write_text("id;office;date;time\nA;O;25/10/2026;9:00\nB;O;28/03/2027;9:00\n", encoding="utf-8")
    for day, hour in ((date(2026, 10, 25), 8), (date(2027, 3, 28), 7)):
        (one,) = (await source(path).poll("O", day, day)).appointments
        assert one.start.hour == hour


async def test_a_row_that_cannot_be_read_is_a_fault_of_every_offices_poll(file: Path) -> None:
    """Which office it belongs to is not known."""
    write(file, "A2;OGAT;24/13/2026;10:30;600000002;;")
    for office, rows in (("OMAC", 1), ("OGAT", 0)):
        found = await polled(file, office)
        assert (found.is_complete, len(found.appointments), found.faults) == (False, rows, ("the day is no day",))
    with pytest.raises(LinkError, match="1 rows cannot be read"):
        await source(file).get(AppointmentKey("files", "A2"))


@pytest.mark.parametrize(
    "row", ["A2;OMAC;24/11/2026;;;;", "A2;OMAC;;10:30;;;", ";OMAC;24/11/2026;10:30;;;", "A2;;24/11/2026;9;;;"]
)
async def test_a_row_without_id_office_day_or_hour_is_a_fault(file: Path, row: str) -> None:
    write(file, row)
    found = await polled(file)
    assert (found.is_complete, len(found.appointments), len(found.faults)) == (False, 1, 1)


async def test_a_missing_file_or_an_empty_folder_is_an_error_and_no_empty_poll(tmp_path: Path) -> None:
    """A share that is not mounted must not cancel everything."""
    for path in (tmp_path, tmp_path / "cites.csv", tmp_path / "no" / "folder"):
        with pytest.raises(LinkError, match=r"no file|No such file"):
            await polled(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cites.csv", b""),
        ("cites.csv", b"name;telephone\nNom;600000001\n"),
        ("cites.json", b""),
        ("cites.json", b'[{"id": "A1", "office": "OM'),
        ("cites.json", b'{"error": "no session"}'),
        ("cites.json", b"<html></html>"),
        ("cites.xlsx", b"PK\x03\x04 and nothing after that"),
    ],
)
async def test_a_file_that_cannot_be_read_as_a_whole_is_an_error(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LinkError) as caught:
        await polled(tmp_path)
    assert "600000001" not in str(caught.value)


async def test_a_file_that_changes_while_it_is_read_is_an_error(file: Path) -> None:
    def slow(path: Path) -> list[dict[str, object]]:
        rows = appointment_rows(path)
        path.write_text(HEAD, encoding="utf-8")
        return rows

    reader = AppointmentFiles(FileSettings(name="files", path=file, read_rows=slow))
    with pytest.raises(LinkError, match="is being written"):
        await reader.poll("OMAC", DAY, DAY)


async def test_the_newest_file_of_a_folder_counts_and_all_are_read(file: Path) -> None:
    other = file.with_name("another.csv")
    other.write_text(HEAD + ROW.replace("10:30", "11:00") + "A2;OMAC;24/11/2026;12:00;;;\n", encoding="utf-8")
    file.with_name(".hidden.csv").write_text("no\n", encoding="utf-8")
    file.with_name("notes.md").write_text("no\n", encoding="utf-8")
    os.utime(file, (1, 1))
    found = await polled(file.parent)
    assert [one.start.hour for one in found.appointments] == [10, 11]
    os.utime(other, (0, 0))
    assert [one.start.hour for one in (await polled(file.parent)).appointments] == [9, 11]


async def test_a_json_file_may_have_rows_or_what_orchestra_answers(tmp_path: Path) -> None:
    path = tmp_path / "cites.json"
    flat = [{"id": "A1", "office": "46", "start": "2026-11-24T10:30", "phone": "600000001"}]
    for content in (flat, recorded("calendar-list")["body"], [calendar_row()], [queue_row()]):
        path.write_text(json.dumps(content), encoding="utf-8")
        found = await polled(path, "46")
        (one,) = found.appointments
        assert (one.start, one.phone) == (datetime(2026, 11, 24, 9, 30, tzinfo=UTC), "+34600000001")


async def test_a_workbook_is_read_as_well(tmp_path: Path) -> None:
    path = tmp_path / "cites.xlsx"
    save(path, ["A1", "OMAC", DAY, "10:30", 600000001])
    (one,) = (await polled(path)).appointments
    assert (one.start, one.phone) == (datetime(2026, 11, 24, 9, 30, tzinfo=UTC), "+34600000001")


async def test_an_hour_that_a_spreadsheet_made_of_a_text_is_a_fault(tmp_path: Path) -> None:
    """Tables read a cell with the format of a date as a day, so the hour would be lost."""
    path = tmp_path / "cites.xlsx"
    save(path, ["A1", "OMAC", DAY, time(10, 30), 600000001])
    assert (await polled(path)).faults == ("the hour is no hour",)


async def test_a_file_cannot_cancel() -> None:
    with pytest.raises(RefusedError) as caught:
        await source(Path("cites.csv")).cancel(AppointmentKey("files", "A1"))
    assert caught.value.code == "file"


async def test_a_file_that_is_too_large_is_an_error(file: Path) -> None:
    settings = FileSettings(name="files", path=file, read_rows=appointment_rows, max_file=10)
    with pytest.raises(LinkError, match="more than 10 bytes"):
        await AppointmentFiles(settings).poll("OMAC", DAY, DAY)

"""``vetlla inventory``: files in and out, movements, reports, rules, a kill."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from fixtures.park.generate import generate, write
from vetlla.clock import ManualClock
from vetlla.store.migrate import migrate
from vetlla.store.rows import SIGNAL_COLUMNS

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla

VETLLA = str(Path(sys.executable).with_name("vetlla"))
ON = ("--day", "2024-04-01")
HOME = "code,district,base,level,alone\nH1,01,NORD,2,yes\nH2,01,NORD,3,no\n"
DEVICES = """\
type,serial,ownership,place,home,made,first_installed,last_battery
terminal_gsm,T1,municipal,home,H1,2018-W10,2018-05-02,
ucr,U1,municipal,home,H1,2018-W10,2018-05-02,2022-05-02
smoke,S1,leased,warehouse,,2024-W05,,
"""


@pytest.fixture
def park(tmp_path: Path) -> Path:
    folder = tmp_path / "park"
    write(generate(300, 5), folder)
    return folder


@pytest.fixture
def stocked(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Make a registry with two homes, a terminal and a UCR in one, a smoke detector in the warehouse."""
    (tmp_path / "homes.csv").write_text(HOME, encoding="utf-8")
    (tmp_path / "devices.csv").write_text(DEVICES, encoding="utf-8")
    assert vetlla("inventory", "import", tmp_path / "homes.csv", "--what", "homes").status == 0
    assert vetlla("inventory", "import", tmp_path / "devices.csv", "--day", "2024-04-01").status == 0
    return vetlla


def imported(vetlla: Vetlla, park: Path) -> None:
    for what in ("homes", "people", "devices"):
        assert vetlla("inventory", "import", park / f"{what}.csv", "--what", what, *ON).status == 0


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json", "ndjson"])
@pytest.mark.parametrize("what", ["homes", "people", "devices"])
def test_what_was_exported_is_imported_and_changes_nothing(
    vetlla: Vetlla, park: Path, tmp_path: Path, what: str, ending: str
) -> None:
    """Every kind goes through every format unchanged, and importing a file again is no change."""
    imported(vetlla, park)
    file = tmp_path / f"out.{ending}"
    assert vetlla("inventory", "export", file, "--what", what).status == 0
    (answer,) = vetlla("inventory", "import", file, "--what", what, *ON, "--json").json
    with (park / f"{what}.csv").open(encoding="utf-8") as lines:
        rows = sum(1 for _ in lines) - 1
    assert (answer["new"], answer["changed"], answer["unchanged"]) == (0, 0, rows)


def test_every_bad_cell_is_named_and_nothing_is_taken(vetlla: Vetlla, tmp_path: Path, stocked: Vetlla) -> None:
    """Row, column, value and reason of each; the good row stays out too, unless --partial asks for it."""
    file = tmp_path / "bad.csv"
    file.write_text(
        "type,serial,ownership,place,home,imei,first_installed\n"
        "toaster,X1,leased,warehouse,,,\n"
        "smoke,X2,leased,home,H9,,2024-02-01\n"
        "smoke,X3,leased,home,H1,,31/02/2024\n"
        "terminal_ip,X4,leased,warehouse,,490154203237519,\n"
        "smoke,X5,leased,warehouse,,,\n"
        "smoke,X5,leased,warehouse,,,\n",
        encoding="utf-8",
    )
    done = vetlla("inventory", "import", file)
    assert done.status == os.EX_USAGE
    assert "5 faults, nothing imported" in done.error
    faults = [(one["row"], one["column"], one["value"]) for one in vetlla("inventory", "import", file, "--json").json]
    assert faults == [
        (2, "type", "toaster"),
        (3, "home", "H9"),
        (4, "first_installed", "31/02/2024"),
        (5, "imei", "490154203237519"),
        (7, "serial", "X5"),
    ]
    assert "row 7: column serial: 'X5' the same smoke is in row 6 already" in done.talk
    assert vetlla("inventory", "find", "X5").status == 1
    done = vetlla("inventory", "import", file, "--partial")
    assert done.status == os.EX_DATAERR
    assert "1 new, 0 changed, 0 unchanged, 5 faults" in done.out
    assert vetlla("inventory", "find", "X5").status == 0


def test_a_mapping_file_translates_headings_words_and_constants(stocked: Vetlla, tmp_path: Path) -> None:
    """The contractor's own file is taken as it is; an unknown heading is refused by name."""
    file = tmp_path / "oficina.csv"
    file.write_text(
        "Tipus;Núm. sèrie;Domicili;Instal·lat;Notes\nDetector foc/fum;77;H2;01/03/2024;x\n", encoding="utf-8"
    )
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(
        'ignore = ["Notes"]\n[columns]\ntype = "Tipus"\nserial = "Núm. sèrie"\nhome = "Domicili"\n'
        'first_installed = "Instal·lat"\n[values.type]\n"Detector foc/fum" = "smoke"\n'
        '[constants]\nownership = "leased"\nplace = "home"\n',
        encoding="utf-8",
    )
    assert "unknown heading: " in stocked("inventory", "import", file).error
    assert stocked("inventory", "import", file, "--mapping", mapping).status == 0
    (row,) = stocked("inventory", "list", "--home", "H2", "--json").json
    assert (row["type"], row["serial"], row["first_installed"]) == ("smoke", "77", "2024-03-01")


def test_a_devices_life_is_told_from_the_warehouse_to_retirement(stocked: Vetlla) -> None:
    """Each command adds one line to the history, and each past day shows the device where it was."""
    for command in (
        ("install", "smoke:S1", "H1", "--day", "2024-05-02"),
        ("battery", "S1", "--day", "2024-06-01"),
        ("move", "S1", "H2", "--day", "2024-07-01"),
        ("maintain", "S1", "--day", "2024-07-02"),
        ("repair", "S1", "--day", "2024-07-03", "--note", "sensor"),
        ("remove", "S1", "--day", "2024-08-01"),
        ("retire", "S1", "--day", "2024-09-01"),
    ):
        assert stocked("inventory", *command).status == 0, command
    told = [line["kind"] for line in stocked("inventory", "history", "S1", "--json").json]
    assert told == [
        "received", "installed", "battery", "moved", "maintenance", "repaired", "removed", "retired",
    ]  # fmt: skip
    where = [
        [row["home"] for row in stocked("inventory", "at", day, "--type", "smoke", "--json").json]
        for day in ("2024-03-31", "2024-04-30", "2024-06-30", "2024-07-31", "2024-08-31", "2024-09-01")
    ]
    assert where == [[], [""], ["H1"], ["H2"], [""], []]


def test_a_dry_run_changes_nothing(stocked: Vetlla) -> None:
    """What would happen is shown, and has not."""
    assert "installed" in stocked("inventory", "install", "S1", "H1", "--dry-run").out
    (row,) = stocked("inventory", "find", "S1", "--json").json
    assert row["place"] == "warehouse"


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
    assert sheet.column_dimensions["A"].width > len("31/12/2024")  # else a date is shown as ####
    assert sheet.column_dimensions["A"].max == sheet.max_column
    rows = [*sheet.iter_rows(values_only=True)]
    gas = next(row for row in rows if row[0] == "gas")
    assert gas[3:5] == ("<&>", 'a"b')
    terminal = next(row for row in rows if row[0] == "terminal_gsm")
    assert terminal[7] == datetime(2018, 5, 2)  # noqa: DTZ001 - a spreadsheet's dates have no zone


def test_check_speaks_as_a_monitoring_plug_in(vetlla: Vetlla, park: Path, tmp_path: Path, state_dir: Path) -> None:
    """A sound park warns; a person without a UCR is critical; the first line carries the figures of all rules."""
    imported(vetlla, park)
    done = vetlla("inventory", "check", *ON)
    assert done.status == 1
    assert done.out.startswith("INVENTORY WARNING: 15 level_3_not_digital")
    assert "person_without_ucr=0" in done.out.splitlines()[0]
    (pendant, *_) = vetlla("inventory", "list", "--type", "ucr", "--place", "home", "--json").json
    assert vetlla("inventory", "remove", f"ucr:{pendant['serial']}").status == 0
    broken = vetlla("inventory", "check", "--rule", "person_without_ucr", "--json")
    assert broken.status == 2
    assert [one["home"] for one in broken.json] == [pendant["home"]]
    assert vetlla("inventory", "check", "--rule", "nonsense").status == os.EX_USAGE


def test_check_finds_each_thing_that_should_not_be(stocked: Vetlla, tmp_path: Path) -> None:
    """Every rule is broken once, and says so once."""
    (tmp_path / "homes.csv").write_text(
        "code,district,base,level,alone,active\nH1,01,NORD,2,yes,2018-01-01/\nH2,01,NORD,3,no,2018-01-01/\n"
        "H3,01,NORD,1,no,2018-01-01/2024-01-01\n",
        encoding="utf-8",
    )
    (tmp_path / "people.csv").write_text("code,home,user_type\nP1,H1,A\nP2,H1,B\nP3,H1,C\n", encoding="utf-8")
    (tmp_path / "devices.csv").write_text(
        "type,serial,ownership,place,home,imei,made,first_installed,guarantee_until\n"
        "smoke,OLD,leased,home,H1,,2022-W01,2022-09-01,2023-01-01\n"
        "gas,DEAD,municipal,home,H1,,2017-W50,2018-01-15,\n"
        "gas,SOON,municipal,home,H1,,2019-W20,2019-06-15,\n"
        "terminal_ip,TW1,municipal,home,H3,490154203237518,2023-W20,2023-06-15,\n"
        "geolocator,TW2,municipal,home,H1,490154203237518,2023-W20,2023-06-15,\n",
        encoding="utf-8",
    )
    for what in ("homes", "people", "devices"):
        stocked("inventory", "import", tmp_path / f"{what}.csv", "--what", what, *ON)
    found = [(one["rule"], one["home"]) for one in stocked("inventory", "check", *ON, "--json").json]
    assert sorted(found) == [
        ("guarantee", "H1"),
        ("home_without_terminal", "H2"),
        ("level_3_not_digital", "H2"),
        ("near_end_of_life", "H1"),
        ("not_recovered", "H3"),
        ("old_at_installation", "H1"),
        ("past_end_of_life", "H1"),
        ("person_without_ucr", "H1"),
        ("two_places", "H3"),
        ("upkeep_overdue", "H1"),
        ("upkeep_overdue", "H1"),
        ("upkeep_overdue", "H1"),
        ("upkeep_overdue", "H1"),
    ]


def test_digital_tells_the_share_and_who_is_next(stocked: Vetlla) -> None:
    """Half of level 2 with people alone first, all of level 3, against the target."""
    (share,) = stocked("inventory", "digital", *ON, "--json").json
    assert (share["terminals"], share["digital"], share["share"], share["missing"]) == (1, 0, "0.0", 1)


def test_killed_in_the_middle_of_an_import_the_registry_is_as_it_was(
    vetlla: Vetlla, park: Path, tmp_path: Path, state_dir: Path
) -> None:
    """A real process fed through a pipe is killed with rows in its transaction: none of them is there afterwards."""
    imported(vetlla, park)
    before = vetlla("inventory", "list", "--json").out
    feed = tmp_path / "feed.csv"
    feed.symlink_to("/dev/stdin")
    importer = subprocess.Popen(
        [VETLLA, "inventory", "import", feed, "--state-dir", state_dir], stdin=subprocess.PIPE, text=True
    )
    assert importer.stdin
    try:
        importer.stdin.write("type,serial,ownership,place\n")
        for place in range(30_000):
            importer.stdin.write(f"smoke,K{place},leased,warehouse\n")
        importer.stdin.flush()
        importer.send_signal(signal.SIGKILL)
    except BrokenPipeError:
        pytest.fail(f"the import ended by itself: {importer.wait(20)}")
    finally:
        importer.kill()
        importer.wait(20)
        importer.stdin.close()
    assert importer.returncode == -signal.SIGKILL
    assert vetlla("inventory", "list", "--json").out == before
    with sqlite3.connect(state_dir / "registry.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert vetlla("inventory", "add", "smoke", "AFTER").status == 0


KILLED_AT = """
import itertools, os, signal, sys
calls, sync, at = itertools.count(1), os.fdatasync, int(sys.argv.pop(1))
def fdatasync(file):
    if next(calls) == at:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(file)
os.fdatasync = fdatasync
from vetlla.cli.main import main
main()
"""


@pytest.mark.parametrize("slices", [1, 4])
def test_killed_while_a_large_import_is_written_the_registry_is_as_it_was(
    vetlla: Vetlla, tmp_path: Path, state_dir: Path, slices: int
) -> None:
    """A real process is killed at a sync of the new file: readers go on with the old one, and the next import works."""
    park = tmp_path / "park"
    write(generate(6_000, 5), park)
    assert vetlla("inventory", "import", park / "homes.csv", "--what", "homes", *ON).status == 0
    command = ["inventory", "import", str(park / "devices.csv"), *ON, "--state-dir", str(state_dir)]
    killed = subprocess.run([sys.executable, "-c", KILLED_AT, str(slices), *command], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert (state_dir / "registry.db.new").exists()
    assert vetlla("inventory", "list", "--json").out == ""
    done = vetlla(*command, "--json")
    assert done.json[0]["new"] > 15_000
    assert not (state_dir / "registry.db.new").exists()
    assert (state_dir / "registry.db").stat().st_mode & 0o777 == 0o640
    assert len(vetlla("inventory", "list", "--json").json) == done.json[0]["new"]


def test_check_compares_the_inventory_with_what_the_receiver_knows_and_heard(stocked: Vetlla, state_dir: Path) -> None:
    """An account nobody registered, a terminal the receiver does not know, one it has in another home."""
    columns = dict.fromkeys(SIGNAL_COLUMNS, 0) | {"raw": b"", "identity": b"", "flags": 4}
    with closing(sqlite3.connect(state_dir / "journal.db", isolation_level=None)) as journal:
        migrate(journal, "journal", "journal.db", ManualClock())
        for number, account in enumerate(("0FF1", "0FF1", "1234"), start=1):
            row = {**columns, "id": number, "account": account}
            journal.execute(
                f"INSERT INTO signals ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()]
            )
    assert stocked("accounts", "set", "1234", "--home", "H2").status == 0
    stocked("inventory", "add", "terminal_ip", "T2", "--account", "1234", "--day", "2024-04-01")
    stocked("inventory", "add", "terminal_ip", "T3", "--account", "5678", "--day", "2024-04-01")
    stocked("inventory", "remove", "T1", "--day", "2024-04-01")
    stocked("inventory", "install", "T2", "H1", "--day", "2024-04-02")
    stocked("inventory", "install", "T3", "H2", "--day", "2024-04-02")
    rules = ("--rule", "unknown_account", "--rule", "account_elsewhere", "--json")
    assert [one["text"] for one in stocked("inventory", "check", *rules).json] == [
        "the receiver has account 1234 in home H2",
        "the receiver has no account 5678",
        "account 0FF1 was heard 2 times and is not registered",
    ]


def test_check_compares_homes_with_the_receivers_accounts(stocked: Vetlla) -> None:
    """A terminal without account is known by its home; an account of several homes by each; a home that is none."""
    for account, home, line in (("0001", "H2", "1"), ("0001", "H1", "2"), ("gsm-ip:42", "H7", "")):
        assert stocked("accounts", "set", account, "--home", home, *(("--line", line) if line else ())).status == 0
    stocked("inventory", "add", "terminal_ip", "T2", "--account", "0001", "--day", "2024-04-01")
    stocked("inventory", "install", "T2", "H2", "--day", "2024-04-02")
    rule = ("inventory", "check", "--rule", "account_elsewhere", "--json")
    assert [(one["home"], one["text"]) for one in stocked(*rule).json] == [
        ("H7", "the receiver has account gsm-ip:42 in this home, which nobody registered".replace("gsm-ip", "GSM-IP"))
    ]
    stocked("accounts", "remove", "0001", "--line", "2")
    assert ("H1", "the receiver has no account for its home") in [
        (one["home"], one["text"]) for one in stocked(*rule).json
    ]
    assert stocked("inventory", "show", "H2", "--json").json[0]["accounts"] == ["0001"]


def test_the_terminals_accounts_go_to_the_receiver_in_one_file(stocked: Vetlla, tmp_path: Path) -> None:
    """Export, import, and the receiver knows every terminal under its home and level; names are no less accounts."""
    for serial, account, home in (("T2", "term-0042", "H2"), ("T3", "0099", "")):
        stocked("inventory", "add", "terminal_ip", serial, "--account", account, "--day", "2024-04-01")
        if home:
            assert stocked("inventory", "install", serial, home, "--day", "2024-04-02").status == 0
    file = tmp_path / "accounts.csv"
    assert stocked("inventory", "export", file, "--what", "accounts").status == 0
    assert file.read_text(encoding="utf-8").splitlines() == ["account,home,support_level", "TERM-0042,H2,3"]
    assert stocked("accounts", "import", file).status == 0
    (known,) = stocked("accounts", "list", "--json").json
    assert (known["home"], known["support_level"]) == ("H2", 3)


def test_a_check_that_can_not_tell_says_unknown(vetlla: Vetlla, state_dir: Path) -> None:
    """An empty registry is not "all rules kept", and a broken one is a plug-in's UNKNOWN, not some other status."""
    done = vetlla("inventory", "check")
    assert (done.status, done.out.partition(":")[0]) == (3, "INVENTORY UNKNOWN")
    (state_dir / "registry.db").write_bytes(b"this is no database at all" * 100)
    done = vetlla("inventory", "check")
    assert (done.status, done.out.partition(":")[0]) == (3, "INVENTORY UNKNOWN")
    assert len(done.out.splitlines()) == 1


def test_a_month_that_has_not_begun_is_not_reported(stocked: Vetlla) -> None:
    """Today's figures under a future month's name would be a false document."""
    done = stocked("inventory", "report", "--month", "2099-01")
    assert done.status == os.EX_USAGE
    assert "has not begun" in done.error


def test_the_report_shows_which_device_another_replaced(stocked: Vetlla, tmp_path: Path) -> None:
    """Tender, section 5: the inventory shows the link by which a replacement has its cost date, from its day on."""
    stocked("inventory", "add", "ucr", "U2", "--day", "2024-04-02")
    assert stocked("inventory", "replace", "U1", "U2", "--day", "2024-05-02").status == 0
    links = []
    for month in ("2024-04", "2024-05"):
        file = tmp_path / f"{month}.json"
        assert stocked("inventory", "report", "--month", month, "--out", file).status == 0
        devices = {one["serial"]: one for one in json.loads(file.read_text(encoding="utf-8"))["devices"]}
        links.append((devices["U2"]["replaces"], devices["U2"]["cost_from"]))
    assert links == [("", None), ("ucr:U1", "2018-05-02")]


@pytest.mark.parametrize(
    ("new", "status"), [("fall_ucr", os.EX_OK), ("smoke", os.EX_USAGE), ("terminal_ip", os.EX_USAGE)]
)
def test_only_its_like_takes_a_devices_place(stocked: Vetlla, new: str, status: int) -> None:
    """A pendant is followed by a pendant of any kind; a smoke detector does not inherit its cost date."""
    stocked("inventory", "add", new, "N1", "--day", "2024-04-02")
    assert stocked("inventory", "replace", "U1", "N1", "--day", "2024-05-02").status == status


def test_a_terminal_that_the_receiver_does_not_expect_is_told_when_it_is_installed(stocked: Vetlla) -> None:
    """With the command that registers it; once it is registered nothing is said."""
    stocked("inventory", "add", "terminal_ip", "T2", "--account", "0042", "--day", "2024-04-01")
    done = stocked("inventory", "install", "T2", "H2", "--day", "2024-04-02")
    command = done.talk.strip().rpartition(": vetlla ")[2]
    assert command == "accounts set 0042 --home H2"
    assert stocked(*command.split()).status == 0
    stocked("inventory", "add", "terminal_ip", "T3", "--account", "0042", "--day", "2024-04-01")
    assert stocked("inventory", "replace", "T2", "T3", "--day", "2024-04-03").talk == ""

"""In every import and export codes stay codes, and a pipe works like a file."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.files.conftest import HEADING, device, faults
from tests.cli.files.workbooks import number, rows, workbook
from tests.rigs.daemon import VETLLA, running
from tests.rigs.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla

GOOD: dict[str, dict[str, str]] = {
    "homes": {"code": "0009", "district": "01", "base": "02", "level": "1", "alone": "yes"},
    "people": {"code": "0009", "home": "H000001", "user_type": "A"},
    "devices": dict(zip(HEADING, device(), strict=True)),
    "accounts": {"account": "0123", "receiver": "01", "line": "02", "home": "0009", "support_level": "2"},
}
CODES = [
    *(("homes", name) for name in ("code", "district", "base")),
    *(("people", name) for name in ("code", "home")),
    *(("devices", name) for name in ("serial", "account", "home")),
    *(("accounts", name) for name in ("account", "receiver", "line", "home")),
]


def command(what: str, file: object, *options: str) -> list[object]:
    if what == "accounts":
        return ["accounts", "import", file, *options]
    return ["inventory", "import", file, "--what", what, "--day", "2024-06-01", *options]


def written(kind: str, row: dict[str, Any], heading: list[str] | None = None) -> bytes:
    """Return a file of one row; a cell may be a number."""
    names = heading or list(row)
    match kind:
        case "xlsx":
            cells = [number(str(cell)) if isinstance(cell, float | int) else cell for cell in row.values()]
            return workbook(rows(names, cells))
        case "csv":
            return f"{','.join(names)}\n{','.join(map(str, row.values()))}\n".encode()
        case "json":
            return json.dumps([row]).encode()
    return json.dumps(row).encode()


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "ndjson"])
@pytest.mark.parametrize("what", GOOD)
def test_leading_zeros_are_kept_in_every_format(homes: Vetlla, tmp_path: Path, what: str, kind: str) -> None:
    """A text is imported as it is."""
    file = tmp_path / f"rows.{kind}"
    file.write_bytes(written(kind, GOOD[what]))
    done = homes(*command(what, file, "--json"))
    assert done.status == os.EX_OK, done
    assert 1 in {done.json[-1].get("new"), done.json[-1].get("added")}


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "ndjson"])
@pytest.mark.parametrize(("what", "column"), CODES)
def test_a_number_is_no_code_in_any_format(homes: Vetlla, tmp_path: Path, what: str, column: str, kind: str) -> None:
    """X2-5, X3: the import refuses a number, a longer one, and a shortened one in a CSV file."""
    for cell in ("1.2E+20", "123.0") if kind == "csv" else (123, 1.2e20, 1234567890123456789):
        file = tmp_path / f"rows.{kind}"
        file.write_bytes(written(kind, GOOD[what] | {column: cell}))
        done = homes(*command(what, file, "--json"))
        assert done.status == os.EX_USAGE
        ((row, named, reason),) = faults(done)
        assert (row, named) == (2 if kind in {"csv", "xlsx"} else 1, column)
        assert reason.startswith("is a number")


@pytest.mark.parametrize("what", GOOD)
@pytest.mark.parametrize(
    ("change", "options"),
    [
        pytest.param(lambda csv: b"sep=;\r\n" + csv.replace(b",", b";"), (), id="sep="),
        pytest.param(lambda csv: csv.decode().encode("utf-16"), (), id="UTF-16"),
        pytest.param(lambda csv: csv.replace(b"0", b"0"), ("--encoding", "windows-1252"), id="windows-1252"),
        pytest.param(lambda csv: csv.partition(b"\n")[0].upper() + b"\n" + csv.partition(b"\n")[2], (), id="case"),
        pytest.param(lambda csv: csv.replace(b"\n", b",,\n") + b", ,\n\n\0\0", (), id="blank cells and rows"),
    ],
)
def test_text_files_are_read_alike(homes: Vetlla, tmp_path: Path, what: str, change: Any, options: tuple[str]) -> None:  # noqa: ANN401
    """Every import accepts the same separators, encodings, headings and blanks."""
    file = tmp_path / "rows.csv"
    file.write_bytes(change(written("csv", GOOD[what])))
    assert homes(*command(what, file, *options)).status == os.EX_OK


# --- pipes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "ndjson"])
@pytest.mark.parametrize("what", GOOD)
def test_standard_input_is_a_file_too(homes: Vetlla, what: str, kind: str) -> None:
    """Its first characters give the format, or --format does."""
    content = written(kind, GOOD[what])
    for options in ((), ("--format", kind)):
        assert homes(*command(what, "-", *options), stdin=content).status == os.EX_OK
    assert "is not an XLSX workbook" in homes(*command(what, "-", "--format", "xlsx"), stdin=b"a,b\n").error


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "ndjson"])
@pytest.mark.parametrize("what", ["homes", "people", "devices"])
def test_an_export_to_a_pipe_is_imported_from_a_pipe(state_dir: Path, homes: Vetlla, what: str, kind: str) -> None:
    """With real processes nothing is lost between two registries, and stdout holds only the file."""
    for name in ("people", "devices"):
        assert homes(*command(name, "-"), stdin=written("csv", GOOD[name] | {"home": "H000001"})).status == os.EX_OK
    export = [VETLLA, "inventory", "export", "-", "--what", what, "--format", kind, "--state-dir", str(state_dir)]
    out = subprocess.run(export, check=True, capture_output=True, timeout=60)
    assert out.stderr == b""
    done = subprocess.run(
        [VETLLA, *map(str, command(what, "-", "--json")), "--state-dir", str(state_dir)],
        check=True,
        input=out.stdout,
        capture_output=True,
        timeout=60,
    )
    answer = json.loads(done.stdout)
    assert (answer["new"], answer["changed"]) == (0, 0)
    assert answer["unchanged"] > 0


def test_every_export_knows_standard_output(stocked: Vetlla, tmp_path: Path) -> None:
    """Plan, report and inventory can be written to it, but a report as CSV is two files, which one pipe cannot take."""
    assert stocked("renewals", "export", "-", "--format", "ndjson").out == ""
    active = b"code,district,base,level,alone,active\nH1,01,NORD,2,yes,2018-01-01/\n"
    assert stocked("inventory", "import", "-", "--what", "homes", stdin=active).status == os.EX_OK
    assert stocked("renewals", "plan", "--from", "2026-01-01", "--to", "2026-12-31").status == os.EX_OK
    header, *_ = stocked("renewals", "export", "-").out.splitlines()
    assert header.startswith('"visit",')
    assert stocked("renewals", "export", "-", "--format", "ndjson").json
    month = ("inventory", "report", "--month", "2024-04", "--out")
    assert json.loads(stocked(*month, "-", "--format", "json").out)["day"] == "2024-04-30"
    assert "is two CSV files" in stocked(*month, "-").error
    accounts = stocked("inventory", "export", "-", "--what", "accounts", "--format", "json").out
    assert json.loads(accounts) == []
    assert "what kind of file is it?" in stocked("inventory", "export", tmp_path / "out.pdf").error


def test_dev_stdout_is_written_to_directly(stocked: Vetlla, state_dir: Path) -> None:
    """/dev/stdout is the end of a pipe here, so the command must not write a file beside it and rename that over it."""
    given = [VETLLA, "inventory", "export", "/dev/stdout", "--format", "csv", "--state-dir", str(state_dir)]
    done = subprocess.run(given, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith('"type","serial",')
    assert stocked("inventory", "export", "-").out.splitlines() == done.stdout.splitlines()


def test_an_error_of_the_registry_is_not_reported_as_one_of_the_file(
    homes: Vetlla, state_dir: Path, tmp_path: Path
) -> None:
    """An error after reading keeps its own family: a registry that cannot be written is not a wrong call."""
    (state_dir / "registry.db").write_bytes(b"not a registry" * 100)
    file = tmp_path / "devices.csv"
    file.write_bytes(written("csv", GOOD["devices"]))
    done = homes(*command("devices", file))
    assert done.status == os.EX_IOERR
    assert "registry.db" in done.error


# --- leading zeros ----------------------------------------------------------------------------------------------------

ZEROS = "only in leading zeros: did a spreadsheet lose them?"


def imported(vetlla: Vetlla, what: str, *lines: str, options: tuple[str, ...] = ()) -> Done:
    heading = {
        "homes": "code,district,base,level,alone",
        "people": "code,home,user_type",
        "devices": "type,serial,ownership,place,account",
        "accounts": "account,home",
    }[what]
    done = vetlla(*command(what, "-", *options), stdin="\n".join((heading, *lines)))
    assert done.status == os.EX_OK, done
    return done


def warnings(done: Done) -> list[tuple[int, str, str, str]]:
    return [(one["row"], one["column"], one["value"], one["warning"]) for one in done.json if "warning" in one]


@pytest.mark.parametrize(
    ("what", "lines", "told"),
    [
        (
            "devices",
            ("terminal_ip,S1,leased,warehouse,000001", "terminal_ip,S2,leased,warehouse,1"),
            (3, "account", "1"),
        ),
        ("devices", ("ucr,0077,leased,warehouse,", "ucr,77,leased,warehouse,"), (3, "serial", "77")),
        ("homes", ("000001,01,N,1,yes", "1,01,N,1,yes"), (3, "code", "1")),
        ("homes", ("A,01,N,1,yes", "B,1,N,1,yes"), (3, "district", "1")),
        ("people", ("000001,H000001,A", "1,H000001,A"), (3, "code", "1")),
        ("accounts", ("000001,H1", "1,H2"), (3, "account", "1")),
        ("accounts", ("17,0001", "18,1"), (3, "home", "1")),
    ],
)
def test_lost_zeros_are_reported(homes: Vetlla, what: str, lines: tuple[str, str], told: tuple[object, ...]) -> None:
    """Codes are compared within a file and with registered ones; both rows are taken, because both may be right."""
    ((row, column, value, reason),) = warnings(imported(homes, what, *lines, options=("--json",)))
    assert (row, column, value) == told
    assert reason.startswith("differs from ")
    assert reason.endswith(ZEROS)
    ((row, column, value, reason),) = warnings(imported(homes, what, lines[1], options=("--json",)))
    assert (row, column, value) == (2, *told[1:])
    assert f"which is registered, {ZEROS}" in reason
    assert "warning: row 2: column" in imported(homes, what, lines[1]).talk


def test_accounts_of_receiver_and_inventory_are_compared(homes: Vetlla) -> None:
    """A terminal is in one table and its account in the other, and either may come first."""
    imported(homes, "accounts", "0042,H000001")
    told = warnings(imported(homes, "devices", "terminal_ip,S1,leased,warehouse,42", options=("--json",)))
    assert [(row, column, value) for row, column, value, _ in told] == [(2, "account", "42")]
    told = warnings(imported(homes, "accounts", "00042,H000001", options=("--json",)))
    assert {value for _, _, value, _ in told} == {"00042"}


def test_codes_of_different_things_are_not_compared(homes: Vetlla) -> None:
    """A UCR 77 and a smoke detector 0077 are of two makers; codes of letters have no zeros to lose."""
    lines = ("ucr,77,leased,warehouse,", "smoke,0077,leased,warehouse,", "terminal_ip,S1,leased,warehouse,0A")
    assert not warnings(imported(homes, "devices", *lines, "terminal_ip,S2,leased,warehouse,A", options=("--json",)))


def test_a_home_that_lost_its_zeros_is_named_in_the_fault(homes: Vetlla) -> None:
    """The fault does not only say that the home is missing."""
    imported(homes, "homes", "000077,01,N,1,yes")
    done = homes(*command("people", "-"), stdin="code,home,user_type\nP1,77,A\n")
    assert "no such home, but there is 000077: did a spreadsheet lose the leading zeros?" in done.talk


def test_the_check_names_lost_zeros(homes: Vetlla) -> None:
    """The check compares accounts of inventory and receiver, serials of one type, homes and people."""
    imported(homes, "homes", "000077,01,N,1,yes", "77,01,N,1,yes")
    imported(homes, "people", "08,H000001,A", "8,H000001,A")
    imported(homes, "accounts", "0042,H000001")
    imported(
        homes, "devices", "terminal_ip,S1,leased,warehouse,42", "ucr,1,leased,warehouse,", "ucr,01,leased,warehouse,"
    )
    done = homes("inventory", "check", "--rule", "leading_zeros", "--json")
    assert done.status == 1
    assert sorted(one["text"] for one in done.json) == [
        f"account 42 and 0042 differ {ZEROS}",
        f"home 77 and 000077 differ {ZEROS}",
        f"person 8 and 08 differ {ZEROS}",
        f"serial 1 and 01 differ {ZEROS}",
    ]
    assert "leading_zeros=4" in homes("inventory", "check", "--rule", "leading_zeros").out


# --- from the office's file to the alarm ------------------------------------------------------------------------------


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[tuple[Path, Any]]:
    """Run a receiver; return its state directory and a function that returns its queue after home 0123 called."""
    with running(tmp_path / "daemon", config="[store]\nmin_free_mib = 1\n") as daemon:

        def calling() -> dict[str, Any]:
            with Terminal(daemon.port, "0123") as terminal:
                assert terminal.say(terminal.build("ADM-CID", "0001", b"#0123|1101 00 002")) == "ACK"
            (alarm,) = daemon.queue()
            return dict(alarm)

        yield daemon.state_dir, calling


def test_a_workbook_leads_to_the_alarm_of_its_home(calls: tuple[Path, Any], homes: Vetlla, tmp_path: Path) -> None:
    """X2-4: the test imports the inventory, exports and imports the accounts, and sends a frame of the terminal."""
    state, calling = calls
    where = ("--state-dir", str(state))
    book = tmp_path / "devices.xlsx"
    assert homes(*command("homes", tmp_path / "homes.csv", *where)).status == os.EX_OK
    book.write_bytes(workbook(rows(HEADING, device(account=number("123")))))
    assert homes(*command("devices", book, *where)).status == os.EX_USAGE
    book.write_bytes(workbook(rows(HEADING, device(account="0123"))))
    assert homes(*command("devices", book, *where)).status == os.EX_OK
    accounts = tmp_path / "accounts.xlsx"
    assert homes("inventory", "export", accounts, "--what", "accounts", *where).status == os.EX_OK
    assert homes("accounts", "import", accounts, *where).status == os.EX_OK
    alarm = calling()
    assert (alarm["home"], alarm["priority"], alarm["unknown_account"]) == ("H000001", "LIFE", False)

"""Files that fill the memory, go on for ever or break the reader are refused with one message."""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.cli.files.workbooks import rows, workbook
from tests.rigs.daemon import VETLLA
from vetlla.tables import bounds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla

MEMORY = 1 << 30
"""Bytes of address space that the program may have; the program itself takes 200 MB of them."""


def refused(state_dir: Path, *words: object, stdin: bytes | None = None) -> str:
    """Run the installed program with little memory; return the message with which it refuses."""

    def bound() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    given = [VETLLA, *map(str, words)]
    environment = {**os.environ, "VETLLA_STATE_DIR": str(state_dir)}
    done = subprocess.run(
        given,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        check=False,
        timeout=60,
        env=environment,
        preexec_fn=bound,
    )
    told = done.stderr.decode()
    assert "Traceback" not in told, told
    assert done.returncode in {os.EX_USAGE, os.EX_CONFIG, os.EX_DATAERR}, (done.returncode, told)
    assert told.startswith("vetlla: "), told
    return told


@pytest.mark.parametrize(
    "words",
    [
        "accounts import /dev/zero",
        "accounts import /dev/zero --format json",
        "accounts import /dev/zero --format xlsx",
        "inventory import /dev/zero --what homes --format ndjson",
        "inventory import /dev/null --what homes --mapping /dev/zero",
        "inventory parameters --parameters /dev/zero",
        "check-config --config /dev/zero",
        "keys list --keys-file /dev/zero",
        "decode dc09 /dev/zero",
        "decode dc09 /dev/zero --raw",
        "keys set north --hex --from-file /dev/zero",
        "simulate dial --to 127.0.0.1:9 --accounts /dev/zero",
    ],
)
def test_an_endless_file_is_read_up_to_a_bound(state_dir: Path, words: str) -> None:
    """A script may name such a file by mistake; the program neither hangs nor takes the machine's memory."""
    assert refused(state_dir, *words.split())


def test_an_endless_pipe_is_read_up_to_a_bound(state_dir: Path) -> None:
    """The content of a pipe is held in memory, so it has a bound."""
    told = refused(state_dir, "accounts", "import", "-", stdin=bytes(bounds.MAX_FILE + 1))
    assert f"has more than {bounds.MAX_FILE // bounds.MIB} MiB" in told


# --- workbooks --------------------------------------------------------------------------------------------------------


def repacked(change: Callable[[str, bytes], bytes], **options: object) -> bytes:
    """Return a workbook with one row, after a function has changed its parts."""
    good = zipfile.ZipFile(io.BytesIO(workbook(rows(["account"], ["1234"]), **options)))  # type: ignore[arg-type]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in good.namelist():
            archive.writestr(name, change(name, good.read(name)))
    return file.getvalue()


def in_sheet(old: bytes, new: bytes) -> bytes:
    return repacked(lambda name, part: part.replace(old, new) if "sheet1" in name else part)


def stored_sheet(size: int) -> bytes:
    """Return a workbook whose unpacked size is the one it declares."""
    file = io.BytesIO(workbook(rows(["account"], ["1234"])))
    good = zipfile.ZipFile(file)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in good.namelist():
            part = good.read(name)
            archive.writestr(name, part.replace(b"<sheetData>", b"<sheetData>" + b"<x/>" * (size // 4)))
    return out.getvalue()


def many_parts() -> bytes:
    file = io.BytesIO(workbook(rows(["account"], ["1234"])))
    with zipfile.ZipFile(file, "a") as archive:
        for number in range(30_000):
            archive.writestr(f"x{number}", b"")
    return file.getvalue()


DOCUMENT_TYPE = b'<!DOCTYPE x [<!ENTITY a "' + b"x" * 1000 + b'"><!ENTITY b "' + b"&a;" * 1000 + b'">]>'
BOOKS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a part that unpacks to 400 MB": (
        lambda: in_sheet(b"<sheetData>", b"<sheetData>" + b"<c/>" * 100_000_000),
        "in which no row ends",
    ),
    "a text that unpacks to 200 MB": (lambda: in_sheet(b"1234", b"1" * 200_000_000), "in which no row ends"),
    "parts that unpack to 600 MB": (
        lambda: in_sheet(b"</sheetData>", b"</sheetData>" + b" " * 600_000_000),
        "once it is unpacked",
    ),
    "elements without a row": (lambda: stored_sheet(40_000_000), "in which no row ends"),
    "a part of styles": (
        lambda: repacked(lambda name, part: part + b" " * 8 * bounds.MIB if "styles" in name else part),
        "once it is unpacked",
    ),
    "30,000 parts": (many_parts, "more parts than a workbook has"),
    "a document type": (lambda: in_sheet(b"?>\n", b"?>\n" + DOCUMENT_TYPE), "holds a document type"),
    "a document type behind a comment": (
        lambda: in_sheet(b"?>\n", b"?>\n<!-- <a> -->" + DOCUMENT_TYPE),
        "holds a document type",
    ),
    "a document type in UTF-16": (
        lambda: repacked(
            lambda name, part: (
                ("\ufeff<!DOCTYPE x []>" + part.decode().partition("?>")[2]).encode("utf-16-le")
                if "workbook.xml" in name and "rels" not in name
                else part
            )
        ),
        "holds a document type",
    ),
    "a column of a million letters": (lambda: in_sheet(b'r="A2"', b'r="' + b"A" * 1_000_000 + b'2"'), "out of place"),
    "half of a character": (lambda: in_sheet(b"1234", b"_xD800_"), "surrogates not allowed"),
    "a row beyond the last": (lambda: in_sheet(b'<row r="2"', b'<row r="9999999"'), "comes after row"),
}


@pytest.mark.parametrize("name", BOOKS)
def test_a_workbook_that_is_a_bomb_is_refused(state_dir: Path, tmp_path: Path, name: str) -> None:
    """Every such workbook is refused, whatever its unpacked parts are."""
    make, why = BOOKS[name]
    file = tmp_path / "bomb.xlsx"
    file.write_bytes(make())
    assert why in refused(state_dir, "accounts", "import", file)


# --- JSON and CSV -----------------------------------------------------------------------------------------------------

DEEP = "[" * 100_000
CLOSED = "[" * 900 + "]" * 900
TEXTS = {
    "deep.json": (DEEP, "is no JSON"),
    "deep list.json": (f'[{{"account": "1"}}, {CLOSED}]', "is no object"),
    "deep.ndjson": (f'{{"account": {DEEP}', "is no JSON"),
    "deep line.ndjson": (f'{{"account": "1"}}\n{CLOSED}\n', "is no object"),
    "deep cell.ndjson": (f'{{"account": {CLOSED}}}\n', "lists within lists"),
    "deep cell.json": (f'[{{"account": {"[" * 20 + "]" * 20}}}]', "lists within lists"),
    "half a character.json": ('[{"account": "1", "home": "\\ud800"}]', "half of a character"),
    "half a heading.json": ('[{"account": "1", "\\ud800": "x"}]', "unknown heading"),
    "digits.json": (f'[{{"account": {"9" * 5000}}}]', "is no JSON"),
    "digits.ndjson": (f'{{"account": {"9" * 5000}}}', "is no JSON"),
    "columns.json": (json.dumps([{f"x{n}": "" for n in range(bounds.MAX_COLUMNS + 1)}]), "columns"),
    "rows.json": (f"[{'{},' * bounds.MAX_ROWS}{{}}]", "rows"),
    "rows.ndjson": ("{}\n" * (bounds.MAX_ROWS + 1), "rows"),
    "columns.csv": (",".join(f"x{n}" for n in range(bounds.MAX_COLUMNS + 1)), "columns"),
    "commas.csv": ("," * (bounds.MAX_ROW + 1), "no heading"),
    "blank rows.csv": ("account\n" + "\n" * (bounds.MAX_ROWS + 1), "rows"),
    "a long row.csv": ("account\n" + "1" * (bounds.MAX_ROW + 1), "a row of more than"),
    "a row of many lines.csv": ("account\n" + '"\n",' * bounds.MAX_ROW, "a row of more than"),
    "a quote that never ends.csv": ("account\n" + '"' + "x\n" * bounds.MAX_ROW, "is not CSV"),
    "blank lines.csv": ("\n" * 50 + " " * bounds.MAX_ROW, "no heading"),
    "NUL.csv": ("account\n1\0" + "\0" * 1000 + "2\n", "should be letters"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_file_that_is_a_bomb_is_refused(vetlla: Vetlla, tmp_path: Path, name: str) -> None:
    """Nothing of the file is imported; the message, or a fault, names the bound."""
    content, why = TEXTS[name]
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    done = vetlla("accounts", "import", file)
    assert done.status == os.EX_USAGE
    assert why in done.error + done.talk
    assert len(done.error + done.talk) < 2_000
    assert vetlla("accounts", "list").out == ""


def test_a_file_of_the_wrong_kind_gives_a_bounded_number_of_faults(vetlla: Vetlla, tmp_path: Path) -> None:
    """The import stops reading at its bound of faults."""
    file = tmp_path / "wrong.csv"
    file.write_text("account\n" + "# #\n" * (bounds.MAX_FAULTS + 5_000), encoding="utf-8")
    done = vetlla("accounts", "import", file)
    assert f"{bounds.MAX_FAULTS + 1} faults, nothing imported" in done.error
    assert done.talk.splitlines()[-1].startswith(f"row {bounds.MAX_FAULTS + 2}: this row and the following ones were")


# --- TOML -------------------------------------------------------------------------------------------------------------

TOML = {
    "lists": "a = " + "[" * 50_000,
    "closed lists": "a = " + "[" * 100 + "]" * 100,
    "tables": "a = " + "{b = " * 50_000,
    "a dotted key": ".".join(["a"] * 50_000) + " = 1",
    "a dotted key in quotes": ".".join(['"a b"'] * 50_000) + " = 1",
    "a dotted table": "[" + ".".join(["a"] * 50_000) + "]",
    "digits": "a = " + "9" * 5_000,
}


@pytest.mark.parametrize("name", TOML)
def test_toml_that_is_a_bomb_is_refused(vetlla: Vetlla, tmp_path: Path, name: str) -> None:
    """Every such file gives one message, at once."""
    file = tmp_path / "bomb.toml"
    file.write_text(TOML[name], encoding="utf-8")
    file.chmod(0o600)

    def told(*words: object) -> Done:
        done = vetlla(*words)
        assert done.status == os.EX_CONFIG, done
        assert "not TOML" in done.error
        assert len(done.error) < 1_000
        return done

    told("check-config", "--config", file)
    told("inventory", "import", tmp_path / "none.csv", "--what", "homes", "--mapping", file)
    told("inventory", "parameters", "--parameters", file)
    told("keys", "list", "--keys-file", file)

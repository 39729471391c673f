"""Opens a file of rows, or standard input, and finds out its kind and its encoding."""

from __future__ import annotations

import io
import re
import sys
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from vetlla.domain.errors import UsageError
from vetlla.domain.plainfile import open_input
from vetlla.tables import delimited, headless, objects
from vetlla.tables.bounds import MAX_FILE, MIB
from vetlla.tables.xlsx import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.tables.headless import Headless
    from vetlla.tables.table import Row, Table

STANDARD = Path("-")
"""Standard input or output instead of a file."""


class FileKind(StrEnum):
    """Kind of a file of rows."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"
    NDJSON = "ndjson"


class Encoding(StrEnum):
    """Encoding of a text file."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    WINDOWS_1252 = "windows-1252"


_SPELLED = {"charmap": Encoding.WINDOWS_1252.value}
"""Encodings that have another name in Python's errors."""
ENDINGS = {
    ".csv": FileKind.CSV,
    ".tsv": FileKind.CSV,
    ".txt": FileKind.CSV,
    ".xlsx": FileKind.XLSX,
    ".xlsm": FileKind.XLSX,
    ".json": FileKind.JSON,
    ".ndjson": FileKind.NDJSON,
    ".jsonl": FileKind.NDJSON,
}
NAMED = ".csv, .xlsx, .json, .ndjson"
MARKS = {b"\xef\xbb\xbf": Encoding.UTF_8, b"\xff\xfe": Encoding.UTF_16, b"\xfe\xff": Encoding.UTF_16}
"""Byte order marks. They are more reliable than the encoding that the caller gives."""
_UTF_16_MARKS = tuple(mark for mark, encoding in MARKS.items() if encoding is Encoding.UTF_16)
ZIP, OLD_EXCEL = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
HEAD = 512
"""Number of bytes at the start of a file that show its kind."""


@contextmanager
def opened(
    file: Path | BinaryIO,
    *,
    what: str = "",
    kind: FileKind | None = None,
    encoding: Encoding | None = None,
    sheet: str = "",
    lines: Headless | None = None,
) -> Iterator[Table]:
    """Open a file of rows, ``-`` for standard input. Raises UsageError with what is wrong, also while rows are read.

    If ``kind`` or ``encoding`` is not given, the file's name and first bytes decide. In a workbook, ``what`` is the
    name of the sheet that is preferred, and ``sheet`` the name of a sheet that must exist. ``lines`` says how a text
    without a heading is read; then ``kind`` must be CSV.
    """
    name = str(file) if isinstance(file, Path) else "file"
    with ExitStack() as stack:
        with _errors_naming_file(name):
            raw, size = _bytes(file)
        stack.enter_context(raw)
        with _errors_naming_file(name, raw):
            head = raw.read(HEAD)
            raw.seek(0)
            kind = _kind(Path(name), head, kind)
            if kind is FileKind.XLSX:
                table = reading.table(raw, what, sheet)
            elif sheet:
                raise UsageError("has no sheets", remedy="leave --sheet out")
            else:
                text = stack.enter_context(io.TextIOWrapper(raw, encoding=_codec(raw, encoding), newline=""))
                done = lambda: raw.tell() / max(size, 1)  # noqa: E731 - it counts bytes, not letters
                if kind is not FileKind.CSV:
                    table = objects.table(text)
                else:
                    table = headless.table(text, done, lines) if lines else delimited.table(text, done)
        yield table._replace(rows=_rows_naming_file(name, raw, table.rows))


def size_of(file: Path) -> int:
    """Return the size of a file in bytes; 0 if it has none, as a pipe."""
    return file.stat().st_size if file.is_file() else 0


def _bytes(file: Path | BinaryIO) -> tuple[BinaryIO, int]:
    """Return a stream that can be read again from its start, and its size. A pipe is read to its end for this.

    A device such as /dev/zero is read like a pipe, since its size has no meaning.
    """
    if file == STANDARD:
        return _held(sys.stdin.buffer)
    raw = open_input(file) if isinstance(file, Path) else file
    if not raw.seekable() or (isinstance(file, Path) and not file.is_file()):
        with raw:
            return _held(raw)
    size = raw.seek(0, io.SEEK_END)
    raw.seek(0)
    if size > MAX_FILE:
        raw.close()
        raise _too_large()
    return raw, size


def _held(pipe: BinaryIO) -> tuple[BinaryIO, int]:
    content = pipe.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise _too_large()
    return io.BytesIO(content), len(content)


def _too_large() -> UsageError:
    return UsageError(
        f"has more than {MAX_FILE // MIB} MiB", remedy="is it the right file? import a larger one in parts"
    )


def _kind(path: Path, head: bytes, given: FileKind | None) -> FileKind:
    """Return the kind of a file. Raises UsageError if its name and its first bytes contradict each other."""
    if head.startswith(OLD_EXCEL):
        raise UsageError("is a workbook of an old kind or with a password", remedy="save it as .xlsx, without one")
    looks = _looks(head)
    kind = given or ENDINGS.get(path.suffix.lower()) or looks
    if kind is FileKind.XLSX and looks is not FileKind.XLSX:
        raise UsageError(
            "is not an XLSX workbook", remedy="correct the ending of its name (.csv, .json) or give --format"
        )
    if kind is not FileKind.XLSX and looks is FileKind.XLSX:
        raise UsageError("is an XLSX workbook", remedy="name it .xlsx or give --format xlsx")
    if kind is FileKind.CSV and looks is FileKind.JSON:
        raise UsageError("is JSON", remedy="name it .json or give --format json")
    return kind


def _looks(head: bytes) -> FileKind:
    if head.startswith(ZIP):
        return FileKind.XLSX
    text = re.sub(rb"\0|^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)", b"", head).lstrip()
    if text[:1] == b"<":
        raise UsageError("is HTML or XML, although its name may say otherwise", remedy="save it as CSV or XLSX")
    return FileKind.JSON if text[:1] in {b"[", b"{"} else FileKind.CSV


def _codec(raw: BinaryIO, given: Encoding | None) -> str:
    """Return the codec of a text file. Its byte order mark wins over the given encoding."""
    head = raw.read(HEAD)
    raw.seek(0)
    found = next((encoding for mark, encoding in MARKS.items() if head.startswith(mark)), None) or given
    if found is Encoding.WINDOWS_1252:
        _refuse_utf_8(raw)
        return "cp1252"
    letters = head.rstrip(b"\0")
    has_two_bytes = letters.count(b"\0") * 3 > len(letters)  # in UTF-16, every other byte of Latin letters is NUL
    if found is None and has_two_bytes:
        raise UsageError("has NUL bytes between its letters", remedy="if it is UTF-16, give --encoding utf-16")
    if found is not Encoding.UTF_16:
        return "utf-8-sig"
    if head.startswith(_UTF_16_MARKS):
        return "utf-16"
    if not has_two_bytes:
        raise UsageError("is not UTF-16", remedy="leave --encoding out, or give --encoding windows-1252")
    # Without a mark, the place of the NUL in each Latin letter shows the order of the bytes.
    return "utf-16-be" if head[::2].count(0) > head[1::2].count(0) else "utf-16-le"


def _refuse_utf_8(raw: BinaryIO) -> None:
    """Raise UsageError if a file is certainly UTF-8: in another encoding, each accent would become two letters."""
    content = raw.read()
    raw.seek(0)
    try:
        is_utf_8 = bool(content.decode()) and not content.isascii()
    except UnicodeDecodeError:
        return
    if is_utf_8:
        raise UsageError("is UTF-8", remedy="leave --encoding out")


def _rows_naming_file(name: str, raw: BinaryIO, rows: Iterator[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
    with _errors_naming_file(name, raw):
        yield from rows


@contextmanager
def _errors_naming_file(name: str, raw: BinaryIO | None = None) -> Iterator[None]:
    """Name the file in every error of reading it. Errors in the caller's own work on a row do not pass through here."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{name}: {error.args[0]}", remedy=error.remedy) from error
    except OSError as error:
        raise UsageError(
            f"{name}: {error.strerror or error}", remedy="name a file that you may read, or - for standard input"
        ) from error
    except UnicodeError as error:
        codec = getattr(error, "encoding", "")
        if raw and codec == "utf-8":
            what, remedy = _line_of(raw), "save it as UTF-8, or name its encoding: --encoding windows-1252"
        else:
            what, remedy = f"is not {_SPELLED.get(codec, codec or 'text')} throughout: {error}", "save it as UTF-8"
        raise UsageError(f"{name}: {what}, nothing imported", remedy=remedy) from error


def _line_of(raw: BinaryIO) -> str:
    """Return which line of a file is not UTF-8."""
    raw.seek(0)
    for number, line in enumerate(raw, start=1):
        try:
            line.decode()
        except UnicodeDecodeError:
            return f"line {number} is not UTF-8 text"
    return ""

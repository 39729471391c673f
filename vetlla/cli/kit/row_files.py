"""Code that imports and exports share: the options of files, the progress bar, the messages for faults."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, NoReturn, TypeVar

import typer

from vetlla.cli.kit.output import print_json, talk
from vetlla.cli.kit.progress import progress
from vetlla.domain.columns import Fault
from vetlla.domain.errors import UsageError
from vetlla.tables.mapping import translation
from vetlla.tables.reader import Reader
from vetlla.tables.source import Encoding, FileKind, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.domain.columns import RowKind
    from vetlla.tables.headless import Headless
    from vetlla.tables.table import Row, Table

R = TypeVar("R")

EVERY = 5_000
"""Rows between two steps of the progress bar. A shorter file is read before the bar could be seen."""
WARNINGS_SHOWN = 20
"""Most warnings that a person is shown; --json shows every one."""

ImportFile = Annotated[Path, typer.Argument(metavar="FILE|-", help="CSV, XLSX, JSON or NDJSON; - for standard input.")]
Format = Annotated[
    FileKind | None,
    typer.Option(
        "--format",
        case_sensitive=False,
        help="Format of the file. Default: by the ending of its name, else by its first characters.",
    ),
]
TextEncoding = Annotated[
    Encoding | None,
    typer.Option(
        "--encoding", case_sensitive=False, help="Encoding of a text file without byte order mark. Default: utf-8."
    ),
]
SheetName = Annotated[
    str, typer.Option("--sheet", help="Sheet of a workbook. Default: the one named like --what, or the first.")
]
MappingFile = Annotated[Path | None, typer.Option("--mapping", help="TOML file that translates headings and words.")]


ExportFile = Annotated[
    Path, typer.Argument(metavar="FILE|-", help="CSV, XLSX, JSON or NDJSON, by its ending; - for standard output.")
]
ExportFormat = Annotated[
    FileKind | None,
    typer.Option(
        "--format", case_sensitive=False, help="Format of the file. Default: by the ending of its name; - is csv."
    ),
]


class FileOptions(NamedTuple):
    """Options that say how a file is read."""

    kind: Format = None
    encoding: TextEncoding = None
    sheet: SheetName = ""
    mapping: MappingFile = None


class Import(NamedTuple, Generic[R]):
    """A file that is being read: its reader, and the number of each row with the row or its faults."""

    reader: Reader[R]
    rows: Iterator[tuple[int, R | list[Fault]]]


@contextmanager
def importing(
    file: Path, kind: RowKind[R], options: FileOptions, *, what: str, as_json: bool, lines: Headless | None = None
) -> Iterator[Import[R]]:
    """Yield a file to import, with a bar on a terminal. Prints every fault of the heading and raises UsageError.

    ``lines`` is how a text without a heading is read.
    """
    words = translation(options.mapping)
    form = FileKind.CSV if lines else options.kind
    with opened(file, what=what, kind=form, encoding=options.encoding, sheet=options.sheet, lines=lines) as table:
        reader = Reader(kind, table, words)
        if table.note:
            talk().print(f"{file}: {table.note}", soft_wrap=True)
        if reader.faults:
            refuse(file, reader.faults, reader, as_json=as_json)
        yield Import(reader, reader.read(_with_bar(table)))


def refuse(file: Path, faults: Sequence[Fault], reader: Reader[Any], *, as_json: bool, remedy: str = "") -> NoReturn:
    """Print every fault, then raise UsageError."""
    for fault in faults:
        tell_fault(fault, reader, as_json=as_json)
    raise UsageError(
        f"{file}: {len(faults)} faults, nothing imported", remedy=f"correct them, then import again{remedy}"
    )


def tell_fault(fault: Fault, reader: Reader[Any], *, as_json: bool) -> None:
    """Print a fault: for a machine as an object, for a person as a sentence that names the column as the file does."""
    if as_json:
        print_json({**fault._asdict(), "heading": reader.heading(fault.column)})
    else:
        talk().print(sentence(fault, reader.heading(fault.column)), soft_wrap=True)


def tell_differing(count: int) -> None:
    """Say how many events of a file are recorded otherwise; for none nothing is said."""
    if count:
        talk().print(
            f"{count} of the unchanged events are recorded with another person, note or detail, which stays",
            soft_wrap=True,
        )


def tell_warnings(warnings: Sequence[Fault], reader: Reader[Any], *, as_json: bool) -> None:
    """Print warnings of what was imported all the same, and should be looked at."""
    for warning in warnings if as_json else warnings[:WARNINGS_SHOWN]:
        heading = reader.heading(warning.column)
        if as_json:
            fields = warning._asdict()
            print_json({"warning": fields.pop("reason"), **fields, "heading": heading})
        else:
            talk().print(f"warning: {sentence(warning, heading)}", style="yellow", soft_wrap=True)
    if len(warnings) > WARNINGS_SHOWN and not as_json:
        talk().print(f"{len(warnings) - WARNINGS_SHOWN} more warnings (--json shows all)", style="yellow")


def sentence(fault: Fault, heading: str) -> str:
    """Return a fault as a sentence for a person."""
    named = heading if heading == fault.column else f"{heading} ({fault.column})"
    where = f"column {named}: {fault.value!r} " if fault.column else f"{fault.value!r} " if fault.value else ""
    return f"row {fault.row}: {where}{fault.reason}"


def _with_bar(table: Table) -> Iterator[tuple[int, Row]]:
    with progress("reading") as tell:
        for place, row in enumerate(table.rows):
            if place % EVERY == 0 and place:
                tell(round(table.done() * 100), 100)
            yield row
        tell(100, 100)

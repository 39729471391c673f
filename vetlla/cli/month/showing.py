"""``vetlla month show``, ``list`` and ``export``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.kit.duty_rows import duty_rules
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import CLOCK
from vetlla.cli.month.words import MonthArgument, Version, closing_fields, closing_row, file_fields
from vetlla.domain.errors import UsageError
from vetlla.tasks.months import documents, looking

if TYPE_CHECKING:
    from datetime import date

LIST_COLUMNS: Final = ("month", "version", "known", "by", "reason", "note", "program", "seal")
FILE_COLUMNS: Final = ("role", "name", "media", "size", "sha256")
DIFFERENCE_COLUMNS: Final = ("part", "field", "before", "after")
Difference = Annotated[bool, typer.Option("--difference", help="Compare it field by field with the version before it.")]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write the files; it is made if needed.")]


def show(
    month: MonthArgument,
    version: Version = None,
    difference: Difference = False,
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show a closed month with its digests and files, or how a restatement differs from the version before.

    Example: vetlla month show 2026-10 --difference
    """
    if difference:
        _show_difference(state_dir, month, version, as_json=as_json)
        return
    one = looking.closing(state_dir, CLOCK, month, version)
    inputs, files = [found._asdict() for found in one.inputs], [file_fields(file) for file in one.files]
    if as_json:
        print_json(closing_fields(one) | {"inputs": inputs, "files": files})
        return
    duty_rules(None, parameters_file)  # times are on the clock of the service
    print_rows([closing_row(one)], LIST_COLUMNS, as_json=False)
    print_rows(inputs, ("name", "rows", "digest"), as_json=False, title="the record")
    print_rows(files, FILE_COLUMNS, as_json=False, title="files")
    console().print(f"seal {one.seal}", soft_wrap=True)


def _show_difference(state_dir: Path, month: date, version: int | None, *, as_json: bool) -> None:
    after = looking.closing(state_dir, CLOCK, month, version)
    if after.version == 1:
        raise UsageError(
            f"{after.label} version 1 restates nothing",
            remedy=f"vetlla month show {after.label}",
        )
    before = looking.closing(state_dir, CLOCK, month, after.version - 1)
    rows: list[dict[str, Any]] = [
        {
            "part": "record",
            "field": name,
            "before": old._asdict() if old else None,
            "after": new._asdict() if new else None,
        }
        for name, old, new in looking.changed_inputs(before, after)
    ]
    rows += [
        {"part": name, "field": found.field, "before": found.before, "after": found.after}
        for name, found in looking.changed_results(before, after)
    ]
    if as_json:
        for row in rows:
            print_json({"month": after.label, "versions": [before.version, after.version], **row})
        return
    title = f"{after.label}: version {before.version} and version {after.version} ({after.reason})"
    print_rows(map(_text_row, rows), DIFFERENCE_COLUMNS, as_json=False, title=title)


def _text_row(row: dict[str, Any]) -> dict[str, Any]:
    return row | {side: _shown(row[side], is_input=row["part"] == "record") for side in ("before", "after")}


def _shown(value: Any, *, is_input: bool) -> str:  # noqa: ANN401 - any JSON
    if value is None:
        return ""
    if is_input:
        return f"{value['rows']} rows"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def list_(
    parameters_file: ParametersFile = None, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR
) -> None:
    """List the closed months and their restatements, in the order in which they were made.

    Example: vetlla month list
    """
    found = looking.closings(state_dir, CLOCK)
    duty_rules(None, parameters_file)  # times are on the clock of the service
    print_rows(map(closing_fields if as_json else closing_row, found), LIST_COLUMNS, as_json=as_json)


def export(
    month: MonthArgument,
    folder: Folder,
    version: Version = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Write what a closed month keeps into a folder: rules, results and documents, each byte as it was kept.

    Example: vetlla month export 2026-10 october
    """
    one = looking.closing(state_dir, CLOCK, month, version)
    for path in documents.export(one, folder):
        if as_json:
            print_json({"path": str(path)})
        else:
            console().print(str(path), soft_wrap=True)

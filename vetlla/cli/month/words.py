"""How the commands show closed months, and the arguments that they share."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.moments import as_month, to_the_second
from vetlla.domain.clock import iso

if TYPE_CHECKING:
    from vetlla.domain.closing import ClosedFile, Closing

MonthArgument = Annotated[date, typer.Argument(metavar="YYYY-MM", parser=as_month, help="The month.")]
Version = Annotated[
    int | None, typer.Option("--version", min=1, help="Version of the closed month. Default: the last one.")
]


def closing_fields(closing: Closing) -> dict[str, Any]:
    """Return a closing for a machine, without its inputs and files; times are UTC."""
    return {
        "month": closing.label,
        "version": closing.version,
        "known": iso(closing.known_us),
        "by": closing.by,
        "reason": closing.reason,
        "note": closing.note,
        "program": closing.program,
        "seal": closing.seal,
        "seal_before": closing.before,
    }


def closing_row(closing: Closing) -> dict[str, Any]:
    """Return a closing for a table."""
    return closing_fields(closing) | {"known": to_the_second(closing.known_us), "seal": closing.seal[:16]}


def file_fields(file: ClosedFile) -> dict[str, Any]:
    """Return a kept file without its content; the size is in bytes."""
    return {
        "role": file.role.value,
        "name": file.name,
        "media": file.media,
        "size": len(file.content),
        "sha256": file.digest,
    }

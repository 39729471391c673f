"""The options of commands about documents, and how a document is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.duty_rows import duty_fields
from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.kit.output import console, print_json

if TYPE_CHECKING:
    from vetlla.service.documents.deliverables import Deliverables
    from vetlla.service.documents.delivery import Delivery

COLUMNS = ("document", "period", "due", "verdict", "delivered", "rejected", "receipt", "title")

CalendarFile = Annotated[
    Path | None,
    typer.Option(
        "--calendar",
        envvar="VETLLA_DOCUMENTS",
        metavar="FILE",
        readable=False,
        help="File of the documents that are owed. Default: the installed documents.toml.",
    ),
]
DocumentCode = Annotated[
    str, typer.Argument(metavar="DOCUMENT", help="Code of the document, as vetlla documents calendar shows it.")
]
Period = Annotated[
    str, typer.Option("--period", metavar="PERIOD", help="Its period, such as 2026-11, 2026, start or end.")
]


def delivery_fields(one: Delivery, deliverables: Deliverables) -> dict[str, Any]:
    """Return a document for a machine."""
    known = deliverables.find(one.code)
    proof = dict(one.proof)
    return duty_fields(one.standing) | {
        "document": one.code,
        "period": one.period,
        "title": {"ca": known.ca, "en": known.en} if known else None,
        "planned": one.is_planned,
        "rejected": one.rejected,
        "proof": {
            "file": proof.get("file"),
            "bytes": int(proof["bytes"]) if "bytes" in proof else None,
            "sha256": proof.get("sha256"),
            "receipt": proof.get("receipt"),
        }
        if proof
        else None,
    }


def delivery_row(one: Delivery, deliverables: Deliverables) -> dict[str, Any]:
    """Return a document for a table."""
    known, standing = deliverables.find(one.code), one.standing
    return {
        "document": one.code,
        "period": one.period,
        "due": "" if standing.due_us is None else to_the_second(standing.due_us),
        "verdict": standing.verdict.value,
        "delivered": to_the_second(standing.judging.told.at_us) if standing.judging else "",
        "rejected": one.rejected or "",
        "receipt": one.proof.get("receipt", ""),
        "title": known.ca if known else "",
    }


def print_delivery(one: Delivery, deliverables: Deliverables, *, as_json: bool) -> None:
    """Print a document after a change."""
    if as_json:
        print_json(delivery_fields(one, deliverables))
        return
    row = delivery_row(one, deliverables)
    state = f"{row['verdict']}, delivered {row['delivered']}" if row["delivered"] else row["verdict"]
    again = f", rejected {one.rejected} times" if one.rejected > 1 else ", rejected once" if one.rejected else ""
    console().print(f"{one.code} {one.period}: {state}, due {row['due']}{again}", soft_wrap=True)

"""Reads the calendar of documents: the one that comes with the program, or a file of the contractor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.service.documents.deliverables import parse_deliverables
from vetlla.settings.shipped import documents_file
from vetlla.tasks.parameters import exact_document

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.documents.deliverables import Deliverables


def load_deliverables(file: Path | None = None) -> Deliverables:
    """Return the documents that are owed. Raises ConfigError that names the file."""
    source = file or documents_file()
    return parse_deliverables(exact_document(source, "--calendar"), str(source))

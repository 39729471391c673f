"""Reads the tender's tables: those that come with the program, or a file that a user names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.service.budget.tender import parse_tender
from vetlla.settings.shipped import tender_file
from vetlla.tasks.parameters import exact_document

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.budget.tender import TenderTables


def load_tender(file: Path | None = None) -> TenderTables:
    """Return the tender's tables. Raises ConfigError that names the file."""
    source = file or tender_file()
    return parse_tender(exact_document(source, "--tender"), str(source))

"""Reads the header of the invoice: the file that a user names, or the example that comes with the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.service.invoice.header import parse_head
from vetlla.settings.shipped import invoice_file
from vetlla.tasks.parameters import exact_document

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.invoice.header import InvoiceHead


def load_head(file: Path | None = None) -> InvoiceHead:
    """Return the header of the invoice. Raises ConfigError that names the file."""
    source = file or invoice_file()
    return parse_head(exact_document(source, "--header"), str(source))

"""Finds the files that come with the program."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

_CONFIG: Final = Path(__file__).parents[2] / "config"
"""Folder of a source tree, and so of an editable install. A wheel has copies beside the rules that read them."""


def parameters_file() -> Path:
    """Return the path of the contract parameters that were installed with the program."""
    return _installed("vetlla.service", "parameters.toml", "parameters.toml")


def duty_kinds_file() -> Path:
    """Return the path of the kinds of duties that were installed with the program."""
    return _installed("vetlla.service", "duties.toml", "duties.toml")


def documents_file() -> Path:
    """Return the path of the calendar of documents that was installed with the program."""
    return _installed("vetlla.service", "documents.toml", "documents.toml")


def tender_file() -> Path:
    """Return the path of the tender's tables that were installed with the program."""
    return _installed("vetlla.service", "tender.toml", "tender.toml")


def invoice_file() -> Path:
    """Return the path of the example of the invoice's header that was installed with the program."""
    return _installed("vetlla.service", "invoice.toml", "invoice.toml")


def reminder_texts() -> Path:
    """Return the folder of the reminder service's texts that was installed with the program."""
    return _installed("vetlla.service.reminders.texts", "shipped/texts", "reminders/texts")


def reminder_offices() -> Path:
    """Return the path of the example of offices that was installed with the program."""
    return _installed("vetlla.service.reminders.texts", "shipped/offices.toml", "reminders/offices.toml")


def support_levels() -> Path:
    """Return the path of the support desk's hours and times that was installed with the program."""
    return _installed("vetlla.service.reminders.texts", "shipped/support.toml", "reminders/support.toml")


def _installed(package: str, packaged: str, in_tree: str) -> Path:
    path = Path(str(files(package))) / packaged
    return path if path.exists() else _CONFIG / in_tree

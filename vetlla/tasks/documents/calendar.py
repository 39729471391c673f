"""Reads the calendar of documents: the one that comes with the program, or a file of the contractor."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.service.documents.deliverables import parse_deliverables
from vetlla.settings.shipped import documents_file

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.documents.deliverables import Deliverables


def load_deliverables(file: Path | None = None) -> Deliverables:
    """Return the documents that are owed. Raises ConfigError that names the file."""
    source = file or documents_file()
    try:
        document = tomlfile.document(tomlfile.read_input(source))
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror}", remedy="name an existing file with --calendar") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        remedy = "correct that line, or begin again with a copy of the installed file"
        raise ConfigError(f"{source}: not TOML: {error}", remedy=remedy) from error
    return parse_deliverables(document, str(source))

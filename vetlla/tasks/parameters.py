"""Reads files of figures with their exact decimals: dated parameters, and the tables of the tender."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.service.parameters import parse

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.parameters import Parameters


def read_parameters(source: Path, option: str) -> Parameters:
    """Return the parameters of a file; ``option`` names the file on the command line. Raises ConfigError."""
    return parse(exact_document(source, option), str(source))


def exact_document(source: Path, option: str) -> dict[str, Any]:
    """Return the document of a TOML file with its decimals as written; ``option`` names the file on the command line.

    Raises ConfigError if the file cannot be read or is not TOML.
    """
    return document_in(exact_content(source, option), str(source))


def exact_content(source: Path, option: str) -> bytes:
    """Return the bytes of a file; ``option`` names it on the command line. Raises ConfigError."""
    try:
        return tomlfile.read_input(source)
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror}", remedy=f"name an existing file with {option}") from error


def document_in(content: bytes, source: str) -> dict[str, Any]:
    """Return the document in the bytes of a TOML file with its decimals as written. Raises ConfigError."""
    try:
        return tomlfile.document(content, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        remedy = "correct that line, or begin again with a copy of the installed file"
        raise ConfigError(f"{source}: not TOML: {error}", remedy=remedy) from error

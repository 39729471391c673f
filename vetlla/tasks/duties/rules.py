"""Reads the kinds of duties and the parameters behind their clocks."""

from __future__ import annotations

import hashlib
import tomllib
from typing import TYPE_CHECKING

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.service.duties.kinds import parse_kinds
from vetlla.service.duties.terms import DutyRules
from vetlla.settings.shipped import duty_kinds_file, parameters_file
from vetlla.tasks.parameters import read_parameters

if TYPE_CHECKING:
    from pathlib import Path


def load_rules(kinds: Path | None = None, parameters: Path | None = None) -> DutyRules:
    """Return the rules of duties from two files, by default those installed. Raises ConfigError that names the file."""
    source = kinds or duty_kinds_file()
    figures = parameters or parameters_file()
    try:
        content = tomlfile.read_input(source)
        document = tomlfile.document(content)
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror}", remedy="name an existing file with --kinds") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        remedy = "correct that line, or begin again with a copy of the installed file"
        raise ConfigError(f"{source}: not TOML: {error}", remedy=remedy) from error
    found = read_parameters(figures, "--parameters")
    # A pipe can be read only once, so the fingerprint is made of what was read.
    read = repr([found.all(name) for name in found.names()]).encode()
    return DutyRules(parse_kinds(document, str(source)), found, hashlib.sha256(content + b"\0" + read).hexdigest())

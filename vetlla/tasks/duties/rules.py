"""Reads the kinds of duties and the parameters behind their clocks."""

from __future__ import annotations

import hashlib
import tomllib
from typing import TYPE_CHECKING

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.service.duties.kinds import parse_kinds
from vetlla.service.duties.terms import CALENDAR, DutyRules
from vetlla.settings.shipped import duty_kinds_file, parameters_file
from vetlla.tasks.parameters import read_parameters

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.duties.kinds import DutyKinds
    from vetlla.service.parameters import Parameters


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
    known = parse_kinds(document, str(source))
    return DutyRules(known, found, _fingerprint(content, known, found))


def _fingerprint(content: bytes, kinds: DutyKinds, parameters: Parameters) -> str:
    """Return a text that changes with what decides about clocks, and with no other parameter.

    A pipe can be read only once, so it is made of what was read.
    """
    names = sorted(kinds.parameters() | CALENDAR)
    used = [(one.name, one.value, one.unit, one.valid_from) for name in names for one in parameters.all(name)]
    return hashlib.sha256(content + b"\0" + repr(used).encode()).hexdigest()

"""Reads the kinds of duties and the parameters behind their clocks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from vetlla.service.duties.kinds import parse_kinds
from vetlla.service.duties.terms import CALENDAR, DutyRules
from vetlla.settings.shipped import duty_kinds_file, parameters_file
from vetlla.tasks.parameters import exact_document, read_parameters

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.duties.kinds import DutyKinds
    from vetlla.service.parameters import Parameters


def load_rules(kinds: Path | None = None, parameters: Path | None = None) -> DutyRules:
    """Return the rules of duties from two files, by default those installed. Raises ConfigError that names the file."""
    source = kinds or duty_kinds_file()
    figures = parameters or parameters_file()
    document = exact_document(source, "--kinds")
    found = read_parameters(figures, "--parameters")
    known = parse_kinds(document, str(source))
    return DutyRules(known, found, _fingerprint(document, known, found))


def _fingerprint(document: dict[str, Any], kinds: DutyKinds, parameters: Parameters) -> str:
    """Return a text that changes with what decides about clocks, and with no other parameter.

    A pipe can be read only once, so it is made of what was read.
    """
    names = sorted(kinds.parameters() | CALENDAR)
    used = [(one.name, one.value, one.unit, one.valid_from) for name in names for one in parameters.all(name)]
    return hashlib.sha256(repr((document, used)).encode()).hexdigest()

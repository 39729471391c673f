"""Reads the kinds of duties and the parameters behind their clocks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.service.duties.kinds import parse_kinds
from vetlla.service.duties.terms import CALENDAR, DutyRules
from vetlla.service.parameters import parse
from vetlla.settings.shipped import duty_kinds_file, parameters_file
from vetlla.tasks.parameters import document_in, exact_content

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.duties.kinds import DutyKinds
    from vetlla.service.parameters import Parameters


def load_rules(kinds: Path | None = None, parameters: Path | None = None) -> DutyRules:
    """Return the rules of duties from two files, by default those installed. Raises ConfigError that names the file."""
    return rules_from(read_rule_files(kinds, parameters))


class RuleFiles(NamedTuple):
    """The two files as they were read, because a pipe can be read only once."""

    kinds: bytes
    parameters: bytes
    kinds_name: str
    parameters_name: str


def read_rule_files(kinds: Path | None = None, parameters: Path | None = None) -> RuleFiles:
    """Return the content of two files, by default those installed. Raises ConfigError that names the file."""
    source, figures = kinds or duty_kinds_file(), parameters or parameters_file()
    return RuleFiles(
        exact_content(source, "--kinds"), exact_content(figures, "--parameters"), str(source), str(figures)
    )


def rules_from(files: RuleFiles) -> DutyRules:
    """Return the rules of duties that two files hold. Raises ConfigError that names the file."""
    document = document_in(files.kinds, files.kinds_name)
    found = parse(document_in(files.parameters, files.parameters_name), files.parameters_name)
    known = parse_kinds(document, files.kinds_name)
    return DutyRules(known, found, _fingerprint(document, known, found))


def _fingerprint(document: dict[str, Any], kinds: DutyKinds, parameters: Parameters) -> str:
    """Return a text that changes with what decides about clocks, and with no other parameter."""
    names = sorted(kinds.parameters() | CALENDAR)
    used = [(one.name, one.value, one.unit, one.valid_from) for name in names for one in parameters.all(name)]
    return hashlib.sha256(repr((document, used)).encode()).hexdigest()

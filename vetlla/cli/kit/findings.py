"""Findings as all checks print them for machines, and as the two doctors show them to people."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.output import console, print_json
from vetlla.domain.errors import AccessError, ConfigError, StoreError, UsageError
from vetlla.domain.findings import Level, of_error, worst

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vetlla.domain.findings import Finding

SHOWN: Final = 20
"""Most findings of a plug-in that a person is shown; --json shows every one."""

_STYLE: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.CRITICAL: "bold red", Level.UNKNOWN: "magenta"}


def fields(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON; its level is a word in lower case, and ``figures`` is an object."""
    return asdict(finding) | {"level": finding.level.name.lower(), "figures": dict(finding.figures or {})}


def print_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print the findings of a doctor, and exit with the worst level."""
    with verdict(worst(findings)):
        if as_json:
            for finding in findings:
                print_json(fields(finding))
        else:
            console().print(_table(findings))


def _table(findings: Iterable[Finding]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        remedy = [f"-> {finding.remedy}"] if finding.remedy else []
        table.add_row(Text(finding.level.name, _STYLE[finding.level]), finding.check, Group(finding.text, *remedy))
    return table


def read_or_unknown(
    check: str, unread: str, read: Callable[[], tuple[list[Finding], str]]
) -> tuple[list[Finding], str]:
    """Return the findings that a plug-in reads and its sentence; if it cannot read, why as UNKNOWN, and ``unread``.

    What cannot be read says nothing about what is checked.
    """
    try:
        return read()
    except (StoreError, ConfigError, AccessError, UsageError, PermissionError) as error:
        return [replace(of_error(check, error), level=Level.UNKNOWN)], unread


def print_check(name: str, findings: Sequence[Finding], said: str, *, as_json: bool) -> None:
    """Print the findings of a monitoring plug-in below one line with their level, and exit with this level."""
    level = worst(findings)
    with verdict(level):
        if as_json:
            for one in findings:
                print_json(fields(one))
            return
        out = console()
        out.print(f"{name} {level.name}: {said}", soft_wrap=True)
        for one in findings[:SHOWN]:
            out.print(f"{one.level.name} {one.text} -> {one.remedy}", soft_wrap=True)
        if len(findings) > SHOWN:
            out.print(f"{len(findings) - SHOWN} more: --json shows all")

"""Findings as all checks print them for machines, and as the two doctors show them to people."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from vetlla.domain.findings import Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.findings import Finding

_STYLE: Final = {Level.OK: "green", Level.WARNING: "yellow", Level.CRITICAL: "bold red", Level.UNKNOWN: "magenta"}


def fields(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON; its level is a word in lower case, and ``figures`` is an object."""
    return asdict(finding) | {"level": finding.level.name.lower(), "figures": dict(finding.figures or {})}


def findings_table(findings: Iterable[Finding]) -> Table:
    """Return findings as a table: level, check, what was found, and what to do."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        remedy = [f"-> {finding.remedy}"] if finding.remedy else []
        table.add_row(Text(finding.level.name, _STYLE[finding.level]), finding.check, Group(finding.text, *remedy))
    return table

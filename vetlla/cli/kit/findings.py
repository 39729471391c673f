"""A finding as all checks print it for machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vetlla.domain.findings import Finding


def fields(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON; its level is a word in lower case, and ``figures`` is an object."""
    return asdict(finding) | {"level": finding.level.name.lower(), "figures": dict(finding.figures or {})}

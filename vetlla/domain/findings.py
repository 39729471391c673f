"""The finding of one check of the machine, the configuration or the inventory, and its level."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from vetlla.domain import permissions
from vetlla.domain.errors import AccessError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vetlla.domain.errors import VetllaError


class Level(IntEnum):
    """Level of a finding; the numbers are the exit statuses of monitoring plug-ins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3
    """The check could not look, so it is not known to be good."""


_GRAVITY = (Level.OK, Level.WARNING, Level.UNKNOWN, Level.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found, and what to do about it; ``figures`` holds the measured values."""

    check: str
    level: Level
    text: str
    remedy: str = ""
    home: str = ""
    """The home that it is about, if it is about one."""
    device: str = ""
    figures: Mapping[str, float] | None = None


def worst(findings: Iterable[Finding]) -> Level:
    """Return the level of all findings together: CRITICAL is worst, then UNKNOWN, then WARNING."""
    return max((finding.level for finding in findings), key=_GRAVITY.index, default=Level.OK)


def of_error(check: str, error: VetllaError | PermissionError) -> Finding:
    """Return an error as a finding; a missing permission is UNKNOWN, as it says nothing about the checked thing."""
    refusal = permissions.explained(error)
    level = Level.UNKNOWN if isinstance(refusal, AccessError) else Level.CRITICAL
    remedy = refusal.remedy or "run it as the receiver's user"
    return Finding(check=check, level=level, text=refusal.args[0], remedy=remedy)

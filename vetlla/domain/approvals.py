"""One party's consent to the words of a message, as it is decided about, kept and read from files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One party's consent to one version of a text."""

    title: str
    """``Text.title``."""
    version: int
    digest: str
    """``Text.digest`` of the words that were approved."""
    party: str
    """Id of the office, or ``DIGITAL_SERVICES``."""
    person: str
    """Who agreed, for the party."""
    at: datetime
    """UTC."""

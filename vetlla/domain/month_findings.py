"""What the verification of a closed month finds."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class FindingKind(StrEnum):
    """What a finding is about."""

    KEPT = "kept"
    """What was kept of the month is not what was kept when it was closed."""
    INPUT = "input"
    """A part of the record is not as it was known when the month was closed."""
    FIGURE = "figure"
    """A result that is made again from the record differs from the kept one."""
    INFORMATION = "information"
    """Nothing differs, but a reader should know it."""


class MonthFinding(NamedTuple):
    """One thing that the verification of a closed month found."""

    kind: FindingKind
    subject: str
    """The part of the record, the file, or the field of a result."""
    text: str
    """What is wrong with it."""
    is_explained: bool = False
    """Whether the law had something removed since, or a correction has no history, so that it proves no change by
    hand."""

    @property
    def is_fault(self) -> bool:
        """Whether it shows that the record or the kept month was changed."""
        return self.kind is not FindingKind.INFORMATION and not self.is_explained

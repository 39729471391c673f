"""A case of a level that may be shown. Its sentences are made only if it is."""

from __future__ import annotations

from collections.abc import Callable  # noqa: TC003 - NamedTuple
from typing import NamedTuple

from vetlla.domain.service_levels import CaseVerdict, LevelCase  # noqa: TC001 - NamedTuple


class Candidate(NamedTuple):
    """A case with what filters need of it."""

    verdict: CaseVerdict
    home: str
    at_us: int
    """The moment that puts it into its month."""
    tell: Callable[[], LevelCase]

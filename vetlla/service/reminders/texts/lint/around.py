"""What the texts are checked against, and the form of a finding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vetlla.domain.findings import Finding, Level
from vetlla.service.reminders.texts.offices import Directory
from vetlla.service.reminders.texts.text import SenderKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.domain.approvals import Approval
    from vetlla.service.reminders.lexicon import Lexicon
    from vetlla.service.reminders.texts.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """Everything beside the texts that decides whether they are right."""

    lexicon: Lexicon
    directory: Directory = field(default_factory=Directory)
    sender: SenderKind = SenderKind.NUMBER
    """What SMS come from."""
    templates: Mapping[tuple[str, str], str] | None = None
    """Status of each template at Meta by name and language, such as APPROVED; None if it is not known."""
    approvals: Sequence[Approval] | None = None
    """None if they are not to be checked."""


def finding(check: str, level: Level, text: Text, what: str, remedy: str, **figures: float) -> Finding:
    """Return what is wrong with one text."""
    return Finding(check=f"texts.{check}", level=level, text=f"{text.title}: {what}", remedy=remedy, figures=figures)

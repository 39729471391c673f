"""The settings of dispatch, as the steps use them, and what the steps tell a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from vetlla.service.reminders.budget import NEW_ACCOUNT
from vetlla.service.reminders.decision import Policy
from vetlla.service.reminders.steps import RulesBook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.failures import FailureTable
    from vetlla.domain.messages import Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class SendRules:
    """The settings of dispatch."""

    tables: Mapping[Channel, FailureTable]
    """What each provider's codes mean."""
    book: RulesBook = field(default_factory=RulesBook)
    policy: Policy = field(default_factory=Policy)
    language: str = "ca"
    """The language of people who have chosen none."""
    conversations_in_24h: int = NEW_ACCOUNT
    redirect_to: str = ""
    """For a trial: the telephone that gets every message; "" for the citizens' own."""
    held_back: float = 0.0
    """Share of appointments that get no reminder (0 to 1)."""
    arms_secret: bytes = field(default=b"", repr=False)


class Alert(NamedTuple):
    """Something that a person must look at; it has no personal data."""

    message: int
    """The row of the outbox."""
    channel: Channel | None
    code: str
    what: str

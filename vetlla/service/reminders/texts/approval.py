"""Who agreed to a text: the digital services and each office that sends it (tender of Lleida, "Definició del servei").

An approval holds for the words that were approved, which their digest proves. A changed text must be approved again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.approvals import Approval

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from vetlla.service.reminders.texts.text import Text

DIGITAL_SERVICES: Final = "Serveis Digitals"
"""The party that agrees to every text, beside the offices."""


class ApprovalState(StrEnum):
    """Whether a text may be sent."""

    APPROVED = "approved"
    CHANGED = "changed"
    """Some party approved other words under this name."""
    NOT_APPROVED = "not_approved"


class Consent(NamedTuple):
    """The standing of a text, and what is missing."""

    standing: ApprovalState
    missing: tuple[str, ...] = ()
    """Parties that did not approve these words."""
    is_same_version: bool = False
    """True if other words were approved under the same version number: the office forgot to raise it."""


def approve(text: Text, party: str, person: str, at: datetime) -> Approval:
    """Return the consent of a party to a text as it is now."""
    return Approval(title=text.title, version=text.version, digest=text.digest, party=party, person=person, at=at)


def parties_of(text: Text, offices: Iterable[str]) -> tuple[str, ...]:
    """Return who must agree to a text: the digital services, and its office, or all offices if it is for all."""
    return (DIGITAL_SERVICES, *([text.office] if text.office else sorted(offices)))


def consent_of(text: Text, approvals: Iterable[Approval], offices: Iterable[str]) -> Consent:
    """Return whether every party agreed to the words of a text as they are now. Later approvals do not end earlier."""
    of_text = [one for one in approvals if one.title == text.title]
    agreed = {one.party for one in of_text if one.digest == text.digest}
    missing = tuple(party for party in parties_of(text, offices) if party not in agreed)
    if not missing:
        return Consent(ApprovalState.APPROVED)
    others = [one for one in of_text if one.digest != text.digest]
    if not others:
        return Consent(ApprovalState.NOT_APPROVED, missing)
    return Consent(ApprovalState.CHANGED, missing, any(one.version == text.version for one in others))

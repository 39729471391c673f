"""Whether the digital services and the offices approved the words that would be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.findings import Finding, Level
from vetlla.service.reminders.texts.approval import ApprovalState, consent_of
from vetlla.service.reminders.texts.lint.around import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.reminders.texts.lint.around import Around
    from vetlla.service.reminders.texts.text import Text


def approved(text: Text, around: Around) -> Iterator[Finding]:
    """Yield a text that some party did not approve, or that changed since."""
    if around.approvals is None or text.off:
        return
    found = consent_of(text, around.approvals, around.directory.offices)
    missing = ", ".join(found.missing)
    match found.standing:
        case ApprovalState.NOT_APPROVED:
            said = f"version {text.version} was not approved by {missing}"
            yield finding(
                "not_approved",
                Level.CRITICAL,
                text,
                said,
                "let them read the preview, then: vetlla reminders texts approve",
            )
        case ApprovalState.CHANGED:
            said = f"version {text.version} is not what was approved; to be approved by {missing}"
            remedy = "raise its version, and let them approve it" if found.is_same_version else "let them approve it"
            yield finding("changed", Level.CRITICAL, text, said, remedy)
        case ApprovalState.APPROVED:
            pass

"""Bytes on the line that are no frame: what every cutter of streams says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.signals import Reject

if TYPE_CHECKING:
    from vetlla.domain.signals import AccountId, Reason


class Damage(NamedTuple):
    """Bytes that are no frame, and why; ``text`` is a sentence an installer can act on."""

    reason: Reason
    raw: bytes
    text: str

    def reject(self, protocol: str, who: AccountId | None = None) -> Reject:
        """Return it as evidence; ``who``: whom the bytes name, where that much of them can be trusted."""
        return Reject(
            protocol=protocol, reason=self.reason, raw=self.raw, text=self.text, id=who if who and who.account else None
        )

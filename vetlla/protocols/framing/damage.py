"""Bytes that are no frame, as every cutter of streams reports them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.signals import Reject

if TYPE_CHECKING:
    from vetlla.domain.signals import AccountId, Reason


class Damage(NamedTuple):
    """Bytes that are no frame, with the reason; ``text`` is a sentence that an installer can act on."""

    reason: Reason
    raw: bytes
    text: str

    def reject(self, protocol: str, who: AccountId | None = None) -> Reject:
        """Return the bytes as evidence; ``who`` is the account that they name, if it can be trusted."""
        return Reject(
            protocol=protocol, reason=self.reason, raw=self.raw, text=self.text, id=who if who and who.account else None
        )

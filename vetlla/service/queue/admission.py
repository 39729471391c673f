"""Decides whether a report that could be read is accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.accounts import UnknownPolicy
from vetlla.domain.clock import SECOND_US, to_us
from vetlla.domain.signals import Reason

if TYPE_CHECKING:
    from vetlla.domain.accounts import Account
    from vetlla.domain.signals import Signal


def objection(
    signal: Signal, account: Account | None, now_us: int, *, unknown: UnknownPolicy, plain_for_keyed: bool
) -> Reason | None:
    """Return why a signal must be refused, or None.

    An unencrypted report from an account with a key is refused, because otherwise encryption protects no one. The clock
    check is for encrypted frames only. Plain frames come from panels with wrong clocks and from queues, and are always
    accepted (DC-09, section 3 of the fact sheet).
    """
    if account is None:
        return Reason.UNKNOWN_ACCOUNT if unknown is UnknownPolicy.REFUSE else None
    if account.key_name and not signal.sealed_with and not plain_for_keyed:
        return Reason.PLAIN_REFUSED
    window = account.clock_window
    if signal.sealed_with and window is not None and signal.sent_at is not None:
        ahead_us = to_us(signal.sent_at) - now_us
        if not -window.behind_s * SECOND_US <= ahead_us <= window.ahead_s * SECOND_US:
            return Reason.STALE_TIME
    return None

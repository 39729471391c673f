"""Keeps what a channel tells: replies, reports, other numbers, news about our account, and what could not be read.

When ``keep`` returns, all of it is on the disk, so that the provider may get its receipt. A provider that repeats it
changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.gateways.received import NoticeKind, storable
from vetlla.service.reminders.fallback import NO_WHATSAPP
from vetlla.store.reminders import channels, citizens, replies
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders.outcomes import take_reports

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from vetlla.domain.messages import Channel
    from vetlla.gateways.received import ChannelNotice, Received
    from vetlla.tasks.reminders.rules import Alert, SendRules

_USABLE: Final = frozenset({"APPROVED", "REINSTATED"})
_UNUSABLE: Final = frozenset({"REJECTED", "PAUSED", "DISABLED", "PENDING_DELETION", "DELETED"})
"""Meta's words for the state of a template (webhook ``message_template_status_update``); FLAGGED means at risk only."""


def keep(db: sqlite3.Connection, channel: Channel, received: Received, rules: SendRules, now: datetime) -> list[Alert]:
    """Keep all that one delivery told; return what a person must look at."""
    received = storable(received)
    with atomic(db):
        for reply in received.replies:
            replies.keep_reply(db, reply, now)
        for unread in received.unread:
            replies.keep_unread(db, channel, unread.raw, unread.reason, now)
        for one in received.changed:
            citizens.number_changed(db, one.before, one.now, now, now + NO_WHATSAPP)
        for notice in received.notices:
            _note(db, notice, now)
    return take_reports(db, channel, received.reports, rules, now)


def _note(db: sqlite3.Connection, notice: ChannelNotice, now: datetime) -> None:
    if notice.kind is not NoticeKind.TEMPLATE:
        return
    if notice.event in _USABLE:
        channels.template_usable(db, notice.template, notice.language)
    elif notice.event in _UNUSABLE:
        channels.template_unusable(db, notice.template, notice.language, notice.event, now)

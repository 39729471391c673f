"""Approvals of texts: the digital services and each office agree to the words that are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.service.reminders.texts.approval import approve, parties_of
from vetlla.store.reminders import approvals, audit
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from vetlla.domain.approvals import Approval
    from vetlla.service.reminders.texts.text import Text


def approve_texts(
    db: sqlite3.Connection,
    texts: Iterable[Text],
    party: str,
    person: str,
    *,
    offices: Sequence[str],
    by: str,
    now: datetime,
) -> list[Approval]:
    """Keep that a party agrees to texts as they are now; return what was kept.

    Texts that this party need not approve, and words that it has approved already, are left out. ``person`` agreed for
    the party, and ``by`` recorded it.
    """
    with atomic(db):
        known = {(one.title, one.digest) for one in approvals.approvals(db) if one.party == party}
        made = [
            approve(text, party, person, now)
            for text in texts
            if party in parties_of(text, offices) and (text.title, text.digest) not in known
        ]
        for one in made:
            approvals.keep_approval(db, one)
            detail = {"version": one.version, "digest": one.digest, "party": one.party}
            audit.record(db, now, by, "text approved", subject=one.title, detail=detail)
    return made

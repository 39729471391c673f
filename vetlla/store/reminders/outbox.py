"""The outbox: a message is planned once, claimed by one dispatcher, and handed to a provider at most once.

    planned ─▶ claimed ─▶ sending ─▶ accepted ─▶ sent ─▶ delivered ─▶ read
       ▲          │          ├─▶ unknown ─┴─────────▶ (by reports)
       └──────────┴──────────┘ certainly not handed over

``sending`` is committed before the call. So after a crash a message in this state may have been sent, and it is never
sent again; a row that goes back to ``planned`` has no ``sending_us``. A trigger of the schema enforces both.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.messages import ENDED, Channel, MessageState
from vetlla.domain.outbox import MessageReason
from vetlla.store.reminders.citizens import citizen_id, seen_ids
from vetlla.store.reminders.messages import SELECT, message_of
from vetlla.store.reminders.moments import stored
from vetlla.store.reminders.restoring import restored_at

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from vetlla.domain.outbox import OutboxMessage, PlannedMessage

_PLAN: Final = """
INSERT INTO outbox (reference, source, appointment, start_us, step, attempt, kind, office, citizen, planned_us, due_us,
    useful_until_us, language, only_channel, as_template, text, context, state, reason)
VALUES (:reference, :source, :appointment, :start, :step, :attempt, :kind, :office, :citizen, :now, :due, :useful_until,
    :language, :channel, :as_template, :text, :context, :state, :reason)
ON CONFLICT (source, appointment, start_us, step, attempt) DO NOTHING
"""
_REVIVE: Final = """
UPDATE outbox SET state = 'planned', reason = '', due_us = :due, useful_until_us = :useful_until, planned_us = :now,
    citizen = :citizen
WHERE source = :source AND appointment = :appointment AND start_us = :start AND step = :step AND attempt = :attempt
    AND state = 'suppressed' AND sending_us IS NULL AND reason IN ('moved', 'cancelled', 'not_expected', 'no_phone')
"""
_CLAIM: Final = """
UPDATE outbox SET state = 'claimed', fence = fence + 1, leased_until_us = :until, holder = :holder
WHERE state = 'planned' AND id IN (
    SELECT id FROM outbox WHERE state = 'planned' AND due_us <= :now ORDER BY start_us, due_us LIMIT :limit)
RETURNING id
"""


# --- planning ---------------------------------------------------------------------------------------------------------


def plan(db: sqlite3.Connection, messages: Iterable[PlannedMessage], now: datetime, *, revive: bool = False) -> int:
    """Put messages into the outbox; return how many were new. A key that is there already stays as it is.

    ``revive`` plans a message again that was suppressed for what the source said, and was never handed over: an
    appointment can move away and come back, and a source can be wrong for a while.
    """
    return _put(db, list(messages), now, MessageState.PLANNED, "", revive=revive)


def withhold(db: sqlite3.Connection, messages: Iterable[PlannedMessage], reason: MessageReason, now: datetime) -> int:
    """Put messages into the outbox that must not be sent, so that people see them; return how many were new."""
    return _put(db, list(messages), now, MessageState.SUPPRESSED, reason.value)


def _put(
    db: sqlite3.Connection,
    messages: Sequence[PlannedMessage],
    now: datetime,
    state: MessageState,
    reason: str,
    *,
    revive: bool = False,
) -> int:
    known = seen_ids(db, {one.phone for one in messages if not one.person}, now)
    rows = []
    for one in messages:
        citizen = known.get(one.phone) if not one.person else None
        if citizen is None:
            citizen = citizen_id(db, one.phone, one.person, now)
        rows.append(_planned(one, citizen, now) | {"state": state.value, "reason": reason})
    new = db.executemany(_PLAN, rows).rowcount
    if revive and new < len(rows):  # a row that was just made is not suppressed
        new += db.executemany(_REVIVE, rows).rowcount
    return new


def _planned(message: PlannedMessage, citizen: int | None, now: datetime) -> dict[str, Any]:
    return {
        "reference": secrets.token_hex(12),
        "source": message.key.appointment.source,
        "appointment": message.key.appointment.id,
        "start": stored(message.key.start),
        "step": message.key.step,
        "attempt": message.key.attempt,
        "kind": message.kind.value,
        "office": message.office,
        "citizen": citizen,
        "now": stored(now),
        "due": stored(message.due),
        "useful_until": stored(message.useful_until),
        "language": message.language,
        "channel": message.channel.value if message.channel else "",
        "as_template": message.as_template,
        "text": message.text,
        "context": message.context,
    }


# --- before the call --------------------------------------------------------------------------------------------------


def claim(db: sqlite3.Connection, holder: str, now: datetime, until: datetime, limit: int) -> list[OutboxMessage]:
    """Take messages that are due, those of the nearest appointments first; no other dispatcher gets them until then."""
    rows = db.execute(_CLAIM, {"holder": holder, "now": stored(now), "until": stored(until), "limit": limit})
    ids = sorted(row["id"] for row in rows.fetchall())
    marks = ", ".join("?" * len(ids))
    found = db.execute(f"{SELECT} WHERE outbox.id IN ({marks}) ORDER BY start_us, due_us, outbox.id", ids)
    return [message_of(row) for row in found]


def release_expired(db: sqlite3.Connection, now: datetime) -> tuple[int, int]:
    """End the leases of dispatchers that are gone; return how many messages were planned again, and are unknown now.

    A message that was only claimed is planned again. One that was being sent may have been sent: it is unknown.
    """
    free = db.execute(
        "UPDATE outbox SET state = 'planned', leased_until_us = NULL WHERE state = 'claimed' AND leased_until_us <= ?",
        (stored(now),),
    ).rowcount
    unknown = db.execute(
        "UPDATE outbox SET state = 'unknown' WHERE state = 'sending' AND leased_until_us <= ?", (stored(now),)
    ).rowcount
    return free, unknown


def _owned(message: OutboxMessage, *states: MessageState) -> tuple[str, tuple[object, ...]]:
    """Return the condition under which the holder of a claim may write."""
    marks = ", ".join("?" * len(states))
    return f"id = ? AND fence = ? AND state IN ({marks})", (message.id, message.fence, *states)


def begin_sending(
    db: sqlite3.Connection,
    message: OutboxMessage,
    channel: Channel,
    now: datetime,
    *,
    citizen: int | None,
    gateway: str,
    text: str,
    template: str,
    language: str,
    segments: int,
    fallback_at: datetime | None,
    opens: bool,
) -> bool:
    """Write that the provider is asked now. Return False if the lease has ended: then it must not be asked.

    Commit before the call. ``opens``: it will open a conversation started by the city, if the provider takes it.
    """
    where, values = _owned(message, MessageState.CLAIMED)
    return bool(
        db.execute(
            f"UPDATE outbox SET state = 'sending', sending_us = ?, citizen = ?, channel = ?, gateway = ?, text = ?,"
            f" template = ?, language = ?, segments = ?, fallback_us = ?, opens = ?, reason = ''"
            f" WHERE {where} AND leased_until_us > ?",
            (
                stored(now),
                citizen,
                channel.value,
                gateway,
                text,
                template,
                language,
                segments,
                stored(fallback_at),
                opens,
                *values,
                stored(now),
            ),
        ).rowcount
    )


def postpone(db: sqlite3.Connection, message: OutboxMessage, due: datetime, reason: MessageReason) -> bool:
    """Plan a claimed message again for later; return False if the claim is lost."""
    where, values = _owned(message, MessageState.CLAIMED)
    return _changed(
        db,
        f"UPDATE outbox SET state = 'planned', due_us = ?, reason = ?, leased_until_us = NULL WHERE {where}",
        (stored(due), reason.value, *values),
    )


def suppress(db: sqlite3.Connection, message: OutboxMessage, reason: MessageReason) -> bool:
    """End a claimed message, because it must not be sent; return False if the claim is lost."""
    where, values = _owned(message, MessageState.CLAIMED)
    state = MessageState.EXPIRED if reason is MessageReason.TOO_LATE else MessageState.SUPPRESSED
    kept = reason.value
    return _changed(
        db, f"UPDATE outbox SET state = ?, reason = ?, leased_until_us = NULL WHERE {where}", (state, kept, *values)
    )


def reinstate(db: sqlite3.Connection, citizen: int, reason: MessageReason, now: datetime) -> int:
    """Plan the messages of a person again that were suppressed for a reason, and are still of use; return how many.

    Those that were due before a restore stay, because they may have been planned again and sent before it.
    """
    return db.execute(
        "UPDATE outbox SET state = 'planned', reason = '' WHERE citizen = ? AND state = 'suppressed' AND reason = ?"
        " AND sending_us IS NULL AND useful_until_us > ? AND due_us > ?",
        (citizen, reason.value, stored(now), stored(restored_at(db)) or 0),
    ).rowcount


def hasten(db: sqlite3.Connection, office: str | None, reason: MessageReason, now: datetime) -> int:
    """Let the messages of an office, or of all, that wait for a reason be due now, because it has gone.

    Return how many there are.
    """
    return db.execute(
        "UPDATE outbox SET due_us = :now WHERE (:office IS NULL OR office = :office) AND state = 'planned'"
        " AND reason = :reason AND due_us > :now",
        {"now": stored(now), "office": office, "reason": reason.value},
    ).rowcount


# --- after the call ---------------------------------------------------------------------------------------------------


def accepted(db: sqlite3.Connection, message: OutboxMessage, provider_id: str, now: datetime, *, opens: bool) -> bool:
    """Keep the provider's id. ``opens``: the message opened a conversation started by the city.

    It is kept also if the lease has ended meanwhile, because the message was sent.
    """
    where, values = _owned(message, MessageState.SENDING, MessageState.UNKNOWN, *ENDED)
    return _changed(
        db,
        f"UPDATE outbox SET state = CASE WHEN state IN ('sending', 'unknown') THEN 'accepted' ELSE state END,"
        f" provider_id = ?, accepted_us = ?, opens = ? WHERE {where}",
        (provider_id or None, stored(now), opens, *values),
    )


def not_sent(db: sqlite3.Connection, message: OutboxMessage, due: datetime, code: str, reason: MessageReason) -> bool:
    """Plan a message again that the provider certainly did not take."""
    where, values = _owned(message, MessageState.SENDING)
    return _changed(
        db,
        "UPDATE outbox SET state = 'planned', sending_us = NULL, fallback_us = NULL, leased_until_us = NULL, opens = 0,"
        f" tries = tries + 1, due_us = ?, code = ?, reason = ? WHERE {where}",
        (stored(due), code, reason.value, *values),
    )


def failed(
    db: sqlite3.Connection,
    message: OutboxMessage,
    reason: MessageReason,
    now: datetime,
    *,
    code: str = "",
    detail: str = "",
) -> bool:
    """End a message that was refused, or of which nothing was heard."""
    where, values = _owned(message, MessageState.SENDING, MessageState.UNKNOWN)
    return _changed(
        db,
        "UPDATE outbox SET state = 'failed', reason = ?, failed_us = ?, code = ?, detail = ?,"
        f" opens = CASE WHEN ? THEN 0 ELSE opens END WHERE {where}",
        (reason.value, stored(now), code, detail, reason is MessageReason.REFUSED, *values),
    )


def outcome_unknown(db: sqlite3.Connection, message: OutboxMessage) -> bool:
    """Keep that the provider was asked and did not answer."""
    where, values = _owned(message, MessageState.SENDING)
    return _changed(db, f"UPDATE outbox SET state = 'unknown' WHERE {where}", values)


def expire(db: sqlite3.Connection, message: OutboxMessage, reason: MessageReason) -> bool:
    """End a message that was taken by the provider and was not delivered in time."""
    where, values = _owned(message, MessageState.ACCEPTED, MessageState.SENT)
    return _changed(db, f"UPDATE outbox SET state = 'expired', reason = ? WHERE {where}", (reason.value, *values))


def _changed(db: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> bool:
    return bool(db.execute(statement, values).rowcount)

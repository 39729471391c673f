"""Reports of deliveries. They come several times, in any order, and even before the answer to our call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.messages import Channel, Delivery
from vetlla.domain.outbox import OwnReport
from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from vetlla.domain.messages import DeliveryReport, MessageState
    from vetlla.domain.outbox import OutboxMessage, Progress

_FIND: Final = "SELECT id FROM outbox WHERE reference = :reference AND :reference <> '' AND sending_us IS NOT NULL"
_FIND_BY_ID: Final = """
SELECT id FROM outbox WHERE channel = :channel AND provider_id = :provider_id ORDER BY sending_us DESC LIMIT 1
"""
"""A provider may use a number again; then the report is about the newer message."""


def keep_report(db: sqlite3.Connection, channel: Channel, report: DeliveryReport, now: datetime) -> int | None:
    """Keep a report once; return the row id of its message, or None if the report is not new or not ours yet.

    A report that belongs to no message yet is kept: ``adopt`` finds it when the answer to our call comes.
    """
    values = {
        "channel": channel.value,
        "provider_id": report.provider_id,
        "delivery": report.delivery.value,
        "at": stored(report.at),
        "now": stored(now),
        "reference": report.reference,
        "code": report.code,
        "detail": report.detail,
        "category": report.category,
        "billable": report.is_billable,
    }
    row = db.execute(_FIND, values).fetchone() or db.execute(_FIND_BY_ID, values).fetchone()
    message = None if row is None else int(row["id"])
    is_new = db.execute(
        "INSERT OR IGNORE INTO delivery_reports (channel, provider_id, delivery, at_us, received_us, reference, code,"
        " detail, category, is_billable, message) VALUES (:channel, :provider_id, :delivery, :at, :now, :reference,"
        " :code, :detail, :category, :billable, :message)",
        values | {"message": message},
    ).rowcount
    if message is not None and report.category:
        db.execute(
            "UPDATE outbox SET category = :category, is_billable = :billable WHERE id = :message",
            values | {"message": message},
        )
    return message if is_new else None


def adopt(db: sqlite3.Connection, message: OutboxMessage, channel: Channel, provider_id: str) -> int:
    """Give a message the reports that came before the answer to our call; return how many."""
    return db.execute(
        "UPDATE OR IGNORE delivery_reports SET message = ? WHERE message IS NULL AND channel = ? AND provider_id = ?"
        " AND received_us >= ?",
        (message.id, channel.value, provider_id, stored(message.sending_at)),
    ).rowcount


def reports_of(db: sqlite3.Connection, message: int) -> list[OwnReport]:
    """Return all reports about a message."""
    rows = db.execute("SELECT delivery, at_us, code, detail FROM delivery_reports WHERE message = ?", (message,))
    return [OwnReport(Delivery(row["delivery"]), read(row["at_us"]), row["code"], row["detail"]) for row in rows]


def _earliest(what: str) -> str:
    """Return SQL for the earlier of a kept time and a new one: reports that are too old are no longer there."""
    return f"min(coalesce(:{what}, {what}_us), coalesce({what}_us, :{what}))"


def put_progress(
    db: sqlite3.Connection, message: int, provider_id: str, state: MessageState, progress: Progress
) -> None:
    """Keep how far a message came, as the rules computed it from all its reports."""
    db.execute(
        "UPDATE outbox SET state = :state, provider_id = coalesce(provider_id, :provider_id),"
        " accepted_us = coalesce(accepted_us, :accepted),"
        f" sent_us = {_earliest('sent')}, delivered_us = {_earliest('delivered')}, read_us = {_earliest('read')},"
        " failed_us = coalesce(:failed, failed_us), code = CASE WHEN :code <> '' THEN :code ELSE code END,"
        " detail = CASE WHEN :detail <> '' THEN :detail ELSE detail END WHERE id = :id",
        {
            "id": message,
            "provider_id": provider_id or None,
            "state": state.value,
            "accepted": stored(progress.accepted_at),
            "sent": stored(progress.sent_at),
            "delivered": stored(progress.delivered_at),
            "read": stored(progress.read_at),
            "failed": stored(progress.failed_at),
            "code": progress.code,
            "detail": progress.detail,
        },
    )

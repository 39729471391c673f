"""The state of channels that a restart must not forget: circuits, and templates that cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from vetlla.domain.messages import Channel


CircuitRow: TypeAlias = "tuple[int, datetime | None, bool, str]"
"""Failed calls in a row, until when the channel is not used, whether a person must resume it, and why."""


def circuit(db: sqlite3.Connection, channel: Channel) -> CircuitRow:
    """Return how a channel does."""
    row = db.execute("SELECT * FROM channels WHERE channel = ?", (channel.value,)).fetchone()
    if row is None:
        return (0, None, False, "")
    return (row["failures"], read(row["open_until_us"]), bool(row["is_stopped"]), row["why"])


def put_circuit(db: sqlite3.Connection, channel: Channel, state: CircuitRow) -> None:
    """Keep how a channel does."""
    failures, open_until, is_stopped, why = state
    db.execute(
        "INSERT OR REPLACE INTO channels (channel, failures, open_until_us, is_stopped, why) VALUES (?, ?, ?, ?, ?)",
        (channel.value, failures, stored(open_until), is_stopped, why),
    )


def template_unusable(db: sqlite3.Connection, template: str, language: str, code: str, now: datetime) -> None:
    """Keep that the provider refuses a template in a language."""
    db.execute(
        "INSERT OR REPLACE INTO templates (template, language, unusable_us, code) VALUES (?, ?, ?, ?)",
        (template, language, stored(now), code),
    )


def template_usable(db: sqlite3.Connection, template: str, language: str) -> None:
    """Forget that the provider refused a template: it is approved again."""
    db.execute("DELETE FROM templates WHERE template = ? AND language = ?", (template, language))


def all_templates_usable(db: sqlite3.Connection) -> int:
    """Forget which templates the provider refused; return how many there were."""
    return db.execute("DELETE FROM templates").rowcount


def unusable_templates(db: sqlite3.Connection) -> set[tuple[str, str]]:
    """Return the templates that the provider refuses, each with its language."""
    return {(row["template"], row["language"]) for row in db.execute("SELECT template, language FROM templates")}

"""Checks of the work itself: channels that the service does not use now, and what waits for too long."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import stretch
from vetlla.domain.findings import Finding, Level
from vetlla.service.calendar import working_days
from vetlla.service.reminders.lateness import is_overdue
from vetlla.service.reminders.quiet import CITY_ZONE, zone_of
from vetlla.store.reminders import backlog, messages
from vetlla.tasks.reminders.desk.channels import states

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from vetlla.settings.reminders.model import ReminderSettings
    from vetlla.store.reminders.backlog import Backlog

REPLIES: Final = timedelta(minutes=5)
"""How long a reply may wait for the service, which handles it within seconds."""
CANCELLATIONS: Final = timedelta(minutes=15)
"""How long a cancellation may be under way; Orchestra may be away for some minutes."""
_LOG: Final = "journalctl -u vetlla-reminders -p warning"
_LOOK_BACK: Final = timedelta(days=14)
"""Two weeks have a working day, also at Christmas."""


def channels(db: sqlite3.Connection, settings: ReminderSettings, now: datetime) -> Iterator[Finding]:
    """Check each channel in use.

    After failures the service does not use it for a while. After a refusal of the account a person must resume it.
    """
    for one in states(db):
        if one.channel not in settings.policy.channels:
            continue
        check, circuit = f"channel {one.channel}", one.circuit
        if circuit.is_stopped:
            yield Finding(
                check=check,
                level=Level.CRITICAL,
                text=f"is stopped: {circuit.why}",
                remedy=f"mend the account, then: vetlla reminders channels resume {one.channel}",
            )
        elif not circuit.is_closed(now):
            yield Finding(
                check=check,
                level=Level.WARNING,
                text=f"the service does not use it until {circuit.open_until:%H:%M} UTC,"
                f" after {circuit.failures} failures: {circuit.why}",
                remedy=f"it is tried again by itself; {_LOG}",
            )
        else:
            yield Finding(check=check, level=Level.OK, text="in use")


def waiting(db: sqlite3.Connection, settings: ReminderSettings, now: datetime) -> Iterator[Finding]:
    """Check whether anything waits longer than it should."""
    yield _messages(db, now)
    yield _found(
        "texts missing",
        backlog.without_text(db),
        now,
        level=Level.CRITICAL,
        what="messages cannot be made",
        remedy="vetlla reminders texts lint, and vetlla reminders list for their offices",
    )
    yield _found(
        "replies",
        backlog.unhandled_replies(db, now - REPLIES),
        now,
        level=Level.CRITICAL,
        what="replies of citizens were not handled",
        remedy=f"does the service run? {_LOG}",
    )
    yield _found(
        "cancellations",
        backlog.open_cancellations(db, now - CANCELLATIONS),
        now,
        level=Level.CRITICAL,
        what="cancellations of citizens have no outcome",
        remedy=f"is their source reachable, and may its user cancel? {_LOG}",
    )
    yield _found(
        "inbox",
        backlog.open_inbox(db, last_working_day(now, settings)),
        now,
        level=Level.WARNING,
        what="replies have waited for a person over a whole working day",
        remedy="vetlla reminders inbox list",
    )
    yield _found(
        "deliveries",
        backlog.unread_deliveries(db),
        now,
        level=Level.WARNING,
        what="parts of deliveries could not be read",
        remedy="vetlla reminders inbox list shows them; report what a provider sends in a new form",
    )


def _messages(db: sqlite3.Connection, now: datetime) -> Finding:
    late = [one for one in messages.overdue(db, now) if is_overdue(one, now)]
    oldest = min((one.plan.due for one in late), default=None)
    return _found(
        "messages",
        backlog.Backlog(len(late), oldest),
        now,
        level=Level.CRITICAL,
        what="messages are overdue",
        remedy="vetlla reminders list marks them; the findings about channels and offices may show the cause",
    )


def _found(check: str, waits: Backlog, now: datetime, *, level: Level, what: str, remedy: str) -> Finding:
    figures = {"waiting": waits.number}
    if waits.since is None:
        return Finding(check=check, level=Level.OK, text="none waits too long", figures=figures)
    text = f"{waits.number} {what}; the oldest waits for {stretch((now - waits.since).total_seconds())}"
    return Finding(check=check, level=level, text=text, remedy=remedy, figures=figures)


def last_working_day(now: datetime, settings: ReminderSettings) -> datetime:
    """Return when the last working day before today began.

    A reply that came before this has waited for the whole working day.
    """
    zone = zone_of(CITY_ZONE)
    today = now.astimezone(zone).date()
    days = working_days(today - _LOOK_BACK, today - timedelta(days=1), settings.rules.quiet.holidays)
    first = days[-1] if days else today - _LOOK_BACK
    return datetime.combine(first, time(), zone)

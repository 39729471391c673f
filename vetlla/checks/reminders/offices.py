"""Checks of the offices: whether their polls come and are believed, whether the texts know them, and their pauses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import stretch
from vetlla.domain.findings import Finding, Level
from vetlla.store.reminders import offices

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

    from vetlla.service.reminders.texts.offices import Directory
    from vetlla.settings.reminders.model import ReminderSettings
    from vetlla.settings.reminders.offices import OfficeSettings
    from vetlla.store.reminders.offices import OfficePolls

MISSED: Final = 3
"""An office whose last poll is older than this number of its pauses is not polled: one poll can fail, or be slow."""


def are_polled(db: sqlite3.Connection, settings: ReminderSettings, now: datetime) -> bool:
    """Return True if all offices were polled in time, by the service or by ``dispatch``."""
    polls = [(office, offices.polls_of(db, office.source, office.id)) for office in settings.office]
    return bool(polls) and all(known is not None and not _is_old(office, known, now) for office, known in polls)


def polls(db: sqlite3.Connection, settings: ReminderSettings, now: datetime) -> Iterator[Finding]:
    """Check the polls of each office."""
    for office in settings.office:
        yield _poll(office, offices.polls_of(db, office.source, office.id), now)


def _poll(office: OfficeSettings, known: OfficePolls | None, now: datetime) -> Finding:
    check = f"office {office.id}"
    look = "journalctl -u vetlla-reminders -p warning; the finding about its source may show the cause"
    if known is None:
        text = "its appointments were never read, so it sends nothing"
        return Finding(check=check, level=Level.CRITICAL, text=text, remedy=look)
    age = stretch((now - known.last_at).total_seconds())
    if known.doubted_since is not None:
        since = stretch((now - known.doubted_since).total_seconds())
        return Finding(
            check=check,
            level=Level.CRITICAL,
            text=f"for {since} its source has given too few appointments to be believed; its reminders wait",
            remedy=f"if the office's diary is as empty as that: vetlla reminders dispatch --accept {office.id}",
        )
    if _is_old(office, known, now):
        fault = f": {known.fault.splitlines()[0]}" if known.fault else ""
        text = f"its appointments were read {age} ago, and should be every {stretch(office.poll_every_s)}{fault}"
        return Finding(check=check, level=Level.CRITICAL, text=text, remedy=look)
    if known.fault:
        text = f"the last poll failed: {known.fault.splitlines()[0]}"
        return Finding(check=check, level=Level.WARNING, text=text, remedy=look)
    return Finding(check=check, level=Level.OK, text=f"its appointments were read {age} ago")


def _is_old(office: OfficeSettings, known: OfficePolls, now: datetime) -> bool:
    return (now - known.last_at).total_seconds() > MISSED * office.poll_every_s


def details(settings: ReminderSettings, directory: Directory) -> Iterator[Finding]:
    """Yield each office of which the texts know neither name nor address."""
    for office in settings.office:
        if office.id not in directory.offices:
            yield Finding(
                check=f"office {office.id}",
                level=Level.WARNING,
                text="offices_file has no entry for it, so that messages about it wait for their text",
                remedy=f'add [[office]] with id = "{office.id}" there; docs/reminders-texts.md has all keys',
            )


def pauses(db: sqlite3.Connection, now: datetime) -> Iterator[Finding]:
    """Yield each pause that has not ended."""
    for pause in offices.pauses(db, now):
        until = f"until {pause.until:%Y-%m-%d %H:%M} UTC" if pause.until else "until a person ends it"
        yield Finding(
            check=f"office {pause.office}",
            level=Level.WARNING,
            text=f"sends no reminders {until}, by {pause.by}: {pause.why or 'no reason given'}",
            remedy=f"vetlla reminders resume {pause.office}, if the reason is gone",
        )

"""Checks of what must be set each year: the key of pseudonyms, and the holidays on which no message is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import VetllaError
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.service.reminders.quiet import CITY_ZONE, zone_of
from vetlla.store.reminders.pseudonyms import key_name
from vetlla.store.secrets.keyring import Keyring
from vetlla.worker.reminders.rules import book_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from vetlla.settings.reminders.model import ReminderSettings

DECEMBER: Final = 12


def years(now: datetime) -> list[int]:
    """Return this year, and in December the next one, too."""
    today = now.astimezone(zone_of(CITY_ZONE))
    return [today.year, today.year + 1] if today.month == DECEMBER else [today.year]


def keys(file: Path, now: datetime) -> Iterator[Finding]:
    """Check that the keys file has the key with which telephones become pseudonyms, for each of these years."""
    try:
        known = set(Keyring.read(file)) if file.exists() else set()
    except (PermissionError, VetllaError) as error:
        yield of_error("keys", error)
        return
    this, *_ = years(now)
    for year in years(now):
        name = key_name(year)
        if name not in known:
            yield Finding(
                check="keys",
                level=Level.CRITICAL if year == this else Level.WARNING,
                text=f"{file} has no key {name}: without it no telephone becomes a pseudonym when its time ends",
                remedy=f"vetlla keys set {name} --keys-file {file}",
            )
    if all(key_name(year) in known for year in years(now)):
        yield Finding(check="keys", level=Level.OK, text=f"pseudonyms of {_said(years(now))}")


def holidays(settings: ReminderSettings, now: datetime) -> Iterator[Finding]:
    """Check that the rules of each office name holidays of these years."""
    book = book_of(settings)
    rules = {office.id: book.offices[office.id] for office in settings.office}
    good = True
    for year in years(now):
        lacking = [name for name, one in rules.items() if not any(day.year == year for day in one.quiet.holidays)]
        if lacking:
            good = False
            whose = "all offices" if len(lacking) == len(rules) else ", ".join(lacking)
            yield Finding(
                check="holidays",
                level=Level.WARNING,
                text=f"the rules of {whose} name no holiday of {year}: citizens get messages on holidays",
                remedy=f"add the national, Catalan and local holidays of {year} to rules.quiet.holidays",
            )
    if good and rules:
        yield Finding(check="holidays", level=Level.OK, text=f"those of {_said(years(now))} are named")


def _said(some: list[int]) -> str:
    return " and ".join(map(str, some))

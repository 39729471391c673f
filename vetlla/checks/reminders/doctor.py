"""Runs the checks of ``vetlla reminders doctor``: whether citizens get their reminders, and their replies are heard."""

from __future__ import annotations

import asyncio
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vetlla.checks.reminders import offices, sms, sources, texts, webhooks, whatsapp, work, yearly
from vetlla.checks.reminders.service import OURS, service
from vetlla.checks.state_files import owners
from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import VetllaError
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.domain.messages import Channel
from vetlla.service.reminders.texts.lint.around import Around
from vetlla.store.reminders.approvals import approvals
from vetlla.store.reminders.channels import unusable_templates
from vetlla.store.reminders.opening import REMINDERS, reading_present
from vetlla.store.sqlite.migrate import version
from vetlla.tasks.reminders.lexicon import load_lexicon
from vetlla.tasks.reminders.texts import load_offices, load_texts
from vetlla.worker.reminders.daemon import KEYS
from vetlla.worker.reminders.wiring import sender_kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator
    from datetime import datetime

    from vetlla.domain.approvals import Approval
    from vetlla.domain.clock import Clock
    from vetlla.service.reminders.texts.catalogue import Catalogue
    from vetlla.settings.reminders.model import ReminderSettings


@dataclass(slots=True)
class _Kept:
    """What the database says, for checks that come after it."""

    approvals: list[Approval] | None = None
    unusable: set[tuple[str, str]] = field(default_factory=set)
    are_polled: bool = False
    findings: list[Finding] = field(default_factory=list)


async def examine(settings: ReminderSettings, clock: Clock) -> list[Finding]:
    """Return the findings of all checks. They change nothing: no message is sent, and no poll is kept."""
    now = to_datetime(clock.now().utc_us)
    state_dir = settings.state_dir
    keys_file = settings.keys_file or state_dir / KEYS
    kept = _of_database(settings, now)
    found = [
        *_configuration(settings),
        service(state_dir, are_polled=kept.are_polled),
        owners(state_dir, keys_file, OURS),
        *kept.findings,
    ]
    written: tuple[Catalogue, Around] | None = None
    try:
        written = _written(settings, kept)
    except VetllaError as error:
        found.append(of_error("texts", error))
    if written is not None:
        found += offices.details(settings, written[1].directory)
    found += await _of_others(settings, clock, written, kept)
    found += [*yearly.keys(keys_file, now), *yearly.holidays(settings, now)]
    if written is not None:
        found += texts.texts(*written)
    return found


def _configuration(settings: ReminderSettings) -> Iterator[Finding]:
    if not settings.source or not settings.office:
        lacking = "source" if not settings.source else "office"
        yield Finding(
            check="configuration",
            level=Level.CRITICAL,
            text=f"it names no {lacking}, so that no appointment is read",
            remedy=f"add [[{lacking}]] to reminders.toml; docs/reminders-settings.md has all keys",
        )
    else:
        text = f"{len(settings.source)} sources, {len(settings.office)} offices"
        yield Finding(check="configuration", level=Level.OK, text=text)
    if settings.redirect_to is not None:
        yield Finding(
            check="trial",
            level=Level.WARNING,
            text="redirect_to is set: one telephone gets all messages, and no citizen gets any",
            remedy="take redirect_to out when the trial has ended, then: systemctl restart vetlla-reminders",
        )


def _of_database(settings: ReminderSettings, now: datetime) -> _Kept:
    kept = _Kept()
    path = settings.state_dir / REMINDERS
    try:
        with reading_present(settings.state_dir) as db:
            mode = path.stat().st_mode
            kept.findings.append(
                Finding(
                    check="database",
                    level=Level.WARNING if mode & stat.S_IRWXO else Level.OK,
                    text=f"{path}, schema {version(db)}" + (", open to every user" if mode & stat.S_IRWXO else ""),
                    remedy=f"chmod o= {path}" if mode & stat.S_IRWXO else "",
                )
            )
            kept.are_polled = offices.are_polled(db, settings, now)
            kept.unusable, kept.approvals = unusable_templates(db), approvals(db)
            for checks in (
                offices.polls(db, settings, now),
                offices.pauses(db, now),
                work.channels(db, settings, now),
                work.waiting(db, settings, now),
            ):
                kept.findings += checks
    except (PermissionError, VetllaError) as error:
        kept.findings.append(of_error("database", error))
    return kept


def _written(settings: ReminderSettings, kept: _Kept) -> tuple[Catalogue, Around]:
    around = Around(
        lexicon=load_lexicon(settings.lexicon),
        directory=load_offices(settings.offices_file),
        sender=sender_kind(settings),
        approvals=kept.approvals,
    )
    return load_texts(settings.texts), around


async def _of_others(
    settings: ReminderSettings, clock: Clock, written: tuple[Catalogue, Around] | None, kept: _Kept
) -> list[Finding]:
    """Ask all other systems at the same time; the findings come in the order of the checks."""
    calls = [_alone(sources.source(one, settings, clock)) for one in settings.source]
    used = settings.policy.channels
    if settings.whatsapp is not None and Channel.WHATSAPP in used:
        catalogue, around = written or (None, None)
        calls.append(whatsapp.whatsapp(settings.whatsapp, catalogue.texts if catalogue else (), around, kept.unusable))
    calls.append(webhooks.webhooks(settings, to_datetime(clock.now().utc_us)))
    found: list[Finding] = []
    if settings.sms is not None and Channel.SMS in used:
        calls.append(_alone(sms.gateway(settings.sms)))
        found += sms.sender(settings, settings.sms)
    return [*(one for several in await asyncio.gather(*calls) for one in several), *found]


async def _alone(one: Awaitable[Finding]) -> list[Finding]:
    return [await one]

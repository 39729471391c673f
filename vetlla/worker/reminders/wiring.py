"""Builds the reminder service from its settings: the one place that knows all its parts."""

from __future__ import annotations

import os
import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from vetlla.domain.clock import to_datetime
from vetlla.gateways.received import Received, Unread
from vetlla.service.reminders.steps import planning_horizon
from vetlla.service.reminders.texts.messages import Messages
from vetlla.service.reminders.texts.text import SenderKind
from vetlla.settings.reminders.channels import SmppSms, TwilioSms
from vetlla.store.reminders.opening import REMINDERS, opened, rehearsed
from vetlla.store.reminders.signing import signing_secret
from vetlla.store.sqlite.faults import sqlite_errors
from vetlla.tasks.reminders import receiving
from vetlla.tasks.reminders.lexicon import load_lexicon
from vetlla.tasks.reminders.replying import ReplyRules
from vetlla.tasks.reminders.rules import SendRules
from vetlla.tasks.reminders.texts import load_offices, load_texts
from vetlla.tasks.reminders.wording import Wording
from vetlla.worker.reminders import passes
from vetlla.worker.reminders.channels import channels_of
from vetlla.worker.reminders.pacing import Pacing
from vetlla.worker.reminders.passes import AHEAD, Office, Service
from vetlla.worker.reminders.rules import book_of, cancel_rules_of, policy_of
from vetlla.worker.reminders.sources import RedirectedSource, source_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime

    from vetlla.domain.clock import Clock
    from vetlla.domain.messages import Channel
    from vetlla.gateways.contracts import AppointmentSource
    from vetlla.gateways.received import Take
    from vetlla.settings.reminders.model import ReminderSettings
    from vetlla.worker.reminders.channels import ChannelParts

log = structlog.get_logger()

BUTTONS: Final = "buttons"
ARMS: Final = "arms"
"""What the service's own secret is used for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The service, and the channels as they are delivered to."""

    service: Service
    channels: Mapping[Channel, ChannelParts]


@asynccontextmanager
async def built(
    settings: ReminderSettings,
    clock: Clock,
    *,
    on_kept: Callable[[], None] = lambda: None,
    is_rehearsal: bool = False,
) -> AsyncIterator[Parts]:
    """Yield the service. Raises ConfigError and StoreError.

    ``on_kept`` is called after each delivery of a provider. A rehearsal writes to a copy of the database in memory.
    """
    async with AsyncExitStack() as stack:
        database = rehearsed if is_rehearsal else opened
        db = stack.enter_context(database(settings.state_dir, clock))
        secret = partial(signing_secret, settings.state_dir, make=not is_rehearsal)
        keeper = _Keeper(settings, db, clock, on_kept)
        channels = channels_of(settings, keeper.now, keeper.taker)
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        keeper.rules = _send_rules(settings, channels, secret(ARMS))
        service = _service(settings, keeper.rules, channels, secret(BUTTONS), db=db, clock=clock)
        yield Parts(service=service, channels=channels)


class _Keeper:
    """Keeps what providers deliver."""

    rules: SendRules

    def __init__(
        self, settings: ReminderSettings, db: sqlite3.Connection, clock: Clock, on_kept: Callable[[], None]
    ) -> None:
        self._path = settings.state_dir / REMINDERS
        self._db = db
        self._clock = clock
        self._on_kept = on_kept

    def now(self) -> datetime:
        return to_datetime(self._clock.now().utc_us)

    def _keep(self, channel: Channel, received: Received, raw: bytes) -> None:
        try:
            passes.tell(receiving.keep(self._db, channel, received, self.rules, self.now()))
        except sqlite3.OperationalError:  # the disk: the provider sends it again
            raise
        except Exception as error:  # noqa: BLE001 - a repetition would meet the same fault, so a person reads it
            log.error("reminders.fault", what="delivery", row=0, **passes.place_of(error))  # noqa: TRY400 - its text may quote a citizen
            whole = Unread("", "a fault of the program", raw.decode("utf-8", "replace"))
            passes.tell(receiving.keep(self._db, channel, Received(unread=(whole,)), self.rules, self.now()))

    def taker(self, channel: Channel) -> Take:
        async def take(raw: bytes, received: Received) -> None:
            with sqlite_errors(self._path):
                self._keep(channel, received, raw)
            for notice in received.notices:
                log.warning("reminders.channel_notice", channel=channel, kind=notice.kind, what=notice.event)
            self._on_kept()

        return take


def _service(
    settings: ReminderSettings,
    rules: SendRules,
    channels: Mapping[Channel, ChannelParts],
    buttons: bytes,
    *,
    db: sqlite3.Connection,
    clock: Clock,
) -> Service:
    messages = Messages(
        catalogue=load_texts(settings.texts),
        directory=load_offices(settings.offices_file),
        sender=sender_kind(settings),
    )
    for office in settings.office:
        if office.id not in messages.directory.offices:
            log.warning("reminders.office_unknown", office=office.id)
    gateways = {channel: parts.gateway for channel, parts in channels.items()}
    names = {channel: gateway.name for channel, gateway in gateways.items()}
    wording = Wording(messages, rules.book, buttons, names, settings.language)
    return Service(
        db=db,
        clock=clock,
        sources={source.name: source for source in sources_of(settings)},
        gateways=gateways,
        offices=offices_of(settings, rules),
        sending=rules,
        replying=ReplyRules(
            lexicon=load_lexicon(settings.lexicon),
            secret=buttons,
            wording=wording.of_answer,
            language=settings.language,
        ),
        wording=wording,
        name=f"process {os.getpid()}",
        pacing=Pacing({channel: parts.per_second for channel, parts in channels.items()}),
    )


def sources_of(settings: ReminderSettings) -> list[AppointmentSource]:
    """Return the sources; in a trial all their appointments are of one telephone. Raises ConfigError."""
    made = [source_of(source) for source in settings.source]
    if settings.redirect_to is None:
        return made
    return [RedirectedSource(source, settings.redirect_to) for source in made]


def offices_of(settings: ReminderSettings, rules: SendRules) -> Sequence[Office]:
    """Return the offices. A poll looks as far ahead as the longest reminder needs."""
    book = rules.book
    horizon = planning_horizon([book.default, *book.offices.values(), *book.services.values()])
    return [
        Office(
            source=office.source,
            id=office.id,
            zone=office.zone,
            cancelling=cancel_rules_of(office),
            ahead=max(AHEAD, horizon + timedelta(days=1)),
        )
        for office in settings.office
    ]


def _send_rules(settings: ReminderSettings, channels: Mapping[Channel, ChannelParts], secret: bytes) -> SendRules:
    return SendRules(
        tables={channel: parts.table for channel, parts in channels.items()},
        book=book_of(settings),
        policy=policy_of(settings),
        language=settings.language,
        conversations_in_24h=settings.whatsapp.conversations_in_24h if settings.whatsapp else 0,
        redirect_to=settings.redirect_to or "",
        held_back=settings.policy.held_back,
        arms_secret=secret,
    )


def sender_kind(settings: ReminderSettings) -> SenderKind:
    """Return what SMS come from: a name cannot be answered, so the texts must not ask for an answer."""
    sms = settings.sms
    if sms is None or (isinstance(sms, TwilioSms) and sms.service):
        return SenderKind.NUMBER
    is_number = sms.sender.removeprefix("+").isdigit() or (not sms.sender and not isinstance(sms, SmppSms))
    return SenderKind.NUMBER if is_number else SenderKind.ALIAS

"""Makes the channels that the settings name: a gateway, what its codes mean, and where it delivers reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.domain.failures import FailureTable, failure_table_of
from vetlla.domain.messages import Channel
from vetlla.gateways.http import HttpCaller
from vetlla.gateways.sms import generic, twilio
from vetlla.gateways.sms.generic_endpoint import HttpSmsEndpoint, ReplyRule, ReportRule
from vetlla.gateways.sms.twilio_endpoint import TwilioEndpoint
from vetlla.gateways.whatsapp import errors
from vetlla.gateways.whatsapp.endpoint import WhatsAppEndpoint
from vetlla.gateways.whatsapp.gateway import WhatsAppAccount, WhatsAppGateway
from vetlla.settings.reminders.channels import HttpSms, SmppSms, TwilioSms
from vetlla.settings.secret import read_secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from aiohttp import web

    from vetlla.gateways.contracts import MessageGateway
    from vetlla.gateways.received import Take
    from vetlla.settings.reminders.channels import Sms, WhatsApp
    from vetlla.settings.reminders.model import ReminderSettings

log = structlog.get_logger()

WHATSAPP_PATH: Final = "/whatsapp"
SMS_PATH: Final = "/sms"
"""Paths of the webhooks below ``webhooks.public_url``."""

TakeFrom: TypeAlias = "Callable[[Channel], Take]"
"""Returns what keeps the deliveries of a channel."""
Now: TypeAlias = "Callable[[], datetime]"


async def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelParts:
    """A channel in use."""

    gateway: MessageGateway
    table: FailureTable
    per_second: float
    routes: tuple[web.RouteDef, ...] = ()
    """The webhooks of its provider."""
    run: Callable[[], Awaitable[None]] | None = None
    """What runs as long as the service does; None if the channel needs no session."""
    close: Callable[[], Awaitable[None]] = field(default=_nothing)


def channels_of(settings: ReminderSettings, now: Now, take: TakeFrom) -> dict[Channel, ChannelParts]:
    """Return the channels of the settings. Raises ConfigError for a secret or a table that cannot be read."""
    made: dict[Channel, ChannelParts] = {}
    wanted = settings.policy.channels
    if settings.whatsapp is not None and Channel.WHATSAPP in wanted:
        made[Channel.WHATSAPP] = _whatsapp(settings.whatsapp, now, take)
    if settings.sms is not None and Channel.SMS in wanted:
        made[Channel.SMS] = _sms(settings.sms, settings.webhooks.public_url + SMS_PATH, now, take)
    return made


def whatsapp_gateway(given: WhatsApp, http: HttpCaller) -> WhatsAppGateway:
    """Return the gateway to Meta. Raises ConfigError."""
    account = WhatsAppAccount(
        phone_number_id=given.phone_number_id,
        token=read_secret(given.token_file, "whatsapp"),
        business_id=given.business_id,
        base_url=given.base_url,
        version=given.version,
        languages={str(language): code for language, code in given.languages.items()},
    )
    return WhatsAppGateway("whatsapp", account, http)


def _whatsapp(given: WhatsApp, now: Now, take: TakeFrom) -> ChannelParts:
    http = HttpCaller()
    endpoint = WhatsAppEndpoint(
        verify_token=read_secret(given.verify_token_file, "whatsapp"),
        app_secret=read_secret(given.app_secret_file, "whatsapp"),
        phone_number_id=given.phone_number_id,
        now=now,
        take=take(Channel.WHATSAPP),
        languages={str(language): code for language, code in given.languages.items()},
    )
    return ChannelParts(
        gateway=whatsapp_gateway(given, http),
        table=_table(given.errors_file, errors.failure_table),
        per_second=given.per_second,
        routes=tuple(endpoint.routes(WHATSAPP_PATH)),
        close=http.close,
    )


def _sms(given: Sms, public_url: str, now: Now, take: TakeFrom) -> ChannelParts:
    match given:
        case TwilioSms():
            return _twilio(given, public_url, now, take)
        case HttpSms():
            return _http(given, now, take)
    return _smpp(given, now, take)


def _twilio(given: TwilioSms, public_url: str, now: Now, take: TakeFrom) -> ChannelParts:
    http, token = HttpCaller(), read_secret(given.token_file, "sms")
    account = twilio.TwilioAccount(
        sid=given.account,
        token=token,
        sender=given.sender,
        service=given.service,
        callback_url=public_url,
        base_url=given.base_url,
    )
    endpoint = TwilioEndpoint(public_url=public_url, token=token, now=now, take=take(Channel.SMS))
    return ChannelParts(
        gateway=twilio.TwilioGateway("sms", account, http),
        table=_table(given.errors_file, twilio.failure_table),
        per_second=given.per_second,
        routes=tuple(endpoint.routes(SMS_PATH)),
        close=http.close,
    )


def _http(given: HttpSms, now: Now, take: TakeFrom) -> ChannelParts:
    http = HttpCaller()
    rule = given.answer
    try:
        account = generic.HttpSmsAccount(
            url=given.url,
            method=generic.Method(given.method),
            fields=given.fields_,
            headers=given.headers,
            secrets={name: read_secret(file, "sms") for name, file in given.secret_files.items()},
            user=given.user,
            password=read_secret(given.password_file, "sms") if given.password_file else "",
            sender=given.sender,
            codings=given.codings,
            answer=generic.AnswerRule(
                id_path=rule.id_path,
                status_path=rule.status_path,
                pattern=rule.pattern,
                accepted=frozenset(rule.accepted),
                refused_http=frozenset(rule.refused_http),
            ),
        )
    except ValueError as error:
        raise ConfigError(f"sms: {error}", remedy="docs/reminders-channels.md has examples of gateways") from error
    endpoint = HttpSmsEndpoint(
        token=read_secret(given.webhook_token_file, "sms"),
        now=now,
        take=take(Channel.SMS),
        report=ReportRule(**given.report.model_dump()),
        reply=ReplyRule(**given.reply.model_dump()),
    )
    return ChannelParts(
        gateway=generic.HttpSmsGateway("sms", account, http),
        table=_table(given.errors_file, generic.failure_table),
        per_second=given.per_second,
        routes=tuple(endpoint.routes(SMS_PATH)),
        close=http.close,
    )


def _smpp(given: SmppSms, now: Now, take: TakeFrom) -> ChannelParts:
    # It needs the extra "smpp", which most installations do without.
    from vetlla.gateways.sms import smpp  # noqa: PLC0415
    from vetlla.gateways.sms.coding import Alphabet  # noqa: PLC0415
    from vetlla.gateways.sms.receipts import IdForm  # noqa: PLC0415

    account = smpp.SmppAccount(
        host=given.host,
        port=given.port,
        user=given.user,
        password=read_secret(given.password_file, "sms"),
        sender=given.sender,
        system_type=given.system_type,
        tls=given.tls,
        alphabet=Alphabet(given.alphabet),
        long_text=smpp.LongText(given.long_text),
        answer_ids=IdForm(given.answer_ids),
        receipt_ids=IdForm(given.receipt_ids),
    )
    gateway = smpp.SmppGateway("sms", account, now=now, take=take(Channel.SMS), on_change=_session_changed)
    return ChannelParts(
        gateway=gateway,
        table=_table(given.errors_file, smpp.failure_table),
        per_second=given.per_second,
        run=gateway.run,
    )


def _session_changed(fault: str) -> None:
    if fault:
        log.warning("reminders.smpp_session", why=fault)
    else:
        log.info("reminders.smpp_session", why="")


def _table(file: Path | None, shipped: Callable[[], FailureTable]) -> FailureTable:
    """Return the table of codes of a file, or the one that comes with the program. Raises ConfigError."""
    if file is None:
        return shipped()
    try:
        return failure_table_of(tomlfile.read(file).decode("utf-8-sig"))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{file}: {why}", remedy="docs/reminders-channels.md shows the form of the table") from error

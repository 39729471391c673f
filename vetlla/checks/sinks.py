"""Checks sinks: the risks of their settings, and whether they send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.checks.config import is_public, risk, trouble
from vetlla.domain.clock import stretch
from vetlla.domain.errors import ConfigError
from vetlla.domain.findings import Finding, Level
from vetlla.domain.onward import SinkState
from vetlla.receiver.listeners.tls import of_sink
from vetlla.receiver.sinks import mqtt, webhook
from vetlla.receiver.sinks.automation import LABEL, can_write
from vetlla.settings.sinks.automation import AutomationSink
from vetlla.settings.sinks.mqtt import MqttSink
from vetlla.settings.sinks.webhook import WebhookSink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from vetlla.domain.accounts import AccountBook
    from vetlla.receiver.control.messages.sinks import SinkSheet
    from vetlla.settings.sinks.model import Sink


def of_settings(sinks: Iterable[Sink], book: AccountBook | None, now: datetime) -> Iterator[Finding]:
    """Yield the risks of sinks: a start accepts all of them, because reports come first.

    ``book`` holds the registered accounts; None if this user may not read them. Blocks.
    """
    labels = frozenset(label for account in book or () for label in account.labels)
    for sink in sinks:
        where = f"sink {sink.name}"
        try:
            _read_files(sink)
        except ConfigError as error:
            yield risk(where, f"sends nothing: {error.args[0]}", error.remedy)
        for one in of_sink(sink):
            if (what := trouble(one, now)) is not None:
                yield risk(
                    where, f"{one.file} ({one.use}) {what}", "renew it; the sink reads it when it connects again"
                )
        if isinstance(sink, MqttSink) and sink.tls is None and is_public(sink.host):
            yield risk(
                where,
                f"the reports of homes and the password go to {sink.host} unencrypted",
                "set its tls, as in config/vetlla.toml",
            )
        if isinstance(sink, WebhookSink) and sink.allow_http and sink.url.startswith("http:"):
            yield risk(where, "the reports of homes are posted unencrypted", "use an address with https")
        if isinstance(sink, AutomationSink) and book is not None and not sink.other_account:
            yield from _of_accounts(where, sink, book)
        if book is not None and (missing := sorted(set(sink.districts) - set(book.districts.values()))):
            yield risk(where, f"no home is in the district {', '.join(missing[:3])}", "vetlla inventory list")
        if book is not None and (missing := sorted(set(sink.labels) - labels)):
            yield risk(where, f"no account has the label {', '.join(missing[:3])}", "vetlla accounts list shows labels")


def _of_accounts(where: str, sink: AutomationSink, book: AccountBook) -> Iterator[Finding]:
    """Yield a finding if a registered account cannot be written in the messages of the sink."""
    unwritable = [account.account for account in book if not can_write(sink, account)]
    if unwritable:
        text = (
            f"{len(unwritable)} accounts cannot be written in its messages, and the first of them would block the sink"
        )
        yield risk(where, text, f'give each a label "{LABEL}1234" (vetlla accounts set --labels), or set other_account')


def _read_files(sink: Sink) -> None:
    if isinstance(sink, MqttSink):
        mqtt.read_files(sink)
    elif isinstance(sink, WebhookSink):
        webhook.read_files(sink)


def of_running(one: SinkSheet) -> Finding:
    """Return what is to be said of a running sink."""
    waits = f"{one['waiting']} signals wait, the oldest for {stretch(one['lag_s'])}" if one["waiting"] else "none waits"
    is_late = one["lag_s"] > one["lag_max_s"]
    match one["state"]:
        case SinkState.BLOCKED:
            level, remedy = Level.CRITICAL, f"vetlla sinks skip {one['name']} --reason ..., or repair the peer"
            text = f"blocked on signal {one['blocked_on']}: {one['why']}; {waits}"
        case SinkState.PAUSED:
            level, remedy = Level.WARNING, f"vetlla sinks resume {one['name']}"
            text = f"paused; {waits}"
        case SinkState.RETRYING:
            level, remedy = Level.CRITICAL if is_late else Level.WARNING, one["remedy"]
            text = f"{one['why']}; {waits}"
        case _:
            level = Level.WARNING if is_late else Level.OK
            text, remedy = waits, "its peer takes fewer signals than come" if is_late else ""
    figures = {"waiting": one["waiting"], "lag_s": one["lag_s"], "delivered": one["delivered"]}
    return Finding(check=f"sink {one['name']}", level=level, text=text, remedy=remedy, figures=figures)

"""A reminder service with which nothing is wrong: simulated systems, a webhook over TLS, a database in order."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bench.killing.receiver import free_port
from tests.rigs.certificates import Authority
from tests.rigs.qmatic import NOW
from tests.rigs.registered_homes import keep_key
from vetlla.checks.reminders.doctor import examine
from vetlla.domain.clock import ManualClock
from vetlla.domain.findings import Finding, Level
from vetlla.gateways.whatsapp.endpoint import WhatsAppEndpoint
from vetlla.service.reminders.texts.approval import DIGITAL_SERVICES
from vetlla.settings.reminders.load import load_reminders
from vetlla.settings.shipped import reminder_offices
from vetlla.simulator.messaging.phones import PhoneBook
from vetlla.simulator.messaging.sms.gateway import SmsGateway
from vetlla.simulator.messaging.whatsapp.approved import approved_templates
from vetlla.simulator.messaging.whatsapp.cloud import WhatsAppCloud
from vetlla.simulator.qmatic.server import Orchestra
from vetlla.simulator.qmatic.world import Branch, World
from vetlla.store.reminders import offices
from vetlla.store.reminders.opening import LOCK, opened
from vetlla.store.sqlite.atomic import atomic
from vetlla.store.sqlite.lockfile import exclusive
from vetlla.tasks.reminders.desk.approving import approve_texts
from vetlla.tasks.reminders.texts import load_offices, load_texts
from vetlla.worker.reminders.webhooks import WebhookServer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator
    from pathlib import Path

    import pytest

    from vetlla.gateways.received import Received
    from vetlla.settings.reminders.model import ReminderSettings

OFFICE = "1"
"""As the simulated Orchestra names its first office."""
OMAC = "OMAC"
SOURCE = "qmatic"
APPOINTMENTS = 3


@dataclass
class HealthyService:
    """The parts, so that a test can spoil one."""

    folder: Path
    clock: ManualClock
    db: sqlite3.Connection
    orchestra: Orchestra
    cloud: WhatsAppCloud
    sms: SmsGateway
    webhooks: WebhookServer | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    """What ends with it; the lock of the running service is the last of it."""

    @property
    def now(self) -> datetime:
        return NOW

    def settings(self, **changes: tuple[str, str]) -> ReminderSettings:
        """Return its settings, with some words replaced: ``name=(before, after)``."""
        file = self.folder / "reminders.toml"
        said = file.read_text(encoding="utf-8")
        for before, after in changes.values():
            assert before in said
            said = said.replace(before, after)
        other = self.folder / "other.toml"
        other.write_text(said, encoding="utf-8")
        return load_reminders(other)

    async def found(self, settings: ReminderSettings | None = None) -> list[Finding]:
        """Return what the doctor finds."""
        return await examine(settings or self.settings(), self.clock)

    async def wrong(self, settings: ReminderSettings | None = None) -> list[tuple[str, Level]]:
        """Return check and level of what the doctor finds wrong."""
        return [(one.check, one.level) for one in await self.found(settings) if one.level is not Level.OK]


@asynccontextmanager
async def healthy_service(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HealthyService]:
    """Run all of it."""
    authority = Authority(folder / "tls")
    pair = authority.issue("proxy", days=90)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    clock = ManualClock(NOW)
    world = World(seed=1, now=lambda: NOW - timedelta(days=1))  # it books from the next day on
    world.branches.append(Branch(1, "7d3f", "OMAC"))
    world.fill(days=7, per_day=APPOINTMENTS)
    book = PhoneBook(clock)
    state = folder / "state"
    state.mkdir(mode=0o750)
    async with AsyncExitStack() as stack:
        orchestra = await stack.enter_async_context(Orchestra(world))
        cloud = await stack.enter_async_context(WhatsAppCloud(book, templates=approved_templates(load_texts())))
        sms = await stack.enter_async_context(SmsGateway(book))
        db = stack.enter_context(opened(state, clock))
        made = HealthyService(folder, clock, db, orchestra, cloud, sms, stack=stack)
        _configure(made, pair.certificate, pair.key)
        _fill(made)
        made.webhooks = await _webhooks(made)
        stack.push_async_callback(made.webhooks.close)
        stack.enter_context(exclusive(state / LOCK))
        yield made


def _configure(made: HealthyService, certificate: Path, key: Path) -> None:
    meta, account, doors = made.cloud.account, made.sms.account, made.orchestra.doors
    secrets = {
        "qmatic": doors.password,
        "token": meta.token,
        "app": meta.app_secret,
        "verify": meta.verify_token,
        "sms": account.token,
    }
    for name, word in secrets.items():
        file = made.folder / f"{name}.secret"
        file.write_text(word + "\n", encoding="utf-8")
        file.chmod(0o400)
    shipped = reminder_offices().read_text(encoding="utf-8")
    first = shipped.split("[[office]]")[1]
    own = "[[office]]" + first.replace(f'id = "{OMAC}"', f'id = "{OFFICE}"')
    (made.folder / "offices.toml").write_text(f"{shipped}\n{own}", encoding="utf-8")
    port = free_port()
    (made.folder / "reminders.toml").write_text(
        f"""
state_dir = "{made.folder}/state"
offices_file = "{made.folder}/offices.toml"
[[source]]
name = "{SOURCE}"
kind = "orchestra-calendar"
url = "{made.orchestra.url}"
access = {{ kind = "basic", user = "{doors.user}", password_file = "{made.folder}/qmatic.secret" }}
[[office]]
source = "{SOURCE}"
id = "{OFFICE}"
[rules]
quiet = {{ begin = "21:00:00", end = "09:00:00", holidays = [2026-12-25, 2027-01-01] }}
[whatsapp]
phone_number_id = "{meta.phone_number_id}"
business_id = "{meta.business_id}"
token_file = "{made.folder}/token.secret"
app_secret_file = "{made.folder}/app.secret"
verify_token_file = "{made.folder}/verify.secret"
base_url = "{made.cloud.url}"
[sms]
kind = "twilio"
account = "{account.sid}"
token_file = "{made.folder}/sms.secret"
sender = "+{account.number.removeprefix("+")}"
base_url = "{made.sms.url}"
[webhooks]
port = {port}
public_url = "https://127.0.0.1:{port}"
tls = {{ certificate = "{certificate}", key = "{key}" }}
""",
        encoding="utf-8",
    )


def _fill(made: HealthyService) -> None:
    with atomic(made.db):
        offices.polled(made.db, SOURCE, OFFICE, NOW - timedelta(minutes=4), doubted=False)
    known = tuple(load_offices(made.folder / "offices.toml").offices)
    for party in (DIGITAL_SERVICES, *known):
        approve_texts(made.db, load_texts().texts, party, "Maria Exemple", offices=known, by="tests", now=NOW)
    for year in (2026, 2027):
        keep_key(made.folder / "state", f"pseudonyms-{year}", bytes(range(16)))


async def _webhooks(made: HealthyService) -> WebhookServer:
    async def take(_: bytes, __: Received) -> None: ...

    meta = made.cloud.account
    door: Any = WhatsAppEndpoint(
        verify_token=meta.verify_token,
        app_secret=meta.app_secret,
        phone_number_id=meta.phone_number_id,
        now=lambda: NOW,
        take=take,
    )
    server = WebhookServer(made.settings().webhooks, door.routes("/whatsapp"))
    await server.start()
    return server

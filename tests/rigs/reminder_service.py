"""The reminder service as a process, between a simulated queue system, simulated providers and citizens."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from vetlla.domain.clock import SystemClock
from vetlla.settings.shipped import reminder_offices
from vetlla.simulator.messaging.phones import PhoneBook
from vetlla.simulator.messaging.sms.gateway import SmsGateway
from vetlla.simulator.messaging.whatsapp.approved import approved_templates
from vetlla.simulator.messaging.whatsapp.cloud import WhatsAppCloud
from vetlla.simulator.qmatic.server import Orchestra
from vetlla.simulator.qmatic.world import invented
from vetlla.tasks.reminders.texts import load_texts

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from vetlla.simulator.qmatic.world import Booking

SETTINGS = """
state_dir = "{folder}/state"
offices_file = "{folder}/offices.toml"
[[source]]
name = "qmatic"
kind = "orchestra-calendar"
url = "{orchestra}"
access = {{ kind = "basic", user = "{user}", password_file = "{folder}/password" }}
[[office]]
source = "qmatic"
id = "1"
poll_every_s = 1
[rules]
steps = [{{ name = "24h", hours = 24 }}]
quiet = {{ begin = "23:59:59", end = "00:00:00" }}
minimum_gap_h = 0
[whatsapp]
phone_number_id = "{phone_number_id}"
business_id = "{business_id}"
token_file = "{folder}/token"
app_secret_file = "{folder}/app-secret"
verify_token_file = "{folder}/verify-token"
base_url = "{whatsapp}"
[sms]
kind = "twilio"
account = "{account}"
token_file = "{folder}/sms-token"
sender = "{sender}"
base_url = "{sms}"
[webhooks]
port = {port}
public_url = "http://127.0.0.1:{port}"
[pace]
send_s = 0.2
reply_s = 0.2
plan_s = 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """Everything around the service."""

    folder: Path
    orchestra: Orchestra
    book: PhoneBook
    whatsapp: WhatsAppCloud
    sms: SmsGateway
    port: int

    @property
    def config(self) -> Path:
        """The file of settings."""
        return self.folder / "reminders.toml"

    def appointment(self, phone: str, *, in_s: float, consents: bool = True, language: str = "ca") -> Booking:
        """Book an appointment of which the reminder is due in some seconds."""
        world = self.orchestra.world
        customer = world.customer(phone=phone)
        if consents:
            customer = replace(customer, consent_ms=int(world.now().timestamp() * 1000))
        start = (datetime.now(UTC) + timedelta(hours=24, seconds=in_s)).replace(microsecond=0)
        return world.book(
            world.branches[0], (world.services[0],), start, customer=customer, language=language, at_extra_table=True
        )

    async def until(self, is_so: Callable[[], bool], patience_s: float = 30) -> None:
        """Wait until something happened. Raises TimeoutError."""
        async with asyncio.timeout(patience_s):
            while not is_so():  # noqa: ASYNC110 - the simulators set no event
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def service(self) -> AsyncIterator[Process]:
        """Run the service; at the end it gets SIGTERM, and must end with 0."""
        process = await self.started()
        try:
            yield process
            process.terminate()
            assert await asyncio.wait_for(process.wait(), 30) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def started(self) -> Process:
        """Start the service."""
        words = (sys.executable, "-m", "vetlla", "reminders", "run", "--config", str(self.config))
        with (self.folder / "service.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL, stderr=log)


@asynccontextmanager
async def city(folder: Path) -> AsyncIterator[City]:
    """Open a city with one office and no appointments."""
    port = _free_port()
    book = PhoneBook(SystemClock())
    async with (
        Orchestra(invented(offices=1, per_day=0)) as orchestra,
        WhatsAppCloud(book, templates=approved_templates(load_texts())) as whatsapp,
        SmsGateway(book, incoming_url=f"http://127.0.0.1:{port}/sms") as sms,
        book,
    ):
        whatsapp.keep_visiting(f"http://127.0.0.1:{port}/whatsapp")
        made = City(folder=folder, orchestra=orchestra, book=book, whatsapp=whatsapp, sms=sms, port=port)
        _write(made)
        yield made


def _write(one: City) -> None:
    meta, gateway, doors = one.whatsapp.account, one.sms.account, one.orchestra.doors
    secrets = {
        "password": doors.password,
        "token": meta.token,
        "app-secret": meta.app_secret,
        "verify-token": meta.verify_token,
        "sms-token": gateway.token,
    }
    for name, secret in secrets.items():
        (one.folder / name).write_text(f"{secret}\n", encoding="utf-8")
        (one.folder / name).chmod(0o600)
    details = reminder_offices().read_text(encoding="utf-8").replace('id = "OMAC"', 'id = "1"')
    (one.folder / "offices.toml").write_text(details, encoding="utf-8")
    text = SETTINGS.format(
        folder=one.folder,
        orchestra=one.orchestra.url,
        user=doors.user,
        phone_number_id=meta.phone_number_id,
        business_id=meta.business_id,
        whatsapp=one.whatsapp.url,
        account=gateway.sid,
        sender=gateway.number,
        sms=one.sms.url,
        port=one.port,
    )
    one.config.write_text(text, encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def reminders_environment(one: City) -> dict[str, str]:
    """Return the environment in which commands find the service's configuration."""
    return {**os.environ, "VETLLA_REMINDERS_CONFIG": str(one.config)}

"""Settings become a service: each kind of source and channel, the inheritance of rules, and a trial."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminder_systems import Source
from tests.rigs.reminders import NOW, appointment, key
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import ConfigError
from vetlla.domain.messages import Channel
from vetlla.gateways.qmatic.cloud import QmaticCloud
from vetlla.gateways.qmatic.files import AppointmentFiles
from vetlla.gateways.qmatic.orchestra_calendar import OrchestraCalendar
from vetlla.gateways.qmatic.orchestra_queue import OrchestraQueue
from vetlla.gateways.sms.generic import HttpSmsGateway
from vetlla.gateways.sms.smpp import SmppGateway
from vetlla.gateways.sms.twilio import TwilioGateway
from vetlla.service.reminders.texts.text import SenderKind
from vetlla.settings.reminders.load import load_reminders
from vetlla.worker.reminders.rules import book_of
from vetlla.worker.reminders.sources import RedirectedSource
from vetlla.worker.reminders.wiring import built, sender_kind

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.settings.reminders.model import ReminderSettings

SOURCES = """
[[source]]
name = "calendar"
kind = "orchestra-calendar"
url = "http://127.0.0.1:1"
access = { kind = "session", user = "u", password_file = "secret" }
[[source]]
name = "queue"
kind = "orchestra-queue"
url = "http://127.0.0.1:1"
access = { kind = "auth-token", token_file = "secret" }
[[source]]
name = "cloud"
kind = "qmatic-cloud"
url = "http://127.0.0.1:1"
account = "lleida"
access = { kind = "basic", user = "id", password_file = "secret" }
[[source]]
name = "files"
kind = "files"
path = "/nowhere"
"""
OFFICE = """
[[office]]
source = "files"
id = "OMAC"
cancel_until_h = 2
"""
TWILIO = """
[sms]
kind = "twilio"
account = "AC1"
token_file = "secret"
sender = "+34600000099"
"""
HTTP = """
[sms]
kind = "http"
url = "http://127.0.0.1:1/send"
method = "POST-JSON"
fields = { to = "{to}", text = "{text}", key = "{api_key}" }
secret_files = { api_key = "secret" }
webhook_token_file = "secret"
sender = "Paeria"
"""
SMPP = """
[sms]
kind = "smpp"
host = "127.0.0.1"
user = "vetlla"
password_file = "secret"
sender = "600000099"
"""
WHATSAPP = """
[whatsapp]
phone_number_id = "1"
business_id = "2"
token_file = "secret"
app_secret_file = "secret"
verify_token_file = "secret"
"""
BY_SMS = '[policy]\nchannels = ["sms"]\n'


@pytest.fixture(autouse=True)
def _credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("a word\n", encoding="utf-8")
    (tmp_path / "secret").chmod(0o400)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))


def settings(folder: Path, *parts: str) -> ReminderSettings:
    file = folder / "reminders.toml"
    file.write_text(f'state_dir = "{folder}/state"\n' + "".join(parts), encoding="utf-8")
    return load_reminders(file)


@pytest.mark.parametrize(
    ("channel", "kind", "webhooks"),
    [
        (TWILIO, TwilioGateway, {"/sms"}),
        (HTTP, HttpSmsGateway, {"/sms/report", "/sms/reply"}),
        (SMPP, SmppGateway, set()),
    ],
)
def test_each_kind_of_source_and_channel_is_made(tmp_path: Path, channel: str, kind: type, webhooks: set[str]) -> None:
    async def made() -> None:
        given = settings(tmp_path, SOURCES, OFFICE, channel, WHATSAPP)
        async with built(given, ManualClock(NOW)) as parts:
            sources = parts.service.sources
            kinds = [OrchestraCalendar, OrchestraQueue, QmaticCloud, AppointmentFiles]
            assert [type(one) for one in sources.values()] == kinds
            assert list(sources) == ["calendar", "queue", "cloud", "files"]
            assert isinstance(parts.service.gateways[Channel.SMS], kind)
            routes = {one.path for part in parts.channels.values() for one in part.routes}
            assert routes == webhooks | {"/whatsapp"}
            (office,) = parts.service.offices
            assert office.cancelling.cutoff == timedelta(hours=2)

    asyncio.run(made())


def test_what_a_table_does_not_say_the_table_around_it_says(tmp_path: Path) -> None:
    rules = """
[rules]
minimum_gap_h = 5
useful_before_h = 1
"""
    office = """
rules = { useful_before_h = 2 }
service = [{ id = "p", rules = { steps = [{ name = "2h", hours = 2 }] } }]
"""
    book = book_of(settings(tmp_path, SOURCES, OFFICE.rstrip(), office, rules, TWILIO, BY_SMS))
    assert book.default.useful_before == timedelta(hours=1)
    assert book.offices["OMAC"].useful_before == timedelta(hours=2)
    own = book.services["OMAC", "p"]
    assert (own.minimum_gap, own.useful_before) == (timedelta(hours=5), timedelta(hours=2))
    assert [step.name for step in own.steps] == ["2h"]


def test_a_poll_looks_as_far_as_the_longest_reminder_needs(tmp_path: Path) -> None:
    async def made() -> timedelta:
        long = '[rules]\nsteps = [{ name = "month", hours = 720 }]\n'
        async with built(settings(tmp_path, SOURCES, OFFICE, long, TWILIO, BY_SMS), ManualClock(NOW)) as parts:
            return parts.service.offices[0].ahead

    assert asyncio.run(made()) > timedelta(days=30)


def test_a_secret_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def made() -> None:
        async with built(settings(tmp_path, SOURCES, OFFICE, TWILIO, BY_SMS), ManualClock(NOW)):
            raise AssertionError("a service without its secret")

    (tmp_path / "secret").unlink()
    with pytest.raises(ConfigError, match="sms"):
        asyncio.run(made())
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(ConfigError) as caught:
        asyncio.run(made())
    assert "CREDENTIALS_DIRECTORY" in str(caught.value.remedy)


def test_a_rehearsal_leaves_nothing_behind(tmp_path: Path) -> None:
    async def made() -> None:
        given = settings(tmp_path, SOURCES, OFFICE, TWILIO, BY_SMS)
        async with built(given, ManualClock(NOW), is_rehearsal=True):
            pass

    asyncio.run(made())
    assert not (tmp_path / "state").exists()


def test_buttons_stay_valid_after_a_restart(tmp_path: Path) -> None:
    async def secret() -> bytes:
        async with built(settings(tmp_path, SOURCES, OFFICE, TWILIO, BY_SMS), ManualClock(NOW)) as parts:
            return parts.service.replying.secret

    assert asyncio.run(secret()) == asyncio.run(secret())


@pytest.mark.parametrize(("channel", "kind"), [(HTTP, SenderKind.ALIAS), (TWILIO, SenderKind.NUMBER)])
def test_a_name_as_sender_is_not_answered(tmp_path: Path, channel: str, kind: SenderKind) -> None:
    assert sender_kind(settings(tmp_path, SOURCES, OFFICE, channel, BY_SMS)) is kind


def test_in_a_trial_every_appointment_is_of_one_telephone() -> None:
    office = Source()
    office.office.put(appointment("a", NOW + timedelta(hours=1)))
    source = RedirectedSource(office, "+34600000077")
    found = asyncio.run(source.poll("1", NOW.date(), NOW.date()))
    one = asyncio.run(source.get(key("a")))
    assert [row.phone for row in found.appointments] == ["+34600000077"]
    assert one is not None
    assert one.phone == "+34600000077"

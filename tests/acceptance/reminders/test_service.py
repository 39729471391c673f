"""``vetlla reminders run`` and ``dispatch`` as processes: from the queue system to the telephone and back."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.rigs.reminder_service import City, city, reminders_environment
from vetlla.domain.messages import Channel
from vetlla.simulator.qmatic.world import Status

if TYPE_CHECKING:
    from pathlib import Path

WITH, WITHOUT = "+34600000001", "+34600000002"


async def command(here: City, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Run a command of the group with ``--json``; return its status and its objects."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vetlla", "reminders", *words, "--json"),
        env=reminders_environment(here),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, [json.loads(line) for line in out.splitlines()]


def from_city(here: City, phone: str) -> list[str]:
    return [one.text for one in here.book.phone(phone).thread if one.is_from_city]


async def test_a_reminder_reaches_each_citizen_and_a_cancellation_reaches_the_queue_system(tmp_path: Path) -> None:
    async with city(tmp_path) as here, here.service():
        first = here.appointment(WITH, in_s=-1)
        second = here.appointment(WITHOUT, in_s=-1, consents=False, language="es")
        await here.until(lambda: bool(from_city(here, WITH) and from_city(here, WITHOUT)))
        told = here.book.phone(WITH).thread[0]
        assert (told.channel, here.book.phone(WITHOUT).thread[0].channel) == (Channel.WHATSAPP, Channel.SMS)
        here.whatsapp.citizens.press(here.book.phone(WITH), told, 0)
        here.sms.reply(here.book.phone(WITHOUT), "ANULAR")
        await here.until(lambda: second.status is Status.CANCELLED)
        await here.until(lambda: len(from_city(here, WITHOUT)) == 2 and len(from_city(here, WITH)) == 2)
        assert first.status is Status.CREATED
        assert from_city(here, WITHOUT)[1].startswith("Hemos anulado la cita")
        _, listed = await command(here, "list")
        reminders = [one for one in listed if one["kind"] == "reminder"]
        assert sorted((one["channel"], one["confirmed"]) for one in reminders) == [("sms", False), ("whatsapp", True)]


async def test_a_webhook_without_its_signature_is_refused_and_a_second_service_does_not_start(tmp_path: Path) -> None:
    async with city(tmp_path) as here, here.service(), aiohttp.ClientSession() as client:
        base = f"http://127.0.0.1:{here.port}"
        await here.until(lambda: here.whatsapp.is_subscribed)
        async with client.get(f"{base}/healthz") as answer:
            assert (answer.status, await answer.text()) == (200, "ok\n")
        for path, body in (("/whatsapp", '{"entry": []}'), ("/sms", "From=%2B34600000001&Body=ANULAR&MessageSid=SM1")):
            async with client.post(base + path, data=body) as answer:
                assert answer.status == 403
        other = await here.started()
        assert await asyncio.wait_for(other.wait(), 30) == 74  # EX_IOERR
        assert "reminder service uses this state directory" in (tmp_path / "service.log").read_text(encoding="utf-8")


async def test_one_pass_sends_what_is_due_and_a_rehearsal_only_shows_it(tmp_path: Path) -> None:
    async with city(tmp_path) as here:
        here.appointment(WITH, in_s=-1)
        status, (shown,) = await command(here, "dispatch", "--dry-run")
        assert status == 0
        (message,) = shown["messages"]
        assert (message["channel"], message["phone"]) == ("whatsapp", "\u2026001")
        assert message["text"].startswith("Ajuntament de Lleida")
        assert not here.book.phone(WITH).thread
        assert not (tmp_path / "state").exists()
        status, (done,) = await command(here, "dispatch")
        assert (status, len(done["messages"]), len(from_city(here, WITH))) == (0, 1, 1)
        status, (again,) = await command(here, "dispatch")
        assert (status, again["messages"]) == (0, [])


async def test_one_pass_says_which_office_did_not_answer(tmp_path: Path) -> None:
    async with city(tmp_path) as here:
        here.orchestra.faults.status = 500
        status, (done,) = await command(here, "dispatch")
        assert (status, done["failed"], done["polled"]) == (69, ["1"], 0)

"""``vetlla reminders doctor``: nothing is wrong with a service in order, and what goes wrong around it is found."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.healthy_service import APPOINTMENTS, OFFICE, healthy_service
from vetlla.checks.reminders.webhooks import certificate, webhooks
from vetlla.domain.findings import Finding, Level
from vetlla.settings.shipped import reminder_texts
from vetlla.simulator.messaging.faults import WhatsAppFaults
from vetlla.store.reminders import channels

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

WARNING, CRITICAL = Level.WARNING, Level.CRITICAL


def one(found: Iterable[Finding], check: str) -> Finding:
    """Return the only finding of a check."""
    (finding,) = [finding for finding in found if finding.check == check]
    return finding


async def test_a_service_in_order_has_no_finding_but_ok(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with healthy_service(tmp_path, monkeypatch) as service:
        found = await service.found()
    assert [(one.check, one.text, one.remedy) for one in found if one.level is not Level.OK] == []
    source = one(found, "source qmatic")
    assert source.figures is not None
    assert source.figures["appointments"] == APPOINTMENTS
    assert "GREEN" in one(found, "whatsapp").text
    assert "in ca and es" in one(found, "templates").text


async def test_a_source_that_refuses_the_password_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with healthy_service(tmp_path, monkeypatch) as service:
        service.orchestra.doors.password = "another"
        source = one(await service.found(), "source qmatic")
        gone = service.settings(url=(service.orchestra.url, "http://127.0.0.1:1"))
        away = one(await service.found(gone), "source qmatic")
    assert (source.level, source.remedy) == (CRITICAL, "check user, password, token or key of this source")
    assert (away.level, "VPN" in away.remedy) == (CRITICAL, True)


async def test_a_token_that_meta_refuses_is_critical_and_its_renewal_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with healthy_service(tmp_path, monkeypatch) as service:
        file = tmp_path / "token.secret"
        file.chmod(0o600)
        file.write_text("another\n", encoding="utf-8")
        file.chmod(0o400)
        found = one(await service.found(), "whatsapp")
        service.cloud.faults = WhatsAppFaults(status=503)
        away = one(await service.found(), "whatsapp")
    assert (found.level, "new token" in found.remedy) == (CRITICAL, True)
    assert (away.level, "base_url" in away.remedy) == (CRITICAL, True)


async def test_each_template_must_be_approved_in_both_languages_as_utility(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with healthy_service(tmp_path, monkeypatch) as service:
        templates = sorted(service.cloud.templates)
        (first, code), (second, other) = templates[0], templates[3]
        service.cloud.templates[first, code].status = "PAUSED"
        service.cloud.templates[second, other].category = "MARKETING"
        channels.template_unusable(service.db, second, other, "132015", service.now)
        found = await service.found()
    paused = one(found, f"template {first} {code}")
    assert (paused.level, "is PAUSED" in paused.text) == (CRITICAL, True)
    of_second = [finding for finding in found if finding.check == f"template {second} {other}"]
    assert [finding.level for finding in of_second] == [WARNING, WARNING]
    assert of_second[0].remedy == "vetlla reminders channels resume whatsapp"
    assert "category is MARKETING" in of_second[1].text
    assert not [finding for finding in found if finding.check == "templates"]


async def test_the_number_s_quality_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with healthy_service(tmp_path, monkeypatch) as service:
        object.__setattr__(service.cloud.account, "quality", "RED")
        found = one(await service.found(), "whatsapp")
    assert (found.level, "RED" in found.text) == (CRITICAL, True)


async def test_an_address_that_does_not_lead_to_the_service_is_critical(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy answers, but not with Meta's challenge; or nothing listens; or no authority knows its certificate."""
    async with healthy_service(tmp_path, monkeypatch) as service:
        settings = service.settings()
        elsewhere = settings.webhooks.model_copy(update={"public_url": f"{settings.webhooks.public_url}/elsewhere"})
        wrong = await webhooks(settings.model_copy(update={"webhooks": elsewhere}), service.now)
        plain = settings.webhooks.model_copy(update={"public_url": service.cloud.url})
        other = await webhooks(settings.model_copy(update={"webhooks": plain}), service.now)
        monkeypatch.delenv("SSL_CERT_FILE")
        unknown = await webhooks(settings, service.now)
        assert service.webhooks is not None
        await service.webhooks.close()
        silent = await webhooks(settings, service.now)
    assert [(one.check, one.level) for one in wrong[:2]] == [("webhook whatsapp", CRITICAL), ("webhook sms", CRITICAL)]
    assert "HTTP 404" in wrong[0].text
    assert one(other, "certificate").level is WARNING
    assert [one.level for one in unknown] == [CRITICAL, CRITICAL]
    assert "certificate was not accepted" in unknown[0].text
    assert "public_url" in unknown[0].remedy
    assert [one.level for one in silent] == [CRITICAL, CRITICAL]


@pytest.mark.parametrize(("days", "level"), [(91, WARNING), (61, WARNING), (59, Level.OK)])
async def test_a_certificate_is_to_be_renewed_thirty_days_before_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, level: Level
) -> None:
    """The one of the rig is valid for 90 days."""
    async with healthy_service(tmp_path, monkeypatch) as service:
        context = ssl.create_default_context()
        later = datetime.now(UTC) + timedelta(days=days)
        found = await certificate(service.settings().webhooks.public_url, context, later)
    assert [(one.check, one.level) for one in found] == [("certificate", level)]


async def test_a_name_as_sender_needs_its_registration_and_cannot_be_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with healthy_service(tmp_path, monkeypatch) as service:
        number = f'sender = "+{service.sms.account.number.removeprefix("+")}"'
        name = service.settings(sender=(number, 'sender = "Paeria"'))
        registered = service.settings(sender=(number, 'sender = "Paeria"\nsender_registered_on = 2026-09-01'))
        unregistered, known = await service.found(name), await service.found(registered)
    assert [one.level for one in unregistered if one.check == "sms sender"] == [CRITICAL, WARNING]
    assert [one.level for one in known if one.check == "sms sender"] == [WARNING]


async def test_a_gateway_of_sms_that_cannot_be_reached_is_critical(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with healthy_service(tmp_path, monkeypatch) as service:
        settings = service.settings(base_url=(service.sms.url, "http://127.0.0.1:1"))
        assert await service.wrong(settings) == [("sms gateway", CRITICAL)]


async def test_a_trial_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with healthy_service(tmp_path, monkeypatch) as service:
        settings = service.settings(state=("state_dir", 'redirect_to = "+34600000077"\nstate_dir'))
        assert await service.wrong(settings) == [("trial", WARNING)]


async def test_an_office_that_the_texts_do_not_know_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with healthy_service(tmp_path, monkeypatch) as service:
        settings = service.settings(office=(f'id = "{OFFICE}"', 'id = "NOWHERE"'))
        wrong = await service.wrong(settings)
    assert ("office NOWHERE", WARNING) in wrong
    assert ("office NOWHERE", CRITICAL) in wrong  # it was never polled


async def test_texts_that_changed_after_their_approval_are_critical(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for file in reminder_texts().glob("*.toml"):
        said = file.read_text(encoding="utf-8").replace("Gràcies. Us esperem {quan_curt}", "Us esperem {quan_curt}")
        (folder / file.name).write_text(said, encoding="utf-8")
    async with healthy_service(tmp_path, monkeypatch) as service:
        settings = service.settings(texts=("state_dir", f'texts = "{folder}"\nstate_dir'))
        wrong = await service.wrong(settings)
        (folder / "ca.toml").unlink()
        unreadable = await service.wrong(settings)
    assert wrong == [("approvals", CRITICAL)]
    assert unreadable == [("texts", CRITICAL)]


async def test_a_service_that_does_not_run_is_critical_unless_dispatch_polls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with healthy_service(tmp_path, monkeypatch) as service:
        settings = service.settings(office=("[rules]", "poll_every_s = 30\n[rules]"))
        assert await service.wrong(settings) == [(f"office {OFFICE}", CRITICAL)]
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "keys.toml").touch(mode=0o600)
        gone = service.settings(state=(f"{tmp_path}/state", str(elsewhere)))
        found = await service.found(gone)
    assert one(found, "service").level is CRITICAL
    assert "systemctl start" in one(found, "service").remedy
    assert one(found, "database").level is CRITICAL

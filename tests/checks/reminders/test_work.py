"""What waits too long in the database, channels that the service does not use, and offices whose polls do not come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.permissions import reachable_directory, unprivileged
from tests.rigs.reminders import SOURCE
from tests.rigs.reminders_desk import ANNA, BIEL, OFFICE, DeskWorld
from vetlla.checks.reminders import offices as office_checks
from vetlla.checks.reminders import work
from vetlla.checks.reminders.failures import failed
from vetlla.checks.reminders.service import service
from vetlla.checks.reminders.yearly import holidays, keys, years
from vetlla.domain.appointments import AppointmentKey
from vetlla.domain.errors import AccessError, ConfigError, StoreError
from vetlla.domain.findings import Finding, Level
from vetlla.domain.messages import Channel, IncomingReply
from vetlla.service.reminders.circuit import Circuit
from vetlla.settings.reminders.model import PolicySettings, ReminderSettings
from vetlla.settings.reminders.offices import OfficeSettings, QuietSettings, RuleSettings
from vetlla.settings.reminders.sources import FilesSource
from vetlla.settings.secret import read_secret
from vetlla.store.reminders import cancellations, channels, offices, replies
from vetlla.store.reminders.opening import LOCK, reading_present
from vetlla.store.sqlite.atomic import atomic
from vetlla.store.sqlite.lockfile import exclusive

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
"""A Monday."""
OK, WARNING, CRITICAL = Level.OK, Level.WARNING, Level.CRITICAL


@pytest.fixture
def world(tmp_path: Path) -> Iterator[DeskWorld]:
    with DeskWorld.opened(tmp_path, NOW) as made:
        yield made


def settings(folder: Path, *holidays: date) -> ReminderSettings:
    """Return settings of one office that reads files, and sends nothing."""
    return ReminderSettings(
        source=(FilesSource(name=SOURCE, kind="files", path=folder),),
        office=(OfficeSettings(source=SOURCE, id=OFFICE),),
        rules=RuleSettings(quiet=QuietSettings(holidays=holidays)),
        policy=PolicySettings.model_construct(channels=()),
    )


def levels(found: Iterable[Finding]) -> dict[str, Level]:
    return {one.check: one.level for one in found}


def test_nothing_waits_in_a_new_database(world: DeskWorld, tmp_path: Path) -> None:
    found = levels(work.waiting(world.db, settings(tmp_path), NOW))
    assert found == dict.fromkeys(("messages", "texts missing", "replies", "cancellations", "inbox", "deliveries"), OK)


def test_a_message_that_no_one_sent_is_overdue_after_five_minutes(world: DeskWorld, tmp_path: Path) -> None:
    world.book("a1", ANNA, 1)
    world.poll()
    world.remind("a1", ANNA, 1)
    soon, late = (
        levels(work.waiting(world.db, settings(tmp_path), NOW + timedelta(minutes=minutes))) for minutes in (4, 6)
    )
    assert (soon["messages"], late["messages"]) == (OK, CRITICAL)


def test_a_reply_that_is_not_handled_within_five_minutes_is_critical(world: DeskWorld, tmp_path: Path) -> None:
    reply = IncomingReply(provider_id="in-1", channel=Channel.SMS, at=NOW, phone=ANNA, text="SI")
    with atomic(world.db):
        replies.keep_reply(world.db, reply, NOW)
    soon, late = (
        levels(work.waiting(world.db, settings(tmp_path), NOW + timedelta(minutes=minutes))) for minutes in (4, 6)
    )
    assert (soon["replies"], late["replies"]) == (OK, CRITICAL)


def test_a_cancellation_without_an_outcome_after_a_quarter_of_an_hour_is_critical(
    world: DeskWorld, tmp_path: Path
) -> None:
    with atomic(world.db):
        cancellations.want_cancelled(world.db, AppointmentKey(SOURCE, "a1"), NOW + timedelta(days=1), None, NOW)
    soon, late = (
        levels(work.waiting(world.db, settings(tmp_path), NOW + timedelta(minutes=minutes))) for minutes in (14, 16)
    )
    assert (soon["cancellations"], late["cancellations"]) == (OK, CRITICAL)


@pytest.mark.parametrize(
    ("day", "level"),
    [
        (date(2026, 11, 24), OK),  # the next day is not over
        (date(2026, 11, 25), WARNING),
    ],
)
def test_a_reply_may_wait_for_a_person_until_the_end_of_the_next_working_day(
    world: DeskWorld, tmp_path: Path, day: date, level: Level
) -> None:
    world.writes(BIEL, "Quina documentació he de portar?", Channel.WHATSAPP)
    later = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    assert levels(work.waiting(world.db, settings(tmp_path), later))["inbox"] is level


def test_weekends_and_holidays_are_no_working_days(tmp_path: Path) -> None:
    """Sunday 13 December 2026; the Friday before is a holiday of this city only."""
    sunday = datetime(2026, 12, 13, 12, tzinfo=UTC)
    assert work.last_working_day(sunday, settings(tmp_path)).date() == date(2026, 12, 11)
    assert work.last_working_day(sunday, settings(tmp_path, date(2026, 12, 11))).date() == date(2026, 12, 10)


def test_a_delivery_that_could_not_be_read_is_a_warning_and_not_late_work(world: DeskWorld, tmp_path: Path) -> None:
    with atomic(world.db):
        replies.keep_unread(world.db, Channel.WHATSAPP, "{}", "it tells nothing", NOW)
    found = levels(work.waiting(world.db, settings(tmp_path), NOW + timedelta(days=9)))
    assert (found["deliveries"], found["inbox"]) == (WARNING, OK)


def test_a_channel_is_not_used_for_a_while_or_stopped(world: DeskWorld, tmp_path: Path) -> None:
    used = settings(tmp_path).model_copy(update={"policy": PolicySettings()})
    tired = Circuit()
    for _ in range(5):
        tired = tired.failed(NOW, "no answer")
    with atomic(world.db):
        channels.put_circuit(world.db, Channel.WHATSAPP, Circuit().stopped("190"))
        channels.put_circuit(world.db, Channel.SMS, tired)
    whatsapp, sms = work.channels(world.db, used, NOW)
    assert (whatsapp.level, whatsapp.remedy) == (
        CRITICAL,
        "mend the account, then: vetlla reminders channels resume whatsapp",
    )
    assert (sms.level, "09:01 UTC" in sms.text) == (WARNING, True)
    assert [one.level for one in work.channels(world.db, used, NOW + timedelta(hours=2))] == [CRITICAL, OK]


def poll(world: DeskWorld, folder: Path, minutes: float) -> Finding:
    """Return the finding about the office some minutes after ``NOW``."""
    (found,) = office_checks.polls(world.db, settings(folder), NOW + timedelta(minutes=minutes))
    return found


def test_polls_that_stop_fail_or_are_doubted_are_found(world: DeskWorld, tmp_path: Path) -> None:
    assert poll(world, tmp_path, 0).level is CRITICAL
    assert not office_checks.are_polled(world.db, settings(tmp_path), NOW)
    with atomic(world.db):
        offices.polled(world.db, SOURCE, OFFICE, NOW, doubted=False)
    assert [poll(world, tmp_path, minutes).level for minutes in (14, 16)] == [OK, CRITICAL]
    assert office_checks.are_polled(world.db, settings(tmp_path), NOW)
    with atomic(world.db):
        offices.poll_failed(world.db, SOURCE, OFFICE, "no answer in time\n  -> check the VPN")
    failed = poll(world, tmp_path, 5)
    assert (failed.level, failed.text) == (WARNING, "the last poll failed: no answer in time")
    with atomic(world.db):
        offices.polled(world.db, SOURCE, OFFICE, NOW, doubted=True)
    doubted = poll(world, tmp_path, 5)
    assert doubted.level is CRITICAL
    assert doubted.remedy.endswith(f"vetlla reminders dispatch --accept {OFFICE}")


def test_an_open_pause_is_told_with_its_reason(world: DeskWorld) -> None:
    with atomic(world.db):
        offices.pause(world.db, OFFICE, NOW, None, why="avui tanquem", by="ana")
    (found,) = office_checks.pauses(world.db, NOW)
    assert (found.level, found.remedy.startswith(f"vetlla reminders resume {OFFICE}")) == (WARNING, True)
    assert "until a person ends it, by ana: avui tanquem" in found.text


# --- whether it may be seen ------------------------------------------------------------------------------------------


def test_what_this_user_may_not_see_is_unknown() -> None:
    with reachable_directory() as folder:
        with exclusive(folder / LOCK):
            assert service(folder, are_polled=False).level is OK
        assert service(folder, are_polled=False).level is CRITICAL
        assert service(folder, are_polled=True).level is WARNING
        folder.chmod(0)
        with unprivileged():
            found = service(folder, are_polled=True)
            with pytest.raises(AccessError), reading_present(folder):
                pass
    assert found.level is Level.UNKNOWN


def test_a_credential_that_only_the_service_gets_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(ConfigError) as raised:
        read_secret("qmatic-password", "source qmatic")
    assert failed("source qmatic", raised.value, "").level is Level.UNKNOWN


def test_a_database_of_another_program_is_not_read(tmp_path: Path) -> None:
    with DeskWorld.opened(tmp_path, NOW) as made:
        made.db.execute("PRAGMA user_version = 2")
    with pytest.raises(StoreError, match="its schema is older"), reading_present(tmp_path):
        pass


# --- once a year ------------------------------------------------------------------------------------------------------


def test_the_next_year_counts_from_december_on_the_city_s_clock() -> None:
    assert years(NOW) == [2026]
    assert years(datetime(2026, 11, 30, 23, 30, tzinfo=UTC)) == [2026, 2027]
    assert years(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == [2027]


def test_a_missing_key_of_pseudonyms_is_critical_and_the_next_year_s_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    december = NOW + timedelta(days=10)
    assert [one.level for one in keys(file, december)] == [CRITICAL, WARNING]
    entry = f'key = "{"00" * 16}"\nsince = 2026-01-01T00:00:00Z\nby = "ana"\n'
    file.write_text(f'["pseudonyms-2026"]\n{entry}', encoding="utf-8")
    file.chmod(0o600)
    (found,) = keys(file, december)
    assert (found.level, "keys set pseudonyms-2027" in found.remedy) == (WARNING, True)
    assert [one.level for one in keys(file, NOW)] == [OK]
    file.chmod(0o644)
    assert [one.level for one in keys(file, NOW)] == [CRITICAL]


def test_holidays_are_named_for_this_year_and_in_december_for_the_next(tmp_path: Path) -> None:
    december = NOW + timedelta(days=10)
    named = settings(tmp_path, date(2026, 12, 25))
    assert [one.level for one in holidays(settings(tmp_path), NOW)] == [WARNING]
    assert [one.level for one in holidays(named, NOW)] == [OK]
    (next_year,) = holidays(named, december)
    assert "no holiday of 2027" in next_year.text

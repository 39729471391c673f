"""The reminders' database: a consistent copy beside the working service, and a restore that sends nothing twice."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import write_a_story
from tests.rigs.reminders import NOW, PHONE, appointment
from tests.tasks.reminders.machine import World
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError
from vetlla.domain.messages import Channel, Delivery
from vetlla.store.backups.backup import MANIFEST, Manifest, back_up
from vetlla.store.backups.inspection import inspect
from vetlla.store.backups.restore import Restored, restore
from vetlla.store.journal.free_space import FreeSpace
from vetlla.store.journal.opening import JOURNAL, UNFINISHED_RESTORE
from vetlla.store.reminders import audit, citizens, looking, offices
from vetlla.store.reminders.opening import LOCK, REMINDERS, opened, reading
from vetlla.store.reminders.restoring import Doubtful
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders.desk import opting, pausing
from vetlla.tasks.reminders.desk.opting import OptOut, OptOutSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


ROOT = Path(__file__).parents[3]
HOUR = timedelta(hours=1)
WRITER = """
import sys
import time
from pathlib import Path
from tests.rigs.reminders import NOW
from vetlla.domain.clock import ManualClock
from vetlla.store.reminders import audit, citizens
from vetlla.store.reminders.opening import keep_out_services, opened
from vetlla.store.sqlite.atomic import atomic
with keep_out_services(Path(sys.argv[1])), opened(Path(sys.argv[1]), ManualClock(NOW)) as db:
    print("writes", flush=True)
    n = 0
    while True:
        n += 1
        with atomic(db):
            citizens.citizen_id(db, f"+34600{n:06}", "", NOW)
            audit.record(db, NOW, "service", "counted", subject=str(n))
        time.sleep(0.002)  # a service waits for the systems of others; one that never waits keeps a reader out
"""


@contextmanager
def service(state: Path) -> Iterator[None]:
    """Run a process that holds the service's lock and writes all the time."""
    command = [sys.executable, "-c", WRITER, str(state)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"writes\n"
            yield
        finally:
            process.kill()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def world(state: Path) -> Iterator[World]:
    """Return a world with an appointment of tomorrow, whose reminder is due now and not planned yet."""
    made = World(state, NOW)
    made.source.put(appointment(start=NOW + 24 * HOUR))
    made.poll()
    yield made
    made.close()


def backed_up(state: Path, name: str = "backup") -> Path:
    target = state.with_name(name)
    back_up(state, target, ManualClock(NOW), FreeSpace(state, reserve=0))
    return target


def restored(backup: Path, state: Path, now: datetime = NOW, *, dry_run: bool = False) -> Restored:
    return restore(backup, state, ManualClock(now), FreeSpace(state, reserve=0), actor="enric", dry_run=dry_run)


def put_back(world: World, backup: Path) -> Restored:
    """Stop the service, restore, and start it again."""
    world.close()
    done = restored(backup, world.folder, world.now)
    world.kill()
    return done


def told(world: World) -> list[tuple[str, str, Channel]]:
    return [(sent.what[1], sent.what[3], sent.channel) for sent in world.provider.sends]


def dispatched(world: World) -> None:
    world.sweep()
    world.plan()
    world.sent(world.taken())


def outbox(world: World) -> list[tuple[str, str, str]]:
    found = [one.message for one in looking.listed(world.db)]
    return [(one.plan.key.step, one.state.value, one.reason) for one in found]


# --- backup and verification ------------------------------------------------------------------------------------------


def test_the_service_alone_is_backed_up_verified_and_restored(world: World, state: Path) -> None:
    backup = backed_up(state)
    manifest = Manifest.read(backup)
    assert {path.name for path in backup.iterdir()} == {REMINDERS, MANIFEST}
    assert (manifest.head, manifest.last_signal) == (None, None)
    world.close()
    shutil.rmtree(state)
    done = restored(backup, state)
    assert {path.name for path in state.iterdir()} == {REMINDERS, LOCK}
    assert (done.aside, done.replaced_head, done.numbers) == (None, None, {})
    assert list(inspect(state, ManualClock(NOW))) == []
    with opened(state, ManualClock(NOW)) as db:
        assert db.execute("SELECT count(*) FROM appointments").fetchone()[0] == 1


def test_a_copy_beside_a_writing_service_is_of_one_moment(state: Path) -> None:
    with service(state):
        for name in ("first", "second", "third"):
            backup = backed_up(state, name)
            assert list(inspect(backup, ManualClock(NOW))) == []
            assert list(inspect(state, ManualClock(NOW))) == []
            with reading(backup) as db:
                counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("citizens", "audit")]
            assert counts[0] == counts[1]


def test_the_three_databases_of_one_directory_are_kept_together(world: World, state: Path) -> None:
    write_a_story(state)
    backup = backed_up(state)
    assert set(Manifest.read(backup).files) == {JOURNAL, REMINDERS}
    world.close()
    done = restored(backup, state)
    assert done.reminders is not None
    assert done.numbers["signals"] == 61
    assert list(inspect(state, ManualClock(NOW))) == []


def test_a_missing_journal_is_a_fault_beside_reminders_too(world: World, state: Path) -> None:
    write_a_story(state)
    assert world.db is not None
    (state / JOURNAL).unlink()
    with pytest.raises(StoreError, match="there is no journal"):
        backed_up(state)


def damage_of(path: Path) -> list[str]:
    return [found.what for found in inspect(path, ManualClock(NOW))]


def test_damaged_pages_are_found(world: World, state: Path) -> None:
    backup = backed_up(state)
    content = bytearray((backup / REMINDERS).read_bytes())
    content[8192 : 8192 + 2 * 4096] = b"\xff" * 8192
    (backup / REMINDERS).write_bytes(content)
    checksum, *pages = damage_of(backup)
    assert "checksum differs" in checksum
    assert pages
    assert world.db is not None


def test_a_changed_and_a_cut_audit_are_found(world: World, state: Path) -> None:
    with atomic(world.db):
        for n in range(3):
            audit.record(world.db, NOW, "ana", "paused", subject=f"office {n}")
    backup = backed_up(state)
    assert damage_of(state / REMINDERS) == []
    for trigger in ("audit_is_kept", "audit_stays"):
        world.db.execute(f"DROP TRIGGER {trigger}")
    world.db.execute("DELETE FROM audit WHERE id = 3")
    assert damage_of(state / REMINDERS) == ["audit record 2: the chain ends here, but 3 records were written"]
    world.db.execute("UPDATE audit SET actor = 'biel' WHERE id = 2")
    assert damage_of(state) == ["audit record 2: it was changed, or one before it is missing"]
    shutil.copy(state / REMINDERS, backup / REMINDERS)
    assert any("the manifest says 3:" in what for what in damage_of(backup))


def test_a_database_of_a_later_version_is_refused(world: World, state: Path) -> None:
    world.db.execute("PRAGMA user_version = 999")
    with pytest.raises(StoreError, match="schema 999 is newer"):
        backed_up(state)
    world.db.execute("PRAGMA user_version = 1")


# --- a restore keeps others out ---------------------------------------------------------------------------------------


def test_a_restore_is_refused_while_the_service_runs(world: World, state: Path) -> None:
    backup = backed_up(state)
    world.close()
    with service(state), pytest.raises(StoreError, match=r"reminders.lock: process \d+ is writing") as caught:
        restored(backup, state)
    assert "stop it" in caught.value.remedy


def test_while_a_restore_is_half_done_the_database_is_not_opened(world: World, state: Path) -> None:
    (state / UNFINISHED_RESTORE).touch()
    with pytest.raises(StoreError, match="a restore was interrupted half way"):
        world.kill()
    (state / UNFINISHED_RESTORE).unlink()


def test_a_command_that_opened_the_replaced_file_cannot_write_into_it(world: World, state: Path) -> None:
    backup = backed_up(state)
    with opened(state, ManualClock(NOW)) as desk:
        desk.execute("SELECT count(*) FROM citizens").fetchone()
        put_back(world, backup)
        with pytest.raises(sqlite3.OperationalError, match="readonly"), atomic(desk):
            citizens.citizen_id(desk, "+34600000009", "", NOW)
    assert damage_of(state) == []


# --- what is not sent twice -------------------------------------------------------------------------------------------


def test_a_reminder_that_was_planned_and_sent_after_the_backup_is_not_sent_again(world: World, state: Path) -> None:
    backup = backed_up(state)
    dispatched(world)
    assert told(world) == [("1", "24h", Channel.WHATSAPP)]
    world.now += HOUR
    put_back(world, backup)
    world.poll()
    dispatched(world)
    assert len(told(world)) == 1
    assert outbox(world) == [("24h", "suppressed", "restored")]


def test_a_message_that_waited_in_the_backup_is_not_sent_again(world: World, state: Path) -> None:
    world.plan()
    backup = backed_up(state)
    world.sent(world.taken())
    world.now += timedelta(minutes=1)
    done = put_back(world, backup)
    dispatched(world)
    assert len(told(world)) == 1
    assert done.reminders is not None
    assert done.reminders.ended == Doubtful(waiting=1)
    assert outbox(world) == [("24h", "suppressed", "restored")]


@pytest.mark.parametrize("answer", ["taken", "lost"])
def test_a_message_whose_reports_are_lost_is_not_sent_by_sms_too(world: World, state: Path, answer: str) -> None:
    world.plan()
    world.sent(world.taken(), [answer])
    backup = backed_up(state)
    world.now += HOUR
    put_back(world, backup)
    for _ in range(3):
        world.now += 4 * HOUR
        dispatched(world)
    assert told(world) == [("1", "24h", Channel.WHATSAPP)]
    world.report(1, Delivery.DELIVERED)  # an odd number: with our reference
    assert outbox(world)[0][1] == "delivered"


def test_what_is_due_after_the_restore_is_sent(world: World, state: Path) -> None:
    backup = backed_up(state)
    put_back(world, backup)
    world.source.put(appointment(2, start=NOW + 26 * HOUR, phone="+34600000002"))
    world.poll()
    world.now += 2 * HOUR
    dispatched(world)
    assert told(world) == [("2", "24h", Channel.WHATSAPP)]


def test_a_message_of_a_pause_that_was_ended_after_the_backup_is_not_sent_again(world: World, state: Path) -> None:
    pausing.pause(world.db, "46", world.now, world.now + 5 * HOUR, why="avui tanquem", by="marta")
    dispatched(world)
    backup = backed_up(state)
    pausing.resume(world.db, "46", "marta", world.now)
    dispatched(world)
    assert len(told(world)) == 1
    world.now += HOUR
    put_back(world, backup)
    assert offices.pauses(world.db, world.now)
    world.now += 5 * HOUR
    dispatched(world)
    assert len(told(world)) == 1


def test_a_message_that_an_opt_in_sent_after_the_backup_is_not_sent_again(world: World, state: Path) -> None:
    opting.opt_out(world.db, [OptOut(PHONE)], OptOutSource.OPERATOR, "marta", world.now)
    dispatched(world)
    backup = backed_up(state)
    opting.opt_in(world.db, PHONE, Channel, "marta", world.now)
    dispatched(world)
    assert len(told(world)) == 1
    world.now += HOUR
    put_back(world, backup)
    opting.opt_in(world.db, PHONE, Channel, "marta", world.now)
    dispatched(world)
    assert len(told(world)) == 1


def test_an_opt_out_after_the_backup_is_kept(world: World, state: Path) -> None:
    backup = backed_up(state)
    opting.opt_out(world.db, [OptOut(PHONE)], OptOutSource.OPERATOR, "marta", world.now)
    would = restored_dry(world, backup)
    done = put_back(world, backup)
    assert done.reminders is not None
    assert done.reminders.opt_outs == 2
    assert would.reminders == done.reminders
    assert {(phone, how) for phone, _, _, how in citizens.opt_outs(world.db)} == {(PHONE, "operator")}


def restored_dry(world: World, backup: Path) -> Restored:
    before = (world.folder / REMINDERS).read_bytes()
    done = restored(backup, world.folder, world.now, dry_run=True)
    assert (world.folder / REMINDERS).read_bytes() == before
    return done


def test_opt_outs_of_a_damaged_database_are_said_to_be_lost(world: World, state: Path) -> None:
    backup = backed_up(state)
    world.close()
    (state / REMINDERS).write_bytes(b"garbage" * 1000)
    done = restored(backup, state)
    assert done.reminders is not None
    assert done.reminders.opt_outs is None
    assert done.aside is not None
    assert (done.aside / REMINDERS).read_bytes() == b"garbage" * 1000


def test_an_interrupted_restore_still_finds_the_opt_outs(world: World, state: Path) -> None:
    backup = backed_up(state)
    opting.opt_out(world.db, [OptOut(PHONE)], OptOutSource.OPERATOR, "marta", world.now)
    world.close()
    aside = state / "replaced-20261123T090000Z"
    aside.mkdir()
    (state / REMINDERS).rename(aside / REMINDERS)
    (state / UNFINISHED_RESTORE).touch()
    done = restored(backup, state, NOW + HOUR)
    assert done.reminders is not None
    assert done.reminders.opt_outs == 2
    assert not (state / UNFINISHED_RESTORE).exists()


def test_the_audit_says_who_restored_and_what_was_replaced(world: World, state: Path) -> None:
    backup = backed_up(state)
    opting.opt_out(world.db, [OptOut(PHONE)], OptOutSource.OPERATOR, "marta", world.now)
    replaced = audit.head(world.db)
    put_back(world, backup)
    record = list(audit.records(world.db))[-1]
    assert (record.actor, record.action, record.is_sound) == ("enric", "restored", True)
    assert record.detail == {
        "made": Manifest.read(backup).made,
        "head": Manifest.read(backup).reminders_head,
        "replaced_head": replaced,
        "waiting": 0,
        "unreported": 0,
        "opt_outs": 2,
    }
    with closing(sqlite3.connect(state / REMINDERS)) as db:
        assert PHONE not in str(db.execute("SELECT detail FROM audit").fetchall())

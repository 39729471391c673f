"""The spool's listener with the real core, a real directory and real inotify; only the clock is the tests' own."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.rigs.core import until
from tests.rigs.loops import each_loop
from tests.rigs.spool import NUMBER, PRESS, RESTORE, UNIQUE_ID, call_file, content, names, put_away, write
from tests.rigs.spool_site import SIGNALS, site
from vetlla.domain.accounts import UnknownPolicy
from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.protocols.asterisk.decoder import MAX_FILE, AsteriskDecoder
from vetlla.receiver.counters import SpoolOutcome
from vetlla.receiver.listeners.spool.listener import SpoolBounds

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.signals import Item
    from vetlla.protocols.decoder import Message

DECODER = AsteriskDecoder(lambda _: ())


@each_loop
async def test_a_file_is_taken_as_soon_as_it_is_closed(tmp_path: Path) -> None:
    """Its event is an alarm, and the file is in the folder of the day. No time has to pass for that."""
    async with site(tmp_path, rescan_s=3_600.0) as here:
        write(here.directory, "event-AbC123", content(PRESS, number=NUMBER))
        await here.taken(1)
        (row,) = here.core.read(SIGNALS)
        assert (row["account"], row["kind"], row["code"], row["device"]) == ("1234", "personal_emergency", "101", "100")
        assert (row["peer"], row["transport"]) == ("spool:event-AbC123", "spool")
        (alarm,) = await here.core.open_alarms()
        assert alarm["priority"] == "LIFE"
        assert names(here.directory) == []
        assert (here.directory / "done" / "2026-01-01" / "event-AbC123").exists()


@each_loop
async def test_a_file_stays_until_its_event_is_on_the_disk(tmp_path: Path) -> None:
    """While the commit is held open the file is in its place; afterwards it is moved."""
    async with site(tmp_path) as here:
        here.core.journal.gate.clear()
        write(here.directory, "event-1", content(PRESS))
        await here.core.held()
        assert names(here.directory) == ["event-1"]
        assert put_away(here.directory) == []
        here.core.journal.gate.set()
        await here.taken(1)
        assert here.stored() == 1


async def test_a_failing_disk_leaves_the_file(tmp_path: Path) -> None:
    """The file is taken once, when the disk works again."""
    async with site(tmp_path) as here:
        here.core.journal.failing = True
        write(here.directory, "event-1", content(PRESS))
        await until(lambda: not here.core.commit.ready)
        assert names(here.directory) == ["event-1"]
        await here.core.healed()
        await here.taken(1)
        assert (here.stored(), here.repeated()) == (1, 0)


async def test_an_end_between_commit_and_move_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """The next run reads the file again, and recognises the repetition by the file."""
    clock = ManualClock()
    async with site(tmp_path, clock=clock) as here:
        write(here.directory, "event-1", content(PRESS, RESTORE, name=UNIQUE_ID))
        await here.taken(1)
        await here.listener.close()
        # As a run leaves it that ends before the move: the same file, with its inode and its time, in its place.
        (here.directory / "done" / "2026-01-01" / "event-1").rename(here.directory / "event-1")
    clock.advance(5)
    async with site(tmp_path, clock=clock) as here:
        await here.later()
        await here.taken(1)
        assert (here.stored(), here.repeated()) == (0, 2)
        assert len(here.core.read(SIGNALS)) == 2


async def test_a_second_call_with_the_same_digits_is_another_call(tmp_path: Path) -> None:
    """Two files with equal content are two calls, also under one name one after the other."""
    async with site(tmp_path) as here:
        write(here.directory, "event-1", content(PRESS))
        await here.taken(1)
        write(here.directory, "event-1", content(PRESS))
        await here.taken(2)
        write(here.directory, "event-2", content(PRESS))
        await here.taken(3)
        assert (here.stored(), here.repeated()) == (3, 0)
        assert len({row["identity"] for row in here.core.read(SIGNALS)}) == 3


async def test_a_repetition_in_one_file_is_counted(tmp_path: Path) -> None:
    """A panel that missed its kissoff is stored once. With another event in between it is another call."""
    async with site(tmp_path) as here:
        write(here.directory, "event-1", content(PRESS, PRESS, PRESS))
        await here.taken(1)
        assert (here.stored(), here.repeated()) == (1, 2)
        write(here.directory, "event-2", content(PRESS, RESTORE, PRESS))
        await here.taken(2)
        assert (here.stored(), here.repeated()) == (4, 2)


async def test_files_from_before_the_start_are_taken_in_their_order(tmp_path: Path) -> None:
    """Files of which the kernel reported nothing are taken when they have not changed for a while; the oldest first."""
    directory = tmp_path / "spool"
    directory.mkdir()
    accounts = [f"{number:04d}" for number in range(1_000, 1_300)]
    for place, account in enumerate(reversed(accounts)):
        write(directory, f"event-{place:03d}", content(f"{account}18110100100_"), mtime_ns=10**18 - place)
    async with site(tmp_path, bounds=SpoolBounds(retry_s=0.02, batch=7, look_max=100)) as here:
        await until(lambda: here.counts.waiting == 300)
        assert here.stored() == 0
        while here.stored() < 300:
            await here.later()
        await here.taken(300)
        assert [row["account"] for row in here.core.read(SIGNALS)] == accounts


async def test_a_file_that_is_being_written_waits(tmp_path: Path) -> None:
    """An empty file under its final name is not read as a call without events."""
    async with site(tmp_path) as here:
        with (here.directory / "event-1").open("wb") as file:
            await here.later()
            for data in (content()[:50], content()[50:]):  # without its event, it looks like a call without one
                file.write(data)
                file.flush()
                await here.later()
                await here.later()
                assert names(here.directory) == ["event-1"]
            file.write(f"{PRESS}\n".encode())
        await here.taken(1)
        assert [row["account"] for row in here.core.read(SIGNALS)] == ["1234"]


async def test_a_file_that_was_never_finished_is_quarantined_with_an_alarm(tmp_path: Path) -> None:
    """Its writer has died. The part that came is evidence, and an operator sees that something came."""
    async with site(tmp_path) as here:
        with (here.directory / "event-1").open("wb") as file:
            file.write(content(PRESS, number=NUMBER)[:-9])
            file.flush()
            await here.later(20)
            await here.later(20)
            await here.taken(1, SpoolOutcome.QUARANTINED)
        (alarm,) = await here.core.open_alarms()
        assert (alarm["priority"], alarm["kind"]) == ("LIFE", "unreadable")
        assert here.core.read("SELECT reason FROM rejects") == [{"reason": "truncated"}]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b"hello\n", "malformed"),
        (bytes(range(256)), "malformed"),
        (content(PRESS) + b"\n" * (2 * MAX_FILE), "too_long"),
    ],
)
async def test_a_file_that_cannot_be_read_is_never_silent(tmp_path: Path, data: bytes, reason: str) -> None:
    """It goes to the quarantine, its bytes are evidence, and an operator has an alarm."""
    async with site(tmp_path) as here:
        write(here.directory, "event-1", data)
        await here.later()
        await here.taken(1, SpoolOutcome.QUARANTINED)
        assert here.core.read("SELECT reason FROM rejects") == [{"reason": reason}]
        assert [alarm["priority"] for alarm in await here.core.open_alarms()] == ["LIFE"]


async def test_a_call_that_was_not_understood_is_an_alarm_with_its_number(tmp_path: Path) -> None:
    """With logindividualevents=no Asterisk leaves a file without events; two callers are two alarms."""
    async with site(tmp_path) as here:
        write(here.directory, "event-1", content(protocol="UNKNOWN_FORMAT", number=NUMBER))
        write(here.directory, "event-2", content(protocol="UNKNOWN_FORMAT", number="600000002"))
        write(here.directory, "event-3", content(protocol="UNKNOWN_FORMAT"))
        await here.taken(3)
        alarms = await here.core.open_alarms()
        assert {(alarm["home"], alarm["priority"]) for alarm in alarms} == {
            ("tel:600000001", "LIFE"),
            ("tel:600000002", "LIFE"),
            ("event-3", "LIFE"),
        }
        assert any("from 600000001" in alarm["why"] for alarm in alarms)


async def test_a_calls_own_file_is_an_alarm_unless_an_event_of_it_has_come(tmp_path: Path) -> None:
    """The dialplan writes it for each call; the call's event may have been taken by an earlier run."""
    clock = ManualClock()
    async with site(tmp_path, clock=clock) as here:
        write(here.directory, "event-1", content(PRESS, name=UNIQUE_ID))
        await here.taken(1)
        call_file(here.directory, "1764405563.4")
        await here.taken(2)
        assert [row["code"] for row in here.core.read(SIGNALS)] == ["101", "no_event"]
        (device,) = [row["device"] for row in here.core.read(SIGNALS) if row["code"] == "no_event"]
        assert device == NUMBER
    async with site(tmp_path, clock=clock) as here:
        await until(lambda: here.listener.connected)
        call_file(here.directory)
        await until(lambda: len(put_away(here.directory)) == 3)
        assert here.stored() == 0


async def test_a_calls_own_file_comes_after_its_events(tmp_path: Path) -> None:
    """Both wait when the receiver starts, and the file of the call has the older name and time."""
    (tmp_path / "spool").mkdir()
    call_file(tmp_path / "spool")
    write(tmp_path / "spool", "event-1", content(PRESS, name=UNIQUE_ID))
    async with site(tmp_path) as here:
        await here.later()
        await here.taken(2)
        assert [row["code"] for row in here.core.read(SIGNALS)] == ["101"]


async def test_links_pipes_folders_and_odd_names(tmp_path: Path) -> None:
    """No link is followed and no pipe is opened; each is shown. Folders and hidden names are not files of a call."""
    secret = tmp_path / "secret"
    secret.write_bytes(content(PRESS))
    async with site(tmp_path) as here:
        (here.directory / "event-link").symlink_to(secret)
        os.mkfifo(here.directory / "event-pipe")
        (here.directory / "event-folder").mkdir()
        write(here.directory, ".event-hidden", content(PRESS))
        for name in (
            b"event-\xff\xfe",
            "event:with:colons",
            "event with blank",
            "event-\u202e",
            "evént",
            "-rf",
            "a" * 255,
        ):
            write(here.directory, name, content(PRESS))
        await here.taken(7)
        await here.later()
        await here.taken(2, SpoolOutcome.QUARANTINED)
        assert put_away(here.directory, "quarantine") == ["event-link", "event-pipe"]
        assert names(here.directory) == [".event-hidden"]
        assert [row["account"] for row in here.core.read(SIGNALS)].count("1234") == 7
        assert all(row["peer"].isprintable() for row in here.core.read(SIGNALS))
        assert secret.exists()


async def test_a_directory_that_goes_and_comes_back(tmp_path: Path) -> None:
    """The state says so, one line of the log names the reason, and the next file is taken."""
    with capture_logs() as logs:
        async with site(tmp_path) as here:
            await until(lambda: here.listener.connected)
            for _ in range(2):
                here.directory.rename(tmp_path / "elsewhere")
                await until(lambda: not here.listener.connected)
                assert here.listener.place()["connected"] is False
                here.directory.mkdir()
                write(here.directory, "event-1", content(PRESS))
                await until(lambda: here.listener.connected)
                await here.later()
                await until(lambda: "event-1" in put_away(here.directory))
                shutil.rmtree(tmp_path / "elsewhere")
            assert here.stored() == 2
    lost = [line for line in logs if line["event"] == "spool.lost"]
    assert len(lost) == 2
    assert all(line["why"] and line["remedy"] for line in lost)


async def test_a_directory_that_is_not_there_at_the_start(tmp_path: Path) -> None:
    """The receiver starts, says what is missing, and finds the directory later."""
    async with site(tmp_path) as here:
        await until(lambda: here.listener.connected)
        shutil.rmtree(here.directory)
        await until(lambda: not here.listener.connected)
        here.directory.mkdir()
        await until(lambda: here.listener.connected)


async def test_a_file_that_cannot_be_moved_is_taken_once(tmp_path: Path) -> None:
    """It stays, the state says so, and it is moved when that is possible; the next file is taken meanwhile."""
    async with site(tmp_path) as here:
        await until(lambda: here.listener.connected)
        (here.directory / "done").rmdir()
        (here.directory / "done").touch()
        write(here.directory, "event-1", content(PRESS))
        await until(lambda: here.counts.stuck == 1)
        write(here.directory, "event-2", content(PRESS))
        await until(lambda: here.counts.stuck == 2)
        assert here.stored() == 2
        (here.directory / "done").unlink()
        here.clock.advance(1)
        await until(
            lambda: put_away(here.directory) == ["event-1", "event-2"] if (here.directory / "done").is_dir() else False
        )
        assert here.stored() == 2
        await until(lambda: here.counts.stuck == 0)


async def test_files_may_be_deleted_instead(tmp_path: Path) -> None:
    """With done = "delete" nothing of a taken file stays, and a call that has reported is still known."""
    async with site(tmp_path, done="delete") as here:
        write(here.directory, "event-1", content(PRESS, name=UNIQUE_ID))
        await until(lambda: here.counts.files[SpoolOutcome.TAKEN] == 1 and names(here.directory) == [])
        call_file(here.directory)
        await until(lambda: here.counts.files[SpoolOutcome.TAKEN] == 2 and names(here.directory) == [])
        assert here.stored() == 1
        assert not (here.directory / "done").exists()


async def test_old_files_are_deleted(tmp_path: Path) -> None:
    """After keep_days a day of taken files is removed; the quarantine is for a person to empty."""
    async with site(tmp_path, keep_days=2) as here:
        write(here.directory, "event-1", content(PRESS))
        await here.taken(1)
        (here.directory / "quarantine" / "event-0").touch()
        here.clock.advance(3 * 86_400)
        await until(lambda: not (here.directory / "done" / "2026-01-01").exists())
        assert put_away(here.directory, "quarantine") == ["event-0"]


async def test_a_refused_report_stays_for_a_person(tmp_path: Path) -> None:
    """The policy refuses strangers: the file goes to the quarantine, and no log or audit names the caller's number."""
    refusing = {"intake": {"unknown_accounts": UnknownPolicy.REFUSE}}
    with capture_logs() as logs:
        async with site(tmp_path, core_settings=refusing) as here:
            write(here.directory, "event-1", content(protocol="UNKNOWN_FORMAT", number=NUMBER))
            await here.taken(1, SpoolOutcome.QUARANTINED)
            await here.core.sync()
            assert NUMBER not in str(here.core.read("SELECT subject FROM audit"))
    assert [line["account"] for line in logs if line["event"] == "signal.refused"] == ["tel:…001"]
    assert NUMBER not in str(logs)


async def test_a_fault_of_the_decoder_loses_no_file(tmp_path: Path) -> None:
    """The file goes to the quarantine, and an operator has an alarm."""

    class Failing(AsteriskDecoder):
        def read(self, message: Message) -> list[Item]:
            raise ZeroDivisionError

    async with site(tmp_path, decoder=Failing(lambda _: ())) as here:
        write(here.directory, "event-1", content(PRESS))
        await here.taken(1, SpoolOutcome.QUARANTINED)
        assert [alarm["priority"] for alarm in await here.core.open_alarms()] == ["LIFE"]


async def test_t2_begins_when_the_pbx_set_up_the_call(tmp_path: Path) -> None:
    """The UNIQUEID tells it for the first event; a later event of the call begins with its own first byte."""
    clock = ManualClock()
    now_us = clock.now().utc_us
    setup_s = now_us // SECOND_US - 8
    async with site(tmp_path, clock=clock) as here:
        await until(lambda: here.listener.connected)
        unique_id = f"{setup_s}.7"
        for number in (1, 2):
            data = content(f"123{number}18110100100_", name=unique_id)
            write(here.directory, f"event-{number}", data, mtime_ns=now_us * 1_000 + number)
            await here.taken(number)
        rows = here.core.read("SELECT setup_us, more FROM signals ORDER BY id")
        waited = [row["setup_us"] for row in rows]
        assert waited == [8 * SECOND_US, 0]
        assert '"t2_from":"call"' in str(rows[0]["more"]).replace(" ", "")
        assert '"t2_from":"first_byte"' in str(rows[1]["more"]).replace(" ", "")

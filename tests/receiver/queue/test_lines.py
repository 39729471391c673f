"""Reports that have a line of their own: those that cannot be read, and codes that no table has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rigs.core import ANA, core, signal
from tests.rigs.desk_homes import HOME, battery, say
from vetlla.domain.accounts import Account, AccountBook, Remap
from vetlla.domain.signals import Kind, Priority
from vetlla.service.queue.retelling import RETRY_GAP_S
from vetlla.service.queue.unknown_code_alarms import QUIET_S

if TYPE_CHECKING:
    from pathlib import Path

    from tests.rigs.core import Core
    from vetlla.domain.signals import Signal


def unknown(account: str = "1111", code: str = "APXX") -> Signal:
    return signal(account, code, kind=Kind.UNKNOWN)


def unreadable(account: str = "1111") -> Signal:
    return signal(account, "ADM-CID", kind=Kind.UNREADABLE)


async def queue(rig: Core) -> list[tuple[str, str, str, int]]:
    alarms = await rig.open_alarms()
    return [(alarm["account"], alarm["kind"], alarm["priority"], alarm["signals"]) for alarm in alarms]


async def close(rig: Core, number: int) -> None:
    await rig.ask("queue.claim", ANA, alarm=number)
    await rig.ask("queue.close", ANA, alarm=number, outcome="technical")


async def test_a_call_after_unknown_reports_has_an_alarm_of_its_own(tmp_path: Path) -> None:
    """Case T1-6: six unknown reports, then a fall; the fall comes first, and is not their seventh signal."""
    async with core(tmp_path, accounts=HOME) as rig:
        await say(rig, *[unknown()] * 6, signal("1111", "APFD", kind=Kind.FALL))
        assert await queue(rig) == [("1111", "fall", "LIFE", 1), ("1111", "unknown", "TECHNICAL", 6)]


async def test_an_unknown_report_does_not_hide_in_an_alarm(tmp_path: Path) -> None:
    """It is separate from all other open alarms of its home; each account has one line for all unknown codes."""
    async with core(tmp_path, accounts=HOME) as rig:
        await say(rig, battery("1111"), unknown(), unknown(code="APYY"), unknown("1112"))
        assert await queue(rig) == [
            ("1111", "battery_low", "TECHNICAL", 1),
            ("1111", "unknown", "TECHNICAL", 2),
            ("1112", "unknown", "TECHNICAL", 1),
        ]


async def test_a_line_stays_one_line_for_as_long_as_it_is_open(tmp_path: Path) -> None:
    """No chaining window, inactive operator or restart splits it into two alarms."""
    async with core(tmp_path, accounts=HOME) as rig:
        await say(rig, unknown())
        await rig.ask("queue.answer", ANA, alarm=1)
        rig.clock.advance(10 * QUIET_S)
        await say(rig, unknown())
        clock = rig.clock
    async with core(tmp_path, accounts=HOME, clock=clock) as rig:
        await say(rig, unknown())
        assert await queue(rig) == [("1111", "unknown", "TECHNICAL", 3)]


async def test_a_code_that_an_operator_has_seen_stays_quiet_for_a_day(tmp_path: Path) -> None:
    """It is kept with the closed line; another code, and the same one a day later, open a new line."""
    async with core(tmp_path, accounts=HOME) as rig:
        await say(rig, unknown())
        await close(rig, 1)
        await say(rig, unknown())
        assert await queue(rig) == []
        assert rig.read("SELECT alarm_id FROM signals") == [{"alarm_id": 1}, {"alarm_id": 1}]
        await say(rig, unknown(code="APYY"))
        assert await queue(rig) == [("1111", "unknown", "TECHNICAL", 1)]
        await close(rig, 2)
        rig.clock.advance(QUIET_S)
        await say(rig, unknown())
        assert await queue(rig) == [("1111", "unknown", "TECHNICAL", 1)]


async def test_a_line_whose_commit_failed_is_opened_again(tmp_path: Path) -> None:
    """The number of the lost alarm may then belong to another one."""
    async with core(tmp_path, accounts=HOME) as rig:
        rig.journal.failing = True
        assert (await rig.submit(unknown())).verdicts is None
        await rig.healed()
        await say(rig, battery("2222"), unknown())
        assert await queue(rig) == [("2222", "battery_low", "TECHNICAL", 1), ("1111", "unknown", "TECHNICAL", 1)]


async def test_an_unreadable_report_is_an_alarm_of_its_own(tmp_path: Path) -> None:
    """It may be a call for help, so it is LIFE. Only other such reports join it, and it hides no readable call."""
    async with core(tmp_path, accounts=HOME) as rig:
        await say(rig, battery("1111"), unreadable(), unreadable(), signal("1111"))
        assert await queue(rig) == [
            ("1111", "personal_emergency", "LIFE", 2),
            ("1111", "unreadable", "LIFE", 2),
        ]


async def test_a_home_may_say_what_its_unknown_code_means(tmp_path: Path) -> None:
    """A remap that makes it urgent lets it chain like any other call."""
    home = Account(account="1111", home="H1", remaps={"APXX": Remap(kind=None, priority=Priority.LIFE)})
    async with core(tmp_path, accounts=[home]) as rig:
        await say(rig, battery("1111"), unknown())
        assert await queue(rig) == [("1111", "unknown", "LIFE", 2)]


async def test_a_code_that_becomes_a_call_leaves_its_line(tmp_path: Path) -> None:
    """The home's remap comes while the line is open; a repetition with additions then makes it a LIFE alarm.

    It then chains like any other call, no unknown code joins it, and an operator can close it.
    """
    async with core(tmp_path, accounts=HOME) as rig:
        said = unknown()._replace(identity=b"0001 APXX")
        await say(rig, said)
        remapped = Account(account="1111", home="H1", remaps={"APXX": Remap(kind=Kind.FALL, priority=None)})
        rig.intake.apply(rig.settings, AccountBook([remapped, *HOME[1:]]))
        rig.clock.advance(RETRY_GAP_S + 1)
        await say(rig, said, unknown(code="APYY"), signal("1112"))
        assert await queue(rig) == [("1111", "fall", "LIFE", 3), ("1111", "unknown", "TECHNICAL", 1)]
        await close(rig, 1)
        assert await queue(rig) == [("1111", "unknown", "TECHNICAL", 1)]


async def test_a_code_of_one_unnamed_caller_does_not_silence_another_caller(tmp_path: Path) -> None:
    """Callers without an account are identified by their addresses, so a code closed for one is new for another."""
    async with core(tmp_path) as rig:
        for number, peer in enumerate(("192.0.2.1:1", "192.0.2.2:1"), start=1):
            await rig.submit(unknown(""), arrival=rig.arrival(peer))
            assert [(alarm["id"], alarm["home"]) for alarm in await rig.open_alarms()] == [(number, peer[:-2])]
            await close(rig, number)
            await rig.submit(unknown(""), arrival=rig.arrival(peer))
            assert await rig.open_alarms() == []

"""Removals while reports come in: at most one step before a report, and no fault of a removal harms a report."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from tests.rigs.core import ANA, SARA, Core, core, signal, small, until
from tests.rigs.journals import journal, report
from tests.rigs.loops import each_loop
from tests.rigs.messages import each_checked
from tests.rigs.sink_peer import SinkPeer, settings_of, webhook
from vetlla.domain.accounts import Account, AccountBook
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import AccessError, StoreError, UsageError
from vetlla.domain.onward import KeptSink
from vetlla.domain.removal import What
from vetlla.domain.signals import STORED, AccountId, Kind, Position, Reason, Reject
from vetlla.receiver.commit.store_state import StoreState
from vetlla.receiver.control.messages.retention import EraseHome, PruneJournal
from vetlla.receiver.retention import Retention
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.retention import ROWS_PER_STEP, Step
from vetlla.store.removing import JournalRemovals

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.settings.model import Settings

DAY_S = 86_400
FULL_STEP = f"removal of {ROWS_PER_STEP}"
OLD = 1_000
"""Signals in the journal that are too old when the receiver starts."""


def old_journal(directory: Path, count: int = OLD) -> ManualClock:
    """Write signals; return a clock with a time at which their bytes are too old."""
    clock = ManualClock()
    with journal(directory, clock) as scribe:
        for number in range(count):
            scribe.commit(report(number), home="H-1")
        clock.advance(400 * DAY_S)
        scribe.commit(report(count), home="H-1")
    return clock


def of(rig: Core, settings: Settings | None = None) -> Retention:
    """Return the removals of a receiver, which start at once and make no pauses."""
    return Retention(
        settings=settings or rig.settings,
        removals=JournalRemovals(rig.journal, rig.clock),
        commit=rig.commit,
        counters=rig.counters,
        clock=rig.clock,
        first_round_after_s=0.0,
        step_pause_s=0.0,
    )


async def done(removals: Retention) -> dict[str, int]:
    """Do a round to its end; return what it removed."""
    return await _rest(removals.round("receiver"))


def order_of(rig: Core) -> list[str]:
    """Record from now on what the writer does, in order; a removal is recorded with its rows."""
    work: list[str] = []
    write, take = rig.journal.write, rig.journal.take

    def writing(batch: Any) -> None:  # noqa: ANN401 - a batch
        write(batch)
        work.append(f"commit of {len(batch.signals)}")

    def taking(steps: Iterator[Step]) -> Step | None:
        step = take(steps)
        work.append(f"removal of {step.removed if step else 0}")
        return step

    rig.journal.write, rig.journal.take = writing, taking  # type: ignore[method-assign]
    return work


@each_loop
async def test_a_report_waits_for_one_step_at_most(tmp_path: Path) -> None:
    """With a thousand old rows each step keeps to its bound, and a report that comes is committed after the step."""
    clock = old_journal(tmp_path)
    async with core(tmp_path, clock=clock) as rig:
        removals, work = of(rig), order_of(rig)
        steps = removals.round("receiver")
        while not work or work[-1] != FULL_STEP:
            await anext(steps)
        rest = asyncio.ensure_future(_rest(steps))
        came = len(work)
        told = await rig.submit(signal("1"))
        assert told.verdicts == [STORED]
        assert len(work[came : work.index("commit of 1")]) <= 1
        removed = await rest
        assert (removed["raw"], removed["signals"]) == (OLD, 0)
        assert max(int(one.split()[-1]) for one in work) <= ROWS_PER_STEP
    assert rig.flaws() == []


async def _rest(steps: Any) -> dict[str, int]:  # noqa: ANN401 - an asynchronous generator
    told: list[dict[str, int]] = [one async for one in steps]
    return told[-1]


async def test_under_load_one_step_goes_between_two_commits(tmp_path: Path) -> None:
    """Reports that wait all the time do not stop removals: after its time one step is done, and only one."""
    clock = old_journal(tmp_path)
    async with core(tmp_path, clock=clock) as rig:
        work = order_of(rig)
        over = asyncio.Event()

        async def load() -> None:
            while not over.is_set():
                await asyncio.gather(*(rig.submit(signal(str(number))) for number in range(5)))

        callers = [asyncio.ensure_future(load()) for _ in range(3)]
        await until(lambda: len(work) > 20)
        round_ = asyncio.ensure_future(done(of(rig)))
        await until(lambda: sum(one.startswith(FULL_STEP) for one in work) >= 2)
        over.set()
        await asyncio.gather(*callers)
        assert (await round_)["raw"] == OLD
        last = max(place for place, one in enumerate(work) if one.startswith("commit of") and one != "commit of 0")
        under_load = list(pairwise(work[:last]))
        assert not [pair for pair in under_load if all(one.startswith("removal") for one in pair)]
    assert rig.flaws() == []


async def test_a_removal_that_fails_harms_no_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of this program is rolled back, logged and returned; the store stays ready and reports are answered."""
    clock = old_journal(tmp_path, 5)
    async with core(tmp_path, clock=clock) as rig:
        removals = of(rig)

        def broken(connection: sqlite3.Connection, *_: object) -> Iterator[Step]:
            return (Step("raw", len(row) // 0, None, ()) for row in connection.execute("SELECT 1"))

        with monkeypatch.context() as patch:
            patch.setattr("vetlla.store.removing.round_of", broken)
            with capture_logs() as lines, pytest.raises(StoreError, match="was rolled back"):
                await done(removals)
        assert [line["event"] for line in lines] == ["retention.failed"]
        assert rig.commit.state is StoreState.OK
        assert (await rig.submit(signal("1"))).verdicts == [STORED]
        assert (await done(of(rig)))["raw"] == 5


async def test_a_disk_that_fails_in_a_removal_makes_the_receiver_unready(tmp_path: Path) -> None:
    """A fault of the disk makes the receiver unready until a commit has succeeded; the round ends."""
    clock = old_journal(tmp_path, 5)
    async with core(tmp_path, clock=clock) as rig:
        take = Journal.take

        def failing(*_: object) -> None:
            raise StoreError("the disk failed")

        rig.journal.take = failing  # type: ignore[method-assign, assignment]
        with pytest.raises(StoreError, match="the disk failed"):
            await done(of(rig))
        rig.journal.take = take.__get__(rig.journal)  # type: ignore[method-assign]
        await rig.healed()
        assert (await rig.submit(signal("1"))).verdicts == [STORED]
        assert (await done(of(rig)))["raw"] == 5


async def test_a_refused_range_is_reported(tmp_path: Path) -> None:
    """Signals that were altered are left alone, with an error in the log and a count."""
    clock = old_journal(tmp_path, 5)
    async with core(tmp_path, clock=clock) as rig:
        rig.journal.connection.execute("DELETE FROM signals WHERE id = 3")
        rig.journal.connection.execute("UPDATE signals SET text = '', account = '' WHERE id = 2")
        with capture_logs() as lines:
            removed = await done(of(rig))
        refused = [(line["first"], line["last"]) for line in lines if line["event"] == "retention.refused"]
        assert (refused, rig.counters.removals_refused, removed["raw"]) == ([(2, 2)], 1, 3)


async def test_metrics_and_one_line_report_a_round(tmp_path: Path) -> None:
    """There are counts by kind, the stamp that the round has reached, and a line in the log."""
    clock = old_journal(tmp_path, 5)
    async with core(tmp_path, clock=clock) as rig:
        with capture_logs() as lines:
            await done(of(rig))
        assert rig.counters.removed == {**dict.fromkeys(What, 0), What.RAW: 5}
        assert rig.counters.removed_upto_us[What.RAW] == ManualClock().now().utc_us
        (line,) = [line for line in lines if line["event"] == "retention.done"]
        assert (line["by"], line["raw_removed"]) == ("receiver", 5)


async def test_nothing_is_removed_when_all_is_kept_for_ever(tmp_path: Path) -> None:
    """0 days mean for ever."""
    clock = old_journal(tmp_path, 5)
    never = dict.fromkeys(("signals_days", "raw_days", "rejects_days", "positions_days"), 0)
    async with core(tmp_path, clock=clock, settings=small(tmp_path, retention=never)) as rig:
        assert not any((await done(of(rig))).values())


async def test_a_clock_that_jumps_after_a_long_run(tmp_path: Path) -> None:
    """The receiver does not trust a wall clock that is set months ahead, even after months of running."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        for number in range(5):
            scribe.commit(report(number))
    async with core(tmp_path, clock=clock) as rig:
        removals = of(rig)
        for _ in range(150):
            clock.advance(DAY_S)
            assert not any((await done(removals)).values())
        clock.step_wall(140 * DAY_S)
        assert not any((await done(removals)).values())


async def test_a_caller_who_hangs_up_stops_the_round(tmp_path: Path) -> None:
    """The round stops between two steps: the step under way becomes durable, and the next round goes on."""
    clock = old_journal(tmp_path)
    async with core(tmp_path, clock=clock) as rig:
        removals = of(rig)
        steps = each_checked("prune", removals.prune(PruneJournal(), SARA))
        while (await anext(steps))["removed"]["raw"] == 0:
            pass
        await steps.aclose()
        left = await done(removals)
        assert 0 < left["raw"] < OLD
        assert rig.read("SELECT count(*) AS left FROM signals WHERE raw <> x''") == [{"left": 1}]
    assert rig.flaws() == []


async def test_a_start_does_rounds_by_itself(tmp_path: Path) -> None:
    """Rounds run without any command, until the receiver is stopped."""
    clock = old_journal(tmp_path, 5)
    async with core(tmp_path, clock=clock) as rig:
        removals = of(rig)
        removals.start()
        await until(lambda: rig.counters.removed[What.RAW] == 5)
        await removals.stop()


async def test_a_round_tells_that_signals_wait_for_a_sink(tmp_path: Path) -> None:
    """Signals that are too old stay while a sink has not passed them, and the log names the sink."""
    clock = old_journal(tmp_path, 30)
    with journal(tmp_path, clock) as scribe:
        batch = scribe.batch()
        batch.sinks["city"] = KeptSink("city", 9, 0, paused_us=1)
        scribe.journal.write(batch)
    settings = settings_of(tmp_path, webhook(), retention={"signals_days": 30, "raw_days": 30, "positions_days": 30})
    deliveries = {"deliveries": lambda _, __: SinkPeer()}
    async with core(tmp_path, settings=settings, clock=clock, **deliveries) as rig:
        with capture_logs() as logs:
            removed = await done(of(rig))
        assert removed["signals"] == 9
        assert [(line["event"], line["sink"]) for line in logs if line["event"] == "retention.waits"] == [
            ("retention.waits", "city")
        ]
        await rig.ask("sinks.resume", SARA, sink="city")
        await until(lambda: rig.sinks.find("city").waiting == 0)
        await rig.sync()


# --- requests ---------------------------------------------------------------------------------------------------------


async def _all(events: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - an asynchronous generator
    return [event async for event in events]


async def test_supervisors_only(tmp_path: Path) -> None:
    """An operator may neither remove nor erase."""
    async with core(tmp_path, settings=small(tmp_path, control={"supervisors": "vetlla-supervisors"})) as rig:
        removals = of(rig)
        for events in (removals.prune(PruneJournal(), ANA), removals.erase(EraseHome(home="H-1"), ANA)):
            with pytest.raises(AccessError):
                await _all(events)


def _pressed(rig: Core, number: int) -> Any:  # noqa: ANN401 - rows of any kind
    return rig.read("SELECT account, home, text FROM signals WHERE id = ?", number)


async def test_a_press_that_comes_while_its_home_is_erased(tmp_path: Path) -> None:
    """Data that come after the start of the erasure stay complete: signal, alarm, note and reject."""
    wanted = EraseHome(home="H-7", accounts=("7",))
    async with core(tmp_path, accounts=[Account(account="7", home="H-7")]) as rig:
        await rig.submit(signal("7", text="in the bath"))
        rig.reject(Reject(protocol="dc09", reason=Reason.MALFORMED, raw=b"1", text="", id=AccountId("", "0", "7")))
        await rig.ask("queue.answer", alarm=1)
        await rig.ask("queue.close", alarm=1, outcome="false_alarm")
        rig.clock.advance(DAY_S)
        steps = each_checked("erase", of(rig).erase(wanted, SARA))
        await anext(steps)
        await rig.submit(signal("7", text="in the kitchen"))
        await rig.submit(signal("7", "110", kind=Kind.SMOKE))
        rig.reject(Reject(protocol="dc09", reason=Reason.MALFORMED, raw=b"2", text="", id=AccountId("", "0", "7")))
        await rig.ask("queue.answer", alarm=2)
        await rig.ask("queue.note", alarm=2, text="she waits at the door")
        await rig.ask("queue.close", alarm=2, outcome="help_sent")
        proof = (await _all(steps))[-1]
        assert (proof["destroyed"]["signals"], proof["destroyed"]["alarms"], proof["left"]) == (1, 1, 2)
        assert _pressed(rig, 1) == [{"account": "", "home": "", "text": ""}]
        assert _pressed(rig, 2) == [{"account": "7", "home": "H-7", "text": "in the kitchen"}]
        assert [row["home"] for row in rig.read("SELECT home FROM alarms ORDER BY id")] == ["", "H-7"]
        assert [row["text"] for row in rig.read("SELECT text FROM notes")] == ["she waits at the door"]
        assert [row["raw"] for row in rig.read("SELECT raw FROM rejects ORDER BY id")] == [b"", b"2"]
    assert rig.flaws() == []


async def test_a_press_that_comes_before_its_home_is_erased(tmp_path: Path) -> None:
    """The search for open alarms and the first step are one job, so no commit of a press comes in between."""
    wanted = EraseHome(home="H-7", accounts=("7",))
    async with core(tmp_path, accounts=[Account(account="7", home="H-7")]) as rig:
        await rig.submit(signal("7"))
        await rig.ask("queue.answer", alarm=1)
        await rig.ask("queue.close", alarm=1, outcome="false_alarm")
        rig.clock.advance(DAY_S)
        rig.journal.gate.clear()
        pressed = rig.submit(signal("7", text="in the kitchen"))
        await rig.held()
        erased = asyncio.ensure_future(_all(of(rig).erase(wanted, SARA)))
        rig.journal.gate.set()
        assert (await pressed).verdicts == [STORED]
        with pytest.raises(UsageError, match="open alarm: 2"):
            await erased
        assert _pressed(rig, 2)[0]["text"] == "in the kitchen"


async def test_an_open_alarm_of_another_name_is_found_by_its_signals(tmp_path: Path) -> None:
    """An unknown caller was registered later: its alarm belongs to the home now, its first signal to its number."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1234", identity=b"1"))
        rig.book = AccountBook([Account(account="1234", home="H-1")])
        await rig.register()
        rig.intake.apply(rig.settings, rig.book)
        rig.clock.advance(100)
        await rig.submit(signal("1234", identity=b"1", text="in the kitchen"))
        rig.clock.advance(DAY_S)
        for home in ("1234", "H-1"):
            with pytest.raises(UsageError, match="open alarm: 1"):
                await _all(of(rig).erase(EraseHome(home=home, accounts=("1234",)), SARA))


async def test_a_home_with_an_open_alarm_is_not_erased(tmp_path: Path) -> None:
    """It is refused with the alarm's number, and also a short while after its end. Then only t2 and t3 stay."""
    place = Position(latitude=41.38, longitude=2.17, accuracy_m=None, altitude_m=None, source="gps", at=None)
    wanted = EraseHome(home="H-7", accounts=("7",))
    async with core(tmp_path, accounts=[Account(account="7", home="H-7"), Account(account="8", home="H-8")]) as rig:
        removals = of(rig)
        await rig.submit(signal("7", position=place, text="in the bath"))
        await rig.submit(signal("8", text="not this one"))
        with pytest.raises(UsageError, match="open alarm: 1") as refusal:
            await _all(removals.erase(wanted, SARA))
        assert "vetlla queue show 1" in refusal.value.remedy
        for do in ("queue.claim", "queue.answer"):
            await rig.ask(do, alarm=1)
        await rig.ask("queue.note", alarm=1, text="Maria, hip broken")
        await rig.ask("queue.close", alarm=1, outcome="help_sent")
        with pytest.raises(UsageError, match="a short while ago"):
            await _all(removals.erase(wanted, SARA))
        rig.clock.advance(3_600)
        await rig.submit(signal("8", text="nor this"))
        proof = (await _all(removals.erase(wanted, SARA)))[-1]
        assert proof["event"] == "done"
        assert (proof["by"], proof["destroyed"]["signals"], proof["destroyed"]["alarms"]) == ("sara", 1, 1)
        assert (proof["destroyed"]["notes"], proof["destroyed"]["positions"]) == (1, 1)
        (row,) = rig.read("SELECT * FROM signals WHERE id = 1")
        for name in ("account", "home", "text", "device", "peer", "code"):
            assert row[name] == ""
        assert (row["raw"], row["more"], row["alarm_id"]) == (b"", None, 1)
        (alarm,) = rig.read("SELECT * FROM alarms WHERE id = 1")
        assert (alarm["home"], alarm["account"], alarm["why"], alarm["outcome"]) == ("", "", "", "help_sent")
        assert alarm["t2_us"] is not None
        assert alarm["t3_us"] is not None
        assert rig.read("SELECT text FROM notes") == []
        assert [row["text"] for row in rig.read("SELECT text FROM signals WHERE home = 'H-8' ORDER BY id")] == [
            "not this one",
            "nor this",
        ]
    assert rig.flaws() == []

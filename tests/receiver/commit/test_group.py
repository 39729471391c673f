"""Group commit: reports that share a transaction, what happens during a commit, and faults of the disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from tests.rigs.core import BERTA, Core, core, signal, small, until
from tests.rigs.loops import each_loop
from vetlla.domain.accounts import Account
from vetlla.domain.errors import LinkError, UsageError
from vetlla.domain.signals import STORED, Event, Kind, Phase
from vetlla.receiver.commit import group as commit
from vetlla.receiver.commit.operations import Operation
from vetlla.receiver.commit.store_state import StoreState
from vetlla.receiver.supervision import records
from vetlla.receiver.wiring import Bounds

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from vetlla.settings.model import Settings

FULL = 1 << 40
"""More MiB than any disk has free."""


def full(directory: Path) -> Settings:
    """Return settings with which the disk counts as too full."""
    return small(directory, store={"min_free_mib": FULL, "recover_free_mib": FULL})


def alarms_kept(rig: Core) -> list[tuple[int, str, str]]:
    """Return the alarms on the disk."""
    rows = rig.read("SELECT id, state, operator FROM alarms ORDER BY id")
    return [(row["id"], row["state"], row["operator"]) for row in rows]


def done(rig: Core) -> list[str]:
    """Return the audit's records about alarms and the store, in order."""
    rows = rig.read("SELECT action, subject FROM audit WHERE action <> 'commit' ORDER BY id")
    return [f"{row['action']} {row['subject']}" for row in rows]


# --- operators and batches --------------------------------------------------------------------------------------------


@each_loop
async def test_operators_wait_for_the_batch_under_way(tmp_path: Path) -> None:
    """A request during a commit is done after it, and is durable when it is answered."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1"))
        rig.journal.gate.clear()
        told = rig.submit(signal("2"))
        await rig.held()
        claim = asyncio.ensure_future(rig.ask("queue.claim", alarm=1))
        await asyncio.sleep(0)
        assert not claim.done()
        rig.journal.gate.set()
        await told
        claimed = await claim
        assert (claimed["operator"], claimed["durable"]) == ("ana", True)
        assert alarms_kept(rig)[0] == (1, "claimed", "ana")


async def test_an_operator_s_mistake_is_theirs_alone(tmp_path: Path) -> None:
    """The error of a refused or failed step reaches its caller; the rest of its batch is committed."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1"))
        heard: list[tuple[Any, bool]] = []
        rig.commit.perform(Operation(lambda _: 1 / 0, lambda result, durable: heard.append((result, durable))))
        wrong = asyncio.ensure_future(rig.ask("queue.claim", alarm=99))
        right = asyncio.ensure_future(rig.ask("queue.claim", alarm=1))
        told = await rig.submit(signal("2"))
        assert told.verdicts == [STORED]
        with pytest.raises(UsageError, match="no open alarm 99"):
            await wrong
        assert (await right)["operator"] == "ana"
        assert [(type(result), durable) for result, durable in heard] == [(ZeroDivisionError, True)]


async def test_a_fault_of_ours_in_one_step_is_logged_and_holds_up_no_frame(tmp_path: Path) -> None:
    """If a step or its ``done`` function fails, reports of this batch and the next one still get their answers."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with core(tmp_path) as rig:
        with capture_logs() as lines:
            rig.commit.perform(Operation(lambda _: None, broken))
            rig.commit.perform(Operation(broken, lambda *_: None))
            assert (await rig.submit(signal("1"))).verdicts == [STORED]
            assert (await rig.submit(signal("2"))).verdicts == [STORED]
        assert [line["event"] for line in lines if line["log_level"] == "error"] == ["operation.failed"] * 2
        assert alarms_kept(rig) == [(1, "waiting", ""), (2, "waiting", "")]


async def test_an_empty_batch_is_not_written(tmp_path: Path) -> None:
    """A batch that changes nothing costs no commit."""
    async with core(tmp_path) as rig:
        assert await rig.sync()
        assert rig.journal.written == []


async def test_a_pulse_proves_that_commits_work(tmp_path: Path) -> None:
    """A pulse is a commit of its own; each answer of the writer, good or bad, shows that its thread runs."""
    async with core(tmp_path) as rig:
        answers: list[StoreState] = []
        rig.commit.on_answer = lambda: answers.append(rig.commit.state)
        rig.commit.pulse()
        await until(lambda: len(answers) == 1)
        assert rig.read("SELECT alive_us FROM boots") == [{"alive_us": rig.clock.now().utc_us}]
        rig.journal.failing = True
        rig.commit.pulse()
        await until(lambda: len(answers) > 2)
        assert set(answers[2:]) == {StoreState.FAILED}
        await rig.healed()


async def test_stamps_follow_soon_even_when_something_else_is_due_later(tmp_path: Path) -> None:
    """The ready stamp of an alarm does not wait for the later write of heartbeats."""
    home = Account(account="1")
    async with core(tmp_path, accounts=[home]) as rig:
        beat = signal("1")._replace(event=Event(Kind.HEARTBEAT, Phase.STATUS, "NULL", "dc09"))
        assert records.EVERY_S > 20 * commit.STAMPS_WITHIN_S
        rig.submit(beat)
        began = asyncio.get_running_loop().time()
        await rig.submit(signal("1"))
        await until(lambda: rig.read("SELECT ready_us FROM alarms") != [{"ready_us": None}])
        assert asyncio.get_running_loop().time() - began < records.EVERY_S / 2
        (batch,) = [batch for batch in rig.journal.written if batch.stamps]
        assert not batch.vital


async def test_the_next_need_is_not_forgotten_with_the_first(tmp_path: Path) -> None:
    """An earlier need does not lose the later one, and a later need does not delay the earlier one."""
    async with core(tmp_path) as rig:
        rig.commit.within(60)
        rig.commit.within(0.001)
        rig.commit.batch.pulse = True
        await until(lambda: len(rig.journal.written) == 1)
        rig.commit.within(0.001)
        rig.commit.within(60)
        rig.commit.batch.pulse = True
        await until(lambda: len(rig.journal.written) == 2)


@each_loop
async def test_a_need_that_is_due_at_once_may_be_followed_by_another(tmp_path: Path) -> None:
    """This works with every kind of handle that a loop returns for a delay of 0."""
    async with core(tmp_path) as rig:
        rig.commit.within(0)
        rig.commit.within(0)
        rig.commit.within(60)
        rig.commit.batch.pulse = True
        await until(lambda: len(rig.journal.written) == 1)


# --- a commit that fails ----------------------------------------------------------------------------------------------


@each_loop
async def test_a_failure_leaves_all_waiting_frames_unanswered(tmp_path: Path) -> None:
    """Frames of the batch and frames that came meanwhile get no verdict; later ones do when commits work again."""
    async with core(tmp_path) as rig:
        rig.journal.gate.clear()
        first = rig.submit(signal("1"))
        await rig.held()
        second = rig.submit(signal("2"))
        rig.journal.failing = True
        rig.journal.gate.set()
        assert ((await first).verdicts, (await second).verdicts) == (None, None)
        assert rig.commit.state is StoreState.FAILED
        assert "as the test asked" in rig.commit.why
        assert rig.counters.store_failures == 1
        await until(lambda: rig.counters.store_failures == 3)
        assert await rig.open_alarms() == []
        await rig.healed()
        assert rig.commit.why == ""
        assert (await rig.submit(signal("3"))).verdicts == [STORED]
        assert [row["account"] for row in rig.read("SELECT account FROM signals")] == ["3"]
        assert rig.flaws() == []


async def test_operators_continue_while_the_journal_has_failed(tmp_path: Path) -> None:
    """Existing alarms can be read and closed; the answer says that this is not durable, and it is written later."""
    async with core(tmp_path) as rig:
        for account in ("1", "2", "3"):
            await rig.submit(signal(account))
        rig.journal.failing = True
        assert not (await rig.ask("queue.claim", alarm=1))["durable"]
        assert not (await rig.ask("queue.claim", BERTA, alarm=2))["durable"]
        assert not (await rig.ask("queue.note", alarm=1, text="door locked"))["durable"]
        assert not (await rig.ask("queue.answer", alarm=1))["durable"]
        assert not (await rig.ask("queue.close", alarm=1, outcome="help_sent"))["durable"]
        assert [alarm["id"] for alarm in await rig.open_alarms()] == [2, 3]
        with pytest.raises(UsageError, match="held by berta"):
            await rig.ask("queue.claim", alarm=2)
        assert alarms_kept(rig) == [(1, "waiting", ""), (2, "waiting", ""), (3, "waiting", "")]
        await rig.healed()
        await rig.sync()
        assert alarms_kept(rig) == [(1, "closed", "ana"), (2, "claimed", "berta"), (3, "waiting", "")]
        assert rig.read("SELECT operator, text FROM notes") == [{"operator": "ana", "text": "door locked"}]
        assert [line for line in done(rig) if "alarm 1" in line] == [
            "open alarm 1",
            "claim alarm 1",
            "note alarm 1",
            "answer alarm 1",
            "close alarm 1",
        ]
        assert rig.flaws() == []


async def test_actions_of_operators_in_a_lost_batch_stay(tmp_path: Path) -> None:
    """A claim and a frame share a batch that fails: the claim holds, and the frame is undone."""
    async with core(tmp_path, accounts=[Account(account="1", home="H1")]) as rig:
        await rig.submit(signal("1", "302", kind=Kind.BATTERY_LOW))
        rig.journal.failing = True
        claim = asyncio.ensure_future(rig.ask("queue.claim", alarm=1))
        await asyncio.sleep(0)
        told = rig.submit(signal("1"))
        late = rig.submit(signal("9"))
        assert ((await told).verdicts, (await late).verdicts) == (None, None)
        assert not (await claim)["durable"]
        (alarm,) = await rig.open_alarms()
        assert (alarm["priority"], alarm["operator"], alarm["signals"]) == ("TECHNICAL", "ana", 1)
        await rig.healed()
        await rig.sync()
        assert alarms_kept(rig) == [(1, "claimed", "ana")]
        assert rig.read("SELECT priority FROM alarms") == [{"priority": 2}]
        assert (await rig.submit(signal("1"))).verdicts == [STORED]
        assert [alarm["priority"] for alarm in await rig.open_alarms()] == ["LIFE"]


async def test_durable_changes_are_not_undone_by_a_later_failure(tmp_path: Path) -> None:
    """A checkpoint that fails after a commit undoes nothing of that commit."""
    async with core(tmp_path, bounds=Bounds(commits_per_checkpoint=1)) as rig:
        rig.journal.failing_checkpoint = True
        again = signal("1", identity=b"one")
        assert (await rig.submit(again)).verdicts == [STORED]
        await until(lambda: rig.commit.state is StoreState.FAILED)
        assert [alarm["id"] for alarm in await rig.open_alarms()] == [1]
        await rig.healed()
        assert (await rig.submit(signal("2"))).verdicts == [STORED]
        assert [alarm["id"] for alarm in await rig.open_alarms()] == [1, 2]
        await rig.submit(again)
        assert [row["id"] for row in rig.read("SELECT id FROM signals ORDER BY id")] == [1, 2]
        assert rig.flaws() == []


async def test_the_audit_says_from_when_to_when_nothing_was_taken(tmp_path: Path) -> None:
    """After a failure its start and its end are in the audit."""
    async with core(tmp_path) as rig:
        rig.journal.failing = True
        await rig.submit(signal())
        rig.clock.advance(30)
        await rig.healed()
        await rig.sync()
        rows = rig.read("SELECT action, at_us FROM audit WHERE subject = 'store' ORDER BY id")
        assert [row["action"] for row in rows] == ["failed", "ok"]
        assert rows[1]["at_us"] - rows[0]["at_us"] == 30_000_000


# --- a disk that is full ----------------------------------------------------------------------------------------------


async def test_below_the_watermark_nothing_new_is_taken(tmp_path: Path) -> None:
    """With too little space frames get no answer and operators' actions are durable; it recovers by itself."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1"))
        t2 = rig.counters.t2.count
        rig.commit.settings = full(tmp_path)
        assert (await rig.submit(signal("2"))).verdicts is None
        assert rig.commit.state is StoreState.LOW
        assert "MiB free" in rig.commit.why
        assert (await rig.ask("queue.claim", alarm=1))["durable"]
        assert alarms_kept(rig) == [(1, "claimed", "ana")]
        assert rig.counters.t2.count == t2, "an alarm becomes ready once"
        rig.commit.settings = rig.settings
        await until(lambda: rig.commit.ready)
        assert (await rig.submit(signal("2"))).verdicts == [STORED]
        assert [line for line in done(rig) if "store" in line] == ["low store", "ok store"]


async def test_between_the_watermarks_a_low_disk_stays_low(tmp_path: Path) -> None:
    """Free space that varies around the lower mark does not switch the receiver on and off."""
    async with core(tmp_path) as rig:
        rig.commit.settings = full(tmp_path)
        assert (await rig.submit(signal())).verdicts is None
        rig.commit.settings = small(tmp_path, store={"min_free_mib": 1, "recover_free_mib": FULL})
        await rig.sync()
        assert rig.commit.state is StoreState.LOW
        rig.commit.settings = rig.settings
        await rig.sync()
        assert rig.commit.ready


async def test_a_failure_on_a_low_disk_takes_nothing_back(tmp_path: Path) -> None:
    """An operator's commit that fails while the disk is low does not undo what frames did before."""
    async with core(tmp_path) as rig:
        await rig.submit(signal("1"))
        rig.commit.settings = full(tmp_path)
        await rig.sync()
        rig.journal.failing = True
        assert not (await rig.ask("queue.claim", alarm=1))["durable"]
        assert [alarm["id"] for alarm in await rig.open_alarms()] == [1]
        rig.commit.settings = rig.settings
        await rig.healed()
        await rig.sync()
        assert alarms_kept(rig) == [(1, "claimed", "ana")]


async def test_unknown_free_space_counts_as_none(tmp_path: Path) -> None:
    """If the free space of the file system cannot be read, no report is acknowledged."""
    async with core(tmp_path) as rig:
        rig.commit.settings = small(tmp_path / "gone")
        assert (await rig.submit(signal())).verdicts is None
        assert rig.commit.state is StoreState.LOW
        rig.commit.settings = rig.settings


# --- the end ----------------------------------------------------------------------------------------------------------


async def test_a_stop_commits_waiting_frames_and_steps(tmp_path: Path) -> None:
    """Frames and steps that wait when the receiver stops are committed and answered; later ones are not."""
    async with core(tmp_path) as rig:
        rig.journal.gate.clear()
        first = rig.submit(signal("1"))
        await rig.held()
        second = rig.submit(signal("2"))
        claim = asyncio.ensure_future(rig.ask("queue.claim", alarm=1))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(rig.commit.close())
        await asyncio.sleep(0)
        assert not closing.done()
        rig.journal.gate.set()
        await closing
        assert ((await first).verdicts, (await second).verdicts) == ([STORED], [STORED])
        assert (await claim)["durable"]
        assert rig.commit.state is StoreState.CLOSED
        assert (await rig.submit(signal("3"))).verdicts is None
        with pytest.raises(LinkError, match="stopping"):
            await rig.ask("queue.claim", alarm=2)
        assert alarms_kept(rig) == [(1, "claimed", "ana"), (2, "waiting", "")]
        assert {row["ready_us"] for row in rig.read("SELECT ready_us FROM alarms")} == {rig.clock.now().utc_us}


async def test_a_failed_journal_gets_one_more_chance_at_the_end(tmp_path: Path) -> None:
    """Operators' actions during a failure of the journal are written at the stop, if the disk works by then."""
    async with core(tmp_path, settings=small(tmp_path, store={"retry_s": 60.0})) as rig:
        await rig.submit(signal("1"))
        rig.journal.failing = True
        assert not (await rig.ask("queue.claim", alarm=1))["durable"]
        rig.journal.failing = False
        await rig.commit.close()
        assert alarms_kept(rig) == [(1, "claimed", "ana")]


async def test_a_journal_that_stays_failed_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """A stop ends even if the disk accepts nothing."""
    async with core(tmp_path, settings=small(tmp_path, store={"retry_s": 60.0})) as rig:
        rig.journal.failing = True
        await rig.submit(signal("1"))
        await rig.commit.close()
        assert rig.commit.state is StoreState.CLOSED

"""The door to the store: what is taken, what is known already, what is refused, and who is told what and when."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.receiver.core import LOOPS, Core, core, run, signal, small, until
from vetlla.accounts import Account, Remap, UnknownPolicy
from vetlla.clock import to_datetime
from vetlla.receiver import bookkeeping, evidence, intake
from vetlla.receiver.counters import Caller
from vetlla.signals import (
    DUPLICATE,
    STORED,
    AccountId,
    Event,
    Key,
    Kind,
    Outcome,
    Phase,
    Priority,
    Reason,
    Reject,
    Signal,
    refused,
)
from vetlla.store.rows import Flag

if TYPE_CHECKING:
    from pathlib import Path

HOME = Account(account="1234", home="H1")
KEYED = Account(account="5678", home="H2", key_name="spring")
BEAT = Event(Kind.HEARTBEAT, Phase.STATUS, "NULL", "dc09")
SEALED: dict[str, Any] = {"sealed_with": "spring"}


def beat(account: str = "1234") -> Signal:
    return signal(account)._replace(event=BEAT)


def damaged(account: str | None = None, reason: Reason = Reason.UNDECRYPTABLE) -> Reject:
    who = None if account is None else AccountId("", "0", account)
    return Reject(protocol="dc09", reason=reason, raw=b"\x00\xff", text="no key opens the frame", id=who)


# --- verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loop", LOOPS)
def test_no_verdict_before_the_commit(tmp_path: Path, loop: str) -> None:
    """A peer is told nothing while the transaction that holds its frame is not durable."""

    async def scenario() -> None:
        async with core(tmp_path) as rig:
            rig.journal.gate.clear()
            told = rig.submit(signal())
            await rig.held()
            await asyncio.sleep(0)
            assert not told.done()
            assert rig.read("SELECT * FROM signals") == []
            rig.journal.gate.set()
            assert (await told).verdicts == [STORED]
            assert [row["account"] for row in rig.read("SELECT account FROM signals")] == ["1234"]

    run(scenario(), loop)


def test_the_parts_of_a_frame_stand_or_fall_together(tmp_path: Path) -> None:
    """Several events of one frame share a transaction, and get their verdicts at once."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            parts = [signal(code=str(100 + part), identity=b"%d" % part, part=part, parts=3) for part in (1, 2, 3)]
            assert (await rig.submit(*parts)).verdicts == [STORED] * 3
            rows = rig.read("SELECT code, part, parts, commit_id, alarm_id FROM signals ORDER BY id")
            assert [(row["code"], row["part"], row["parts"]) for row in rows] == [
                ("101", 1, 3),
                ("102", 2, 3),
                ("103", 3, 3),
            ]
            assert len({row["commit_id"] for row in rows}) == 1
            assert len({row["alarm_id"] for row in rows}) == 1

    run(scenario())


def test_what_comes_in_one_turn_shares_a_commit(tmp_path: Path) -> None:
    """Frames read in one turn of the loop, and those that come while a commit is under way, are committed together."""

    async def scenario() -> None:
        async with core(tmp_path) as rig:
            rig.journal.gate.clear()
            first = [rig.submit(signal(str(number))) for number in range(3)]
            await rig.held()
            second = [rig.submit(signal(str(number))) for number in range(10, 14)]
            rig.journal.gate.set()
            await asyncio.gather(*first, *second)
            assert [len(batch.signals) for batch in rig.journal.written if batch.signals] == [3, 4]

    run(scenario())


def test_a_batch_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More frames than one transaction takes are committed in order, one batch behind the other."""
    monkeypatch.setattr(intake, "BATCH_MAX", 2)

    async def scenario() -> None:
        async with core(tmp_path) as rig:
            await asyncio.gather(*[rig.submit(signal(str(number))) for number in range(5)])
            assert [len(batch.signals) for batch in rig.journal.written if batch.signals] == [2, 2, 1]
            accounts = [row["account"] for row in rig.read("SELECT account FROM signals ORDER BY id")]
            assert accounts == ["0", "1", "2", "3", "4"]

    run(scenario())


def test_one_peer_s_trouble_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """Where telling one peer fails, the others are told all the same and their alarms are shown."""

    async def scenario() -> None:
        async with core(tmp_path) as rig:

            def deliver(*_: object) -> None:
                raise ZeroDivisionError

            rig.intake.submit(rig.arrival(), [signal("1")], deliver)
            assert (await rig.submit(signal("2"))).verdicts == [STORED]
            assert [alarm["account"] for alarm in await rig.open_alarms()] == ["1", "2"]

    run(scenario())


def test_what_was_meant_is_stored_beside_what_was_said(tmp_path: Path) -> None:
    """A signal's row carries the home, the meaning by the home's own remap, and the flags of its circumstances."""
    home = replace(HOME, remaps={"120": Remap(Kind.FALL, None)})

    async def scenario() -> None:
        async with core(tmp_path, accounts=[home]) as rig:
            await rig.submit(signal(code="120", kind=Kind.INTRUSION, buffered=True))
            await rig.submit(signal("9999", repeated=True))
            meant, stranger = rig.read("SELECT home, kind, priority, flags FROM signals ORDER BY id")
            assert meant == {"home": "H1", "kind": "fall", "priority": Priority.LIFE, "flags": Flag.BUFFERED}
            assert stranger["home"] == "9999"
            assert stranger["priority"] == Priority.TECHNICAL
            assert stranger["flags"] == Flag.REPEATED | Flag.UNKNOWN_ACCOUNT

    run(scenario())


@pytest.mark.parametrize(
    ("who", "home"),
    [
        (AccountId("", "0", "1234"), "1234"),
        (AccountId("", "", "1234"), "1234"),
        (AccountId("", "00", "1234"), "1234"),
        (AccountId("", "2", "1234"), "/2/1234"),
        (AccountId("7", "0", "1234"), "7/0/1234"),
        (AccountId("", "", ""), "192.0.2.7"),
    ],
)
def test_a_caller_without_a_home_stands_for_itself(tmp_path: Path, who: AccountId, home: str) -> None:
    """Callers that receiver or line tell apart are not chained to each other; a line that is not used tells nothing."""

    async def scenario() -> None:
        async with core(tmp_path) as rig:
            await rig.submit(signal()._replace(id=who))
            assert [alarm["home"] for alarm in await rig.open_alarms()] == [home]

    run(scenario())


# --- duplicates -------------------------------------------------------------------------------------------------------


def test_a_retry_is_answered_again_and_stored_never(tmp_path: Path) -> None:
    """In the same batch, in a later one and after a restart a retry is a duplicate, counted with its last path."""

    async def scenario() -> None:
        again = signal(identity=b"one")
        async with core(tmp_path) as rig:
            first, second = rig.submit(again), rig.submit(again)
            assert ((await first).verdicts, (await second).verdicts) == ([STORED], [DUPLICATE])
            rig.clock.advance(60)
            elsewhere = rig.arrival("198.51.100.9:1")._replace(transport="udp")
            assert (await rig.submit(again, arrival=elsewhere)).verdicts == [DUPLICATE]
            (counted,) = rig.read("SELECT count, transport, peer FROM duplicates")
            assert counted == {"count": 2, "transport": "udp", "peer": "198.51.100.9:1"}
            assert rig.counters.signals["dc09", Outcome.DUPLICATE] == 2
            clock = rig.clock
        async with core(tmp_path, clock=clock) as rig:
            assert (await rig.submit(again)).verdicts == [DUPLICATE]
            assert len(rig.read("SELECT id FROM signals")) == 1
            assert rig.read("SELECT count FROM duplicates") == [{"count": 3}]

    run(scenario())


def test_the_window_of_duplicates_ends(tmp_path: Path) -> None:
    """Within the window a report is the same, a moment later it is another one, after a restart too."""

    async def scenario() -> None:
        again = signal(identity=b"one")
        async with core(tmp_path, settings=small(tmp_path, store={"duplicate_window_s": 900})) as rig:
            await rig.submit(again)
            rig.clock.advance(900)
            assert (await rig.submit(again)).verdicts == [DUPLICATE]
            rig.clock.advance(0.000001)
            assert (await rig.submit(again)).verdicts == [STORED]
            clock = rig.clock
        clock.advance(901)
        async with core(tmp_path, clock=clock) as rig:
            assert (await rig.submit(again)).verdicts == [STORED]

    run(scenario())


def test_what_has_no_identity_is_never_a_duplicate(tmp_path: Path) -> None:
    """Unnumbered reports are all stored."""

    async def scenario() -> None:
        async with core(tmp_path) as rig:
            told = await asyncio.gather(rig.submit(signal()), rig.submit(signal()))
            assert [one.verdicts for one in told] == [[STORED], [STORED]]

    run(scenario())


def test_a_report_whose_commit_failed_is_no_duplicate(tmp_path: Path) -> None:
    """What was lost is stored when it is repeated, under the number that the lost one would have had."""

    async def scenario() -> None:
        again = signal(identity=b"one")
        async with core(tmp_path) as rig:
            await rig.submit(signal(identity=b"before"))
            rig.journal.failing = True
            assert (await rig.submit(again)).verdicts is None
            await rig.healed()
            assert (await rig.submit(again)).verdicts == [STORED]
            assert [row["id"] for row in rig.read("SELECT id FROM signals ORDER BY id")] == [1, 2]
            assert rig.flaws() == []

    run(scenario())


@pytest.mark.parametrize("trouble", ["low", "failed"])
def test_what_is_durable_is_acknowledged_whatever_the_disk_does(tmp_path: Path, trouble: str) -> None:
    """While nothing new can be taken a retry of a stored report is answered; anything else is not, not even refused."""

    async def scenario() -> None:
        again, strange = signal(identity=b"one"), signal("5678")
        async with core(tmp_path, accounts=[HOME, KEYED]) as rig:
            await rig.submit(again)
            if trouble == "low":
                full = {"min_free_mib": 1 << 40, "recover_free_mib": 1 << 40}
                rig.commit.settings = small(tmp_path, store=full)
                assert await rig.sync()
            else:
                rig.journal.failing = True
                assert (await rig.submit(signal())).verdicts is None
            assert (await rig.submit(again)).verdicts == [DUPLICATE]
            assert (await rig.submit(again, signal(identity=b"two"))).verdicts is None
            assert (await rig.submit(signal())).verdicts is None
            assert (await rig.submit(beat())).verdicts is None
            assert (await rig.submit(strange)).verdicts is None
            assert rig.counters.signals["dc09", Outcome.REFUSED] == 0
            rig.commit.settings = rig.settings
            rig.journal.failing = False

    run(scenario())


# --- refusals, and what could not be read -----------------------------------------------------------------------------


def test_a_refused_report_of_a_known_home_reaches_a_person(tmp_path: Path) -> None:
    """A home whose emergency was refused is an alarm, with its evidence and its audit."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[KEYED]) as rig:
            told = await rig.submit(signal("5678"))
            assert told.verdicts == [refused(Reason.PLAIN_REFUSED)]
            await rig.sync()
            (alarm,) = await rig.open_alarms()
            assert (alarm["home"], alarm["priority"], alarm["signals"], alarm["first_signal"]) == ("H2", "LIFE", 0, 0)
            assert "sent in clear" in alarm["why"]
            assert rig.read("SELECT reason, account FROM rejects") == [{"reason": "plain_refused", "account": "5678"}]
            assert rig.read("SELECT subject FROM audit WHERE action = 'refuse'") == [{"subject": "account 5678"}]
            assert rig.counters.signals["dc09", Outcome.REFUSED] == 1

    run(scenario())


def test_even_a_routine_report_that_was_refused_is_seen(tmp_path: Path) -> None:
    """Nobody's reports are refused for days because they were only tests."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[KEYED]) as rig:
            await rig.submit(signal("5678", "602", kind=Kind.PERIODIC_TEST))
            await rig.sync()
            assert [alarm["priority"] for alarm in await rig.open_alarms()] == ["TECHNICAL"]

    run(scenario())


def test_a_clock_is_refused_twice_before_a_person_hears_of_it(tmp_path: Path) -> None:
    """The first refusal is how a terminal learns the time; the second one means that it does not learn it."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[KEYED]) as rig:

            async def late() -> None:
                sent_at = to_datetime(rig.clock.now().utc_us) - timedelta(seconds=312)
                told = await rig.submit(signal("5678", sent_at=sent_at, **SEALED))
                assert told.verdicts == [refused(Reason.STALE_TIME)]
                await rig.sync()

            await late()
            assert await rig.open_alarms() == []
            assert rig.read("SELECT text FROM rejects") == [{"text": "clock 312 s slow"}]
            rig.clock.advance(5)
            await late()
            assert ["clock 312 s slow" in alarm["why"] for alarm in await rig.open_alarms()] == [True]

    run(scenario())


def test_clocks_refused_long_apart_are_first_refusals(tmp_path: Path) -> None:
    """A terminal that strays once a day sets its clock each time."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[KEYED]) as rig:
            for _ in range(3):
                sent_at = to_datetime(rig.clock.now().utc_us) + timedelta(seconds=21)
                await rig.submit(signal("5678", sent_at=sent_at, **SEALED))
                rig.clock.advance(86_400)
            await rig.sync()
            assert await rig.open_alarms() == []
            assert rig.read("SELECT DISTINCT text FROM rejects") == [{"text": "clock 21 s fast"}]

    run(scenario())


def test_unregistered_accounts_may_be_refused(tmp_path: Path) -> None:
    """Where policy refuses strangers they are told so and kept as evidence, and no alarm stands for them."""

    async def scenario() -> None:
        settings = small(tmp_path, intake={"unknown_accounts": UnknownPolicy.REFUSE})
        async with core(tmp_path, settings=settings) as rig:
            assert (await rig.submit(signal())).verdicts == [refused(Reason.UNKNOWN_ACCOUNT)]
            await rig.sync()
            assert await rig.open_alarms() == []
            assert len(rig.read("SELECT id FROM rejects")) == 1

    run(scenario())


def test_a_known_home_that_could_not_be_read_reaches_a_person(tmp_path: Path) -> None:
    """Bytes that name a known home open a technical alarm; those of strangers and of nobody are kept and counted."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[KEYED]) as rig:
            rig.reject(damaged("5678"))
            rig.reject(damaged("9999"))
            rig.reject(damaged(None))
            await rig.sync()
            (alarm,) = await rig.open_alarms()
            assert (alarm["home"], alarm["kind"], alarm["priority"]) == ("H2", "fault", "TECHNICAL")
            assert "could not be read" in alarm["why"]
            rejects = rig.read("SELECT account, raw FROM rejects ORDER BY id")
            assert [row["account"] for row in rejects] == ["5678", "9999", ""]
            assert {bytes(row["raw"]) for row in rejects} == {b"\x00\xff"}
            for caller in Caller:
                assert rig.counters.rejects["dc09", Reason.UNDECRYPTABLE, caller] == 1

    run(scenario())


def test_a_device_at_another_protocol_s_port_is_put_before_a_person(tmp_path: Path) -> None:
    """Whose alarms would all be lost is told under its address, once until it is handled; a stranger is evidence."""

    async def scenario() -> None:
        async with core(tmp_path) as rig:
            for reason in (Reason.FOREIGN, Reason.WRONG_PORT, Reason.WRONG_PORT):
                rig.reject(damaged(None, reason))
            rig.reject(damaged(None, Reason.WRONG_PORT), "198.51.100.9:1")
            await rig.sync()
            first, second = await rig.open_alarms()
            assert (first["home"], second["home"]) == ("192.0.2.7", "198.51.100.9")
            assert (first["priority"], first["unknown_account"]) == ("TECHNICAL", True)
            assert first["why"] == "unknown account: fault wrong_port; no key opens the frame"

    run(scenario())


def test_a_home_behind_a_noisy_gateway_is_heard(tmp_path: Path) -> None:
    """The evidence budget of an address is used up by whoever stands behind it; a known home has its own."""
    settings = small(tmp_path, limits={"rejects_kept_per_peer_per_minute": 2})

    async def scenario() -> None:
        async with core(tmp_path, settings=settings, accounts=[HOME, KEYED]) as rig:
            for _ in range(5):
                rig.reject(damaged(None, Reason.BAD_CHECKSUM))
                rig.reject(damaged("1234"))
            rig.reject(damaged("5678"))
            rig.reject(damaged(None), "198.51.100.9:1")
            await rig.sync()
            kept = [row["account"] for row in rig.read("SELECT account FROM rejects")]
            assert sorted(kept) == ["", "", "", "1234", "1234", "5678"]
            assert sum(rig.counters.rejects.values()) == 12
            assert {alarm["home"] for alarm in await rig.open_alarms()} == {"H1", "H2"}
            rig.clock.advance(60)
            rig.reject(damaged(None))
            await rig.sync()
            assert len(rig.read("SELECT id FROM rejects")) == 7

    run(scenario())


def test_refusals_are_within_the_evidence_budget(tmp_path: Path) -> None:
    """A stranger who is refused a thousand times is told a thousand times and written down as often as evidence is."""
    settings = small(
        tmp_path, intake={"unknown_accounts": UnknownPolicy.REFUSE}, limits={"rejects_kept_per_peer_per_minute": 3}
    )

    async def scenario() -> None:
        async with core(tmp_path, settings=settings) as rig:
            told = await asyncio.gather(*[rig.submit(signal(str(number))) for number in range(20)])
            assert {tuple(one.verdicts or ()) for one in told} == {(refused(Reason.UNKNOWN_ACCOUNT),)}
            await rig.sync()
            assert len(rig.read("SELECT id FROM rejects")) == 3
            assert len(rig.read("SELECT id FROM audit WHERE action = 'refuse'")) == 3
            assert rig.counters.signals["dc09", Outcome.REFUSED] == 20

    run(scenario())


def test_rejects_that_wait_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a commit takes its time, evidence is gathered up to a bound and only counted beyond it."""
    monkeypatch.setattr(evidence, "WAITING_MAX", 4)

    async def scenario() -> None:
        async with core(tmp_path) as rig:
            rig.journal.gate.clear()
            told = rig.submit(signal())
            await rig.held()
            for _ in range(9):
                rig.reject(damaged(None))
            rig.journal.gate.set()
            await told
            await rig.sync()
            assert len(rig.read("SELECT id FROM rejects")) == 4
            assert rig.counters.rejects["dc09", Reason.UNDECRYPTABLE, Caller.UNNAMED] == 9

    run(scenario())


def test_a_concern_survives_the_commit_that_failed(tmp_path: Path) -> None:
    """A home that could not be read is not forgotten with the batch that should have said so."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[KEYED]) as rig:
            rig.journal.failing = True
            rig.reject(damaged("5678"))
            await until(lambda: not rig.commit.ready)
            assert await rig.open_alarms() == []
            await rig.healed()
            await rig.sync()
            assert [alarm["home"] for alarm in await rig.open_alarms()] == ["H2"]
            assert len(rig.read("SELECT id FROM rejects")) == 1

    run(scenario())


# --- heartbeats -------------------------------------------------------------------------------------------------------


def beats(rig: Core) -> dict[str, int]:
    rows = rig.read("SELECT account, received FROM units WHERE received > 0")
    return {row["account"]: row["received"] for row in rows}


def test_heartbeats_are_answered_from_memory_and_written_later(tmp_path: Path) -> None:
    """A heartbeat waits for no disk; its count is written after some seconds, added to what was there."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            for _ in range(3):
                told = rig.submit(beat())
                assert told.done()
                assert told.result().verdicts == [STORED]
            assert rig.counters.heartbeats["dc09"] == 3
            await rig.submit(signal())
            assert beats(rig) == {}
            rig.clock.advance(bookkeeping.EVERY_S)
            await rig.sync()
            assert beats(rig) == {"1234": 4}  # every report is a sign of life
            rig.submit(beat())
            rig.clock.advance(bookkeeping.EVERY_S)
            await rig.sync()
            assert beats(rig) == {"1234": 5}
            assert [row["id"] for row in rig.read("SELECT id FROM signals")] == [1]

    run(scenario())


def test_a_timer_writes_heartbeats_when_nothing_else_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle receiver writes what it heard without being asked."""
    monkeypatch.setattr(bookkeeping, "EVERY_S", 0.02)

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.submit(beat())
            rig.clock.advance(0.02)
            await until(lambda: beats(rig) == {"1234": 1})

    run(scenario())


def test_heartbeats_leave_in_bounded_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet's heartbeats are written one batch behind the other, and an alarm gets between them."""
    monkeypatch.setattr(bookkeeping, "PER_BATCH", 10)
    homes = [Account(account=str(number)) for number in range(35)]

    async def scenario() -> None:
        async with core(tmp_path, accounts=homes) as rig:
            for home in homes:
                rig.submit(beat(home.account))
            rig.clock.advance(bookkeeping.EVERY_S)
            rig.journal.gate.clear()
            rig.commit.wake()
            await rig.held()
            told = rig.submit(signal("7"))
            rig.journal.gate.set()
            await told
            await until(lambda: len(rig.journal.written) >= 4)
            sizes = [(len(batch.supervision.units), len(batch.signals)) for batch in rig.journal.written]
            assert sizes[:4] == [(10, 0), (10, 1), (10, 0), (5, 0)]
            assert len(beats(rig)) == 35

    run(scenario())


def test_heartbeats_are_written_at_the_end(tmp_path: Path) -> None:
    """A receiver that is stopped writes what it heard since the last time."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.submit(beat())
            rig.submit(beat())
        assert beats(rig) == {"1234": 2}

    run(scenario())


def test_a_failed_commit_loses_no_heartbeat(tmp_path: Path) -> None:
    """Heartbeats of a batch that was lost are counted with the next one, and only once."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.submit(beat())
            rig.clock.advance(bookkeeping.EVERY_S)
            rig.journal.failing = True
            assert not await rig.sync()
            await rig.healed()
            await rig.sync()
            assert beats(rig) == {"1234": 1}

    run(scenario())


def test_a_stranger_s_heartbeat_is_a_report(tmp_path: Path) -> None:
    """Somebody whom nobody registered and who is alive is shown to a person."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            assert (await rig.submit(beat("9999"))).verdicts == [STORED]
            assert [alarm["kind"] for alarm in await rig.open_alarms()] == ["heartbeat"]

    run(scenario())


def test_a_heartbeat_does_not_hide_the_alarm_beside_it(tmp_path: Path) -> None:
    """A frame that says "alive" and "help" is stored before it is acknowledged."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            both = (beat()._replace(part=1, parts=2), signal(part=2, parts=2))
            assert (await rig.submit(*both)).verdicts == [STORED, STORED]
            assert [row["kind"] for row in rig.read("SELECT kind FROM signals ORDER BY id")] == [
                "heartbeat",
                "personal_emergency",
            ]
            assert [alarm["priority"] for alarm in await rig.open_alarms()] == ["LIFE"]

    run(scenario())


# --- stamps and watchers ----------------------------------------------------------------------------------------------


def test_t2_runs_from_established_to_ready(tmp_path: Path) -> None:
    """An alarm's t2 begins with its communication and ends when operators can see it, stamped soon afterwards."""

    async def scenario() -> None:
        async with core(tmp_path) as rig:
            rig.journal.gate.clear()
            told = rig.submit(signal(), arrival=rig.arrival(seconds_ago=1.5))
            await rig.held()
            assert await rig.open_alarms() == []
            rig.clock.advance(2)
            rig.journal.gate.set()
            await told
            (alarm,) = await rig.open_alarms()
            assert alarm["t2_s"] == 3.5
            assert rig.counters.t2.count == 1
            await rig.sync()
            (row,) = rig.read("SELECT durable_us, c.ready_us, t2_us FROM commits c JOIN alarms a ON c.id = a.id")
            assert row["ready_us"] == row["durable_us"] == rig.clock.now().utc_us
            assert row["t2_us"] == 3_500_000

    run(scenario())


def test_an_alarm_whose_stamp_was_lost_is_ready_after_the_restart(tmp_path: Path) -> None:
    """A crash between commit and stamp leaves no alarm without the beginning of its t3, and the audit says so."""

    async def scenario() -> None:
        rig = Core(tmp_path)
        await rig.submit(signal())
        rig.crash()
        assert rig.read("SELECT ready_us FROM alarms") == [{"ready_us": None}]
        rig.clock.advance(100)
        async with core(tmp_path, clock=rig.clock) as rig:
            (alarm,) = await rig.open_alarms()
            assert alarm["t2_s"] == 100
            assert alarm["t3_s"] == 0
            await rig.sync()
            assert rig.read("SELECT ready_us FROM alarms") == [{"ready_us": rig.clock.now().utc_us}]
            assert rig.read("SELECT subject FROM audit WHERE action = 'ready'") == [{"subject": "alarm 1"}]
            assert rig.flaws() == []

    run(scenario())


def test_watchers_hear_what_became_durable(tmp_path: Path) -> None:
    """Signals, new alarms, alarms that grew and alarms that became more urgent, in the order of the commits."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            events = rig.dispatch.watch()
            first = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            await rig.submit(signal(code="302", kind=Kind.BATTERY_LOW, text="low"))
            await rig.submit(signal(code="302", kind=Kind.BATTERY_LOW))
            await rig.submit(signal())
            heard = [await first] + [await anext(events) for _ in range(5)]
            await events.aclose()
            assert [event["event"] for event in heard] == ["signal", "alarm", "signal", "joined", "signal", "lifted"]
            said = heard[0]["signal"]
            assert (said["id"], said["alarm"], said["home"], said["kind"]) == (1, 1, "H1", "battery_low")
            assert [event["alarm"]["signals"] for event in heard[1::2]] == [1, 2, 3]
            assert heard[5]["alarm"]["priority"] == "LIFE"

    run(scenario())


def test_a_key_never_reaches_a_row(tmp_path: Path) -> None:
    """Of the key that opened a frame only the name is stored."""
    secret = Key(name="spring", secret=b"0123456789abcdef")

    async def scenario() -> None:
        async with core(tmp_path, accounts=[KEYED]) as rig:
            await rig.submit(signal("5678", sealed_with=secret.name))
            (row,) = rig.read("SELECT * FROM signals")
            assert row["sealed_with"] == "spring"
            assert secret.secret not in repr(row).encode()

    run(scenario())

"""Ports of line receivers: only the last message of a port can come again, and a home that calls again is heard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.callers import HOME
from tests.rigs.core import ANA, Core, core, signal, small
from vetlla.domain.accounts import Account, UnknownPolicy
from vetlla.domain.signals import DUPLICATE, STORED, AccountId, Event, Kind, Phase, Reason, refused
from vetlla.service.queue.retelling import ABSENT_GAP_S, ABSENT_TELLINGS, REPEAT_WITHIN_S
from vetlla.service.supervision.rules import Health
from vetlla.settings.intake import IntakeSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vetlla.domain.signals import Verdict
    from vetlla.settings.model import Settings

BEAT = Event(Kind.HEARTBEAT, Phase.STATUS, "", "surgard")
CALL = signal("1234", raw=b"5011 181234E10100007\x14", protocol="surgard")
OTHER = signal("5678", raw=b"5011 185678E10100007\x14", protocol="surgard")
TEST = signal("1234", "602", kind=Kind.PERIODIC_TEST, raw=b"5011 181234E60200000\x14", protocol="surgard")


def settings(directory: Path, *names: str) -> Settings:
    place = {"host": "127.0.0.1", "port": 0}
    line: Any = tuple({"name": name, "protocol": "surgard", "accept": place} for name in names or ("sg",))
    return small(directory, line=line)


async def tell(rig: Core, *said: Any, port: str = "sg") -> Verdict:  # noqa: ANN401 - signals of one frame
    verdicts: Sequence[Verdict] | None = (await rig.submit(*said, arrival=rig.arrival(listener=port))).verdicts
    assert verdicts is not None
    assert len(set(verdicts)) == 1
    return verdicts[0]


def stored(rig: Core) -> list[tuple[int, int]]:
    """Return the number of each stored signal, and how often it was repeated."""
    rows = rig.read("SELECT id, coalesce(count, 0) AS again FROM signals LEFT JOIN duplicates ON signal_id = id")
    return [(row["id"], row["again"]) for row in rows]


async def test_the_last_message_again_at_once_is_a_repetition(tmp_path: Path) -> None:
    """A receiver repeats it after its patience; the repetition is shown on the alarm."""
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        rig.intake.last_frames.opened("sg", rig.clock.now().mono_us)
        rig.clock.advance(60)
        assert await tell(rig, CALL) == STORED
        for _ in range(2):
            rig.clock.advance(REPEAT_WITHIN_S)
            assert await tell(rig, CALL._replace(raw=CALL.raw.rstrip(b"\x14"))) == DUPLICATE
        assert stored(rig) == [(1, 2)]
        (alarm,) = await rig.open_alarms()
        assert alarm["told_again"] == 2


async def test_after_the_patience_of_a_receiver_it_is_a_second_call(tmp_path: Path) -> None:
    """The receiver had its answer, so a home has dialled again. It joins the open alarm as another signal."""
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        rig.clock.advance(60)
        assert await tell(rig, CALL) == STORED
        rig.clock.advance(REPEAT_WITHIN_S + 1)
        assert await tell(rig, CALL) == STORED
        assert stored(rig) == [(1, 0), (2, 0)]


async def test_another_message_between_makes_it_a_second_call(tmp_path: Path) -> None:
    """A receiver sends the next message only after the answer to the one before."""
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        assert [await tell(rig, said) for said in (CALL, OTHER, CALL, CALL)] == [STORED, STORED, STORED, DUPLICATE]


async def test_a_port_that_was_opened_again_may_repeat_its_last_message(tmp_path: Path) -> None:
    """The answer may have been lost with the connection; later than that it is a second call."""
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        rig.clock.advance(60)
        assert await tell(rig, CALL) == STORED
        rig.clock.advance(ABSENT_GAP_S)
        rig.intake.last_frames.opened("sg", rig.clock.now().mono_us)
        assert await tell(rig, CALL) == DUPLICATE
        rig.clock.advance(1)
        rig.intake.last_frames.opened("sg", rig.clock.now().mono_us)
        rig.clock.advance(ABSENT_GAP_S)
        assert await tell(rig, CALL) == STORED


async def test_a_receiver_that_got_no_answers_repeats_later(tmp_path: Path) -> None:
    """It repeated its message until it took the computer for absent, and sends it again after a heartbeat."""
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        rig.clock.advance(60)
        told = []
        for _ in range(ABSENT_TELLINGS):
            told.append(await tell(rig, CALL))
            rig.clock.advance(4)
        assert told == [STORED, *[DUPLICATE] * (ABSENT_TELLINGS - 1)]
        rig.clock.advance(ABSENT_GAP_S - 4)
        assert await tell(rig, CALL) == DUPLICATE


@pytest.mark.parametrize("call", [CALL, TEST], ids=["call", "test"])
async def test_a_restart_keeps_the_last_message(tmp_path: Path, call: Any) -> None:  # noqa: ANN401 - a signal
    """The journal has it, so a repetition after kill -9 is not stored again, and a message between still counts."""
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        assert await tell(rig, call) == STORED
        assert await tell(rig, call) == DUPLICATE
        clock = rig.clock
    clock.advance(30)
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME], clock=clock) as rig:
        assert await tell(rig, call) == DUPLICATE
        assert stored(rig) == [(1, 2)]
        assert await tell(rig, OTHER) == STORED
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME], clock=clock) as rig:
        assert await tell(rig, call) == STORED


async def test_a_closed_alarm_takes_no_repetition(tmp_path: Path) -> None:
    """After the alarm was closed, the same bytes are another call at any time."""
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        assert await tell(rig, CALL) == STORED
        await rig.ask("queue.answer", ANA, alarm=1)
        await rig.ask("queue.close", ANA, alarm=1, outcome="handled_by_voice")
        assert await tell(rig, CALL) == STORED
        (alarm,) = await rig.open_alarms()
        assert alarm["id"] == 2


async def test_ports_do_not_know_one_another(tmp_path: Path) -> None:
    """The same bytes on two ports are two calls."""
    async with core(tmp_path, settings=settings(tmp_path, "one", "two"), accounts=[HOME]) as rig:
        told = [await tell(rig, CALL, port=port) for port in ("one", "two", "one", "two")]
        assert told == [STORED, STORED, DUPLICATE, DUPLICATE]


async def test_all_events_of_a_block_are_repeated_together(tmp_path: Path) -> None:
    """A block of several events is one message."""
    raw = b"S011[#1234|NPA01/BA02]\x14"
    burglary = Event(Kind.FAULT, Phase.NEW, "BA", "SIA-DCS")
    block = [
        signal("1234", raw=raw, part=1, parts=2),
        signal("1234", raw=raw, part=2, parts=2, event=burglary),
    ]
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        assert [await tell(rig, *block) for _ in range(2)] == [STORED, DUPLICATE]
        assert stored(rig) == [(1, 1), (2, 1)]
        clock = rig.clock
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME], clock=clock) as rig:
        assert await tell(rig, *block) == DUPLICATE


async def test_a_failed_commit_is_forgotten(tmp_path: Path) -> None:
    """What was not stored is no repetition when the receiver repeats it."""
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        rig.journal.failing = True
        assert (await rig.submit(CALL, arrival=rig.arrival(listener="sg"))).verdicts is None
        await rig.healed()
        assert await tell(rig, CALL) == STORED


async def test_a_durable_message_is_answered_while_the_disk_fails(tmp_path: Path) -> None:
    """Nothing new can be stored then, and a repetition needs no storage."""
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        assert await tell(rig, CALL) == STORED
        rig.journal.failing = True
        assert (await rig.submit(OTHER, arrival=rig.arrival(listener="sg"))).verdicts is None
        assert not rig.commit.ready
        assert await tell(rig, CALL) == DUPLICATE
        assert (await rig.submit(OTHER, arrival=rig.arrival(listener="sg"))).verdicts is None
        await rig.healed()


async def test_messages_of_homes_and_strangers_stay_in_their_order(tmp_path: Path) -> None:
    """A stranger's copy that waits behind a home's message in one batch is still the repetition that came before it."""
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        assert await tell(rig, OTHER) == STORED
        rig.journal.gate.clear()
        first = rig.submit(TEST, arrival=rig.arrival(listener="dc09"))
        await rig.held()
        told = [rig.submit(said, arrival=rig.arrival(listener="sg")) for said in (OTHER, CALL)]
        rig.journal.gate.set()
        await first
        assert [(await one).verdicts for one in told] == [[DUPLICATE], [STORED]]


async def test_a_refused_message_between_makes_it_a_second_call(tmp_path: Path) -> None:
    """The receiver had its answer for the refused one, so it had it for the one before, too."""
    refusing = settings(tmp_path).model_copy(update={"intake": IntakeSettings(unknown_accounts=UnknownPolicy.REFUSE)})
    async with core(tmp_path, settings=refusing, accounts=[HOME]) as rig:
        assert await tell(rig, CALL) == STORED
        assert await tell(rig, OTHER) == refused(Reason.UNKNOWN_ACCOUNT)
        assert await tell(rig, CALL) == STORED


async def test_a_call_after_a_heartbeat_of_the_same_connection_is_another_call(tmp_path: Path) -> None:
    """An idle receiver has had its answer. On a new connection it may beat before it repeats a message."""
    accounts = [HOME, Account(account="LINE:sg", interval_s=60)]
    beat = CALL._replace(id=AccountId("01", "1", "LINE:sg"), raw=b"1011 @", event=BEAT)
    async with core(tmp_path, settings=settings(tmp_path), accounts=accounts) as rig:
        assert [await tell(rig, said) for said in (CALL, beat, CALL)] == [STORED] * 3
        rig.clock.advance(1)
        rig.intake.last_frames.opened("sg", rig.clock.now().mono_us)
        assert [await tell(rig, said) for said in (beat, CALL)] == [STORED, DUPLICATE]


async def test_only_its_own_port_speaks_for_a_line_receiver(tmp_path: Path) -> None:
    """A terminal that names the account of a receiver is a stranger, and no sign of life of the receiver."""
    beat = CALL._replace(id=AccountId("", "0", "line:SG"), raw=b"x", event=BEAT)
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        unit = rig.book.of_number("LINE:sg")[0].unit
        rig.clock.advance(200)
        rig.supervision.look()
        assert rig.supervision.fleet.state[unit] == Health.LOST
        assert (await rig.submit(beat, arrival=rig.arrival(listener="dc09"))).verdicts == [STORED]
        assert rig.supervision.fleet.state[unit] == Health.LOST


async def test_a_sign_of_life_that_is_stored_is_no_message(tmp_path: Path) -> None:
    """It has no bytes, and comes before each message."""
    sign = CALL._replace(raw=b"", event=Event(Kind.POSITION, Phase.STATUS, "", "x"))
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        told = [await tell(rig, said) for said in (sign, CALL, sign, CALL)]
        assert told == [STORED, STORED, STORED, DUPLICATE]


async def test_a_caller_without_an_account_can_repeat(tmp_path: Path) -> None:
    """A message that names no account can still be recognised by its bytes."""
    nameless = CALL._replace(id=AccountId("01", "1", ""))
    async with core(tmp_path, settings=settings(tmp_path), accounts=[HOME]) as rig:
        assert [await tell(rig, nameless) for _ in range(2)] == [STORED, DUPLICATE]

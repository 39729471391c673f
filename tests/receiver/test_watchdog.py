"""The watchdog over a real journal: verdicts, alarms, incidents, pauses, and what a restart leaves of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.receiver.core import ANA, LOOPS, Core, core, run, signal, small, until
from vetlla.accounts import Account
from vetlla.clock import ManualClock, SystemClock
from vetlla.devices import DeviceType, Place
from vetlla.receiver import bookkeeping, enrolment
from vetlla.receiver.commit import Operation
from vetlla.receiver.fleet import name_of
from vetlla.receiver.pauses import Order
from vetlla.service.supervision import Health, Pause
from vetlla.settings.model import AlarmPolicy
from vetlla.signals import Event, Kind, Phase
from vetlla.store.expected import Expected, Terminal, Ucr
from vetlla.store.ledger import DayOf, unpack

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.signals import Signal

INTERVAL_S = 900
LOST_AFTER_S = 3 * INTERVAL_S + 6
"""Three misses, the tolerance of 5 s, and a slot of the wheel."""
HOME = Account(account="1234", home="H-1", interval_s=INTERVAL_S, ucr_interval_s=INTERVAL_S)
DAY_S = 86_400


def beat(account: str = "1234") -> Signal:
    return signal(account, "NULL", kind=Kind.HEARTBEAT)


def presence(device: str = "U1", account: str = "1234") -> Signal:
    return signal(account, "hb", kind=Kind.PRESENCE, device=device)


def will(account: str = "1234") -> Signal:
    """Return what a broker says of a terminal whose connection broke."""
    return signal(account, "lost", kind=Kind.PATH_TROUBLE, device="", hearsay=True)


async def wait(rig: Core, seconds: float) -> None:
    """Let time pass in one step, judge, and have the journal written."""
    rig.clock.advance(seconds)
    while rig.watchdog.look():
        pass
    await rig.sync()
    await rig.sync()


async def alive(rig: Core) -> None:
    """Let the receiver leave a proof that it lives, as it does every few seconds."""
    rig.commit.pulse()
    await rig.sync()


def state(rig: Core, account: str = "1234", device: str = "") -> Health:
    name = name_of(Account(account=account), device)
    (number,) = (one for one in rig.watchdog.fleet if rig.watchdog.fleet.name(one) == name)
    return Health(rig.watchdog.fleet.state[number])


def verdicts(rig: Core) -> list[tuple[str, str, int | None]]:
    rows = rig.read(
        "SELECT u.account, u.device, v.state, v.incident FROM verdicts AS v JOIN units AS u ON u.id = v.unit"
        " ORDER BY v.id"
    )
    return [
        (f"{row['account']}/{row['device']}".rstrip("/"), Health(row["state"]).word, row["incident"]) for row in rows
    ]


async def why(rig: Core) -> list[str]:
    return [alarm["why"] for alarm in await rig.open_alarms()]


def fleet_of(count: int, **said: Any) -> list[Account]:  # noqa: ANN401 - fields of an account
    return [Account(account=f"{n:04}", home=f"H{n}", interval_s=INTERVAL_S, **said) for n in range(count)]


# --- a terminal -------------------------------------------------------------------------------------------------------


def test_a_lost_terminal_opens_an_alarm_and_a_restore_closes_it(tmp_path: Path) -> None:
    """Silent for three intervals: a verdict in the journal and a TECHNICAL alarm; heard again: both end."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.submit(beat())
            await wait(rig, LOST_AFTER_S - INTERVAL_S)
            assert (state(rig), await why(rig)) == (Health.LATE, [])
            await wait(rig, INTERVAL_S)
            assert state(rig) is Health.LOST
            (alarm,) = await rig.open_alarms()
            assert (alarm["kind"], alarm["priority"], alarm["home"]) == ("device_lost", "TECHNICAL", "H-1")
            assert "last heard 2026-01-01T00:00:00.000000Z, expected every 900 s" in alarm["why"]
            rig.submit(beat())
            await wait(rig, 1)
            assert (state(rig), await rig.open_alarms()) == (Health.OK, [])
            assert verdicts(rig) == [("1234", "lost", None), ("1234", "ok", None)]
            (closed,) = rig.read("SELECT state, outcome, operator FROM alarms")
            assert (closed["state"], closed["outcome"], closed["operator"]) == ("closed", "technical", "receiver")
            assert rig.flaws() == []

    run(scenario())


def test_an_alarm_in_somebody_s_hands_is_not_taken_away(tmp_path: Path) -> None:
    """Whoever has it reads that the device was heard again, and closes it."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await wait(rig, LOST_AFTER_S)
            await rig.ask("queue.claim", ANA, alarm=1)
            rig.submit(beat())
            await wait(rig, 1)
            (alarm,) = await rig.open_alarms()
            assert alarm["state"] == "claimed"
            (note,) = rig.read("SELECT operator, text FROM notes")
            assert note["operator"] == "receiver"
            assert note["text"].startswith("heard again at 2026-01-01")

    run(scenario())


def test_a_lost_home_that_calls_for_help(tmp_path: Path) -> None:
    """The call is a sign of life: the loss's alarm ends, and the call stands by itself."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await wait(rig, LOST_AFTER_S)
            await rig.submit(signal())
            await wait(rig, 1)
            assert state(rig) is Health.OK
            assert [alarm["priority"] for alarm in await rig.open_alarms()] == ["LIFE"]

    run(scenario())


def test_a_loss_that_joined_a_call_does_not_end_it(tmp_path: Path) -> None:
    """A home that called and then fell silent keeps its call when the terminal is heard again."""
    home = Account(account="1234", home="H-1", interval_s=300)

    async def scenario() -> None:
        async with core(tmp_path, accounts=[home]) as rig:
            await rig.submit(signal())
            await wait(rig, 906)
            assert state(rig) is Health.LOST
            assert verdicts(rig) == [("1234", "lost", None)]
            rig.submit(beat())
            await wait(rig, 1)
            (alarm,) = await rig.open_alarms()
            assert (alarm["id"], alarm["priority"]) == (1, "LIFE")
            assert [row["operator"] for row in rig.read("SELECT operator FROM notes")] == ["receiver"]

    run(scenario())


def test_a_terminal_that_was_never_heard_is_lost_too(tmp_path: Path) -> None:
    """Registered and silent from the beginning: it is not forgotten."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            assert state(rig) is Health.UNKNOWN
            await wait(rig, LOST_AFTER_S)
            assert state(rig) is Health.LOST
            assert "never heard" in (await why(rig))[0]

    run(scenario())


def test_every_report_is_a_sign_of_life(tmp_path: Path) -> None:
    """A terminal that reports its mains failure lives, and a mains failure pauses nothing."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.submit(beat())
            rig.clock.advance(2 * INTERVAL_S)
            await rig.submit(signal(code="301", kind=Kind.MAINS_LOST))
            await wait(rig, 2 * INTERVAL_S)
            assert state(rig) is Health.LATE
            await wait(rig, INTERVAL_S + 6)
            assert state(rig) is Health.LOST

    run(scenario())


def test_a_broker_s_word_is_no_sign_of_life(tmp_path: Path) -> None:
    """A last will, or a state that the broker kept, brings nobody back who is lost."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.submit(beat())
            await wait(rig, LOST_AFTER_S)
            rig.submit(will())
            await rig.sync()
            assert state(rig) is Health.LOST
            assert rig.watchdog.fleet.received[0] == 1

    run(scenario())


def test_a_last_will_says_that_a_terminal_is_lost(tmp_path: Path) -> None:
    """At once, and its UCRs are unknown; one alarm, which ends when the terminal is heard again."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.submit(presence())
            rig.submit(will())
            await wait(rig, 1)
            assert (state(rig), state(rig, device="U1")) == (Health.LOST, Health.UNKNOWN)
            assert [alarm["kind"] for alarm in await rig.open_alarms()] == [Kind.DEVICE_LOST]
            rig.submit(beat())
            await wait(rig, 1)
            assert (state(rig), await why(rig)) == (Health.OK, [])
            await wait(rig, LOST_AFTER_S)
            assert state(rig) is Health.LOST

    run(scenario())


def test_a_last_will_of_who_is_not_supervised_is_an_alarm(tmp_path: Path) -> None:
    """Nobody else would tell; and what a broker kept of a call for help loses nobody."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[replace(HOME, interval_s=0), *fleet_of(1)]) as rig:
            rig.submit(will())
            rig.submit(signal("0000", hearsay=True))
            await wait(rig, 1)
            assert (state(rig), state(rig, "0000")) == (Health.NOT_SUPERVISED, Health.UNKNOWN)
            kinds = {alarm["home"]: alarm["kind"] for alarm in await rig.open_alarms()}
            assert kinds == {"H-1": Kind.PATH_TROUBLE, "H0": Kind.PERSONAL_EMERGENCY}

    run(scenario())


def test_many_last_wills_are_one_incident(tmp_path: Path) -> None:
    """A cell fails: one alarm, and none is left when its terminals are back."""
    homes = fleet_of(30, labels=("operator:a",))

    async def scenario() -> None:
        async with core(tmp_path, accounts=homes) as rig:
            for home in homes:
                rig.submit(beat(home.account))
            for home in homes:
                rig.submit(will(home.account))
            await wait(rig, 1)
            assert [alarm["home"] for alarm in await rig.open_alarms()] == ["incident 1"]
            for home in homes:
                rig.submit(beat(home.account))
            await wait(rig, 1)
            assert await rig.open_alarms() == []

    run(scenario())


def test_nobody_is_judged_by_a_time_in_which_nothing_could_be_taken(tmp_path: Path) -> None:
    """While the disk fails, terminals turn to their second receiver: each has a whole period once it works."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.submit(beat())
            rig.journal.failing = True
            assert (await rig.submit(signal("77"))).verdicts is None
            rig.clock.advance(10 * INTERVAL_S)
            await rig.healed()
            rig.watchdog.look()
            assert state(rig) is Health.OK
            await wait(rig, LOST_AFTER_S)
            assert state(rig) is Health.LOST

    run(scenario())


def test_a_loss_whose_commit_failed_is_written_with_the_next(tmp_path: Path) -> None:
    """One verdict and one alarm, whatever the disk does in between."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.submit(beat())
            await rig.sync()
            rig.journal.gate.clear()
            rig.clock.advance(LOST_AFTER_S)
            rig.watchdog.look()
            await rig.held()
            rig.journal.failing = True
            rig.journal.gate.set()
            assert not await rig.sync()
            await rig.healed()
            await rig.sync()
            await rig.sync()
            assert verdicts(rig) == [("1234", "lost", None)]
            assert len(await why(rig)) == 1
            rig.submit(beat())
            await wait(rig, 1)
            assert await why(rig) == []

    run(scenario())


def test_policy_may_open_no_alarm(tmp_path: Path) -> None:
    """The verdict is in the journal all the same."""

    async def scenario() -> None:
        settings = small(tmp_path, supervision={"alarms": AlarmPolicy.NONE})
        async with core(tmp_path, settings=settings, accounts=[HOME]) as rig:
            await wait(rig, LOST_AFTER_S)
            assert (await why(rig), verdicts(rig)) == ([], [("1234", "lost", None)])

    run(scenario())


@pytest.mark.parametrize("loop", LOOPS)
def test_the_loop_s_timer_judges(tmp_path: Path, loop: str) -> None:
    """On a real clock, nobody asking: whoever falls silent is found, one after the other."""
    homes = [Account(account=str(number), interval_s=1, allowed_misses=1) for number in range(2)]
    settings = small(tmp_path, supervision={"tolerance_s": 0.0})

    async def scenario() -> None:
        async with core(tmp_path, settings=settings, accounts=homes, clock=SystemClock()) as rig:
            for home in homes:
                rig.submit(beat(home.account))
            await until(lambda: rig.watchdog.fleet.counts[Health.LOST] == 2)
            await rig.sync()
            assert len(verdicts(rig)) == 2

    run(scenario(), loop)


# --- UCRs -------------------------------------------------------------------------------------------------------------


def test_a_ucr_reports_itself_and_is_watched_from_then_on(tmp_path: Path) -> None:
    """Its first presence is stored as a report; those that follow are counted in memory; silent, it is lost."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.submit(presence())
            told = rig.submit(presence())
            assert told.done()  # no disk was waited for
            assert [row["kind"] for row in rig.read("SELECT kind FROM signals")] == ["presence"]
            for _ in range(4):
                await wait(rig, INTERVAL_S)
                rig.submit(beat())
            assert (state(rig), state(rig, device="U1")) == (Health.OK, Health.LOST)
            assert "from U1" in (await why(rig))[0]
            rig.submit(presence())
            await wait(rig, 1)
            assert await why(rig) == []

    run(scenario())


def test_policy_may_leave_ucrs_without_alarm(tmp_path: Path) -> None:
    """Where operators shall only hear of terminals."""

    async def scenario() -> None:
        settings = small(tmp_path, supervision={"alarms": AlarmPolicy.TERMINALS})
        async with core(tmp_path, settings=settings, accounts=[HOME]) as rig:
            await rig.submit(presence())
            for _ in range(4):
                await wait(rig, INTERVAL_S)
                rig.submit(beat())
            assert (state(rig, device="U1"), await why(rig)) == (Health.LOST, [])

    run(scenario())


def test_a_lost_terminal_and_its_ucr_are_one_alarm(tmp_path: Path) -> None:
    """The UCR is unknown, and says nothing of its own."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.submit(presence())
            await wait(rig, LOST_AFTER_S)
            assert (state(rig), state(rig, device="U1")) == (Health.LOST, Health.UNKNOWN)
            assert len(await why(rig)) == 1
            assert verdicts(rig) == [("1234", "lost", None)]

    run(scenario())


def test_a_terminal_that_misses_its_ucr_is_no_sign_of_it(tmp_path: Path) -> None:
    """Radio test missing is the terminal's word on a UCR that is gone; radio test back is a sign of life."""
    missing = Event(Kind.DEVICE_LOST, Phase.NEW, "0003-0123", "scaip")

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.submit(presence())
            for _ in range(4):
                await wait(rig, INTERVAL_S)
                await rig.submit(presence()._replace(event=missing))
            assert state(rig, device="U1") is Health.LOST
            await rig.submit(presence()._replace(event=missing._replace(phase=Phase.RESTORE, code="0003-0124")))
            assert state(rig, device="U1") is Health.OK

    run(scenario())


@pytest.mark.parametrize(
    ("left", "back"),
    [
        (Event(Kind.CONFIGURATION, Phase.RESTORE, "401", "contact_id"), Phase.NEW),
        (Event(Kind.CONFIGURATION, Phase.NEW, "401", "contact_id"), Phase.RESTORE),
    ],
    ids=["closing", "opening"],
)
def test_away_pauses_the_pendants_and_not_the_terminal(tmp_path: Path, left: Event, back: Phase) -> None:
    """The home is left: its UCRs are not supervised, and are again when somebody is back."""
    closing = left.phase is Phase.RESTORE

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.submit(presence())
            await rig.submit(signal()._replace(event=left, device="002"))
            expected = Health.NOT_SUPERVISED if closing else Health.OK
            assert (state(rig), state(rig, device="U1")) == (Health.OK, expected)
            await rig.submit(signal()._replace(event=left._replace(phase=back), device="002"))
            assert state(rig, device="U1") is (Health.UNKNOWN if closing else Health.NOT_SUPERVISED)

    run(scenario())


LEFT = signal(device="", identity=b"left")._replace(event=Event(Kind.CONFIGURATION, Phase.NEW, "0002-0003", "scaip"))
BACK = signal(device="", identity=b"back")._replace(event=Event(Kind.CONFIGURATION, Phase.NEW, "0002-0121", "scaip"))


def test_a_repetition_moves_nobody(tmp_path: Path) -> None:
    """A terminal repeats what has no receipt yet: that somebody left, after it was said that somebody is back."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.submit(presence())
            for said in (LEFT, BACK, LEFT):
                await rig.submit(said)
            assert state(rig, device="U1") is not Health.NOT_SUPERVISED

    run(scenario())


@pytest.mark.parametrize(("buffered", "repeated"), [(True, False), (False, True)])
def test_who_left_long_ago_may_be_back(tmp_path: Path, buffered: bool, repeated: bool) -> None:  # noqa: FBT001
    """An old departure pauses nobody; an old return ends a pause: in doubt a pendant is supervised."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.submit(presence())
            await rig.submit(LEFT._replace(buffered=buffered, repeated=repeated))
            assert state(rig, device="U1") is Health.OK
            await rig.submit(LEFT._replace(identity=b""))
            assert state(rig, device="U1") is Health.NOT_SUPERVISED
            await rig.submit(BACK._replace(buffered=buffered, repeated=repeated))
            assert state(rig, device="U1") is not Health.NOT_SUPERVISED

    run(scenario())


def test_a_return_during_a_reload_counts(tmp_path: Path) -> None:
    """The accounts that it came under may be others by the time it is stored."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.submit(presence())
            await rig.submit(LEFT)
            rig.journal.gate.clear()
            rig.submit(signal())
            await until(rig.journal.at_gate.is_set)
            rig.submit(BACK)
            rig.book = type(rig.book)([replace(HOME, support_level=2)])
            await rig.register()
            rig.intake.use(rig.settings, rig.book)
            rig.journal.gate.set()
            await rig.sync()
            await rig.sync()
            assert state(rig, device="U1") is not Health.NOT_SUPERVISED

    run(scenario())


def test_the_inventory_s_ucrs_are_expected_unheard(tmp_path: Path) -> None:
    """A pendant that was handed out and never reported is lost; one that is none of the home's is shown as that."""
    inventory = Expected(
        {"1234": Terminal(DeviceType.TERMINAL_IP, Place.HOME)}, {"H-1": [Ucr(DeviceType.UCR, "U1")]}, ()
    )

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.register(inventory)
            await rig.submit(presence("U9"))
            assert state(rig, device="U9") is Health.NOT_SUPERVISED
            for _ in range(4):
                rig.submit(beat())
                await wait(rig, INTERVAL_S)
            assert state(rig, device="U1") is Health.LOST
            rig.submit(presence("u1"))
            assert state(rig, device="U1") is Health.OK

    run(scenario())


@pytest.mark.parametrize(("place", "reason"), [(Place.WAREHOUSE, Pause.WAREHOUSE), (Place.HOME, Pause.REMOVED)])
def test_a_ucr_that_the_inventory_took_out_of_its_home(tmp_path: Path, place: Place, reason: Pause) -> None:
    """The home's only pendant went back to the warehouse: nobody misses it there."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.register(Expected({}, {"H-1": [Ucr(DeviceType.UCR, "U1")]}, ()))
            await rig.submit(presence())
            await rig.register(Expected({}, {}, (), {"H-1": {"U1": place}}))
            for _ in range(5):
                rig.submit(beat())
                await wait(rig, INTERVAL_S)
            assert (state(rig, device="U1"), await why(rig)) == (Health.NOT_SUPERVISED, [])
            assert Pause(rig.watchdog.fleet.pause[1]) == reason

    run(scenario())


def test_a_terminal_that_invents_ucrs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many are taken up and no more; what the others say is kept as a report."""
    monkeypatch.setattr(enrolment, "UCRS_MAX", 3)

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            for number in range(5):
                await rig.submit(presence(f"X{number}"))
            assert rig.watchdog.fleet.devices == ["", "X0", "X1", "X2"]
            assert len(rig.read("SELECT 1 FROM signals WHERE kind = 'presence'")) == 5

    run(scenario())


def test_a_ucr_that_reports_itself_while_the_registry_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was registered just now, and is heard between two steps of the reload: it is one device."""
    monkeypatch.setattr(enrolment, "AT_ONCE", 1)

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            before = rig.watchdog.enrolment._roster
            reload = asyncio.ensure_future(rig.register(Expected({}, {"H-1": [Ucr(DeviceType.UCR, "U1")]}, ())))
            while rig.watchdog.enrolment._roster is before:  # noqa: ASYNC110 - each turn of the loop counts
                await asyncio.sleep(0)
            rig.submit(presence("u1"))
            await reload
            assert rig.watchdog.fleet.devices == ["", "u1"]
            assert state(rig, device="U1") is Health.OK

    run(scenario())


def test_a_ucr_that_an_installer_adds_is_paused_with_its_terminal(tmp_path: Path) -> None:
    """The order was for the terminal and all its UCRs, and holds for a new one over a restart."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            order = Order("enric", "installer on site", rig.clock.now().utc_us + 7_200_000_000)
            rig.commit.perform(Operation(partial(rig.watchdog.pause, [0], order), lambda *_: None))
            await rig.sync()
            await rig.submit(presence())
            assert state(rig, device="U1") is Health.NOT_SUPERVISED
            clock = rig.clock
        async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
            assert state(rig, device="U1") is Health.NOT_SUPERVISED
            await wait(rig, 7_200)
            assert (state(rig), state(rig, device="U1")) == (Health.UNKNOWN, Health.UNKNOWN)

    run(scenario())


# --- who is not supervised --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inventory", "reason"),
    [
        (Expected({}, {}, {"H-1"}), Pause.SUSPENDED),
        (Expected({"1234": Terminal(DeviceType.TERMINAL_IP, Place.WAREHOUSE)}, {}, ()), Pause.WAREHOUSE),
    ],
    ids=["suspended", "warehouse"],
)
def test_what_rests_by_the_registry_is_not_supervised(tmp_path: Path, inventory: Expected, reason: Pause) -> None:
    """Its silence says nothing; when it ends a whole period counts."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.submit(beat())
            await rig.register(inventory)
            await wait(rig, 10 * INTERVAL_S)
            assert (state(rig), await why(rig)) == (Health.NOT_SUPERVISED, [])
            assert Pause(rig.watchdog.fleet.pause[0]) == reason
            await rig.register()
            await wait(rig, LOST_AFTER_S - 10)
            assert state(rig) is Health.LATE
            await wait(rig, 10)
            assert state(rig) is Health.LOST

    run(scenario())


def test_the_type_of_a_terminal_says_how_often(tmp_path: Path) -> None:
    """Where the account says nothing; without either nobody is supervised."""
    settings = small(tmp_path, supervision={"intervals_s": {DeviceType.TERMINAL_PSTN: 7 * DAY_S}})
    inventory = Expected({"1": Terminal(DeviceType.TERMINAL_PSTN, Place.HOME)}, {}, ())

    async def scenario() -> None:
        async with core(tmp_path, settings=settings, accounts=[Account(account="1"), Account(account="2")]) as rig:
            await rig.register(inventory)
            assert list(rig.watchdog.fleet.interval_s) == [7 * DAY_S, 0]
            await wait(rig, 21 * DAY_S + 6)
            assert (state(rig, "1"), state(rig, "2")) == (Health.LOST, Health.NOT_SUPERVISED)

    run(scenario())


def test_who_is_taken_out_of_the_registry_is_expected_no_more(tmp_path: Path) -> None:
    """And whoever is put back is."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await wait(rig, LOST_AFTER_S)
            assert len(await why(rig)) == 1
            book, rig.book = rig.book, type(rig.book)()
            await rig.register()
            await wait(rig, 1)
            assert (state(rig), await why(rig)) == (Health.NOT_SUPERVISED, [])
            rig.book = book
            await rig.register()
            assert state(rig) is Health.UNKNOWN

    run(scenario())


def test_an_ordered_pause_ends_by_itself(tmp_path: Path) -> None:
    """Works in a building: paused until an instant, durable, and then supervised again."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.submit(beat())
            until_us = rig.clock.now().utc_us + 3_600_000_000
            order = Order("enric", "works", until_us)
            rig.commit.perform(Operation(lambda batch: rig.watchdog.pause([0], order, batch), lambda *_: None))
            await rig.sync()
            assert [row["reason"] for row in rig.read("SELECT reason FROM pauses")] == ["works"]
            await wait(rig, 3_599)
            assert state(rig) is Health.NOT_SUPERVISED
            await wait(rig, 1)
            assert state(rig) is Health.UNKNOWN
            assert rig.read("SELECT * FROM pauses") == []

    run(scenario())


def test_the_alarm_of_a_loss_that_is_paused_says_so(tmp_path: Path) -> None:
    """Nobody heard it again: an operator reads why the alarm ended."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await wait(rig, LOST_AFTER_S)
            await rig.register(Expected({}, {}, {"H-1"}))
            await wait(rig, 1)
            assert await rig.open_alarms() == []
            (row,) = rig.read("SELECT detail FROM audit WHERE action = 'close'")
            assert "heard again" not in row["detail"]
            assert "suspended" in row["detail"]

    run(scenario())


@pytest.mark.parametrize("first_s", [600, 7_200])
def test_a_pause_that_is_ordered_anew_has_one_end(tmp_path: Path, first_s: int) -> None:
    """Made longer or shorter, it ends when the last order says, whatever the wall clock does meanwhile."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            for seconds in (first_s, 3_600):
                order = Order("enric", "works", rig.clock.now().utc_us + seconds * 1_000_000)
                rig.commit.perform(Operation(partial(rig.watchdog.pause, [0], order), lambda *_: None))
                await rig.sync()
            rig.clock.step_wall(-300)
            await wait(rig, 3_599)
            assert state(rig) is Health.NOT_SUPERVISED
            await wait(rig, 1)
            assert state(rig) is Health.UNKNOWN

    run(scenario())


# --- many at once -----------------------------------------------------------------------------------------------------


def test_an_operator_s_outage_is_one_incident(tmp_path: Path) -> None:
    """Its members are listed, one alarm stands for all, and those who were first are taken along."""
    homes = [*fleet_of(30, labels=("operator:a",)), Account(account="9999", home="H9", interval_s=INTERVAL_S)]

    async def scenario() -> None:
        async with core(tmp_path, accounts=homes) as rig:
            for home in homes[:30]:
                rig.submit(beat(home.account))
                rig.clock.advance(1)
            await wait(rig, LOST_AFTER_S - INTERVAL_S - 200)
            rig.submit(beat("9999"))
            for _ in range(60):
                await wait(rig, 20)
            assert rig.watchdog.fleet.counts[Health.LOST] == 30
            (alarm,) = await rig.open_alarms()
            assert alarm["home"] == "incident 1"
            assert "operator:a fell silent together" in alarm["why"]
            (row,) = rig.read("SELECT label, members, closed_us FROM incidents")
            assert (row["label"], row["members"], row["closed_us"]) == ("operator:a", 30, None)
            members = rig.read("SELECT DISTINCT unit FROM verdicts WHERE incident = 1")
            assert len(members) == 30

            for home in homes[:21]:
                rig.submit(beat(home.account))
            await wait(rig, 1)
            (row,) = rig.read("SELECT closed_us FROM incidents")
            assert row["closed_us"] is not None
            # Nine of them are still silent: each is somebody's terminal, and has its own alarm now.
            assert sorted(alarm["home"] for alarm in await rig.open_alarms()) == [f"H{n}" for n in range(21, 30)]

    run(scenario())


# --- restarts ---------------------------------------------------------------------------------------------------------


def test_after_a_restart_everybody_has_one_period_of_grace(tmp_path: Path) -> None:
    """The receiver cannot know who called in between; who was lost stays lost, under the same alarm."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=fleet_of(2)) as rig:
            rig.submit(beat("0000"))
            await wait(rig, INTERVAL_S)
            rig.submit(beat("0000"))
            await wait(rig, LOST_AFTER_S - INTERVAL_S)
            assert (state(rig, "0000"), state(rig, "0001")) == (Health.LATE, Health.LOST)
            await alive(rig)
            clock = rig.clock
        clock.advance(INTERVAL_S * 10)
        async with core(tmp_path, accounts=fleet_of(2), clock=clock) as rig:
            assert (state(rig, "0000"), state(rig, "0001")) == (Health.OK, Health.LOST)
            # Two of its three periods were over; one is forgiven, so that two are left.
            await wait(rig, LOST_AFTER_S - INTERVAL_S - 10)
            assert state(rig, "0000") is Health.LATE
            assert len(await rig.open_alarms()) == 1
            await wait(rig, 10)
            assert state(rig, "0000") is Health.LOST
            assert len(await rig.open_alarms()) == 2
            rig.submit(beat("0001"))
            await wait(rig, 1)
            assert [alarm["home"] for alarm in await rig.open_alarms()] == ["H0"]

    run(scenario())


def test_a_receiver_that_is_restarted_more_often_than_a_device_is_due_notices_its_silence(tmp_path: Path) -> None:
    """A weekly test call and a restart each week: the silences of all lives add up, without the time between them."""

    async def scenario() -> None:
        clock, up_s = ManualClock(), 0
        while True:
            async with core(tmp_path, accounts=fleet_of(1), clock=clock) as rig:
                if not up_s:
                    await rig.submit(beat("0000"))
                for _ in range(27):
                    await wait(rig, 30)
                    up_s += 30
                    if state(rig, "0000") is Health.LOST:
                        assert (3 + 1) * INTERVAL_S <= up_s <= (3 + 1) * INTERVAL_S + 60
                        assert len(await rig.open_alarms()) == 1
                        return
                await alive(rig)
            clock.advance(INTERVAL_S * 7)

    run(scenario())


def test_the_alarm_of_a_ucr_behind_a_lost_terminal_outlives_a_restart(tmp_path: Path) -> None:
    """First the UCR is lost, then its terminal; when both are heard by the next life, no alarm is left."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.submit(presence())
            for _ in range(4):
                await wait(rig, INTERVAL_S)
                rig.submit(beat())
            assert state(rig, device="U1") is Health.LOST
            await wait(rig, LOST_AFTER_S)
            assert (state(rig), state(rig, device="U1")) == (Health.LOST, Health.UNKNOWN)
            clock = rig.clock
        async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
            assert len(await rig.open_alarms()) == 2
            rig.submit(presence())
            await wait(rig, 1)
            assert (state(rig), state(rig, device="U1")) == (Health.OK, Health.OK)
            assert await rig.open_alarms() == []

    run(scenario())


def test_a_crash_loses_no_verdict_and_no_number(tmp_path: Path) -> None:
    """Killed before the rows of the fleet were written: what was decided stands, and nobody gets another's number."""
    homes = fleet_of(3)

    async def scenario() -> None:
        rig = Core(tmp_path, accounts=homes)
        await rig.register()
        rig.watchdog.watch.dirty.clear()  # as if the crash came between the rows
        rig.clock.advance(INTERVAL_S)
        rig.submit(beat("0000"))
        rig.submit(beat("0001"))
        rig.clock.advance(LOST_AFTER_S - INTERVAL_S)
        rig.watchdog.look()
        await rig.sync()
        assert verdicts(rig) == [("0002", "lost", None)]
        assert [row["id"] for row in rig.read("SELECT id FROM units")] == [2]
        rig.crash()
        async with core(tmp_path, accounts=homes, clock=rig.clock) as again:
            assert (state(again, "0000"), state(again, "0002")) == (Health.UNKNOWN, Health.LOST)
            numbers = {again.watchdog.fleet.name(number).account: number for number in again.watchdog.fleet}
            assert numbers["0002"] == 2
            assert len(await again.open_alarms()) == 1
            await wait(again, LOST_AFTER_S)
            assert len(await again.open_alarms()) == 3

    run(scenario())


def test_of_whom_nothing_is_expected_keeps_its_number(tmp_path: Path) -> None:
    """However often the receiver starts, and whoever is registered meanwhile: the fleet has who is in it, once."""
    homes = [Account(account=f"N{number}") for number in range(3)]

    async def scenario() -> None:
        clock, names = None, []
        for life in range(3):
            homes.append(Account(account=f"S{life}", interval_s=INTERVAL_S))
            async with core(tmp_path, accounts=homes, clock=clock) as rig:
                await wait(rig, 60)
                names = [account.account for account in rig.watchdog.fleet.accounts]
                clock = rig.clock
        assert names == [home.account for home in homes]

    run(scenario())


def test_an_incident_goes_on_after_a_restart(tmp_path: Path) -> None:
    """Who is lost in it joins it, and when they are back it is over."""
    homes = fleet_of(14, labels=("operator:a",))

    async def scenario() -> None:
        async with core(tmp_path, accounts=homes) as rig:
            for home in homes[:12]:
                rig.submit(beat(home.account))
            rig.clock.advance(INTERVAL_S)
            for home in homes[12:]:
                rig.submit(beat(home.account))
            await wait(rig, LOST_AFTER_S - INTERVAL_S)
            assert len(rig.watchdog.incidents.open) == 1
            await alive(rig)
            clock = rig.clock
        async with core(tmp_path, accounts=homes, clock=clock) as rig:
            (incident,) = rig.watchdog.incidents.open.values()
            assert (len(incident.lost), len(incident.members)) == (12, 12)
            await wait(rig, LOST_AFTER_S)
            assert len(incident.lost) == 14
            for home in homes:
                rig.submit(beat(home.account))
            await wait(rig, 1)
            assert (rig.watchdog.incidents.open, await rig.open_alarms()) == ({}, [])

    run(scenario())


def test_pauses_go_on_after_a_restart(tmp_path: Path) -> None:
    """The home is still away, the order still holds, and ends when it should."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            await rig.submit(presence())
            left = Event(Kind.CONFIGURATION, Phase.RESTORE, "401", "contact_id")
            await rig.submit(signal()._replace(event=left))
            order = Order("enric", "works", rig.clock.now().utc_us + 3_600_000_000)
            rig.commit.perform(Operation(lambda batch: rig.watchdog.pause([0], order, batch), lambda *_: None))
            clock = rig.clock
        clock.advance(600)
        async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
            assert (state(rig), state(rig, device="U1")) == (Health.NOT_SUPERVISED, Health.NOT_SUPERVISED)
            await wait(rig, 3_000)
            assert (state(rig), state(rig, device="U1")) == (Health.UNKNOWN, Health.NOT_SUPERVISED)

    run(scenario())


# --- the days ---------------------------------------------------------------------------------------------------------


def ledger(rig: Core, day: str) -> dict[int, DayOf]:
    rows = rig.read("SELECT stretch, columns FROM ledger WHERE day = ?", day)
    return {one.unit: one for row in rows for one in unpack(row["stretch"], row["columns"]) if one.allowed_misses}


def test_a_day_is_written_when_it_ends(tmp_path: Path) -> None:
    """What was expected and came, the longest silence, the part in which nobody was supervised and why."""
    # ManualClock begins at midnight UTC, which is 01:00 in Madrid: the first day has 23 hours left.
    quiet = Account(account="5678", home="H-2", interval_s=INTERVAL_S)

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME, quiet]) as rig:
            for hour in range(23):
                rig.submit(beat())
                if hour == 12:
                    await rig.register(Expected({}, {}, {"H-2"}))
                await wait(rig, 3_600)
            await wait(rig, 10)
            day = ledger(rig, "2026-01-01")
            assert day[0] == DayOf(0, 900, 3, 82_800, 23, 3_600, 0, Health.OK)
            assert (day[1].supervised_s, day[1].received) == (12 * 3_600, 0)
            assert Pause(day[1].reasons) == Pause.SUSPENDED
            assert day[1].longest_s >= 0
            assert rig.watchdog.fleet.received[0] == 0
            assert rig.read("SELECT day, down_s FROM ledger_days ORDER BY day") == [
                {"day": "2026-01-01", "down_s": 0},
                {"day": "2026-01-02", "down_s": 0},
            ]

    run(scenario())


def test_the_signs_of_a_new_day_wait_for_the_ended_one(tmp_path: Path) -> None:
    """Until the ledger has the day, what was written on it is its only proof: a crash then must find it."""

    async def scenario() -> None:
        clock = ManualClock()
        clock.advance(22 * 3_600 + 1_800)  # half past eleven in Madrid
        async with core(tmp_path, accounts=fleet_of(2), clock=clock) as rig:
            rig.submit(beat("0000"))
            await wait(rig, bookkeeping.EVERY_S)
            assert [unit.received for unit in rig.units()] == [1, 0]
            clock.advance(1_800)
            before = len(rig.journal.written)
            rig.watchdog.look()
            rig.submit(beat("0001"))
            clock.advance(bookkeeping.EVERY_S)
            await until(lambda: any(batch.supervision.signs for batch in rig.journal.written[before:]))
            written = [batch.supervision for batch in rig.journal.written[before:]]
            assert [bool(rows.signs) for rows in written if rows.stretches or rows.signs] == [False, True]
            assert [(unit.day, unit.received) for unit in rig.units()] == [("2026-01-02", 0), ("2026-01-02", 1)]
            assert [ledger(rig, "2026-01-01")[number].received for number in (0, 1)] == [1, 0]

    run(scenario())


def test_a_day_that_an_earlier_life_did_not_finish_is_written_by_the_next(tmp_path: Path) -> None:
    """Stopped in the evening, started the next morning: the day stands in the ledger, with the hours it had."""

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            for _ in range(12):
                rig.submit(beat())
                await wait(rig, 3_600)
            rig.commit.pulse()
            await rig.sync()
            clock = rig.clock
        clock.advance(20 * 3_600)
        async with core(tmp_path, accounts=[HOME], clock=clock) as rig:
            await rig.sync()
            (one,) = ledger(rig, "2026-01-01").values()
            assert (one.received, one.supervised_s) == (12, 12 * 3_600)
            days = {row["day"]: row["down_s"] for row in rig.read("SELECT day, down_s FROM ledger_days")}
            assert days == {"2026-01-01": 11 * 3_600, "2026-01-02": 9 * 3_600}

    run(scenario())


@pytest.mark.parametrize("down_s", [60, 1_200], ids=["restarted before midnight", "away at midnight"])
def test_a_restart_makes_no_lost_device_a_checked_one(tmp_path: Path, down_s: int) -> None:
    """Who was silent all day is a breach of it, though the receiver starts anew in its last minutes."""
    homes = [HOME, Account(account="5678", home="H-2", interval_s=INTERVAL_S)]

    async def scenario() -> None:
        async with core(tmp_path, accounts=homes) as rig:
            await rig.submit(presence())
            for _ in range(91):
                await wait(rig, INTERVAL_S)  # in the end it is 23:45 in Madrid
            rig.commit.pulse()
            await rig.sync()
            clock = rig.clock
        clock.advance(down_s)
        async with core(tmp_path, accounts=homes, clock=clock) as rig:
            await wait(rig, 1_200)
            for day in ledger(rig, "2026-01-01").values():
                assert day.supervised_s > 80_000
                assert day.longest_s > 80_000

    run(scenario())


def test_a_new_day_is_told(tmp_path: Path) -> None:
    """Suspensions begin and end with it: the registry is read anew."""
    days = []

    async def scenario() -> None:
        async with core(tmp_path, accounts=[HOME]) as rig:
            rig.watchdog.on_new_day = lambda: days.append(rig.watchdog.books.daybook.today.day)
            await wait(rig, DAY_S)
            await wait(rig, DAY_S)

    run(scenario())
    assert days == [date(2026, 1, 2), date(2026, 1, 3)]

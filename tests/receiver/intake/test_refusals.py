"""The intake: reports that are refused or could not be read, and which of them reach an operator."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.rigs.callers import HOME, KEYED
from tests.rigs.core import core, signal, small, until
from vetlla.domain.accounts import Maker, UnknownPolicy
from vetlla.domain.clock import to_datetime
from vetlla.domain.signals import AccountId, Event, Kind, Phase, Reason, Reject, VerdictOutcome, refused
from vetlla.receiver.counters import CallerKind
from vetlla.receiver.intake import rejects as evidence
from vetlla.receiver.wiring import Bounds
from vetlla.service.queue.strangers import PER_NETWORK

if TYPE_CHECKING:
    from pathlib import Path


SEALED: dict[str, Any] = {"sealed_with": "spring"}


def damaged(account: str | None = None, reason: Reason = Reason.UNDECRYPTABLE) -> Reject:
    who = None if account is None else AccountId("", "0", account)
    return Reject(protocol="dc09", reason=reason, raw=b"\x00\xff", text="no key opens the frame", id=who)


async def test_a_refused_report_of_a_known_home_reaches_a_person(tmp_path: Path) -> None:
    """A refused emergency of a home opens an alarm, with evidence and an audit record."""
    async with core(tmp_path, accounts=[KEYED]) as rig:
        told = await rig.submit(signal("5678"))
        assert told.verdicts == [refused(Reason.PLAIN_REFUSED)]
        await rig.sync()
        (alarm,) = await rig.open_alarms()
        assert (alarm["home"], alarm["priority"], alarm["signals"], alarm["first_signal"]) == ("H2", "LIFE", 0, 0)
        assert "sent in clear" in alarm["why"]
        assert rig.read("SELECT reason, account FROM rejects") == [{"reason": "plain_refused", "account": "5678"}]
        assert rig.read("SELECT subject FROM audit WHERE action = 'refuse'") == [{"subject": "account 5678"}]
        assert rig.counters.signals["dc09", VerdictOutcome.REFUSED] == 1


async def test_even_a_routine_report_that_was_refused_is_seen(tmp_path: Path) -> None:
    """An operator must see it, or a home's routine reports could be refused for days."""
    async with core(tmp_path, accounts=[KEYED]) as rig:
        await rig.submit(signal("5678", "602", kind=Kind.PERIODIC_TEST))
        await rig.sync()
        assert [alarm["priority"] for alarm in await rig.open_alarms()] == ["TECHNICAL"]


async def test_a_clock_is_refused_twice_before_it_opens_an_alarm(tmp_path: Path) -> None:
    """The first refusal tells a terminal the time; the second one shows that it does not learn it."""
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


async def test_clocks_refused_long_apart_are_first_refusals(tmp_path: Path) -> None:
    """A terminal whose clock is refused once a day sets it each time."""
    async with core(tmp_path, accounts=[KEYED]) as rig:
        for _ in range(3):
            sent_at = to_datetime(rig.clock.now().utc_us) + timedelta(seconds=21)
            await rig.submit(signal("5678", sent_at=sent_at, **SEALED))
            rig.clock.advance(86_400)
        await rig.sync()
        assert await rig.open_alarms() == []
        assert rig.read("SELECT DISTINCT text FROM rejects") == [{"text": "clock 21 s fast"}]


async def test_unregistered_accounts_may_be_refused(tmp_path: Path) -> None:
    """If policy refuses strangers, they get a refusal and are kept as evidence, without an alarm."""
    settings = small(tmp_path, intake={"unknown_accounts": UnknownPolicy.REFUSE})
    async with core(tmp_path, settings=settings) as rig:
        assert (await rig.submit(signal())).verdicts == [refused(Reason.UNKNOWN_ACCOUNT)]
        await rig.sync()
        assert await rig.open_alarms() == []
        assert len(rig.read("SELECT id FROM rejects")) == 1


async def test_a_known_home_that_could_not_be_read_reaches_a_person(tmp_path: Path) -> None:
    """Bytes that name a known home open a TECHNICAL alarm; those of strangers or without an account are only kept."""
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
        for caller in CallerKind:
            assert rig.counters.rejects["dc09", Reason.UNDECRYPTABLE, caller] == 1


async def test_a_device_at_another_protocol_s_port_is_put_before_a_person(tmp_path: Path) -> None:
    """All its alarms would be lost, so its address has one open alarm; another protocol is only evidence."""
    async with core(tmp_path) as rig:
        for reason in (Reason.FOREIGN, Reason.WRONG_PORT, Reason.WRONG_PORT):
            rig.reject(damaged(None, reason))
        rig.reject(damaged(None, Reason.WRONG_PORT), "198.51.100.9:1")
        await rig.sync()
        first, second = await rig.open_alarms()
        assert (first["home"], second["home"]) == ("192.0.2.7", "198.51.100.9")
        assert (first["priority"], first["unknown_account"]) == ("TECHNICAL", True)
        assert first["why"] == "unknown account: fault wrong_port; no key opens the frame"


async def test_a_home_behind_a_noisy_gateway_is_heard(tmp_path: Path) -> None:
    """All callers behind an address share its budget of evidence; a known home has its own."""
    settings = small(tmp_path, limits={"rejects_kept_per_peer_per_minute": 2})
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


async def test_refusals_are_within_the_evidence_budget(tmp_path: Path) -> None:
    """A stranger gets every refusal, but only as many are written as the budget of evidence allows."""
    settings = small(
        tmp_path, intake={"unknown_accounts": UnknownPolicy.REFUSE}, limits={"rejects_kept_per_peer_per_minute": 3}
    )
    async with core(tmp_path, settings=settings) as rig:
        told = await asyncio.gather(*[rig.submit(signal(str(number))) for number in range(20)])
        assert {tuple(one.verdicts or ()) for one in told} == {(refused(Reason.UNKNOWN_ACCOUNT),)}
        await rig.sync()
        assert len(rig.read("SELECT id FROM rejects")) == 3
        assert len(rig.read("SELECT id FROM audit WHERE action = 'refuse'")) == 3
        assert rig.counters.signals["dc09", VerdictOutcome.REFUSED] == 20


async def test_rejects_that_wait_are_bounded(tmp_path: Path) -> None:
    """During a long commit evidence waits up to a bound; further rejects are only counted."""
    async with core(tmp_path, bounds=Bounds(rejects_waiting=4)) as rig:
        rig.journal.gate.clear()
        told = rig.submit(signal())
        await rig.held()
        for _ in range(9):
            rig.reject(damaged(None))
        rig.journal.gate.set()
        await told
        await rig.sync()
        assert len(rig.read("SELECT id FROM rejects")) == 4
        assert rig.counters.rejects["dc09", Reason.UNDECRYPTABLE, CallerKind.UNNAMED] == 9


async def test_an_unreadable_report_survives_a_failed_commit(tmp_path: Path) -> None:
    """A home's report that could not be read still reaches an operator after its batch was rolled back."""
    async with core(tmp_path, accounts=[KEYED]) as rig:
        rig.journal.failing = True
        rig.reject(damaged("5678"))
        await until(lambda: not rig.commit.ready)
        assert await rig.open_alarms() == []
        await rig.healed()
        await rig.sync()
        assert [alarm["home"] for alarm in await rig.open_alarms()] == ["H2"]
        assert len(rig.read("SELECT id FROM rejects")) == 1


async def test_a_call_that_could_not_be_read_outlasts_a_failed_disk(tmp_path: Path) -> None:
    """A known home's bytes that come while nothing can be stored are put before an operator as soon as possible."""
    async with core(tmp_path, accounts=[KEYED]) as rig:
        rig.journal.failing = True
        rig.submit(signal())
        await until(lambda: not rig.commit.ready)
        rig.reject(replace(damaged("5678"), kind=Kind.UNREADABLE))
        rig.reject(damaged("9999"))
        await rig.healed()
        await rig.sync()
        (alarm,) = await rig.open_alarms()
        assert (alarm["home"], alarm["kind"], alarm["priority"]) == ("H2", "unreadable", "LIFE")
        assert rig.read("SELECT id FROM rejects") == []


async def test_no_stranger_spends_the_budget_of_a_home(tmp_path: Path) -> None:
    """Invented receivers and lines share the budget of the account; a refused press still reaches an operator."""
    settings = small(tmp_path, limits={"rejects_kept_per_peer_per_minute": 2})
    async with core(tmp_path, settings=settings, accounts=[KEYED]) as rig:
        for number in range(50):
            rig.reject(replace(damaged("5678"), id=AccountId(f"{number:X}", f"{number:X}", "5678")))
            await rig.sync()
        assert len(rig.read("SELECT id FROM rejects")) == 2
        assert [alarm["priority"] for alarm in await rig.open_alarms()] == ["TECHNICAL"]
        (verdict,) = (await rig.submit(signal("5678"))).verdicts or ()
        assert verdict == refused(Reason.PLAIN_REFUSED)
        await rig.sync()
        (alarm,) = await rig.open_alarms()
        assert alarm["priority"] == "LIFE"
        assert len(rig.read("SELECT id FROM rejects")) == 3
        await rig.submit(signal("5678"))
        await rig.sync()
        assert len(rig.read("SELECT id FROM rejects")) == 3  # it is no news, so the budget applies again


async def test_a_refused_press_needs_no_room_among_the_rejects(tmp_path: Path) -> None:
    """Even if datagrams of forged sources fill all room for rejects, a home's refused press reaches an operator."""
    async with core(tmp_path, accounts=[KEYED]) as rig:
        for number in range(evidence.WAITING_MAX + 1):
            rig.reject(damaged(), f"2001:db8::{number:x}:40000")
        await rig.submit(signal("5678"))
        await rig.sync()
        assert [(alarm["home"], alarm["priority"]) for alarm in await rig.open_alarms()] == [("H2", "LIFE")]


async def test_a_stranger_of_a_crowd_has_its_budget(tmp_path: Path) -> None:
    """Its alarm is that of the crowd and never its own; its reports are not news for that reason."""
    settings = small(tmp_path, limits={"rejects_kept_per_peer_per_minute": 2})
    async with core(tmp_path, settings=settings) as rig:
        for number in range(PER_NETWORK + 2):
            await rig.submit(signal(f"{number:04}"))
        for _ in range(5):
            rig.reject(damaged(reason=Reason.WRONG_PORT))
            await rig.sync()
        assert len(rig.read("SELECT id FROM rejects")) == 2


async def test_forged_sources_take_no_memory_of_a_failed_store(tmp_path: Path) -> None:
    """While nothing can be stored, strangers are only counted; one report of each home and kind waits."""
    async with core(tmp_path, accounts=[KEYED]) as rig:
        rig.journal.failing = True
        rig.submit(signal())
        await until(lambda: not rig.commit.ready)
        for number in range(100):
            rig.reject(damaged(reason=Reason.WRONG_PORT), f"2001:db8::{number:x}:40000")
            rig.reject(damaged("5678"))
        waiting = rig.intake._rejects
        assert (len(waiting._waiting), len(waiting._concerns)) == (1, 1)
        await rig.healed()
        await rig.sync()
        assert [alarm["home"] for alarm in await rig.open_alarms()] == ["H2"]


async def test_a_press_in_clear_outlasts_a_failed_disk(tmp_path: Path) -> None:
    """At a port for TLS, too, a known home's report waits for an operator while nothing can be stored."""
    async with core(tmp_path, accounts=[HOME, KEYED]) as rig:
        rig.journal.failing = True
        rig.submit(signal("9999"))
        await until(lambda: not rig.commit.ready)
        said = [signal("1234"), signal("5678", "602", kind=Kind.PERIODIC_TEST)]
        rig.intake.in_clear.turn_away(rig.arrival(), "dc09", b"both", said)
        await rig.healed()
        await rig.sync()
        told = sorted((alarm["home"], alarm["priority"]) for alarm in await rig.open_alarms())
        assert told == [("H1", "LIFE"), ("H2", "TECHNICAL")]


async def test_a_call_in_clear_that_could_not_be_read_counts_for_its_home(tmp_path: Path) -> None:
    """A damaged frame at a port for TLS that names a known home opens that home's alarm, not one of the address."""
    async with core(tmp_path, accounts=[KEYED]) as rig:
        call = replace(damaged("5678"), kind=Kind.UNREADABLE)
        rig.intake.in_clear.turn_away(rig.arrival(), "dc09", call.raw, [call])
        await rig.sync()
        (alarm,) = await rig.open_alarms()
        assert (alarm["home"], alarm["priority"]) == ("H2", "LIFE")
        assert "sent in clear to a port for TLS" in alarm["why"]
        assert rig.read("SELECT reason, account FROM rejects") == [{"reason": "wrong_port", "account": "5678"}]


async def test_a_press_in_clear_means_what_its_maker_means(tmp_path: Path) -> None:
    """A maker's own code for a call counts as a call at a port for TLS, too."""
    async with core(tmp_path, accounts=[replace(HOME, maker=Maker.CLIMAX)]) as rig:
        fall = Event(Kind.FAULT, Phase.NEW, "102", "contact_id")
        rig.intake.in_clear.turn_away(rig.arrival(), "dc09", b"x", [signal("1234", event=fall)])
        await rig.sync()
        (alarm,) = await rig.open_alarms()
        assert (alarm["kind"], alarm["priority"]) == ("fall", "LIFE")

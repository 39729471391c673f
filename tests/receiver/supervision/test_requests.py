"""Requests about supervision on the control socket, and their answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.core import ANA, SARA, Core, core, signal, small
from vetlla.domain.accounts import Account
from vetlla.domain.clock import ManualClock, iso
from vetlla.domain.errors import AccessError, UsageError
from vetlla.domain.signals import Event, Kind, Phase
from vetlla.receiver.control.messages.supervision import PAUSE_MAX_S, REASON_MAX
from vetlla.receiver.supervision.requests import standing
from vetlla.service.supervision.rules import Health

if TYPE_CHECKING:
    from pathlib import Path

ENGINEER = ANA._replace(operator="enric", engineer=True)
PERIOD_S = 60
LOST_S = 3 * PERIOD_S + 5
"""Three misses and the tolerance of five seconds."""


def account(number: int, **said: Any) -> Account:  # noqa: ANN401 - any field of an account
    values: dict[str, Any] = {"account": f"{number:04}", "home": f"H{number:04}", "interval_s": PERIOD_S}
    return Account(**values | said)


async def heartbeat(rig: Core, who: str) -> None:
    await rig.submit(signal(who, "602", kind=Kind.HEARTBEAT, device=""))


async def presence(rig: Core, who: str, ucr: str) -> None:
    await rig.submit(signal(who, "PR", kind=Kind.PRESENCE, device=ucr))


def pass_time(rig: Core, seconds: float) -> None:
    rig.clock.advance(seconds)
    while rig.supervision.look():
        pass


async def listed(rig: Core, **filters: Any) -> dict[str, str]:  # noqa: ANN401 - as asked
    page = await rig.ask("supervision.list", **filters)
    return {f"{one['account']}/{one['device']}": one["state"] for one in page["devices"]}


async def refused(rig: Core, do: str, caller: Any = ENGINEER, **arguments: object) -> str:  # noqa: ANN401 - a Caller
    with pytest.raises((UsageError, AccessError)) as refusal:
        await rig.ask(do, caller, **arguments)
    return str(refusal.value)


# --- lists and one device ---------------------------------------------------------------------------------------------


async def test_a_list_shows_devices_that_need_attention(tmp_path: Path) -> None:
    """Devices that are heard in time, or have no interval, are listed only if the request names their state."""
    accounts = [account(1), account(2), account(3, interval_s=0)]
    async with core(tmp_path, accounts=accounts) as rig:
        await heartbeat(rig, "0001")
        pass_time(rig, LOST_S - 1)
        await heartbeat(rig, "0001")
        assert await listed(rig) == {"0002/": "late"}
        pass_time(rig, 1)
        assert await listed(rig) == {"0002/": "lost"}
        assert await listed(rig, states=["ok", "not_supervised"]) == {"0001/": "ok", "0003/": "not_supervised"}
        assert await listed(rig, states=["unknown"]) == {}
        assert await listed(rig, states=["ok", "lost"], home="h0002") == {"0002/": "lost"}
        assert await listed(rig, states=["ok", "lost"], account="0001") == {"0001/": "ok"}
        why = await refused(rig, "supervision.list", states=["dead"])
        assert "'states' has an entry that should be one of the words 'unknown'" in why


async def test_a_fleet_is_listed_page_by_page(tmp_path: Path) -> None:
    """Each page gives the number after which the next one begins; together they list every device once."""
    async with core(tmp_path, accounts=[account(number) for number in range(25)]) as rig:
        pass_time(rig, LOST_S)
        seen: list[int] = []
        pages = 0
        page: dict[str, Any] = {"next": -1}
        while page["next"] is not None:
            page = await rig.ask("supervision.list", after=page["next"], limit=10)
            seen += [one["unit"] for one in page["devices"]]
            pages += 1
        assert (seen, pages) == (list(range(25)), 3)
        assert await rig.ask("supervision.list", count=True) == {"count": 25}
        assert await rig.ask("supervision.list", count=True, account="0007") == {"count": 1}
        assert "a page holds" in await refused(rig, "supervision.list", limit=100_000)


def test_states_are_found_in_order() -> None:
    """Devices of several states come by number, each once, starting after a given number."""
    column = bytearray([3, 1, 2, 1, 3, 0])
    assert list(standing(column, [Health.LOST, Health.LATE], -1)) == [0, 2, 4]
    assert list(standing(column, [Health.LOST, Health.LATE], 2)) == [4]
    assert list(standing(column, [Health.NOT_SUPERVISED], -1)) == []


async def test_a_device_is_shown_whole(tmp_path: Path) -> None:
    """The answer has the state with its start and reason, the expectation, the misses, the deadlines and the labels."""
    one = account(1, ucr_interval_s=PERIOD_S, labels=("operator:example",))
    async with core(tmp_path, accounts=[one]) as rig:
        began = rig.clock.now().utc_us
        await heartbeat(rig, "0001")
        await presence(rig, "0001", "ucr-7")
        terminal, ucr = await rig.ask("supervision.show", account="0001")
        assert (terminal["kind"], terminal["state"], terminal["why"]) == ("terminal", "ok", "heard in time")
        assert (ucr["kind"], ucr["device"], ucr["state"]) == ("ucr", "ucr-7", "ok")
        assert terminal["last_heard"] == iso(began)
        assert terminal["next_deadline"] == iso(began + 65_000_000)
        assert terminal["lost_at"] == iso(began + 185_000_000)
        assert terminal["labels"] == ["operator:example", "listener:dc09", "receiver"]
        pass_time(rig, 66)
        terminal, ucr = await rig.ask("supervision.show", account="0001")
        assert (terminal["state"], terminal["missed"]) == ("late", 1)
        assert terminal["why"] == "1 of 3 signs of life failed to come"
        assert ucr["state"] == "unknown"
        assert ucr["why"] == "its terminal is late, so its own silence says nothing"
        pass_time(rig, LOST_S - 66)
        await rig.sync()
        terminal, ucr = await rig.ask("supervision.show", account="0001")
        (alarm,) = await rig.open_alarms()
        assert (terminal["state"], terminal["alarm"], terminal["next_deadline"]) == ("lost", alarm["id"], None)
        assert "account 9999 is not registered" in await refused(rig, "supervision.show", account="9999")


async def test_every_unsupervised_device_has_a_reason(tmp_path: Path) -> None:
    """An unsupervised device is never shown as "ok", and always with a reason."""
    async with core(tmp_path, accounts=[account(1, interval_s=0)]) as rig:
        (one,) = await rig.ask("supervision.show", account="0001")
        assert (one["state"], one["not_supervised"]) == ("not_supervised", ["no_interval"])
        assert one["why"] == "no interval is set for it"


# --- incidents --------------------------------------------------------------------------------------------------------


async def test_many_losses_at_once_are_one_incident_with_members(tmp_path: Path) -> None:
    """The incident is counted and listed with its label, and its members come page by page."""
    accounts = [account(number, labels=("operator:example",)) for number in range(12)]
    async with core(tmp_path, accounts=accounts) as rig:
        pass_time(rig, LOST_S)
        await rig.sync()
        (incident,) = await rig.ask("supervision.incidents")
        assert (incident["label"], incident["lost"], incident["members"]) == ("operator:example", 12, 12)
        (alarm,) = await rig.open_alarms()
        assert incident["alarm"] == alarm["id"]
        first = await rig.ask("supervision.members", incident=incident["incident"], limit=10)
        rest = await rig.ask("supervision.members", incident=incident["incident"], after=first["next"])
        assert [one["unit"] for one in first["devices"] + rest["devices"]] == list(range(12))
        assert rest["next"] is None
        assert {one["incident"] for one in rest["devices"]} == {incident["incident"]}
        assert "one of many" in rest["devices"][0]["why"]
        counts = await rig.ask("supervision.counts")
        assert counts["states"] == {"lost": 12, "late": 0, "unknown": 0, "not_supervised": 0, "ok": 0}
        assert (counts["devices"], counts["incidents_open"]) == (12, 1)
        assert counts["incidents"] == [incident]
        assert "no open incident 9" in await refused(rig, "supervision.members", incident=9)


# --- pauses -----------------------------------------------------------------------------------------------------------


async def test_a_pause_is_shown_with_person_reason_and_end(tmp_path: Path) -> None:
    """The pause of a terminal and its UCRs is durable and in the audit; no device is lost during it."""
    async with core(tmp_path, accounts=[account(1, ucr_interval_s=PERIOD_S)]) as rig:
        await presence(rig, "0001", "ucr-7")
        done = await rig.ask("supervision.pause", ENGINEER, account="0001", reason="new battery", seconds=3600)
        assert (done["durable"], [one["device"] for one in done["devices"]]) == (True, ["", "ucr-7"])
        assert [row["operator"] for row in rig.read("SELECT operator FROM pauses")] == ["enric", "enric"]
        (record,) = rig.read("SELECT actor, subject, detail FROM audit WHERE action = 'pause supervision'")
        assert (record["actor"], record["subject"]) == ("enric", "account 0001")
        until = iso(rig.clock.now().utc_us + 3_600_000_000)
        assert json.loads(record["detail"]) == {"devices": 2, "reason": "new battery", "until": until}
        pass_time(rig, LOST_S)
        one, _ = await rig.ask("supervision.show", account="0001")
        assert (one["state"], one["why"]) == ("not_supervised", "paused by enric: new battery")
        assert (one["pause"]["operator"], one["pause"]["until"]) == ("enric", until)
        pass_time(rig, 3600)
        assert await listed(rig, account="0001") == {"0001/": "unknown", "0001/ucr-7": "unknown"}


async def test_one_device_is_paused_and_resumed(tmp_path: Path) -> None:
    """A UCR can be paused alone; a device that is not paused cannot be resumed."""
    async with core(tmp_path, accounts=[account(1, ucr_interval_s=PERIOD_S)]) as rig:
        await presence(rig, "0001", "ucr-7")
        assert "not paused" in await refused(rig, "supervision.resume", account="0001")
        await rig.ask("supervision.pause", SARA, account="0001", device="UCR-7", reason="repair")
        assert await listed(rig, states=["not_supervised"]) == {"0001/ucr-7": "not_supervised"}
        why = await refused(rig, "supervision.pause", account="0001", device="x", reason="r")
        assert "the terminal of account 0001 has no UCR x" in why
        done = await rig.ask("supervision.resume", SARA, account="0001")
        assert [one["device"] for one in done["devices"]] == ["ucr-7"]
        assert rig.read("SELECT * FROM pauses") == []
        actions = [row["action"] for row in rig.read("SELECT action FROM audit WHERE actor = 'sara' ORDER BY id")]
        assert actions == ["pause supervision", "resume supervision"]


async def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    """A dry run names the devices that would be paused."""
    async with core(tmp_path, accounts=[account(1)]) as rig:
        done = await rig.ask("supervision.pause", ENGINEER, account="0001", reason="battery", dry_run=True)
        assert (done["durable"], [one["account"] for one in done["devices"]]) == (None, ["0001"])
        assert await listed(rig, states=["not_supervised"]) == {}
        assert rig.read("SELECT * FROM pauses") == []


async def test_a_pause_needs_a_role_a_reason_and_a_bounded_end(tmp_path: Path) -> None:
    """A pause needs an engineer or a supervisor, a reason of limited length, and an end within 92 days if any."""
    settings = small(tmp_path, control={"engineers": "engineers"})
    async with core(tmp_path, settings=settings, accounts=[account(1)]) as rig:
        asked: dict[str, Any] = {"account": "0001", "reason": "battery"}
        assert "usermod -aG engineers" in await refused(rig, "supervision.pause", ANA, **asked)
        assert "may not" in await refused(rig, "supervision.resume", ANA, account="0001")
        assert "'reason'" in await refused(rig, "supervision.pause", account="0001", reason=" ")
        assert "characters" in await refused(rig, "supervision.pause", account="0001", reason="x" * (REASON_MAX + 1))
        for seconds in (0, -1, PAUSE_MAX_S + 1):
            assert "a pause lasts" in await refused(rig, "supervision.pause", **asked, seconds=seconds)
        assert "account 4711 is not registered" in await refused(
            rig, "supervision.pause", account="4711", reason="battery"
        )


async def test_a_pause_while_the_disk_fails_is_reported_as_not_durable(tmp_path: Path) -> None:
    """The pause holds in this run, and the answer says that it is not on the disk."""
    async with core(tmp_path, accounts=[account(1)]) as rig:
        rig.journal.failing = True
        done = await rig.ask("supervision.pause", ENGINEER, account="0001", reason="battery")
        assert done["durable"] is False
        await rig.healed()
        await rig.sync()
        assert [row["reason"] for row in rig.read("SELECT reason FROM pauses")] == ["battery"]


async def test_a_pause_survives_a_crash(tmp_path: Path) -> None:
    """A confirmed pause still holds after a crash."""
    clock = ManualClock()
    rig = Core(tmp_path, accounts=[account(1)], clock=clock)
    await rig.register()
    await rig.ask("supervision.pause", ENGINEER, account="0001", reason="battery")
    rig.crash()
    async with core(tmp_path, accounts=[account(1)], clock=clock) as again:
        (one,) = await again.ask("supervision.show", account="0001")
        assert one["why"] == "paused by enric: battery"


async def test_a_loss_is_durable_together_with_its_device(tmp_path: Path) -> None:
    """After a crash just after the loss the device is still lost, with the same alarm."""
    clock = ManualClock()
    rig = Core(tmp_path, accounts=[account(1, interval_s=5)], clock=clock)
    await rig.register()
    pass_time(rig, 20)  # before the signs of life are written, twice a minute
    await rig.sync()
    (alarm,) = await rig.open_alarms()
    rig.crash()
    async with core(tmp_path, accounts=[account(1, interval_s=5)], clock=clock) as again:
        (one,) = await again.ask("supervision.show", account="0001")
        assert (one["state"], one["alarm"]) == ("lost", alarm["id"])


async def test_the_end_of_a_pause_is_durable_together_with_its_device(tmp_path: Path) -> None:
    """After a crash just after its end the pause does not return, even if the device has another reason."""
    accounts = [account(1, ucr_interval_s=PERIOD_S)]
    left = Event(Kind.UNKNOWN, Phase.RESTORE, "401", "contact_id")
    clock = ManualClock()
    rig = Core(tmp_path, accounts=accounts, clock=clock)
    await rig.register()
    await presence(rig, "0001", "ucr-7")
    await rig.submit(signal("0001", event=left, device=""))
    await rig.ask("supervision.pause", ENGINEER, account="0001", device="ucr-7", reason="battery", seconds=10)
    pass_time(rig, 10)
    await rig.sync()
    rig.crash()
    async with core(tmp_path, accounts=accounts, clock=clock) as again:
        _, ucr = await again.ask("supervision.show", account="0001")
        assert (ucr["not_supervised"], ucr["pause"]) == (["away"], None)


async def test_a_pause_of_a_device_without_an_interval_survives_a_crash(tmp_path: Path) -> None:
    """If the device gets an interval later, it is still paused."""
    clock = ManualClock()
    rig = Core(tmp_path, accounts=[account(1, interval_s=0)], clock=clock)
    await rig.register()
    await rig.ask("supervision.pause", ENGINEER, account="0001", reason="battery")
    rig.crash()
    async with core(tmp_path, accounts=[account(1)], clock=clock) as again:
        (one,) = await again.ask("supervision.show", account="0001")
        assert (one["state"], one["not_supervised"]) == ("not_supervised", ["ordered"])

"""Faults by hand: opened for a device, solved by a movement, counted by model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.journals import journal
from vetlla.domain.clock import SystemClock
from vetlla.domain.supervision import KeptChange, KeptDevice
from vetlla.store.registry.transaction import transaction

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

AT = ("--at", "2026-11-02T09:00")


def opened(service: Vetlla, *words: object, device: str = "ucr:U1") -> dict[str, Any]:
    """Open a fault; return it."""
    done = service("faults", "open", "H1", "--device", device, *AT, *words, "--json")
    assert done.status == 0, done.error
    (fault,) = done.json
    return fault


def shown(service: Vetlla, fault: dict[str, Any]) -> dict[str, Any]:
    """Return what `faults show` says of a fault."""
    (found,) = service("faults", "show", fault["id"], "--json").json
    return found


def test_a_fault_is_two_duties_with_one_reference(service: Vetlla) -> None:
    fault = opened(service, "--code", "battery", "--alarm", "17", "--ref", "T-9")
    assert (fault["device"], fault["code"], fault["base"], fault["alarm"]) == ("ucr:U1", "battery", "NORD", "17")
    assert (fault["ref"], fault["visit"]["ref"], fault["visit"]["kind"]) == ("T-9", "T-9", "fault_visit")
    assert (fault["due"], fault["visit"]["due"]) == ("2026-11-04T22:59:59.999999Z", "2026-11-03T22:59:59.999999Z")


def test_a_time_without_zone_is_on_the_clock_of_the_service_wherever_the_command_runs(
    service: Vetlla, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "EST5")
    time.tzset()
    fault = opened(service)
    done = service("faults", "solve", fault["id"], "--at", "2026-11-02T10:00", "--json")
    assert [event["at"][11:16] for event in shown(service, fault)["events"]] == ["08:00", "09:00"], done.error


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("H9", "--device", "ucr:U1"), "no home 'H9'"),
        (("H1", "--device", "ucr:U9"), "no device 'ucr:U9'"),
        (("H1", "--device", "smoke:S1"), "smoke:S1 is in warehouse"),
        (("H2", "--device", "ucr:U1"), "ucr:U1 is in home H1"),
    ],
)
def test_what_is_no_device_of_the_home_is_refused(service: Vetlla, words: tuple[str, ...], said: str) -> None:
    done = service("faults", "open", *words)
    assert done.status == 64
    assert said in done.error


def test_what_was_withdrawn_is_shown_and_the_withdrawal_is_not_withdrawn(service: Vetlla) -> None:
    fault = opened(service)
    service("faults", "cancel", fault["id"], "--reason", "none", "--at", "2026-11-02T10:00")
    (end,) = (one for one in shown(service, fault)["events"] if one["event"] == "cancelled")
    assert service("duties", "withdraw", end["id"], "--reason", "an error").status == 0
    found = [(one["event"], one["withdrawn"]) for one in shown(service, fault)["events"]]
    assert found == [("detected", False), ("cancelled", True), ("withdrawn", False)]


def test_one_device_has_one_open_fault_of_a_sort(service: Vetlla) -> None:
    fault = opened(service, "--code", "battery")
    assert f"fault {fault['id']}" in service("faults", "open", "H1", "--device", "U1", "--code", "battery").error
    opened(service, "--code", "broken")
    assert service("faults", "solve", fault["id"], "--at", "2026-11-02T10:00").status == 0
    opened(service, "--code", "battery", "--at", "2026-11-03T10:00")


def test_a_replacement_solves_a_fault_in_one_transaction(service: Vetlla) -> None:
    fault = opened(service)
    refused = service("faults", "solve", fault["id"], "--replaced", "ucr:U1", "smoke:S1")
    assert (refused.status, shown(service, fault)["ended"]) == (64, None)
    words = ("--replaced", "ucr:U1", "ucr:U2", "--at", "2026-11-03T12:40")
    assert service("faults", "solve", fault["id"], *words, "--dry-run").status == 0
    (done,) = service("faults", "solve", fault["id"], *words, "--json").json
    assert done["movements"] == [
        {"device": "ucr:U1", "kind": "replaced_by"},
        {"device": "ucr:U2", "kind": "replaces"},
    ]
    assert (done["verdict"], done["ended"]) == ("kept", "2026-11-03T11:40:00.000000Z")
    found = shown(service, fault)
    assert [one["kind"] for one in found["movements"]] == ["replaced_by"]
    assert found["visit"]["verdict"] == "cancelled", "no visit was needed within its term"


def test_a_repair_leaves_the_device_in_its_place(service: Vetlla) -> None:
    fault = opened(service)
    both = service("faults", "solve", fault["id"], "--repaired", "--replaced", "ucr:U1", "ucr:U2")
    assert "either replaced or repaired" in both.error
    assert service("faults", "solve", fault["id"], "--repaired", "--at", "2026-11-03T12:40").status == 0
    assert [one["kind"] for one in shown(service, fault)["movements"]] == ["repaired"]
    assert "is solved already" in service("faults", "solve", fault["id"]).error


def test_a_visit_that_was_never_scheduled_stays_a_breach_after_its_term(service: Vetlla) -> None:
    fault = opened(service)
    service("faults", "solve", fault["id"], "--at", "2026-11-04T10:00")
    assert shown(service, fault)["visit"]["verdict"] == "breached"


def test_a_false_one_is_called_off_by_a_person_with_a_reason(service: Vetlla) -> None:
    fault = opened(service)
    assert "without a reason" in service("faults", "cancel", fault["id"]).error
    assert service("faults", "cancel", fault["id"], "--reason", "unplugged", "--at", "2026-11-02T10:00").status == 0
    found = shown(service, fault)
    assert (found["verdict"], found["visit"]["verdict"]) == ("cancelled", "cancelled")


def test_the_list_filters(service: Vetlla) -> None:
    first, second = opened(service), opened(service, device="T1")
    service("faults", "solve", first["id"], "--at", "2026-11-02T10:00")

    def numbers(*words: str) -> list[int]:
        return [one["id"] for one in service("faults", "list", *words, "--json").json]

    assert numbers() == numbers("--home", "H1") == numbers("--base", "NORD") == [first["id"], second["id"]]
    assert numbers("--open") == numbers("--device", "T1") == [second["id"]]
    assert numbers("--home", "H2") == []
    assert service("faults", "list", "--base", "EST").status == 64


def test_the_report_counts_each_faulty_device_once_and_no_false_one(service: Vetlla) -> None:
    first = opened(service)
    service("faults", "solve", first["id"], "--replaced", "ucr:U1", "ucr:U2", "--at", "2026-11-03T10:00")
    opened(service, "--at", "2026-11-12T10:00", device="ucr:U2")
    false = opened(service, device="T1")
    service("faults", "cancel", false["id"], "--reason", "unplugged", "--at", "2026-11-02T10:00")
    done = service("faults", "report", "--month", "2026-11", "--json")
    rows = {row["type"]: row for row in done.json}
    assert (rows["ucr"]["devices"], rows["ucr"]["faulty"], rows["ucr"]["percent"]) == (2, 2, "100.00")
    assert (rows["terminal_gsm"]["faulty"], rows["terminal_gsm"]["over"]) == (0, False)
    assert done.status == 1
    assert service("faults", "report", "--month", "2026-10").status == 0
    assert service("faults", "report", "--month", "2030-10").status == 64


def test_from_alarms_needs_a_journal(service: Vetlla) -> None:
    assert "there is no journal" in service("faults", "from-alarms").error


def test_a_terminal_that_supervision_lost_has_a_fault_until_a_person_solves_it(
    service: Vetlla, state_dir: Path
) -> None:
    """Its return is noted. A terminal that was lost together with others has no fault of its own."""
    service("inventory", "add", "terminal_ip", "T9", "--account", "A9", "--day", "2026-10-01")
    service("inventory", "install", "terminal_ip:T9", "H2", "--day", "2026-10-02")
    hour = 3_600_000_000
    lost_us = SystemClock().now().utc_us - 9 * hour
    with journal(state_dir) as scribe:
        batch = scribe.batch()
        batch.supervision.units += [
            KeptDevice(number, account, "", "", "", 3, 1, 1, 0, 900, 3, "", 0, 0, 0, 0)
            for number, account in enumerate(("a9", "A8"))
        ]
        batch.supervision.verdicts += [
            KeptChange(lost_us, 0, 1, 3, 0, 0, 3, None, 70),
            KeptChange(lost_us, 1, 1, 3, 0, 0, 3, 5, 71),
        ]
        scribe.write(batch)
    (fault, counts) = service("faults", "from-alarms", "--json").json
    assert (fault["home"], fault["device"], fault["code"], fault["ref"]) == (
        "H2", "terminal_ip:T9", "no_test", "alarm 70 no_test",
    )  # fmt: skip
    assert (counts["opened"], counts["not_opened"]) == (1, 0)
    with transaction(state_dir, SystemClock()):  # another command writes, and nothing is to be written here
        assert service("faults", "from-alarms", "--json").json == [counts | {"opened": 0}]
    with journal(state_dir) as scribe:
        batch = scribe.batch()
        batch.supervision.verdicts.append(KeptChange(lost_us + hour, 0, 3, 1, 0, 0, 0, None, None))
        scribe.write(batch)
    assert service("faults", "from-alarms", "--json").json[-1]["restored"] == 1
    found = shown(service, fault)
    assert ([event["event"] for event in found["events"]], found["ended"]) == (["detected", "restored"], None)


def test_a_telephone_number_in_place_of_an_account_is_masked(service: Vetlla, state_dir: Path) -> None:
    lost_us = SystemClock().now().utc_us - 9 * 3_600_000_000
    with journal(state_dir) as scribe:
        batch = scribe.batch()
        batch.supervision.units.append(
            KeptDevice(0, "tel:+34900000123", "", "", "", 3, 1, 1, 0, 900, 3, "", 0, 0, 0, 0)
        )
        batch.supervision.verdicts.append(KeptChange(lost_us, 0, 1, 3, 0, 0, 3, None, 70))
        scribe.write(batch)
    for words in ((), ("--json",)):
        done = service("faults", "from-alarms", *words)
        assert done.status == 1
        told = done.out + done.talk
        assert "tel:…123" in told or "tel:\\u2026123" in told
        assert "900000" not in told + done.error

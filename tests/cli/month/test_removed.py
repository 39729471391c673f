"""What the law has removed, and what has no history, is told apart from what a person changed by hand."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import alarm, journal, report
from vetlla.domain.alarms import State
from vetlla.domain.clock import ManualClock
from vetlla.domain.signals import AccountId
from vetlla.store.journal.batch import Entry

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = "code,district,base,level,alone,active\nH-1,01,NORD,2,yes,2020-01-01/2025-06-30\nH-2,01,SUD,3,no,2020-01-01/\n"
PEOPLE = "code,home,user_type\nP-1,H-1,A\nP-2,H-2,A\n"
DEVICES = "type,serial,ownership,place,home,first_installed,account\nterminal_gsm,T1,municipal,home,H-2,2020-05-02,{}\n"
EVENTS = """kind,subject,event,at,ref
familiarisation,P-1,joined,2025-05-26T09:00:00+02:00,
fault,H-2,detected,2025-06-09T09:00:00+02:00,F-2
fault,H-2,solved,2025-06-09T10:00:00+02:00,F-2
complaint,H-2,received,2025-06-09T09:00:00+02:00,C-1
complaint,H-2,answered,2025-06-10T09:00:00+02:00,C-1
complaint,H-2,pertinent,2025-06-11T09:00:00+02:00,C-1
"""
MONTH = "2025-06"


@pytest.fixture
def closed(vetlla: Vetlla, tmp_path: Path, state_dir: Path) -> Vetlla:
    """Make a service in which a home left and had a call, a fault and a person; close its last month."""
    write(vetlla, tmp_path, "homes", HOMES)
    write(vetlla, tmp_path, "people", PEOPLE)
    write(vetlla, tmp_path, "devices", DEVICES.format("0002"))
    (tmp_path / "events.csv").write_text(EVENTS, encoding="utf-8")
    assert vetlla("duties", "import", tmp_path / "events.csv").status == 0
    clock = ManualClock(datetime(2025, 6, 20, 9, tzinfo=UTC))
    with journal(state_dir, clock) as scribe:
        for number in (1, 2):
            who = AccountId("", "0", f"000{number}")
            batch = scribe.signals([report(number, id=who)], home=f"H-{number}", alarm=number)
            now_us = clock.now().utc_us
            values = {"home": f"H-{number}", "account": f"000{number}", "ready_us": now_us}
            batch.alarms[number] = alarm(
                number, clock, state=State.CLOSED, closed_us=now_us + 40_000_000, t3_us=40_000_000, **values
            )
            batch.audit.append(Entry(now_us, "receiver", "open", f"alarm {number}", {}))
            told: dict[str, object] = {"t3_us": 40_000_000}
            batch.audit.append(Entry(now_us + 40_000_000, "receiver", "close", f"alarm {number}", told))
            scribe.write(batch)
        clock.advance(86_400)
        scribe.commit(report(3))
        scribe.flush()
    done = vetlla("month", "close", MONTH)
    assert done.status == 0, done.error
    assert vetlla("month", "verify", MONTH).status == 0
    return vetlla


def write(vetlla: Vetlla, folder: Path, what: str, rows: str) -> None:
    """Import a file of the inventory."""
    (folder / f"{what}.csv").write_text(rows, encoding="utf-8")
    done = vetlla("inventory", "import", folder / f"{what}.csv", "--what", what, "--day", "2020-05-02")
    assert done.status == 0, done.error


def test_the_erasure_of_a_home_explains_what_is_missing(closed: Vetlla, tmp_path: Path) -> None:
    """Homes and bases are gone, and no part of the record differs: the days of its people stay under a number."""
    erased = closed("erase", "--home", "H-1", "--yes", "--out", tmp_path)
    assert erased.status == 0, erased.error
    done = closed("month", "verify", MONTH, "--json")
    assert done.status == 3
    assert [one for one in done.json if one["kind"] == "input"] == []
    assert all(one["explained"] for one in done.json)
    assert any("[ans=6].breached" in one["subject"] for one in done.json), "the home of a call is gone"
    assert any("[by=base" in one["subject"] for one in done.json), "the base of a person's fault is gone"
    assert not [one for one in done.json if "invoice.json" in one["subject"] or "[ans=20]" in one["subject"]]
    assert "erased or corrected" in closed("month", "verify", MONTH).out


def test_past_invoices_and_levels_count_the_people_of_an_erased_home(closed: Vetlla, tmp_path: Path) -> None:
    """Also if another person lives there since, and the code of no erased person is left."""

    def figures() -> list[object]:
        lines = closed("invoice", "make", "--month", MONTH, "--json").json
        levels = closed("sla", "report", "--month", MONTH, "--ans", "20", "--json").json
        return [*((one["concept"], one["units"]) for one in lines), levels[0]["denominator"]]

    before = figures()
    certificate = closed("erase", "--home", "H-1", "--yes", "--out", tmp_path, "--json").json[0]
    assert figures() == before
    assert certificate["destroyed"]["people"] == 1
    assert any("people, each under a number" in one for one in certificate["kept"])
    back = ("homes", "set", "H-1", "--active", "2020-01-01/2025-06-30;2026-01-01/", "--reason", "back")
    assert closed(*back).status == 0
    write(closed, tmp_path, "people", "code,home,user_type,active\nP-7,H-1,A,2026-01-01/\n")
    assert figures() == before
    (now,) = closed("sla", "report", "--month", "2026-02", "--ans", "20", "--json").json
    assert now["denominator"] == 2, "P-2 and P-7"
    assert closed("month", "verify", MONTH).status == 3


def test_an_erasure_explains_no_person_who_was_changed_by_hand(closed: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    closed("erase", "--home", "H-1", "--yes", "--out", tmp_path)
    connection = sqlite3.connect(state_dir / "registry.db")
    connection.execute("DROP TRIGGER person_facts_stay")
    connection.execute("UPDATE person_facts SET active = '2025-06-20/' WHERE person = 'P-2'")
    connection.commit()
    connection.close()
    done = closed("month", "verify", MONTH, "--json")
    assert done.status == 1
    assert ("people", False) in {(one["subject"], one["explained"]) for one in done.json}


def test_an_erasure_explains_no_other_figure(closed: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    closed("erase", "--home", "H-1", "--yes", "--out", tmp_path)
    connection = sqlite3.connect(state_dir / "journal.db")
    connection.execute("UPDATE alarms SET t3_us = 1, closed_us = closed_us - 39000000 WHERE id = 2")
    connection.commit()
    connection.close()
    done = closed("month", "verify", MONTH, "--json")
    assert done.status == 1
    assert ("signals", False) in {(one["subject"], one["explained"]) for one in done.json}
    figures = [one for one in done.json if one["kind"] == "figure"]
    assert any("[ans=6]" in one["subject"] and not one["explained"] for one in figures)


def test_a_corrected_account_of_a_device_is_told_apart(closed: Vetlla, tmp_path: Path) -> None:
    """The registry keeps no earlier account of a device, so that the close cannot know it."""
    write(closed, tmp_path, "devices", DEVICES.format("0009"))
    done = closed("month", "verify", MONTH, "--json")
    assert done.status == 3
    assert [(one["kind"], one["subject"]) for one in done.json] == [("input", "devices")]


def test_signals_that_were_removed_by_age_are_told_apart(closed: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    with journal(state_dir, ManualClock(datetime(2026, 6, 20, 9, tzinfo=UTC))) as scribe:
        scribe.commit(report(4))  # the journal believes the clock only near its last report
    config = tmp_path / "keep.toml"
    config.write_text(f'state_dir = "{state_dir}"\n[retention]\nsignals_days = 30\n', encoding="utf-8")
    pruned = closed("db", "prune", "--config", config)
    assert pruned.status == 0, pruned.error
    done = closed("month", "verify", MONTH, "--json")
    assert done.status == 3, done
    assert "signals" in {one["subject"] for one in done.json}
    assert {one["subject"].split("]")[0] for one in done.json if one["kind"] == "figure"} <= {
        "service-levels.json [ans=5",
        "service-levels.json [ans=6",
        "service-levels.pdf",
    }

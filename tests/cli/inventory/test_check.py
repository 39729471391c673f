"""``vetlla inventory check`` finds faults of the inventory, also against what the receiver knows."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.cli.conftest import ON, imported
from vetlla.domain.clock import ManualClock
from vetlla.store.journal.rows import SIGNAL_COLUMNS
from vetlla.store.sqlite.migrate import migrate

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def test_check_answers_as_a_monitoring_plug_in(vetlla: Vetlla, park: Path, tmp_path: Path, state_dir: Path) -> None:
    """A sound park warns, and a person without a UCR is critical; the first line has the figures of all rules."""
    imported(vetlla, park)
    done = vetlla("inventory", "check", *ON)
    assert done.status == 1
    assert done.out.startswith("INVENTORY WARNING: 15 level_3_not_digital")
    assert "person_without_ucr=0" in done.out.splitlines()[0]
    (pendant, *_) = vetlla("inventory", "list", "--type", "ucr", "--place", "home", "--json").json
    assert vetlla("inventory", "remove", f"ucr:{pendant['serial']}").status == 0
    broken = vetlla("inventory", "check", "--rule", "person_without_ucr", "--json")
    assert broken.status == 2
    assert [one["home"] for one in broken.json] == [pendant["home"]]
    assert vetlla("inventory", "check", "--rule", "nonsense").status == os.EX_USAGE


def test_check_finds_each_broken_rule(stocked: Vetlla, tmp_path: Path) -> None:
    """Every rule is broken once and reported once."""
    (tmp_path / "homes.csv").write_text(
        "code,district,base,level,alone,active\nH1,01,NORD,2,yes,2018-01-01/\nH2,01,NORD,3,no,2018-01-01/\n"
        "H3,01,NORD,1,no,2018-01-01/2024-01-01\n",
        encoding="utf-8",
    )
    (tmp_path / "people.csv").write_text("code,home,user_type\nP1,H1,A\nP2,H1,B\nP3,H1,C\n", encoding="utf-8")
    (tmp_path / "devices.csv").write_text(
        "type,serial,ownership,place,home,imei,made,first_installed,guarantee_until\n"
        "smoke,OLD,leased,home,H1,,2022-W01,2022-09-01,2023-01-01\n"
        "gas,DEAD,municipal,home,H1,,2017-W50,2018-01-15,\n"
        "gas,SOON,municipal,home,H1,,2019-W20,2019-06-15,\n"
        "terminal_ip,TW1,municipal,home,H3,490154203237518,2023-W20,2023-06-15,\n"
        "geolocator,TW2,municipal,home,H1,490154203237518,2023-W20,2023-06-15,\n",
        encoding="utf-8",
    )
    for what in ("homes", "people", "devices"):
        stocked("inventory", "import", tmp_path / f"{what}.csv", "--what", what, *ON)
    found = [(one["check"], one["home"]) for one in stocked("inventory", "check", *ON, "--json").json]
    assert sorted(found) == [
        ("guarantee", "H1"),
        ("home_without_terminal", "H2"),
        ("level_3_not_digital", "H2"),
        ("near_end_of_life", "H1"),
        ("not_recovered", "H3"),
        ("old_at_installation", "H1"),
        ("past_end_of_life", "H1"),
        ("person_without_ucr", "H1"),
        ("two_places", "H3"),
        ("upkeep_overdue", "H1"),
        ("upkeep_overdue", "H1"),
        ("upkeep_overdue", "H1"),
        ("upkeep_overdue", "H1"),
    ]


def test_check_compares_the_inventory_with_what_the_receiver_knows_and_heard(stocked: Vetlla, state_dir: Path) -> None:
    """It finds an unregistered account, a terminal unknown to the receiver, and one that it has in another home."""
    columns = dict.fromkeys(SIGNAL_COLUMNS, 0) | {"raw": b"", "identity": b"", "flags": 4}
    with closing(sqlite3.connect(state_dir / "journal.db", isolation_level=None)) as journal:
        migrate(journal, "journal", "journal.db", ManualClock())
        for number, account in enumerate(("0FF1", "0FF1", "1234"), start=1):
            row = {**columns, "id": number, "account": account}
            journal.execute(
                f"INSERT INTO signals ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()]
            )
    assert stocked("accounts", "set", "1234", "--home", "H2").status == 0
    stocked("inventory", "add", "terminal_ip", "T2", "--account", "1234", "--day", "2024-04-01")
    stocked("inventory", "add", "terminal_ip", "T3", "--account", "5678", "--day", "2024-04-01")
    stocked("inventory", "remove", "T1", "--day", "2024-04-01")
    stocked("inventory", "install", "T2", "H1", "--day", "2024-04-02")
    stocked("inventory", "install", "T3", "H2", "--day", "2024-04-02")
    rules = ("--rule", "unknown_account", "--rule", "account_elsewhere", "--json")
    assert [one["text"] for one in stocked("inventory", "check", *rules).json] == [
        "the receiver has account 1234 in home H2",
        "the receiver has no account 5678",
        "account 0FF1 was heard 2 times and is not registered",
    ]


def test_check_compares_homes_with_the_receivers_accounts(stocked: Vetlla) -> None:
    """It covers a terminal without an account, an account of several homes, and a home that is not registered."""
    for account, home, line in (("0001", "H2", "1"), ("0001", "H1", "2"), ("gsm-ip:42", "H7", "")):
        assert stocked("accounts", "set", account, "--home", home, *(("--line", line) if line else ())).status == 0
    stocked("inventory", "add", "terminal_ip", "T2", "--account", "0001", "--day", "2024-04-01")
    stocked("inventory", "install", "T2", "H2", "--day", "2024-04-02")
    rule = ("inventory", "check", "--rule", "account_elsewhere", "--json")
    (found,) = stocked(*rule).json
    assert found["home"] == "H7"
    assert "the receiver has account GSM-IP:42 in this home" in found["text"]
    stocked("accounts", "remove", "0001", "--line", "2")
    assert ("H1", "the receiver has no account for its home") in [
        (one["home"], one["text"]) for one in stocked(*rule).json
    ]
    assert stocked("inventory", "show", "H2", "--json").json[0]["accounts"] == ["0001"]


def test_a_check_that_cannot_be_made_says_unknown(vetlla: Vetlla, state_dir: Path) -> None:
    """An empty registry is not "all rules kept", and a broken one gives a plug-in's UNKNOWN, not another status."""
    done = vetlla("inventory", "check")
    assert (done.status, done.out.partition(":")[0]) == (3, "INVENTORY UNKNOWN")
    done = vetlla("inventory", "check", "--json")
    assert (done.status, done.json[0]["level"]) == (3, "unknown")
    (state_dir / "registry.db").write_bytes(b"this is no database at all" * 100)
    done = vetlla("inventory", "check")
    assert (done.status, done.out.partition(":")[0]) == (3, "INVENTORY UNKNOWN")
    assert len(done.out.splitlines()) == 1
    (told,) = vetlla("inventory", "check", "--json").json
    assert (told["level"], told["text"].endswith("file is not a database")) == ("unknown", True)
    assert told["remedy"].startswith("restore the last backup")

"""``vetlla erase`` as users type it, with and without a receiver, and certificates."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.cli.erase.left import HOMES, LIMITS, assert_gone, live_on, remove_account, rows
from tests.rigs.cards import CARD, keep
from tests.rigs.daemon import running
from tests.rigs.journals import alarm, journal, report
from vetlla.domain.clock import ManualClock
from vetlla.domain.signals import AccountId
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.registry.registry import REGISTRY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

SECRETS = (b"in the bath", b"hip broken", b"+34931234567", b"41.38", b"P-1", b"Carrer Major 7")
"""Words that must not be found anywhere afterwards."""


def test_a_dry_run_changes_nothing(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """It counts, and changes no byte."""
    remove_account(vetlla)
    before = [(state_dir / name).read_bytes() for name in (JOURNAL, REGISTRY)]
    (told,) = vetlla("erase", "--home", "H-1", "--dry-run", "--json").json
    assert told == {
        "home": "H-1",
        "dry_run": True,
        "destroyed": {
            "signals": 3, "raw": 3, "positions": 3, "alarms": 1, "notes": 1, "rejects": 1,
            "people": 1, "homes": 1, "notes_of_movements": 0, "visits": 0, "calls": 0, "recordings": 0,
            "notes_of_duties": 0, "details_of_duties": 0, "cards": 0,
        },
    }  # fmt: skip
    assert [(state_dir / name).read_bytes() for name in (JOURNAL, REGISTRY)] == before
    assert list(place.glob("erasure*")) == []


def test_the_history_of_a_home_is_erased_too(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """Old numbers, notes and people are gone from the file; levels, periods and people who moved away stay."""
    live_on(vetlla, place)
    remove_account(vetlla)
    (told,) = vetlla("erase", "--home", "H-1", "--yes", "--out", place, "--json").json
    assert (told["destroyed"]["people"], told["destroyed"]["homes"]) == (1, 1)
    facts = vetlla("homes", "history", "H-1", "--json").json
    kept = {(one["field"], one["value"]) for one in facts}
    assert {
        ("level", "2"),
        ("active", "2020-01-01/2025-06-30"),
        ("phones", ""),
        ("language", ""),
        ("alone", "no"),
    } < kept
    assert {one["note"] for one in facts} == {""}
    assert [one["field"] for one in facts].count("phones") == 2
    assert vetlla("people", "history", "P-1").status == os.EX_USAGE
    assert [one["value"] for one in vetlla("people", "history", "P-3", "--json").json if one["field"] == "home"] == [
        "H-1",
        "H-2",
    ]
    content = (state_dir / REGISTRY).read_bytes()
    assert not [word for word in (*SECRETS, b"+34931234568") if word in content]
    with closing(sqlite3.connect(state_dir / REGISTRY)) as registry, pytest.raises(sqlite3.IntegrityError):
        registry.execute("DELETE FROM person_facts")


def test_notes_of_duties_about_its_devices_are_erased(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """A device that was in the home for a time loses the notes of that time, and keeps those of its next home."""
    (place / "devices.csv").write_text(
        "type,serial,ownership,place,home,first_installed\nucr,U1,municipal,home,H-1,2020-05-02\n", encoding="utf-8"
    )
    assert vetlla("inventory", "import", place / "devices.csv", "--what", "devices", "--day", "2020-05-02").status == 0
    for words in (("remove", "ucr:U1", "--day", "2025-06-01"), ("install", "ucr:U1", "H-2", "--day", "2025-07-01")):
        done = vetlla("inventory", *words)
        assert done.status == 0, done.error
    for day, note in (("2025-03-03", "hip broken"), ("2025-09-03", "a quiet dog")):
        done = vetlla(
            "duties", "open", "renewal", "ucr:U1", "--at", f"{day}T10:00", "--to", "2026-01-01", "--note", note
        )
        assert done.status == 0, done.error
    remove_account(vetlla)
    (told,) = vetlla("erase", "--home", "H-1", "--yes", "--out", place, "--json").json
    assert told["destroyed"]["notes_of_duties"] == 1
    content = (state_dir / REGISTRY).read_bytes()
    assert (b"hip broken" in content, b"a quiet dog" in content) == (False, True)


def test_notes_of_movements_of_its_devices_are_erased(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """So are those of movements out of the home, and of what became of a device before its next home."""
    types = ("ucr", "oral", "smoke", "gas", "door")
    ways: tuple[tuple[object, ...], ...] = (
        ("add", "ucr", "N1"),
        *(("add", name, "D1") for name in types),
        *(("install", f"{name}:D1", "H-1", "--reason", "quiet dog enters") for name in types[:2]),
        *(("install", f"{name}:D1", "H-1") for name in types[2:]),
        ("replace", "ucr:D1", "ucr:N1", "--reason", "quiet dog replaced"),
        ("move", "oral:D1", "H-2", "--reason", "quiet dog moved"),
        ("retire", "smoke:D1", "--reason", "quiet dog retired"),
        ("remove", "gas:D1", "--reason", "quiet dog removed"),
        ("repair", "gas:D1", "--reason", "quiet dog repaired"),
        ("transfer", "gas:D1", "offered", "--reason", "quiet dog transferred"),
        ("install", "gas:D1", "H-2", "--reason", "parrot installed"),
        ("remove", "gas:D1", "--reason", "parrot removed"),
        ("remove", "ucr:N1"),
        ("remove", "door:D1"),
        ("install", "door:D1", "H-2", "--reason", "parrot installed"),
    )
    for number, words in enumerate(ways, start=1):
        done = vetlla("inventory", *words, "--day", f"2025-05-{number:02}")
        assert done.status == 0, (words, done.error)
    remove_account(vetlla)
    (told,) = vetlla("erase", "--home", "H-1", "--yes", "--out", place, "--json").json
    with closing(sqlite3.connect(state_dir / REGISTRY)) as registry:
        notes = [note for (note,) in registry.execute("SELECT note FROM movements WHERE note != '' ORDER BY id")]
    assert notes == ["parrot installed", "parrot removed", "parrot installed"]
    assert b"quiet dog" not in (state_dir / REGISTRY).read_bytes()
    assert told["destroyed"]["notes_of_movements"] == 9


def test_files_of_events_about_erased_people_are_imported(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """What was erased stays so, a later event counts without its note, and a person who never was there is refused."""
    heading, details = "kind,subject,event,at,ref,note,details", '"{""doctor"":""Invention"",""zone"":""2""}"'
    joined = f"familiarisation,P-1,joined,2025-03-03T10:00,F-1,hip broken,{details}"
    done = f"familiarisation,P-1,done,2025-03-09T10:00,F-1,knee as well,{details}"
    other = "familiarisation,P-2,joined,2025-03-03T10:00,F-2,walks well,"
    events, exported = place / "events.csv", place / "exported.csv"
    events.write_text(f"{heading}\n{joined}\n{other}", encoding="utf-8")
    assert vetlla("duties", "import", events).status == 0
    remove_account(vetlla)
    assert vetlla("erase", "--home", "H-1", "--yes", "--out", place).status == 0
    assert vetlla("duties", "export", exported).status == 0
    for file, erased in ((exported, 1), (events, 1)):
        again = vetlla("duties", "import", file, "--json")
        counts = again.json[0]
        assert (again.status, counts["new"], counts["unchanged"]) == (0, 0, 2), again.error
        assert (counts["differing"], counts["erased"]) == (0, erased)
        assert f"{erased} event about erased people" in again.talk
    events.write_text(f"{heading}\n{joined}\n{done}", encoding="utf-8")
    assert vetlla("duties", "import", events, "--json").json[0]["new"] == 1
    (duty,) = vetlla("duties", "list", "--subject", "P-1", "--json").json
    assert duty["verdict"] == "kept"
    with closing(sqlite3.connect(state_dir / REGISTRY)) as registry:
        kept = registry.execute("SELECT note, details FROM duty_events ORDER BY subject, at_us").fetchall()
    assert kept == [("", '{"zone":"2"}'), ("", '{"zone":"2"}'), ("walks well", "")]
    events.write_text("\n".join((heading, joined, done.replace("P-1", "P-9"))), encoding="utf-8")
    refused = vetlla("duties", "import", events)
    assert (refused.status, "no such person" in refused.out + refused.talk) == (os.EX_USAGE, True)


@pytest.mark.parametrize("with_receiver", [False, True])
def test_a_home_that_left(place: Path, state_dir: Path, vetlla: Vetlla, with_receiver: bool) -> None:  # noqa: FBT001
    """Its data are gone from the files, the chain is whole, and the certificate is proven until a test changes it."""
    remove_account(vetlla)
    if with_receiver:
        with running(place, config=LIMITS.format(state_dir)):
            (told,) = vetlla("erase", "--home", "H-1", "--yes", "--out", place, "--json").json
    else:
        (told,) = vetlla("erase", "--home", "H-1", "--yes", "--out", place, "--json").json
    counts = told["destroyed"]
    assert (counts["signals"], counts["alarms"], counts["notes"], counts["rejects"]) == (3, 1, 1, 1)
    assert (counts["people"], counts["homes"], told["log_emptied"]) == (1, 1, True)
    assert_gone(state_dir)
    verified = vetlla("audit", "verify", "--expect", told["head"])
    assert verified.status == 0, verified.out
    (document,), (page,) = place.glob("erasure-H-1-*.json"), place.glob("erasure-H-1-*.txt")
    assert str(document) == told["certificate"]
    assert "CERTIFICATE OF DESTRUCTION: home H-1" in page.read_text(encoding="utf-8")
    assert told["head"] in page.read_text(encoding="utf-8")
    proven = vetlla("erase", "--check", document)
    assert (proven.status, "proven by audit record" in proven.out) == (0, True)
    for name, value in (("by", "eva"), ("destroyed", {"signals": 999}), ("home", "H-2"), ("head", "1:" + "0" * 64)):
        document.write_text(json.dumps(told | {name: value}), encoding="utf-8")
        assert vetlla("erase", "--check", document).status == 1, name


def test_the_card_is_erased_with_the_home(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """The certificate counts it; the card of another home stays; an erasure that is refused leaves the card."""
    keep(state_dir, replace(CARD, home="H-1"), replace(CARD, home="H-2"))
    assert vetlla("erase", "--home", "H-1", "--yes", "--out", place).status != 0  # its account is registered
    assert vetlla("home", "H-1", "--reason", "test", "--only-card", "--json").json[0]["card"] is not None
    remove_account(vetlla)
    (told,) = vetlla("erase", "--home", "H-1", "--yes", "--out", place, "--json").json
    assert told["destroyed"]["cards"] == 1
    assert vetlla("erase", "--check", told["certificate"]).status == 0
    (page,) = place.glob("erasure-H-1-*.txt")
    assert "1  card of the home" in page.read_text(encoding="utf-8")
    cards = [
        vetlla("home", home, "--reason", "test", "--only-card", "--json").json[0]["card"] for home in ("H-1", "H-2")
    ]
    assert [card is None for card in cards] == [True, False]
    assert vetlla("cards", "verify").status == 0


def test_the_bytes_are_gone(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """No file of the state directory holds a text that only the erased home sent."""
    with closing(sqlite3.connect(state_dir / JOURNAL, isolation_level=None)) as connection:
        connection.execute("DELETE FROM notes WHERE alarm_id = 2")
    (place / "homes.csv").write_text(HOMES.replace("H-2,01,NORD,3,no,es,+34937654321", "H-2,01,NORD,3,no,,"))
    assert vetlla("inventory", "import", place / "homes.csv", "--what", "homes").status == 0
    remove_account(vetlla)
    assert vetlla("erase", "--home", "H-1", "--yes", "--out", place).status == 0
    registry = (state_dir / REGISTRY).read_bytes()
    assert b"+34931234567" not in registry
    assert b"P-1" not in registry
    assert b"hip broken" not in (state_dir / JOURNAL).read_bytes()
    assert b"Carrer Major 7 1" not in (state_dir / JOURNAL).read_bytes()
    assert b"Carrer Major 7 2" in (state_dir / JOURNAL).read_bytes()


def test_accounts_that_the_registry_forgot(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """A home's signals are found in the journal itself, so that a certificate is right even without the registry."""
    (state_dir / REGISTRY).unlink()
    (told,) = vetlla("erase", "--home", "H-1", "--yes", "--out", place, "--json").json
    assert (told["destroyed"]["signals"], told["destroyed"]["rejects"]) == (3, 1)
    assert rows(state_dir, "SELECT count(*) FROM signals WHERE home = 'H-1' OR account = '0001'") == [(0,)]


def test_an_account_that_moved_on(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """The next home of a terminal keeps its evidence and its signals; the former home's signals are erased."""
    assert vetlla("accounts", "set", "0001", "--home", "H-2").status == 0
    with journal(state_dir, ManualClock(datetime.now(UTC) - timedelta(hours=5))) as scribe:
        scribe.commit(report(1, id=AccountId("", "0", "0001"), text="mine"), home="H-2")
    (told,) = vetlla("erase", "--home", "H-1", "--yes", "--out", place, "--json").json
    assert (told["destroyed"]["signals"], told["destroyed"]["rejects"]) == (3, 0)
    assert rows(state_dir, "SELECT home, text FROM signals WHERE account = '0001'") == [("H-2", "mine")]
    assert vetlla("audit", "verify").status == 0


def test_a_home_that_is_attended_is_refused(place: Path, vetlla: Vetlla) -> None:
    """So is a home with a registered account, an unknown home, and no home at all; the error has a remedy."""
    refusals = {
        "H-2": ("home H-2 is attended", "record the day on which it left"),
        "H-1": ("account 0001 is registered for home H-1", "vetlla accounts remove 0001"),
        "H-9": ("nothing is kept of home H-9", "vetlla inventory list"),
    }
    for home, (why, remedy) in refusals.items():
        done = vetlla("erase", "--home", home, "--yes", "--out", place)
        assert (done.status, why in done.error, remedy in done.error) == (os.EX_USAGE, True, True), done
    assert vetlla("erase").status == os.EX_USAGE
    assert list(place.glob("erasure*")) == []


def test_an_open_alarm_is_refused(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """The remedy names the alarm, and nothing is changed."""
    remove_account(vetlla)
    with journal(state_dir) as scribe:
        batch = scribe.batch()
        batch.alarms[3] = alarm(3, scribe.clock, home="H-1", account="0001")
        scribe.write(batch)
    before = (state_dir / JOURNAL).read_bytes()
    done = vetlla("erase", "--home", "H-1", "--yes", "--out", place)
    assert (done.status, "has an open alarm: 3" in done.error) == (os.EX_USAGE, True)
    assert "vetlla queue show 3" in done.error
    assert (state_dir / JOURNAL).read_bytes() == before


def test_a_home_that_still_reports_is_refused(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """Its next call would add to the data that are being erased."""
    remove_account(vetlla)
    with journal(state_dir, ManualClock(datetime.now(UTC))) as scribe:
        scribe.commit(report(1, id=AccountId("", "0", "0001")), home="H-1")
    done = vetlla("erase", "--home", "H-1", "--yes", "--out", place)
    assert (done.status, "a short while ago" in done.error, "try again in" in done.error) == (os.EX_USAGE, True, True)


def test_nothing_is_destroyed_without_consent(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """Without a terminal --yes is needed; if no certificate can be written, nothing is erased."""
    remove_account(vetlla)
    before = (state_dir / JOURNAL).read_bytes()
    done = vetlla("erase", "--home", "H-1", "--out", place, stdin="")
    assert (done.status, "--dry-run first, then --yes" in done.error) == (os.EX_USAGE, True)
    done = vetlla("erase", "--home", "H-1", "--yes", "--out", place / "missing")
    assert (done.status, "--out DIR" in done.error) == (os.EX_IOERR, True)
    assert (state_dir / JOURNAL).read_bytes() == before


def test_an_interrupted_erasure_is_completed(
    place: Path, state_dir: Path, vetlla: Vetlla, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate of the second attempt counts what the first one did; the first left the registry as it was."""
    remove_account(vetlla)
    finish = "vetlla.store.removing.finish"

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(finish, killed)
        assert vetlla("erase", "--home", "H-1", "--yes", "--out", place).status != 0
    assert list(place.glob("erasure*")) == []
    assert vetlla("audit", "verify").status == 0
    (told,) = vetlla("erase", "--home", "H-1", "--yes", "--out", place, "--json").json
    assert {name: told["destroyed"][name] for name in ("signals", "alarms", "people")} == {
        "signals": 3,
        "alarms": 1,
        "people": 1,
    }
    assert_gone(state_dir)


def test_a_changed_row_is_not_erased(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """Signals that were changed by hand stay, and checks still find them; the certificate does not count them."""
    remove_account(vetlla)
    with closing(sqlite3.connect(state_dir / JOURNAL, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER signals_stay_update")
        connection.execute("UPDATE signals SET code = '602' WHERE id = 1")
    done = vetlla("erase", "--home", "H-1", "--yes", "--out", place, "--json")
    (told,) = done.json
    assert (done.status, told["destroyed"]["signals"], told["left"]) == (1, 0, 3)
    (page,) = place.glob("erasure-H-1-*.txt")
    assert "NOT destroyed: 3 signals" in page.read_text(encoding="utf-8")
    verified = vetlla("audit", "verify")
    assert (verified.status, "signals 1 to 3 are not those that were committed" in verified.out) == (1, True)

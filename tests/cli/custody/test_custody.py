"""``vetlla custody``: a key from its ceding to its certificate, on a real registry."""

from __future__ import annotations

import csv
import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.rigs.homes_on_record import register_homes
from tests.rigs.street import write_alarms

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla

AUTHORISED = ("--authorisation", "A-77", "--may-return", "P9")


@pytest.fixture
def keeper(vetlla: Vetlla, state_dir: Path) -> Vetlla:
    """Make a registry with three homes and two keys; H3 left on 30 June 2025."""
    register_homes(state_dir.parent)
    for home, code in (("H1", "K1"), ("H3", "K3")):
        place = f"cabinet A, hook {code[1:]}"
        at = "2025-01-10T10:00"
        done = vetlla("custody", "cede", home, "--code", code, "--place", place, *AUTHORISED, "--at", at)
        assert done.status == 0, done.error
    return vetlla


def act(keeper: Vetlla, *words: str) -> Done:
    """Run an act on a key; it must be accepted."""
    done = keeper("custody", *words)
    assert done.status == 0, done.error
    return done


def test_who_has_a_key_and_where_it_was(keeper: Vetlla) -> None:
    taken = act(
        keeper, "take", "K1", "--by", "T07", "--reason", "emergency", "--alarm", "4711", "--at", "2025-02-01T10:00"
    )
    assert taken.out.startswith("K1 of H1 is out, and T07 has it\n  alarm 4711 counts unchecked")
    act(keeper, "use", "K1", "--alarm", "4711", "--by", "T07", "--at", "2025-02-01T10:20")
    (listed,) = keeper("custody", "list", "--holder", "T07", "--out-since", "12h", "--json").json
    assert list(listed) == [
        "key", "home", "state", "in_custody", "place", "holder", "since", "copies", "authorisation", "may_return",
        "ceded", "duty",
    ]  # fmt: skip
    assert (listed["key"], listed["holder"], listed["place"]) == ("K1", "T07", "cabinet A, hook 1")
    act(keeper, "bring-back", "K1", "--by", "T07", "--place", "cabinet B, hook 2", "--at", "2025-02-01T12:00")
    (shown,) = keeper("custody", "show", "K1", "--json").json
    assert (shown["state"], shown["place"], shown["holder"]) == ("in place", "cabinet B, hook 2", "")
    assert [event["event"] for event in shown["events"]] == ["ceded", "taken", "used", "brought_back"]
    assert [event["source"] for event in shown["events"]][1] == "vetlla custody take"
    assert keeper("custody", "list", "--holder", "T07").out == ""
    assert "hook 2" in keeper("custody", "show", "K1").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("take K1 --reason check", "who takes the key"),
        ("take K1 --by T1 --reason emergency", "an emergency has an alarm"),
        ("bring-back K1", "K1 is in its place"),
        ("use K1 --alarm 7", "K1 is in its place"),
        ("take K9 --by T1 --reason check", "there is no key 'K9'"),
        ("destroy K1 --certificate k1.txt", "a certificate is .pdf or .html"),
        ("certificate K1 k1.pdf", "K1 was not destroyed"),
        ("cede H9 --code K9 --place a --authorisation A --may-return P", "H9"),
        ("cede H1 --code K3 --place a --authorisation A --may-return P", "K3 is in custody already: it opens H3"),
    ],
)
def test_what_cannot_be_is_refused(keeper: Vetlla, words: str, message: str) -> None:
    done = keeper("custody", *words.split())
    assert done.status == os.EX_USAGE
    assert message in done.error
    assert "\n" in done.error


def test_codes_and_places_that_differ_in_capitals_are_one(keeper: Vetlla, tmp_path: Path) -> None:
    refused = keeper("custody", "cede", "H2", "--code", "k1", "--place", "x", *AUTHORISED)
    assert (refused.status, "K1 is in custody already: it opens H1" in refused.error) == (64, True)
    refused = keeper("duties", "open", "key", "H2", "--ref", "k 1")
    assert (refused.status, "K1 is in custody already" in refused.error) == (64, True)
    act(keeper, "take", "k1", "--by", "T07", "--reason", "check")
    assert keeper("custody", "list", "--holder", "t07", "--json").json[0]["key"] == "K1"
    act(keeper, "bring-back", "K1", "--place", "CABINET A, hook  3")
    checked = keeper("custody", "check").out
    assert "has 2 keys: K1, K3" in checked
    (tmp_path / "counted.csv").write_text('key,place\nk1,"cabinet a, hook 3"\nk3,\nK3,\n', encoding="utf-8")
    found = keeper("custody", "inventory", tmp_path / "counted.csv", "--json").json
    assert [(one["key"], one["difference"]) for one in found] == [("K3", "twice")]
    act(keeper, "return", "k1", "--to", "p9", "--receipt", "R1")
    assert "wrong_person" not in keeper("custody", "check", "--json").out


def test_a_use_by_a_person_who_does_not_have_the_key_is_marked(keeper: Vetlla) -> None:
    """The use counts, because the door was opened; but who had the key is not known then."""
    act(keeper, "take", "K1", "--by", "T07", "--reason", "emergency", "--alarm", "7", "--at", "20m")
    act(keeper, "use", "K1", "--alarm", "7", "--at", "15m")
    assert "used by" not in act(keeper, "use", "K1", "--alarm", "7", "--by", "t07", "--at", "12m").out
    assert "used by" not in keeper("custody", "check").out
    marked = "used by T09, when T07 had it"
    assert marked in act(keeper, "use", "K1", "--alarm", "7", "--by", "T09", "--at", "10m").out
    (shown,) = keeper("custody", "show", "K1", "--json").json
    uses = [(one["by"], one["wrong"].partition(":")[0]) for one in shown["events"] if one["event"] == "used"]
    assert [by for by, _ in uses] == ["T07", "t07", "T09"]
    assert (uses[-1][1], shown["holder"]) == (marked, "T07")
    assert marked in keeper("custody", "check").out
    by_hand = keeper("duties", "event", str(shown["duty"]), "used", "--by", "T09", "--at", "5m")
    assert marked in by_hand.talk


def test_a_file_with_other_capitals_tells_of_the_same_keys(keeper: Vetlla, tmp_path: Path) -> None:
    """In the register as in a file of duties; a second key of another home is a bad row."""
    file = tmp_path / "keys.csv"
    head = "home,key,event,at,by,place,authorisation,may_return,reason\n"
    file.write_text(head + "H1,k1,taken,2025-02-01T10:00,T07,,,,check\n", encoding="utf-8")
    assert act(keeper, "import", str(file)).out.split(": ")[1].startswith("1 new")
    file.write_text(head + "H2,k1,ceded,2025-02-01T10:00,,x,A-1,P1,\n", encoding="utf-8")
    bad = keeper("custody", "import", file)
    assert (bad.status, "is in custody already, and opens H1" in bad.talk) == (64, True)
    file.write_text(
        head + "H2,K7,ceded,2025-02-01T10:00,,x,A-1,P1,\nH3,k7,ceded,2025-02-01T11:00,,y,A-1,P1,\n", encoding="utf-8"
    )
    assert keeper("custody", "import", file).status == 64
    file.write_text("kind,subject,event,at,ref\nkey,H1,brought_back,2025-02-02T10:00,k 1\n", encoding="utf-8")
    assert keeper("duties", "import", file).status == 0
    (shown,) = keeper("custody", "show", "k1", "--json").json
    assert (shown["key"], shown["state"]) == ("K1", "in place")


def test_a_dry_run_changes_nothing(keeper: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "k.pdf"
    assert "was destroyed" in act(keeper, "destroy", "K1", "--certificate", str(file), "--dry-run").out
    assert not file.exists()
    assert keeper("custody", "list", "--home", "H1", "--json").json[0]["state"] == "in place"


def test_use_without_an_emergency_is_a_very_grave_fault(keeper: Vetlla) -> None:
    act(keeper, "take", "K1", "--by", "T07", "--reason", "check", "--at", "2h")
    assert keeper("custody", "check").status == 1  # the home of K3 left
    assert "very grave fault" in act(keeper, "use", "K1", "--by", "T07", "--at", "1h").out
    done = keeper("custody", "check")
    assert done.status == 2
    assert "CRITICAL key K1 of H1: used without an emergency" in done.out
    assert {one["check"] for one in keeper("custody", "check", "--json").json} == {"no_emergency", "left"}
    old = keeper("custody", "check", "--for", "10m")
    assert (old.status, "1 older faults" in old.out) == (1, True)


def test_an_alarm_must_be_a_number_of_the_journal_and_of_the_home(keeper: Vetlla, state_dir: Path) -> None:
    """Without a journal the alarm counts unchecked; with one it must exist and be of the home of the key."""
    act(keeper, "take", "K1", "--by", "T07", "--reason", "check", "--at", "2h")
    assert keeper("custody", "use", "K1", "--alarm", "nonsense").status == 2
    assert "alarm 2 counts unchecked" in act(keeper, "use", "K1", "--alarm", "2", "--at", "50m").out
    write_alarms(state_dir, (1, "H2", 90, 80), (2, "H1", 70, 60))
    assert act(keeper, "use", "K1", "--alarm", "2", "--at", "45m").out == "K1 of H1 is out, and T07 has it\n"
    assert keeper("custody", "check").status == 1
    assert "1 uses for an alarm that was not looked up" in keeper("custody", "check").out
    told = act(keeper, "use", "K1", "--alarm", "1", "--at", "40m").out
    assert "alarm 1 is of another home\n  used for an alarm of another home: this is a very grave fault" in told
    assert "alarm 9 is not in the journal" in act(keeper, "use", "K1", "--alarm", "9", "--at", "30m").out
    checked = keeper("custody", "check", "--json")
    assert checked.status == 2
    assert {one["check"] for one in checked.json} == {"other_home", "no_alarm", "left"}


def test_a_key_may_be_returned_to_any_of_several_people(keeper: Vetlla) -> None:
    words = ("--place", "hook 9", "--authorisation", "A-8", "--may-return", "P9", "--may-return", "P10", "--at", "3h")
    for code, person, faults in (("K8", "P10", 0), ("K9", "P9", 0), ("K10", "P9;P10", 1)):
        made = act(keeper, "cede", "H2", "--code", code, *words, "--json").json[0]
        assert made["may_return"] == "P9;P10"
        told = act(keeper, "return", code, "--to", person, "--receipt", "R1").out
        assert told.count("very grave fault") == faults


def test_the_check_finds_what_is_not_in_order(keeper: Vetlla) -> None:
    act(keeper, "cede", "H2", "--code", "K2", "--place", "cabinet A, hook 1", *AUTHORISED, "--at", "2025-01-10T10:00")
    act(keeper, "take", "K3", "--by", "T07", "--reason", "return", "--at", "2025-08-01T10:00")
    done = keeper("custody", "check")
    assert done.status == 1
    assert "WARNING place cabinet A, hook 1 has 2 keys: K1, K2" in done.out
    assert "WARNING key K3: T07 has it for" in done.out
    assert "3 keys in custody, 1 out, 0 lost" in done.out
    act(keeper, "lost", "K3")
    lost = keeper("custody", "check")
    assert (lost.status, "CRITICAL key K3 of H3: lost, a very grave fault" in lost.out) == (2, True)


def test_the_check_finds_a_code_of_two_keys(keeper: Vetlla) -> None:
    """A withdrawal may bring a key back whose code was given to another key since then."""
    act(keeper, "return", "K1", "--to", "P9", "--receipt", "R1", "--at", "2025-02-01T10:00")
    returned = keeper("custody", "show", "K1", "--json").json[0]["events"][-1]
    act(keeper, "cede", "H2", "--code", "K1", "--place", "cabinet B, hook 1", *AUTHORISED, "--at", "2025-02-02T10:00")
    assert "CRITICAL" not in keeper("custody", "check").out
    assert keeper("duties", "withdraw", str(returned["id"]), "--reason", "wrong key").status == 0
    done = keeper("custody", "check")
    assert (done.status, "CRITICAL code K1 belongs to 2 keys in custody, of H1, H2" in done.out) == (2, True)


def test_homes_of_people_alone_without_a_key_are_counted(keeper: Vetlla) -> None:
    assert "; 0 homes of people alone without a key" in keeper("custody", "check").out
    act(keeper, "return", "K1", "--to", "P9", "--receipt", "R1")
    assert "; 1 homes of people alone without a key" in keeper("custody", "check").out


def test_an_unreadable_registry_is_unknown(vetlla: Vetlla, tmp_path: Path) -> None:
    (tmp_path / "state" / "registry.db").write_bytes(b"no database" * 100)
    assert vetlla("custody", "check").status == 3


def test_a_corrected_day_of_leaving_is_no_breach(keeper: Vetlla) -> None:
    """Nothing was owed from the day on which the home was attended again, whenever the office learns of it."""
    assert keeper("custody", "left").status == 0
    assert keeper("homes", "set", "H3", "--active", "2018-01-01/", "--correct").status == 0
    assert keeper("custody", "left").status == 0
    verdicts = {one["verdict"] for one in keeper("duties", "list", "--kind", "key_return", "--json").json}
    assert verdicts == {"cancelled"}


def test_keys_of_a_home_that_left(keeper: Vetlla) -> None:
    left = keeper("custody", "left", "--day", "2025-07-01", "--json").json
    assert [(one["change"], one["kind"], one["ref"]) for one in left] == [
        ("opened", "key_return", "K3@2025-06-30"),
        ("opened", "key_destruction", "K3@2025-06-30"),  # the clock has run out, as of now
    ]
    assert keeper("custody", "left").out == ""
    assert "CRITICAL key_return K3@2025-06-30 of H3: its clock ran out" in keeper("custody", "check").out
    act(keeper, "return", "K3", "--to", "P9", "--receipt", "R-1")
    assert keeper("custody", "check").status == 0


def test_a_certificate_in_three_languages(keeper: Vetlla, tmp_path: Path) -> None:
    words = ("--by", "T07", "--witness", "C02", "--at", "2025-05-02T09:05")
    act(keeper, "destroy", "K1", *words, "--certificate", str(tmp_path / "ca.html"))
    for language in ("es", "en"):
        act(keeper, "certificate", "K1", str(tmp_path / f"{language}.html"), "--language", language)
    ca, es, en = ((tmp_path / f"{language}.html").read_text(encoding="utf-8") for language in ("ca", "es", "en"))
    assert 'lang="ca"' in ca
    assert "2 de maig de 2025, 9.05 h" in ca
    assert "2 de mayo de 2025, 9.05 h" in es
    assert "2 May 2025, at 9:05" in en
    assert all(text in page for page in (ca, es, en) for text in ("K1", "H1", "A-77", "T07", "C02"))


def test_a_certificate_that_cannot_be_written_leaves_the_key(keeper: Vetlla, tmp_path: Path) -> None:
    done = keeper("custody", "destroy", "K1", "--certificate", tmp_path / "none" / "k.html")
    assert done.status == os.EX_USAGE
    assert keeper("custody", "show", "K1", "--json").json[0]["state"] == "in place"


def test_a_certificate_is_a_pdf(keeper: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "k.pdf"
    act(keeper, "destroy", "K1", "--by", "T07", "--certificate", str(file))
    assert file.read_bytes().startswith(b"%PDF-")


def test_an_export_can_be_imported_elsewhere(keeper: Vetlla, tmp_path: Path) -> None:
    act(keeper, "take", "K1", "--by", "T07", "--reason", "hand-over", "--at", "2025-02-01T10:00")
    act(keeper, "bring-back", "K1", "--by", "T07", "--at", "2025-02-02T10:00")
    file = tmp_path / "keys.csv"
    act(keeper, "export", str(file))
    with file.open(encoding="utf-8") as rows:
        assert len(list(csv.DictReader(rows))) == 4
    done = keeper("custody", "import", file)
    assert (done.out.endswith("0 new, 4 unchanged\n"), "unchanged events" in done.talk) == (True, False)
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("T07", "T08", 1), encoding="utf-8")
    assert "1 of the unchanged events are recorded with another person" in keeper("custody", "import", file).talk
    assert keeper("custody", "import", file, "--json").json[0]["differing"] == 1
    file.write_text(text, encoding="utf-8")
    other = tmp_path / "other"
    other.mkdir()
    state = register_homes(other)
    assert keeper("custody", "import", file, "--state-dir", state).out.endswith("4 new, 0 unchanged\n")
    there = keeper("custody", "show", "K1", "--state-dir", state, "--json").json[0]
    here = keeper("custody", "show", "K1", "--json").json[0]
    assert {name: there[name] for name in there if name not in {"duty", "events"}} == {
        name: here[name] for name in here if name not in {"duty", "events"}
    }


def test_an_existing_register_is_imported_whole_or_not_at_all(keeper: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "keys.csv"
    heading = "home,key,event,at,by,place,authorisation,may_return,reason,alarm\n"
    ceded = "H2,K2,,2025-01-01 10:00,,hook 7,A-9,P7,,\n"
    bad = {
        "H2,K2,taken,2025-01-02 10:00,T1,,,,emergency,\n": "for an emergency",
        "H2,K2,brought_back,2025-01-02 10:00,T1,,,,,\n": "brought_back is not possible",
        "H2,K2,taken,2024-12-31 10:00,T1,,,,check,\n": "was not ceded before that",
        "H2,K2,,2025-01-02 10:00,,hook 8,A-9,P7,,\n": "was ceded already",
        "H2,K1,,2025-01-02 10:00,,hook 8,A-9,P7,,\n": "is in custody already, and opens H1",
        "H2,K5,,2025-01-02 10:00,,,A-9,P7,,\n": "is empty, but ceded needs it",
        "H7,K5,,2025-01-02 10:00,,a,A-9,P7,,\n": "no such home",
        "H2,K5,,2098-01-02 10:00,,a,A-9,P7,,\n": "lies in the future",
        "H2,K2,taken,2025-01-02 10:00,T1,,,,emergency,nonsense\n": "alarm",
        "H2,K5,,2025-03-30 02:30,,a,A-9,P7,,\n": "does not exist",
    }
    for row, message in bad.items():
        file.write_text(heading + ceded + row, encoding="utf-8")
        done = keeper("custody", "import", file)
        assert done.status == os.EX_USAGE, row
        assert message in done.talk
        assert keeper("custody", "list", "--home", "H2").out == ""
    file.write_text(
        heading + "H2,K2,taken,2025-01-02 10:00,T1,,,,check,\n" + ceded.replace("P7", "P7; P8"), encoding="utf-8"
    )
    assert keeper("custody", "import", file, "--json").json[0]["new"] == 2
    (listed,) = keeper("custody", "list", "--home", "H2", "--json").json
    assert (listed["holder"], listed["may_return"]) == ("T1", "P7;P8")


def test_a_stock_taking_finds_differences(keeper: Vetlla, tmp_path: Path) -> None:
    act(keeper, "cede", "H2", "--code", "K2", "--place", "hook 2", *AUTHORISED, "--at", "2025-01-10T10:00")
    act(keeper, "take", "K2", "--by", "T1", "--reason", "check", "--at", "2025-02-01T10:00")
    file = tmp_path / "counted.csv"
    file.write_text('key,place\nK1,"cabinet A, hook 1"\nK3,\n', encoding="utf-8")
    done = keeper("custody", "inventory", file)
    assert (done.status, done.out) == (0, "")
    file.write_text('key,place\nK1,"cabinet B"\nK2,\nK9,\nK1,\n', encoding="utf-8")
    done = keeper("custody", "inventory", file, "--json")
    assert done.status == 1
    assert [(one["key"], one["difference"]) for one in done.json] == [
        ("K1", "elsewhere"), ("K2", "unexpected"), ("K9", "unexpected"), ("K1", "twice"), ("K3", "missing"),
    ]  # fmt: skip
    assert list(done.json[0]) == ["key", "home", "difference", "recorded", "found"]
    assert json.loads(done.out.splitlines()[1])["recorded"] == "is out, and T1 has it"

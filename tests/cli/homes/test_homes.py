"""``vetlla homes`` and ``vetlla people``: what held on a day, what was known of it, and how an import changes it."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from vetlla.cli.kit.registry import today

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = "code,district,base,level,alone,active\nH1,01,NORD,1,yes,2024-01-01/\nH2,02,SUD,2,no,2024-01-01/\n"
PEOPLE = "code,home,user_type,programmes\nP1,H1,A,home_safety:2024-06-01/\n"


@pytest.fixture
def office(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Make a registry with two homes and a person."""
    for what, rows in (("homes", HOMES), ("people", PEOPLE)):
        assert write(vetlla, tmp_path, rows, what)["new"] == len(rows.splitlines()) - 1
    return vetlla


def write(vetlla: Vetlla, folder: Path, rows: str, what: str = "homes", *options: str) -> dict[str, object]:
    """Import rows from a file, and return the answer."""
    file = folder / f"{what}.csv"
    file.write_text(rows, encoding="utf-8")
    done = vetlla("inventory", "import", file, "--what", what, "--json", *options)
    assert done.status == 0, (done.error, done.talk)
    return done.json[-1]


def facts(vetlla: Vetlla, code: str, field: str, group: str = "homes") -> list[tuple[object, ...]]:
    """Return the value, first day, source and correction of each fact about a field."""
    return [
        (one["value"], one["from"], one["source"], one["correction"])
        for one in vetlla(group, "history", code, "--json").json
        if one["field"] == field
    ]


def levels(vetlla: Vetlla, *days: str) -> list[str]:
    return [vetlla("homes", "show", "H1", "--day", day, "--json").json[0]["level"] for day in days]


def test_an_import_holds_from_its_day_on_and_again_changes_nothing(office: Vetlla, tmp_path: Path) -> None:
    """Only the changed field gets a fact, and the days before keep their value."""
    changed = HOMES.replace("NORD,1", "NORD,3")
    for expected in (1, 0):
        assert write(office, tmp_path, changed, "homes", "--day", "2026-10-05")["changed"] == expected
    assert levels(office, "2026-10-04", "2026-10-05") == ["1", "3"]
    assert facts(office, "H1", "level") == [
        ("1", None, "homes.csv", False),
        ("3", "2026-10-05", "homes.csv", False),
    ]
    assert len(facts(office, "H1", "base")) == len(facts(office, "H2", "level")) == 1


def test_a_correction_says_so_and_both_values_stay(office: Vetlla) -> None:
    """Without --correct a day before a recorded value is refused; with it, it holds until that value."""
    assert office("homes", "set", "H1", "--level", "3", "--from", "2026-10-05").status == 0
    refused = office("homes", "set", "H1", "--level", "2", "--from", "2026-09-01")
    assert refused.status == os.EX_USAGE
    assert "another value holds from 2026-10-05 on" in refused.error
    words = ("--level", "2", "--from", "2026-09-01", "--correct", "--reason", "assessed in August")
    (told,) = office("homes", "set", "H1", *words, "--json").json
    assert told == {
        "code": "H1", "field": "level", "value": "2", "from": "2026-09-01", "correction": True, "dry_run": False,
    }  # fmt: skip
    assert levels(office, "2026-08-31", "2026-09-01", "2026-10-04", "2026-10-05") == ["1", "2", "2", "3"]
    assert facts(office, "H1", "level") == [
        ("1", None, "homes.csv", False),
        ("3", "2026-10-05", "homes set", False),
        ("2", "2026-09-01", "homes set", True),
    ]
    last = office("homes", "history", "H1", "--json").json[-1]
    assert last["note"] == "assessed in August"
    assert last["by"]


def test_what_was_known_at_a_time_is_shown_again(office: Vetlla) -> None:
    """The answer of before the correction can still be had: it is what an invoice of that time was made from."""
    recorded = office("homes", "history", "H1", "--json").json[-1]["recorded"]
    office("homes", "set", "H1", "--level", "2", "--from", "2026-09-01")
    day = ("--day", "2026-10-01", "--json")
    assert office("homes", "show", "H1", *day).json[0]["level"] == "2"
    assert office("homes", "show", "H1", *day, "--known", recorded).json[0]["level"] == "1"
    unknown = office("homes", "show", "H1", "--known", "2020-01-01")
    assert (unknown.status, "give a later --known" in unknown.error) == (os.EX_USAGE, True)


def test_a_file_may_correct_the_past_and_is_refused_without_the_word(office: Vetlla, tmp_path: Path) -> None:
    """The fault names the field and the day from which another value holds."""
    office("homes", "set", "H1", "--level", "3", "--from", "2026-10-05")
    rows = HOMES.replace("NORD,1", "NORD,2")
    (tmp_path / "homes.csv").write_text(rows, encoding="utf-8")
    done = office("inventory", "import", tmp_path / "homes.csv", "--what", "homes", "--day", "2026-09-01")
    assert done.status == os.EX_USAGE
    assert "row 2: column level: '2' another value holds from 2026-10-05 on" in done.talk
    assert write(office, tmp_path, rows, "homes", "--day", "2026-09-01", "--correct")["corrected"] == 1
    assert levels(office, "2026-08-31", "2026-09-01", "2026-10-05") == ["1", "2", "3"]
    devices = tmp_path / "devices.csv"
    devices.write_text("type,serial,ownership,place\nsmoke,S1,leased,warehouse\n", encoding="utf-8")
    assert office("inventory", "import", devices, "--correct").status == os.EX_USAGE


def test_a_row_may_have_a_day_of_its_own(office: Vetlla, tmp_path: Path) -> None:
    """The column since goes before --day; a day to come is a plan, which later imports leave in place."""
    soon = str(today() + timedelta(days=30))
    rows = f"code,district,base,level,alone,since\nH1,01,NORD,3,yes,{soon}\nH2,02,SUD,1,no,01/10/2026\n"
    assert write(office, tmp_path, rows)["changed"] == 2
    assert levels(office, str(today()), soon) == ["1", "3"]
    assert facts(office, "H2", "level")[-1] == ("1", "2026-10-01", "homes.csv", False)
    assert write(office, tmp_path, HOMES.replace("NORD,1", "NORD,2").replace("SUD,2", "SUD,1"))["changed"] == 1
    assert levels(office, str(today()), soon) == ["2", "3"]
    done = office("inventory", "import", tmp_path / "homes.csv", "--what", "homes", "--correct")
    assert done.status == 0
    (tmp_path / "homes.csv").write_text(rows, encoding="utf-8")
    done = office("inventory", "import", tmp_path / "homes.csv", "--what", "homes", "--correct")
    assert (done.status, "a correction is about past days" in done.talk) == (os.EX_USAGE, True)
    for day, reason in (("1989-12-31", "lies before 1990"), ("2099-01-01", "days ahead")):
        (tmp_path / "homes.csv").write_text(rows.replace(soon, day), encoding="utf-8")
        done = office("inventory", "import", tmp_path / "homes.csv", "--what", "homes")
        assert (done.status, reason in done.talk) == (os.EX_USAGE, True)


def test_a_list_that_changes_past_days_is_counted_as_a_correction(office: Vetlla, tmp_path: Path) -> None:
    """A home left some days ago: the import says that answers about past days changed."""
    left = str(today() - timedelta(days=10))
    rows = HOMES.replace("yes,2024-01-01/", f"yes,2024-01-01/{left}")
    assert write(office, tmp_path, rows)["corrected"] == 1
    first = str(today() - timedelta(days=9))
    assert facts(office, "H1", "active")[-1] == (f"2024-01-01/{left}", first, "homes.csv", True)
    assert office("homes", "show", "H1", "--json").json[0]["state"] == "out"
    assert office("homes", "show", "H1", "--day", left, "--json").json[0]["state"] == "active"


def test_a_column_that_a_file_does_not_have_changes_nothing(office: Vetlla, tmp_path: Path) -> None:
    """A person's own periods stay when a file of the former form is imported; an empty cell removes them."""
    assert office("people", "set", "P1", "--suspended", "2026-08-01/2026-08-31").status == 0
    assert write(office, tmp_path, PEOPLE, "people")["unchanged"] == 1
    assert write(office, tmp_path, "code,district,base,level,alone\nH1,01,NORD,1,yes\n")["unchanged"] == 1
    shown = office("people", "show", "P1", "--day", "2026-08-10", "--json").json[0]
    assert (shown["suspended"], shown["state"]) == ("2026-08-01/2026-08-31", "suspended")
    emptied = "code,home,user_type,suspended\nP1,H1,A,\n"
    assert write(office, tmp_path, emptied, "people", "--overrule")["changed"] == 1
    assert office("people", "show", "P1", "--json").json[0]["state"] == "active"


def test_an_old_file_does_not_undo_what_was_changed_by_hand(office: Vetlla, tmp_path: Path) -> None:
    """The same file again, or the next export with the old value, has no news: a warning says what stays."""
    left = "2024-01-01/2026-02-28"
    assert office("homes", "set", "H1", "--active", left, "--reason", "left in February").status == 0
    before = office("homes", "history", "H1").out
    for _ in range(2):
        answer = write(office, tmp_path, HOMES)
        assert (answer["unchanged"], answer["kept"], answer["corrected"]) == (2, 1, 0)
    file = tmp_path / "homes.csv"
    told = office("inventory", "import", file, "--what", "homes", "--dry-run")
    assert "row 2: column active: '2024-01-01/' was imported before and then changed by hand, which stays" in told.talk
    assert "1 value stays as it was changed by hand (--overrule takes the file's)" in told.out
    (warning, _) = office("inventory", "import", file, "--what", "homes", "--json").json
    assert (warning["row"], warning["column"], warning["value"]) == (2, "active", "2024-01-01/")
    assert office("homes", "history", "H1").out == before

    assert write(office, tmp_path, HOMES, "homes", "--overrule", "--dry-run")["corrected"] == 1
    assert office("homes", "history", "H1").out == before
    assert write(office, tmp_path, HOMES, "homes", "--overrule")["kept"] == 0
    assert facts(office, "H1", "active")[-1] == ("2024-01-01/", "2026-03-01", "homes.csv", True)


def test_a_file_with_news_changes_what_was_changed_by_hand(office: Vetlla, tmp_path: Path) -> None:
    """News is another value than imports said before; the old value is news after an import had that of the hand."""
    assert office("homes", "set", "H1", "--level", "3", "--from", "2026-10-01").status == 0
    assert write(office, tmp_path, HOMES.replace("NORD,1", "NORD,2"), "homes", "--day", "2026-10-05")["changed"] == 1
    assert levels(office, "2026-10-04", "2026-10-05") == ["3", "2"]

    assert office("homes", "set", "H2", "--level", "3", "--from", "2026-10-01").status == 0
    agreeing = HOMES.replace("NORD,1", "NORD,2").replace("SUD,2", "SUD,3")
    for _ in range(2):
        assert write(office, tmp_path, agreeing, "homes", "--day", "2026-10-10")["unchanged"] == 2
    assert facts(office, "H2", "level")[1:] == [
        ("3", "2026-10-01", "homes set", False),
        ("3", "2026-10-01", "homes.csv", False),
    ]
    back = agreeing.replace("SUD,3", "SUD,2")
    assert write(office, tmp_path, back, "homes", "--day", "2026-10-20")["changed"] == 1
    assert facts(office, "H2", "level")[-1] == ("2", "2026-10-20", "homes.csv", False)


def test_a_person_moves(office: Vetlla) -> None:
    """Each home shows the person on the days on which they live there."""
    moved = ("--home", "H2", "--from", "2026-11-15", "--reason", "to the daughter")
    assert office("people", "set", "P1", *moved).status == 0
    where = {
        (code, day): [one["code"] for one in office("homes", "show", code, "--day", day, "--json").json[0]["people"]]
        for code in ("H1", "H2")
        for day in ("2026-11-14", "2026-11-15")
    }
    assert where == {
        ("H1", "2026-11-14"): ["P1"], ("H2", "2026-11-14"): [],
        ("H1", "2026-11-15"): [], ("H2", "2026-11-15"): ["P1"],
    }  # fmt: skip
    assert facts(office, "P1", "home", "people")[-1] == ("H2", "2026-11-15", "people set", False)


def test_a_dry_run_records_nothing(office: Vetlla) -> None:
    """It shows the facts that would be recorded."""
    (told,) = office("homes", "set", "H1", "--alone", "no", "--dry-run", "--json").json
    assert (told["field"], told["value"], told["dry_run"]) == ("alone", "no", True)
    assert "nothing changed" in office("homes", "set", "H1", "--alone", "yes").out
    assert len(facts(office, "H1", "alone")) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("homes", "set", "H1"), "nothing to change"),
        (("homes", "set", "H9", "--level", "1"), "no home 'H9'"),
        (("homes", "set", "H1", "--level", "4"), "a support level is 1, 2 or 3"),
        (("homes", "set", "H1", "--base", ""), "base is empty"),
        (("homes", "set", "H1", "--phones", "112"), "too few digits"),
        (("homes", "set", "H1", "--level", "2", "--from", "2099-01-01"), "days ahead"),
        (("homes", "set", "H1", "--level", "2", "--from", "1980-01-01"), "lies before 1990"),
        (("homes", "set", "H1", "--active", "2026-01-01/2025-01-01"), "ends before it begins"),
        (("homes", "history", "H9"), "no home 'H9'"),
        (("people", "set", "P9", "--home", "H1"), "no person 'P9'"),
        (("people", "set", "P1", "--home", "H9"), "no home 'H9'"),
        (("people", "set", "P1", "--user-type", "D"), "not one of A, B, C"),
        (("people", "show", "P9"), "no person 'P9'"),
    ],
)
def test_what_cannot_be_recorded_has_a_reason(office: Vetlla, words: tuple[str, ...], message: str) -> None:
    """The message says what is wrong, and nothing is recorded."""
    before = office("homes", "history", "H1").out
    done = office(*words)
    assert (done.status, message in done.error) == (os.EX_USAGE, True), done.error
    assert office("homes", "history", "H1").out == before


def test_a_correction_is_about_past_days(office: Vetlla) -> None:
    """A value for days to come corrects nothing."""
    later = str(today() + timedelta(days=1))
    done = office("homes", "set", "H1", "--level", "2", "--from", later, "--correct")
    assert (done.status, "lies in the future" in done.error) == (os.EX_USAGE, True)


def test_what_left_the_service_is_neither_renewed_nor_missed(office: Vetlla, tmp_path: Path) -> None:
    """The devices of a home that left are recovered, and a user who left before the home needs no UCR."""
    (tmp_path / "devices.csv").write_text(
        "type,serial,ownership,place,home,first_installed\nsmoke,S1,municipal,home,H1,2010-02-01\n", encoding="utf-8"
    )
    assert office("inventory", "import", tmp_path / "devices.csv", "--day", "2024-01-02").status == 0

    def broken() -> set[str]:
        rules = ("--rule", "past_end_of_life", "--rule", "person_without_ucr")
        return {one["check"] for one in office("inventory", "check", *rules, "--json").json}

    due = ("renewals", "due", "--to", str(today()), "--json")
    assert [one["device"] for one in office(*due).json] == ["smoke:S1"]
    assert broken() == {"past_end_of_life", "person_without_ucr"}
    left = f"2024-01-01/{today() - timedelta(days=3)}"
    assert office("people", "set", "P1", "--active", left).status == 0
    assert broken() == {"past_end_of_life"}
    assert office("homes", "set", "H1", "--active", left).status == 0
    assert (office(*due).json, broken()) == ([], set())

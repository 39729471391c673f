"""A card that contradicts the inventory or an erasure is named where it is written and read, and by the doctor."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.rigs.cards import CARD, keep
from tests.rigs.journals import journal
from vetlla.domain.cards import Resident
from vetlla.domain.clock import ManualClock, SystemClock
from vetlla.store.journal.batch import Entry
from vetlla.tasks.cards.registered import doubts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

SWAPPED = "home,what,code,name\nH-0001,person,P-0002,Invenció\nH-0002,person,P-0001,Ficció\n"
SAID = [
    {"home": "H-0001", "what": "its card has person P-0002, who lives in home H-0002"},
    {"home": "H-0002", "what": "its card has person P-0001, who lives in home H-0001"},
]


@pytest.fixture
def inventory(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Path:
    """Register two homes, each with a person, and make the key of the cards."""
    rows = "".join(f"H-000{n},01,NORD,2,yes\n" for n in (1, 2))
    (tmp_path / "homes.csv").write_text("code,district,base,level,alone\n" + rows, encoding="utf-8")
    (tmp_path / "people.csv").write_text("code,home,user_type\nP-0001,H-0001,A\nP-0002,H-0002,A\n", encoding="utf-8")
    for what in ("homes", "people"):
        assert vetlla("inventory", "import", tmp_path / f"{what}.csv", "--what", what).status == 0
    keep(state_dir)
    return tmp_path


def test_cards_of_two_homes_that_were_swapped_are_named(vetlla: Vetlla, inventory: Path) -> None:
    file = inventory / "cards.csv"
    file.write_text(SWAPPED, encoding="utf-8")
    for option in ("--dry-run", "--json"):
        done = vetlla("cards", "import", file, "--json", option)
        assert (done.status, done.json[0]["warnings"]) == (0, SAID)
    told = vetlla("cards", "import", file)
    assert [line for line in told.talk.splitlines() if line.startswith("warning: home H-000")] == [
        f"warning: home {one['home']}: {one['what']}" for one in SAID
    ]
    assert vetlla("home", "H-0001", "--reason", "test", "--json").json[0]["warnings"] == [SAID[0]["what"]]
    assert SAID[0]["what"] in vetlla("home", "H-0001", "--reason", "test").talk
    (found,) = [one for one in vetlla("doctor", "--json").json if one["check"] == "cards"]
    assert (found["level"], SAID[0]["what"] in found["text"]) == ("warning", True)


def test_right_cards_give_no_warning(vetlla: Vetlla, inventory: Path, state_dir: Path) -> None:
    file = inventory / "cards.csv"
    file.write_text("home,what,code,name\nH-0001,person,P-0001,I\nH-0002,person,P-0002,F\n", encoding="utf-8")
    assert vetlla("cards", "import", file, "--json").json[0]["warnings"] == []
    (found,) = [one for one in vetlla("doctor", "--json").json if one["check"] == "cards"]
    assert (found["level"], found["text"]) == ("ok", "2 cards")


def test_an_unknown_home_and_unknown_people_are_told_without_their_words(vetlla: Vetlla, inventory: Path) -> None:
    file = inventory / "cards.csv"
    file.write_text("home,what,code,name\nH-9999,person,Sra. Invenció,Ona\n", encoding="utf-8")
    done = vetlla("cards", "import", file)
    assert done.status == os.EX_OK
    assert "home H-9999: is not in the inventory" in done.talk
    assert "home H-9999: its card has 1 people who are not in the inventory" in done.talk
    assert "Invenció" not in done.talk


def test_a_file_of_many_homes_is_compared_in_the_same_way(inventory: Path, state_dir: Path) -> None:
    cards = [replace(CARD, people=(Resident(code="P-0002", name="Ona"),)), replace(CARD, home="H-0009", people=())]
    one_by_one = doubts(state_dir, SystemClock(), cards)
    assert [found.home for found in one_by_one] == ["H-0001", "H-0009"]
    assert doubts(state_dir, SystemClock(), cards, one_by_one=1) == one_by_one


def test_without_an_inventory_there_is_nothing_to_compare(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    keep(state_dir)
    file = tmp_path / "cards.csv"
    file.write_text(SWAPPED, encoding="utf-8")
    assert vetlla("cards", "import", file, "--json").json[0]["warnings"] == []


@pytest.mark.parametrize("way", ["cards erase", "erase"])
def test_a_card_that_comes_back_after_its_erasure_is_told(
    vetlla: Vetlla, state_dir: Path, tmp_path: Path, way: str
) -> None:
    """Each way of writing it warns once, and also if the home had no card when it was erased."""
    keep(state_dir, *([CARD] if way == "cards erase" else []))
    if way == "cards erase":
        assert vetlla("cards", "erase", "H-0001", "--yes").status == 0
    else:
        with journal(state_dir, ManualClock()) as scribe:
            batch = scribe.batch()
            batch.audit.append(Entry(SystemClock().now().utc_us, "eva", "erased", "home H-0001", {}))
            scribe.write(batch)
    file = tmp_path / "cards.csv"
    file.write_text(SWAPPED, encoding="utf-8")
    (warning,) = vetlla("cards", "import", file, "--dry-run", "--json").json[0]["warnings"]
    assert (warning["home"], "its data were erased on 20" in warning["what"]) == ("H-0001", True)
    card = tmp_path / "card.json"
    card.write_text(json.dumps({"address": "Carrer Inventat 12"}), encoding="utf-8")
    assert "warning: home H-0001: its data were erased on 20" in vetlla("cards", "set", "H-0001", card).talk
    card.write_text(json.dumps({"address": "Carrer Inventat 13"}), encoding="utf-8")
    assert vetlla("cards", "set", "H-0001", card, "--json").json[0]["warnings"] == []

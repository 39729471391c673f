"""``vetlla cards`` as the people who keep cards type it."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.rigs.cards import CARD, assert_sealed, keep
from vetlla.cli.cards.commands import CARD_BYTES_MAX
from vetlla.domain.cards import CARD as FORM
from vetlla.store.cards.opening import CARDS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

ROWS = """\
home,what,code,name,languages,order,telephones,has_key,floor
H-0001,home,,,,,,,3
H-0001,person,P-0001,Sra. Invenció,ca;es,,,,
H-0001,contact,,Berta Fictícia,,2,900000102,sí,
H-0001,contact,,Pol Fictici,,1,900 000 101,no,
H-0002,person,P-0002,Sr. Figurat,,,,,
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "cards.csv"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_cards_are_imported_once(vetlla: Vetlla, state_dir: Path, file: Path) -> None:
    """The first import needs a key; a dry run writes nothing; the second import changes nothing."""
    assert vetlla("cards", "import", file).status == os.EX_CONFIG
    assert vetlla("cards", "rekey").status == 0
    assert vetlla("cards", "import", file, "--dry-run").out.endswith("(dry run: nothing was written)\n")
    for counts in ({"new": 2, "changed": 0, "unchanged": 0}, {"new": 0, "changed": 0, "unchanged": 2}):
        (told,) = vetlla("cards", "import", file, "--json").json
        assert {name: told[name] for name in counts} == counts
    file.write_text(ROWS.replace("900000102", "900000109"), encoding="utf-8")
    assert vetlla("cards", "import", file, "--json").json[0]["changed"] == 1
    (shown,) = vetlla("home", "H-0001", "--reason", "test", "--only-card", "--json").json
    assert [one["telephones"] for one in shown["card"]["contacts"]] == [["900 000 101"], ["900000109"]]
    assert_sealed(*state_dir.iterdir())


def test_a_bad_row_imports_nothing(vetlla: Vetlla, state_dir: Path, file: Path) -> None:
    """Every fault is told, and the good rows wait for the next import."""
    keep(state_dir)
    file.write_text(ROWS + "H-0003,contact,,Ona,,,12,,\nH-0003,contact,,Quim,,,,,2\n", encoding="utf-8")
    done = vetlla("cards", "import", file, "--json")
    assert done.status == os.EX_USAGE
    assert [(one["row"], one["column"]) for one in done.json] == [(7, "telephones"), (8, "floor")]
    assert "Quim" not in done.out + done.talk
    assert {one["value"] for one in done.json} == {"(not shown)"}, "cron would mail it"
    assert "H-0001 has no card" in vetlla("home", "H-0001", "--reason", "test", "--only-card").talk


@pytest.mark.parametrize(
    "content",
    [
        "home,what,code,name\nH-0001,Ona,P-1,\n",
        "home,what,code,name\nOna\x07,person,P-1,x\n",
        "home,what,code,name\nH-0001,person,Ona,x\nH-0001,person,Ona,x\n",
        "home,what,name,order,has_key\nH-0001,contact,x,Ona,\nH-0001,contact,x,,Ona\n",
        "H-0001,person,P-1,Ona\nH-0002,person,P-2,Ona\n",
        "home,what,code,name\nH-0001,person,P-1,x,Ona\n",
        'home,what,code,name\nH-0001,person,P-1,"Ona',
    ],
)
def test_no_message_about_a_file_has_a_word_of_it(vetlla: Vetlla, state_dir: Path, file: Path, content: str) -> None:
    """One separator too many puts a name into any column, and a file without headings puts one into row 1."""
    keep(state_dir)
    file.write_text(content, encoding="utf-8")
    for words in ((), ("--json",), ("--dry-run",)):
        done = vetlla("cards", "import", file, *words)
        assert (done.status, "Ona" in done.out + done.talk + done.error) == (os.EX_USAGE, False)


def test_an_export_is_imported_unchanged(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """It needs a reason, and counts as a reading."""
    keep(state_dir, CARD)
    out = tmp_path / "out.xlsx"
    assert vetlla("cards", "export", out).status == os.EX_USAGE
    assert not out.exists()
    assert vetlla("cards", "export", out, "--reason", "hand-over").status == 0
    assert vetlla("cards", "import", out, "--json").json[0]["unchanged"] == 1
    (one,) = vetlla("cards", "readers", "H-0001", "--json").json
    assert (one["did"], one["home"], one["reason"]) == ("export", None, "hand-over")


def test_only_its_owner_can_open_an_export(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """The file has health notes in clear, and an umask of 0 or an older file under its name opens it to no other."""
    keep(state_dir, CARD)
    out = tmp_path / "out.csv"
    out.touch()
    out.chmod(0o666)
    before = os.umask(0)
    try:
        assert vetlla("cards", "export", out, "--reason", "hand-over").status == 0
    finally:
        os.umask(before)
    assert out.stat().st_mode & 0o777 == 0o600


def test_a_card_is_set_as_it_is_shown(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    """The JSON of `home` is the JSON of `set`; what is wrong in it is named without its content."""
    keep(state_dir, CARD)
    (shown,) = vetlla("home", "H-0001", "--reason", "edit", "--json").json
    card = shown["card"]
    assert FORM.validate_python(card) == CARD
    assert vetlla("cards", "set", "H-0001", "-", "--json", stdin=json.dumps(card)).json[0]["changed"] is False
    (tmp_path / "card.json").write_text(json.dumps({**card, "floor": "4"}), encoding="utf-8")
    assert vetlla("cards", "set", "H-0001", tmp_path / "card.json").out == "home H-0001: card set\n"
    for wrong, where in (
        ({**card, "home": "H-0002"}, "another home"),
        ({**card, "contacts": [{"name": "Ona", "telephones": ["12"]}]}, "contacts.0.telephones.0: "),
        ({**card, "people": [{"name": "Ona"}]}, "people.0.code: "),
        ({**card, "Sra. Ona": "4"}, "has a field that no card has"),
        ({**card, "people": [{"code": "P-1"}, {"code": "P-1"}]}, "two people have the same code"),
        ([], "no JSON object"),
    ):
        done = vetlla("cards", "set", "H-0001", "-", stdin=json.dumps(wrong))
        assert done.status == os.EX_USAGE
        assert where in done.error
        assert "Ona" not in done.error
    assert vetlla("cards", "set", "H-0001", "-", stdin="{").status == os.EX_USAGE
    (tmp_path / "long.json").write_text(json.dumps(card) + " " * CARD_BYTES_MAX, encoding="utf-8")
    for source, text in (("-", (tmp_path / "long.json").read_text("utf-8")), (tmp_path / "long.json", None)):
        assert "is longer than" in vetlla("cards", "set", "H-0001", source, stdin=text).error
    assert vetlla("cards", "verify", "--json").json[0]["whole"] is True


def test_an_erased_card_is_gone(vetlla: Vetlla, state_dir: Path) -> None:
    """The log keeps the code of the home and its readers; an erasure needs no key."""
    place = keep(state_dir, CARD, replace(CARD, home="H-0002"))
    assert vetlla("home", "H-0001", "--reason", "test").status == 0
    assert vetlla("cards", "erase", "H-0001", "--dry-run").out == "home H-0001: card would be erased\n"
    assert vetlla("cards", "erase", "H-0001").status == os.EX_USAGE  # there is no terminal to confirm at
    place.key_file.rename(state_dir / "away")
    assert vetlla("cards", "erase", "H-0001", "--yes", "--json").json == [
        {"home": "H-0001", "erased": True, "dry_run": False}
    ]
    (state_dir / "away").rename(place.key_file)
    assert vetlla("cards", "erase", "H-0001", "--yes").status == os.EX_USAGE
    assert len(vetlla("cards", "readers", "H-0001", "--json").json) == 1
    assert vetlla("cards", "verify").status == 0
    assert vetlla("home", "H-0002", "--reason", "test", "--only-card").status == 0


def test_verify_names_the_home_of_a_changed_card(vetlla: Vetlla, state_dir: Path) -> None:
    """The exit status tells a program."""
    keep(state_dir, CARD)
    assert vetlla("cards", "verify").status == 0
    with closing(sqlite3.connect(state_dir / CARDS, isolation_level=None)) as db:
        db.execute("UPDATE cards SET sealed = zeroblob(99)")
    done = vetlla("cards", "verify", "--json")
    assert (done.status, done.json[0]["whole"]) == (1, False)
    assert [one["home"] for one in done.json[0]["damage"]] == ["H-0001"]
    assert vetlla("cards", "verify").out.startswith("home H-0001: ")


def test_verify_finds_an_older_copy_by_the_head_that_was_kept(vetlla: Vetlla, state_dir: Path) -> None:
    """The head is the last line, so that a command can keep it and give it back."""
    keep(state_dir, CARD)
    older = (state_dir / CARDS).read_bytes()
    assert vetlla("home", "H-0001", "--reason", "test").status == 0
    head = vetlla("cards", "verify").out.splitlines()[-1]
    assert head.startswith("3:")
    assert vetlla("cards", "verify", "--expect", head, "--json").json == [
        {"whole": True, "head": head, "cards": 1, "damage": []}
    ]
    (state_dir / CARDS).write_bytes(older)
    assert vetlla("cards", "verify").status == 0
    done = vetlla("cards", "verify", "--expect", head)
    assert (done.status, "the file is an older copy" in done.out) == (1, True)
    assert vetlla("cards", "verify", "--expect", "3:12").status == os.EX_USAGE


def test_what_is_damaged_is_named_and_left_out(vetlla: Vetlla, state_dir: Path, tmp_path: Path, file: Path) -> None:
    """Export, rekey and import do the others, and their exit status says that one is missing."""
    keep(state_dir, CARD, replace(CARD, home="H-0002"))
    with closing(sqlite3.connect(state_dir / CARDS, isolation_level=None)) as db:
        db.execute("UPDATE cards SET sealed = zeroblob(99) WHERE home = 'H-0002'")
    out = tmp_path / "out.csv"
    for words in (("export", out, "--reason", "test"), ("rekey",), ("rekey", "--finish"), ("import", file)):
        done = vetlla("cards", *words)
        assert (done.status, "left out: home H-0002: the card is not the one" in done.talk) == (1, True), words
    assert "H-0001" in out.read_text(encoding="utf-8")
    assert "H-0002" not in out.read_text(encoding="utf-8")
    (told,) = vetlla("cards", "import", file, "--json").json
    assert [one["home"] for one in told["left_out"]] == ["H-0002"]
    assert vetlla("cards", "set", "H-0002", "-", stdin='{"floor": "4"}').status == 0
    (told,) = vetlla("cards", "rekey", "--finish", "--json").json
    assert (told["cards"], told["rotating"], told["left_out"]) == (2, False, [])

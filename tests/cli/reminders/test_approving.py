"""``vetlla reminders texts approve`` and ``approvals``: offices agree to words; others need a new consent."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import SystemClock
from vetlla.store.reminders import audit
from vetlla.store.reminders.opening import opened, reading_present

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla

TEXTS = Path(__file__).parents[3] / "config" / "reminders" / "texts"
APPROVE = ("reminders", "texts", "approve")
APPROVALS = ("reminders", "texts", "approvals")
TITLE = "ca sms confirmed"
PERSON = ("--person", "Maria Exemple")
PARTIES = ("Serveis Digitals", "OMAC", "OGAT")


@pytest.fixture
def folder(tmp_path: Path, state_dir: Path) -> Path:
    """Copy the shipped texts, and name the copy in the machine's configuration."""
    copied = Path(shutil.copytree(TEXTS, tmp_path / "texts"))
    (tmp_path / "reminders.toml").write_text(f'state_dir = "{state_dir}"\ntexts = "{copied}"\n', encoding="utf-8")
    return copied


def standing(vetlla: Vetlla, title: str = TITLE) -> tuple[str, list[str]]:
    rows = {one["text"]: one for one in vetlla(*APPROVALS, "--json").json}
    return rows[title]["standing"], rows[title]["missing"]


def test_a_text_is_approved_when_all_its_parties_agreed(vetlla: Vetlla, folder: Path, state_dir: Path) -> None:
    assert standing(vetlla) == ("not_approved", ["Serveis Digitals", "OGAT", "OMAC"])
    for party in PARTIES:
        (made,) = vetlla(*APPROVE, TITLE, "--party", party, *PERSON, "--json").json
        assert (made["title"], made["version"], made["party"], made["person"]) == (TITLE, 1, party, "Maria Exemple")
    assert standing(vetlla) == ("approved", [])
    file = folder / "ca.toml"
    said = file.read_text(encoding="utf-8")
    assert "Gràcies. Us esperem {quan_curt}" in said
    file.write_text(said.replace("Gràcies. Us esperem {quan_curt}", "Us esperem {quan_curt}"), encoding="utf-8")
    assert standing(vetlla) == ("changed", ["Serveis Digitals", "OGAT", "OMAC"])
    with reading_present(state_dir) as db:
        records = list(audit.records(db))
    assert {(one.action, one.subject) for one in records} == {("text approved", TITLE)}
    assert "Maria" not in str(records)


def test_all_texts_of_a_party_are_approved_once(vetlla: Vetlla, folder: Path) -> None:
    assert folder.is_dir()
    made = {
        party: {one["title"] for one in vetlla(*APPROVE, "--all", "--party", party, *PERSON, "--json").json}
        for party in ("OMAC", "OGAT")
    }
    of_one_office = made["OMAC"] - made["OGAT"]
    assert "ca whatsapp reminder_soon (office OMAC)" in of_one_office
    assert all("office OMAC" in title for title in of_one_office)
    assert vetlla(*APPROVE, "--all", "--party", "OGAT", *PERSON).out == "0 texts approved for OGAT\n"
    assert TITLE in vetlla(*APPROVALS).out


def test_the_check_of_texts_uses_the_approvals_of_the_database(vetlla: Vetlla, folder: Path, state_dir: Path) -> None:
    assert folder.is_dir()
    lint = ("reminders", "texts", "lint")
    assert vetlla(*lint).status == 1
    with opened(state_dir, SystemClock()):
        pass
    done = vetlla(*lint, "--json")
    assert done.status == 2
    assert {one["check"] for one in done.json} == {"texts.not_approved", "texts.segments"}
    for party in PARTIES:
        vetlla(*APPROVE, "--all", "--party", party, *PERSON)
    assert vetlla(*lint).status == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((TITLE, "--party", "NOWHERE", *PERSON), "no party 'NOWHERE'"),
        (("ca sms hello", "--party", "OMAC", *PERSON), "no text 'ca sms hello'"),
        (("--party", "OMAC", *PERSON), "name texts, or give --all"),
        ((TITLE, "--all", "--party", "OMAC", *PERSON), "name texts, or give --all"),
        ((TITLE, "--party", "OMAC", "--person", " "), "--person is no name"),
    ],
)
def test_a_wrong_approval_is_explained(vetlla: Vetlla, folder: Path, words: tuple[str, ...], why: str) -> None:
    assert folder.is_dir()
    done = vetlla(*APPROVE, *words)
    assert (done.status, why in done.error) == (64, True)

"""A damaged card holds up no other one, an older file is found, and a lost file is not taken for one that never was."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from tests.rigs.cards import CARD, keep
from vetlla.checks.cards import cards
from vetlla.domain.cards import ReadReason
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import ConfigError, StoreError, UsageError
from vetlla.domain.findings import Level
from vetlla.service.cards.columns import CardPart
from vetlla.service.cards.rows import HEADING
from vetlla.settings.model import Settings, default_cards_key_file
from vetlla.store.cards import table
from vetlla.store.cards.opening import CARDS, LOCK, reading
from vetlla.store.cards.sealing import CardKeys
from vetlla.tasks.cards import changing, looking
from vetlla.tasks.cards.place import CardPlace, is_present, place_in
from vetlla.tasks.cards.reading import read_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vetlla.domain.columns import Fault
    from vetlla.service.cards.columns import CardRow

CLOCK = SystemClock()
HOMES = ("H-0001", "H-0002", "H-0003")
WHY = ReadReason(text="a question")


@pytest.fixture
def place(tmp_path: Path) -> CardPlace:
    return keep(tmp_path, *(replace(CARD, home=home) for home in HOMES))


def change(place: CardPlace, *statements: str) -> None:
    with closing(sqlite3.connect(place.state_dir / CARDS, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def swap(place: CardPlace) -> None:
    """Give the sealed rows of two homes to each other, as a person with the owner's rights could."""
    change(
        place,
        "CREATE TEMP TABLE kept AS SELECT * FROM cards WHERE home IN ('H-0001', 'H-0002')",
        "UPDATE cards SET (key_id, nonce, sealed) = (SELECT key_id, nonce, sealed FROM kept WHERE home = 'H-0002')"
        " WHERE home = 'H-0001'",
        "UPDATE cards SET (key_id, nonce, sealed) = (SELECT key_id, nonce, sealed FROM kept WHERE home = 'H-0001')"
        " WHERE home = 'H-0002'",
    )


def file_with(*homes: str) -> list[tuple[int, CardRow | list[Fault]]]:
    """Return the rows of a file that gives homes another floor."""
    empty = dict.fromkeys(HEADING)
    return [
        (row, cast("CardRow", empty | {"home": home, "what": CardPart.HOME, "floor": "5"}))
        for row, home in enumerate(homes, start=2)
    ]


def found(place: CardPlace) -> list[str]:
    return [one.home for one in looking.verified(place).damage]


def level(place: CardPlace) -> tuple[Level, str]:
    one = cards(Settings(state_dir=place.state_dir))
    return one.level, one.text


# --- swapped, changed, put back ---------------------------------------------------------------------------------------


def test_doctor_finds_swapped_cards_without_opening_one(place: CardPlace) -> None:
    """Each row is bound to its home, and neither home is shown the card of the other."""
    assert level(place) == (Level.OK, "3 cards")
    swap(place)
    assert level(place)[0] is Level.CRITICAL
    assert "home H-0001: the card is not the one that was last written" in level(place)[1]
    assert found(place) == ["H-0001", "H-0002"]
    for home in ("H-0001", "H-0002"):
        with pytest.raises(StoreError, match="was changed or damaged"):
            read_card(place, CLOCK, home, WHY, by="ana")
    assert [one.action for one in looking.readers(place.state_dir)] == ["failed", "failed"]


def test_a_swap_that_is_also_in_the_log_opens_no_card(place: CardPlace) -> None:
    """A person who also writes a record of it still lacks the key, because the home is sealed with the card."""
    swap(place)
    with closing(sqlite3.connect(place.state_dir / CARDS, isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        row = table.row_of(db, "H-0001")
        assert row is not None
        table.put(db, [row], at_us=1, by="eva")
    assert ("H-0001", "the card of home H-0001 was changed or damaged in its file") in looking.verified(place).damage


def test_one_damaged_card_holds_up_no_other(place: CardPlace) -> None:
    """Rekey and export go on with the others and name it; the previous key stays until the card is set again."""
    change(place, "UPDATE cards SET sealed = zeroblob(99) WHERE home = 'H-0002'")
    exported = looking.export_cards(place, CLOCK, reason="hand-over", by="eva")
    assert [one.home for one in exported.cards] == ["H-0001", "H-0003"]
    assert [one.home for one in exported.left_out] == ["H-0002"]
    for finish in (False, True):
        done = changing.rekey(place, CLOCK, by="eva", finish=finish)
        assert (done.cards, done.is_rotating, [one.home for one in done.left_out]) == (2, True, ["H-0002"])
    assert read_card(place, CLOCK, "H-0003", WHY, by="ana") == replace(CARD, home="H-0003")
    assert changing.set_card(place, CLOCK, replace(CARD, home="H-0002"), by="eva") is True
    assert changing.rekey(place, CLOCK, by="eva", finish=True).is_rotating is False
    assert (found(place), len(CardKeys.read(place.key_file).ids)) == ([], 1)


def test_a_damaged_card_does_not_hold_up_an_import(place: CardPlace) -> None:
    """Its home is named and left out, because the file may have only a part of its card."""
    change(place, "UPDATE cards SET sealed = zeroblob(99) WHERE home = 'H-0002'")
    done = changing.import_cards(place, CLOCK, file_with("H-0001", "H-0002", "H-0009"), by="eva")
    assert (dict(done.effects), [one.home for one in done.left_out]) == (
        {"new": 1, "changed": 1, "unchanged": 0},
        ["H-0002"],
    )
    assert found(place) == ["H-0002"]


@pytest.mark.parametrize("how", ["rekey", "import"])
def test_a_card_that_was_put_back_is_not_made_the_last_one(place: CardPlace, how: str) -> None:
    """It opens, and a new record of it would hide for ever that a newer one was there."""
    with closing(sqlite3.connect(place.state_dir / CARDS, isolation_level=None)) as db:
        old = db.execute("SELECT nonce, sealed FROM cards WHERE home = 'H-0001'").fetchone()
        changing.set_card(place, CLOCK, replace(CARD, floor="4"), by="ana")
        db.execute("UPDATE cards SET nonce = ?, sealed = ? WHERE home = 'H-0001'", old)
    if how == "rekey":
        assert [one.home for one in changing.rekey(place, CLOCK, by="eva").left_out] == ["H-0001"]
    else:
        assert [one.home for one in changing.import_cards(place, CLOCK, file_with("H-0001"), by="eva").left_out] == [
            "H-0001"
        ]
    assert found(place) == ["H-0001"]


def test_the_wrong_key_is_not_rotated(place: CardPlace, tmp_path: Path) -> None:
    """If no card opens, the key is the wrong one: it stays as it is, and the error says so."""
    (tmp_path / "other").mkdir()
    shutil.copy(keep(tmp_path / "other").key_file, place.key_file)
    before = place.key_file.read_bytes()
    for call in (
        lambda: changing.rekey(place, CLOCK, by="eva"),
        lambda: looking.export_cards(place, CLOCK, reason="hand-over", by="eva"),
    ):
        with pytest.raises(StoreError, match="none of 3 cards opens"):
            call()
    assert place.key_file.read_bytes() == before
    assert looking.readers(place.state_dir) == []


# --- an older file, and none ------------------------------------------------------------------------------------------


def test_an_older_copy_of_the_file_lacks_the_expected_head(place: CardPlace) -> None:
    """It is whole in itself, so only a head that was kept elsewhere shows that records are gone."""
    older = place.state_dir / "older"
    shutil.copy(place.state_dir / CARDS, older)
    early = looking.verified(place).head
    read_card(place, CLOCK, "H-0001", WHY, by="ana")
    head = looking.verified(place).head
    assert (head.id, early.id) == (5, 4)
    for expected in (early, head):
        assert looking.verified(place, expect=expected).damage == []
    older.replace(place.state_dir / CARDS)
    assert looking.verified(place, expect=early).damage == []
    assert looking.verified(place).damage == []
    (one,) = looking.verified(place, expect=head).damage
    assert "does not contain the expected head 5: the file is an older copy" in one.what


@pytest.mark.parametrize("trace", [LOCK, "cards.toml"])
def test_a_lost_file_is_never_made_again(place: CardPlace, trace: str) -> None:
    """An empty one in its place would hide that the cards and the log of their readers are lost."""
    for name in {CARDS, LOCK, "cards.toml"} - {trace}:
        (place.state_dir / name).unlink()
    calls: list[Callable[[], object]] = [
        lambda: read_card(place, CLOCK, "H-0001", WHY, by="ana"),
        lambda: looking.has_card(place.state_dir, "H-0001"),
        lambda: looking.readers(place.state_dir),
        lambda: looking.verified(place),
        lambda: looking.export_cards(place, CLOCK, reason="hand-over", by="eva"),
        lambda: changing.erase_card(place.state_dir, CLOCK, "H-0001", by="eva"),
        lambda: changing.rekey(place, CLOCK, by="eva"),
    ]
    for call in calls:
        with pytest.raises(StoreError, match="the card file is missing") as refused:
            call()
        assert "vetlla db restore" in refused.value.remedy
    with pytest.raises((StoreError, ConfigError)):
        changing.set_card(place, CLOCK, CARD, by="eva")
    assert not (place.state_dir / CARDS).exists()
    assert level(place)[0] is Level.CRITICAL


def test_a_configured_key_says_that_there_are_cards(tmp_path: Path) -> None:
    """Operators may not look into the directory of a key that is sealed to the machine. The first rekey still works."""
    place = CardPlace(tmp_path, tmp_path / "closed" / "cards.toml", is_configured=True)
    with pytest.raises(StoreError, match="the configuration says that their key is in"):
        is_present(place)
    settings = Settings(state_dir=tmp_path, cards_key_file=place.key_file)
    assert cards(settings).level is Level.CRITICAL
    (tmp_path / "closed").mkdir()
    assert changing.rekey(place, CLOCK, by="eva").cards == 0
    assert is_present(place) is True
    assert cards(settings).level is Level.OK


def test_a_service_that_never_kept_cards_has_none(tmp_path: Path) -> None:
    """It is no fault, and an erasure finds nothing."""
    assert is_present(place_in(tmp_path)) is False
    assert changing.erase_card(tmp_path, CLOCK, "H-0001", by="eva") is False
    assert cards(Settings(state_dir=tmp_path)).text == "none"


# --- attempts ---------------------------------------------------------------------------------------------------------


def test_each_attempt_is_recorded(place: CardPlace) -> None:
    """An unknown home, a refused reason, a damaged card and a missing key are in the log with who and why."""
    assert read_card(place, CLOCK, "H-0009", WHY, by="ana") is None
    with pytest.raises(UsageError):
        read_card(place, CLOCK, "H-0001", ReadReason(text=" "), by="ana")
    place.key_file.rename(place.state_dir / "away")
    with pytest.raises(ConfigError):
        read_card(place, CLOCK, "H-0001", WHY, by="ana")
    told = [(one.action, one.home, one.reason) for one in looking.readers(place.state_dir)]
    assert told == [("absent", "H-0009", WHY.text), ("refused", "H-0001", " "), ("failed", "H-0001", WHY.text)]
    with reading(place.state_dir) as db:
        assert [row["action"] for row in db.execute("SELECT action FROM audit WHERE actor = 'ana'")] == [
            one[0] for one in told
        ]


@pytest.mark.parametrize("home", ["", "  ", "H" * 65, "H\n1"])
def test_what_is_no_code_of_a_home_is_refused(place: CardPlace, home: str) -> None:
    """The subject of its record would be another one, such as all homes."""
    with pytest.raises(UsageError, match="printable characters"):
        read_card(place, CLOCK, home, WHY, by="ana")
    assert looking.readers(place.state_dir) == []


# --- a key from systemd -----------------------------------------------------------------------------------------------


def test_a_credential_of_systemd_is_the_key(place: CardPlace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """LoadCredential gives a read-only file, with the group's bits set where an access list grants it to a user."""
    given = tmp_path / "credentials"
    given.mkdir()
    place.key_file.rename(given / "vetlla-cards")
    (given / "vetlla-cards").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    assert default_cards_key_file(place.state_dir) == given / "vetlla-cards"
    credential = place_in(place.state_dir)
    assert read_card(credential, CLOCK, "H-0001", WHY, by="ana") == CARD
    assert level(place) == (Level.OK, "3 cards")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert os.path.lexists(given / "vetlla-cards")
    with pytest.raises(ConfigError, match="others than its owner"):
        read_card(credential, CLOCK, "H-0001", WHY, by="ana")


# --- a first rekey that failed ----------------------------------------------------------------------------------------


def test_a_first_rekey_that_met_a_full_disk_is_repeated(tmp_path: Path) -> None:
    place = CardPlace(tmp_path, tmp_path / "cards.toml")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_048, hard))
    try:
        with pytest.raises(StoreError):
            changing.rekey(place, CLOCK, by="eva")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / CARDS).stat().st_size == 0
    assert not place.key_file.exists()
    with pytest.raises(StoreError, match="the first vetlla cards rekey failed"):
        read_card(place, CLOCK, "H-0001", WHY, by="ana")
    assert changing.rekey(place, CLOCK, by="eva").cards == 0
    assert changing.set_card(place, CLOCK, CARD, by="eva")


def test_an_empty_file_with_a_key_is_a_loss(place: CardPlace) -> None:
    (place.state_dir / CARDS).write_bytes(b"")
    with pytest.raises(StoreError, match="has lost its tables"):
        changing.rekey(place, CLOCK, by="eva")

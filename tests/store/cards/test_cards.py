"""``cards.db``: nothing of a card in the clear, each fault of a row found, and a log that cannot be changed."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from tests.rigs.cards import CARD, assert_sealed, cards, keep
from vetlla.domain.cards import Card, ReadReason
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import ConfigError, StoreError, UsageError
from vetlla.store.cards.opening import CARDS
from vetlla.store.cards.sealing import CardKeys, SealedCard
from vetlla.tasks.cards import changing, looking
from vetlla.tasks.cards.reading import read_card

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vetlla.tasks.cards.place import CardPlace

CLOCK = SystemClock()
OTHER = replace(CARD, home="H-0002", instructions="una altra")
WHY = ReadReason(text="a question")


@pytest.fixture
def place(tmp_path: Path) -> CardPlace:
    return keep(tmp_path, CARD, OTHER)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> CardKeys:
    return CardKeys.read(keep(tmp_path_factory.mktemp("keys")).key_file)


def change(place: CardPlace, *statements: str) -> None:
    """Change the file as a person with its permissions could."""
    with closing(sqlite3.connect(place.state_dir / CARDS, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


def damage(place: CardPlace) -> list[tuple[str, str]]:
    found = looking.verified(place).damage
    return [(one.home, one.what) for one in found]


# --- sealing ----------------------------------------------------------------------------------------------------------


@given(card=cards())
@settings(max_examples=50, deadline=None)
def test_any_card_opens_with_its_key_and_in_its_home_alone(keys: CardKeys, card: Card) -> None:
    """Under another home, with another key's name, or with one other byte it does not open."""
    row = keys.seal(card)
    assert keys.unseal(row) == card
    with pytest.raises(StoreError):
        keys.unseal(row._replace(home="H-0009"))
    with pytest.raises(ConfigError):
        keys.unseal(row._replace(key_id="0" * 16))
    for place in (0, len(row.sealed) // 2, len(row.sealed) - 1):
        broken = bytearray(row.sealed)
        broken[place] ^= 1
        with pytest.raises(StoreError):
            keys.unseal(row._replace(sealed=bytes(broken)))
    assert keys.seal(card).nonce != row.nonce


def test_a_row_with_a_broken_nonce_is_reported(keys: CardKeys) -> None:
    """It is a message, and not a fault of the program."""
    with pytest.raises(StoreError):
        keys.unseal(SealedCard("H-0001", keys.current_id, b"", b""))


def test_nothing_of_a_card_is_in_the_clear(place: CardPlace) -> None:
    """Neither the database nor a file beside it has a word of a card, also after changes and erasures."""
    changing.set_card(place, CLOCK, replace(CARD, floor="4"), by="ana")
    read_card(place, CLOCK, "H-0001", WHY, by="ana")
    changing.erase_card(place.state_dir, CLOCK, "H-0002", by="ana")
    assert_sealed(*place.state_dir.iterdir())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.state_dir.iterdir()}
    assert modes[CARDS] == modes["cards.toml"] == 0o600


# --- faults of the file -----------------------------------------------------------------------------------------------

_SWAP = (
    "UPDATE cards SET home = 'x' WHERE home = 'H-0001'",
    "UPDATE cards SET home = 'H-0001' WHERE home = 'H-0002'",
    "UPDATE cards SET home = 'H-0002' WHERE home = 'x'",
)
_NOT_LAST = "the card is not the one that was last written"


def test_what_was_written_is_whole(place: CardPlace) -> None:
    """There is nothing to find, with and without the key of the cards."""
    assert damage(place) == []
    place.key_file.unlink()
    ((home, what),) = damage(place)
    assert home == ""
    assert "the key of the cards is missing" in what


def test_swapped_cards_are_found(place: CardPlace) -> None:
    """The card of one home is never shown as that of another one."""
    change(place, *_SWAP)
    assert damage(place) == [("H-0001", _NOT_LAST), ("H-0002", _NOT_LAST)]
    with pytest.raises(StoreError, match="H-0001"):
        read_card(place, CLOCK, "H-0001", WHY, by="ana")


@pytest.mark.parametrize(
    "changed", ["sealed = sealed || x'00'", "nonce = zeroblob(12)", "key_id = CAST(x'ff' AS TEXT)", "sealed = ''"]
)
def test_a_changed_card_is_found(place: CardPlace, changed: str) -> None:
    """One byte is enough, also if the type of the value is another one then."""
    change(place, f"UPDATE cards SET {changed} WHERE home = 'H-0001'")
    assert damage(place) == [("H-0001", _NOT_LAST)]
    with pytest.raises((StoreError, ConfigError)):
        read_card(place, CLOCK, "H-0001", WHY, by="ana")


def test_an_older_card_that_was_put_back_is_found(place: CardPlace) -> None:
    """It opens, because it was a true card once; the log says that another one followed."""
    with closing(sqlite3.connect(place.state_dir / CARDS, isolation_level=None)) as db:
        old = db.execute("SELECT nonce, sealed FROM cards WHERE home = 'H-0001'").fetchone()
        changing.set_card(place, CLOCK, replace(CARD, floor="4"), by="ana")
        db.execute("UPDATE cards SET nonce = ?, sealed = ? WHERE home = 'H-0001'", old)
    assert damage(place) == [("H-0001", _NOT_LAST)]


def test_a_card_that_was_removed_or_added_by_hand_is_found(place: CardPlace) -> None:
    """Only an erasure with a record removes one."""
    change(place, "DELETE FROM cards WHERE home = 'H-0002'")
    assert damage(place) == [("H-0002", "the card was removed without a record")]
    change(place, "INSERT INTO cards SELECT 'H-0003', key_id, nonce, sealed FROM cards WHERE home = 'H-0001'")
    assert ("H-0003", _NOT_LAST) in damage(place)


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
def test_the_log_refuses_changes(place: CardPlace, statement: str) -> None:
    """The database itself refuses them."""
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        change(place, statement)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE audit SET actor = 'maria' WHERE id = 4", "its hash does not follow"),
        ("DELETE FROM audit WHERE id = 3", "records 3 to 3 are missing"),
        ("DELETE FROM audit WHERE id = 4", "the chain ends here, but 4 records were written"),
    ],
)
def test_a_changed_log_is_found(place: CardPlace, statement: str, what: str) -> None:
    """A person who removes the triggers cannot hide a reading."""
    read_card(place, CLOCK, "H-0001", WHY, by="ana")
    change(place, "DROP TRIGGER audit_is_append_only_update", "DROP TRIGGER audit_is_append_only_delete", statement)
    assert any(what in found for _, found in damage(place))


@pytest.mark.parametrize("table", ["cards", "audit", ""])
def test_a_file_without_its_tables_is_an_error(place: CardPlace, table: str) -> None:
    """An empty file is not filled again as if there had never been a card."""
    if table:
        change(place, f"DROP TABLE {table}")
    else:
        (place.state_dir / CARDS).write_bytes(b"")
    calls: list[Callable[[], object]] = [
        lambda: read_card(place, CLOCK, "H-0001", WHY, by="ana"),
        lambda: looking.readers(place.state_dir),
        lambda: damage(place),
        lambda: changing.erase_card(place.state_dir, CLOCK, "H-0001", by="eva"),
    ]
    for call in calls:
        with pytest.raises(StoreError, match="has lost its tables"):
            call()


def test_a_file_that_others_can_open_is_not_used(place: CardPlace) -> None:
    """Otherwise a card could be read without a record."""
    (place.state_dir / CARDS).chmod(0o640)
    with pytest.raises(StoreError) as refused:
        read_card(place, CLOCK, "H-0001", WHY, by="ana")
    assert refused.value.remedy == f"chmod 600 {place.state_dir / CARDS}"


# --- readings ---------------------------------------------------------------------------------------------------------


def test_a_reading_is_on_the_disk_before_the_card_is_returned(
    place: CardPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the record cannot be written, there is no card."""

    def full(*_: object) -> None:
        raise OSError("disk full")

    assert read_card(place, CLOCK, "H-0001", ReadReason(7), by="ana (as vetlla)") == CARD
    assert read_card(place, CLOCK, "H-0009", ReadReason(8), by="ana (as vetlla)") is None
    told = [(one.actor, one.home, one.alarm, one.action) for one in looking.readers(place.state_dir)]
    assert told == [("ana (as vetlla)", "H-0001", 7, "read"), ("ana (as vetlla)", "H-0009", 8, "absent")]
    monkeypatch.setattr("vetlla.store.cards.log.write", full)
    with pytest.raises(OSError, match="disk full"):
        read_card(place, CLOCK, "H-0001", WHY, by="ana")


def test_readers_are_found_by_home_user_and_time(place: CardPlace) -> None:
    """An export is a reading of every home; a name is not a part of another one."""
    for home, user in (("H-0001", "ana (as vetlla)"), ("H-0002", "anna"), ("H-0002", "ana")):
        read_card(place, CLOCK, home, WHY, by=user)
    assert len(list(looking.export_cards(place, CLOCK, reason="hand-over", by="eva").rows())) == 12

    def told(**asked: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - passed on
        return [(one.actor, one.home) for one in looking.readers(place.state_dir, **asked)]

    assert told(home="H-0001") == [("ana (as vetlla)", "H-0001"), ("eva", "")]
    assert told(by="ana") == [("ana (as vetlla)", "H-0001"), ("ana", "H-0002")]
    assert told(since_us=CLOCK.now().utc_us + 1_000_000) == []
    with pytest.raises(UsageError):
        looking.export_cards(place, CLOCK, reason=" ", by="eva")


# --- the key ----------------------------------------------------------------------------------------------------------


def test_a_rekey_seals_all_cards_and_keeps_the_previous_key_until_its_end(place: CardPlace) -> None:
    """Cards sealed before and after open; a second rekey waits for the end of the first."""
    before = CardKeys.read(place.key_file)
    done = changing.rekey(place, CLOCK, by="eva")
    assert (done.cards, done.is_rotating) == (2, True)
    assert CardKeys.read(place.key_file).ids == before.ids | {done.key_id}
    with pytest.raises(UsageError, match="all cards have the new key"):
        changing.rekey(place, CLOCK, by="eva")
    assert read_card(place, CLOCK, "H-0002", WHY, by="ana") == OTHER
    assert changing.rekey(place, CLOCK, by="eva", finish=True).is_rotating is False
    assert CardKeys.read(place.key_file).ids == {done.key_id}
    assert (read_card(place, CLOCK, "H-0001", WHY, by="ana"), damage(place)) == (CARD, [])
    with pytest.raises(UsageError, match="not being rekeyed"):
        changing.rekey(place, CLOCK, by="eva", finish=True)


def test_an_interrupted_rekey_is_completed(place: CardPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key was made and no card was sealed with it: the next call uses the same key."""
    with monkeypatch.context() as patch:
        patch.setattr("vetlla.store.cards.table.put", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            changing.rekey(place, CLOCK, by="eva")
    made = CardKeys.read(place.key_file).current_id
    assert read_card(place, CLOCK, "H-0001", WHY, by="ana") == CARD
    assert changing.rekey(place, CLOCK, by="eva").key_id == made
    assert damage(place) == []


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_lost_key_is_not_replaced(place: CardPlace) -> None:
    """A new key would open no card, and hide that the old one is missing."""
    place.key_file.unlink()
    for call in (
        lambda: changing.rekey(place, CLOCK, by="eva"),
        lambda: read_card(place, CLOCK, "H-0001", WHY, by="ana"),
    ):
        with pytest.raises(ConfigError) as refused:
            call()
        assert refused.value.remedy
    assert not place.key_file.exists()


def test_a_wrong_key_says_which_one_is_needed(place: CardPlace, tmp_path: Path) -> None:
    """The message has fingerprints, and neither a key nor a word of the card."""
    (tmp_path / "other").mkdir()
    other = keep(tmp_path / "other").key_file
    with pytest.raises(ConfigError, match=r"has no key [0-9a-f]{16}, with which the card of home H-0001 was sealed"):
        read_card(place._replace(key_file=other), CLOCK, "H-0001", WHY, by="ana")
    other.chmod(0o644)
    with pytest.raises(ConfigError, match="others than its owner"):
        read_card(place._replace(key_file=other), CLOCK, "H-0001", WHY, by="ana")
    assert os.path.lexists(place.key_file)

"""The registry's accounts: the changes of an import, and their record."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.accounts import Account, AccountKey, Maker, Remap
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError
from vetlla.domain.signals import AccountId, Kind
from vetlla.store.accounts.table import (
    PAGE,
    AccountEntry,
    Change,
    Registration,
    account_book,
    count_accounts,
    find_accounts,
    recorded_changes,
    register,
    remove,
)
from vetlla.store.registry.registry import REGISTRY, reading, writing
from vetlla.store.sqlite.migrate import migrations

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


CLOCK = ManualClock()


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with writing(tmp_path, CLOCK) as database:
        yield database


def put(db: sqlite3.Connection, *entries: AccountEntry, dry_run: bool = False, at_us: int = 7) -> Registration:
    return register(db, entries, by="ana", at_us=at_us, dry_run=dry_run)


def test_new_accounts_get_defaults_for_missing_fields(db: sqlite3.Connection) -> None:
    """A registered account is found by the identity that a frame gives."""
    result = put(
        db, AccountEntry(AccountKey("00a1", "", "2"), {"home": "H-1", "remaps": {"120": Remap(Kind.FALL, None)}})
    )

    expected = Account(account="00a1", line="2", home="H-1", remaps={"120": Remap(Kind.FALL, None)})
    assert (result.added, result.changed, result.unchanged) == (1, 0, 0)
    assert account_book(db).find(AccountId("", "2", "00A1")) == expected
    assert list(find_accounts(db, account="00A1")) == [expected]


def test_registering_the_same_again_changes_nothing(db: sqlite3.Connection) -> None:
    """A repeated import records nothing, even if it writes the account in another case."""
    put(db, AccountEntry(AccountKey("00a1"), {"home": "H-1"}))

    result = put(db, AccountEntry(AccountKey("00A1"), {"home": "H-1"}))

    assert result == Registration(0, 0, 1, [])
    assert [account.account for account in account_book(db)] == ["00a1"]
    assert len(recorded_changes(db)) == 1


def test_only_the_fields_given_change_each_with_its_record(db: sqlite3.Connection) -> None:
    """A partial row leaves the other fields. The record has the author, the time, the old and the new value."""
    put(db, AccountEntry(AccountKey("1"), {"home": "H-1", "key_name": "north"}))

    result = put(db, AccountEntry(AccountKey("1"), {"home": "H-2", "interval_s": 60}), at_us=8)

    assert (result.added, result.changed, result.unchanged) == (0, 1, 0)
    assert list(find_accounts(db)) == [Account(account="1", home="H-2", key_name="north", interval_s=60)]
    changes = [(record.at_us, record.by, record.change) for record in recorded_changes(db, after=1)]
    assert changes == [
        (8, "ana", Change(AccountKey("1"), "interval_s", "0", "60")),
        (8, "ana", Change(AccountKey("1"), "home", "H-1", "H-2")),
    ]


def test_a_dry_run_reports_and_writes_nothing(tmp_path: Path) -> None:
    """A dry run does not need permission to write."""
    with writing(tmp_path, CLOCK) as db:
        put(db, AccountEntry(AccountKey("1"), {}))

    with reading(tmp_path, CLOCK) as db:
        result = put(db, AccountEntry(AccountKey("1"), {"home": "H"}), AccountEntry(AccountKey("2"), {}), dry_run=True)
        assert remove(db, AccountKey("1"), by="ana", at_us=1, dry_run=True)
        assert (result.added, result.changed, len(result.changes)) == (1, 1, 2)
        assert list(find_accounts(db)) == [Account(account="1")]
        assert len(recorded_changes(db)) == 1


def test_an_import_that_cannot_be_written_changes_nothing(db: sqlite3.Connection) -> None:
    """A change and its record are one transaction, so neither is stored without the other."""
    put(db, AccountEntry(AccountKey("1"), {}))
    db.execute("CREATE TRIGGER full BEFORE INSERT ON account_changes BEGIN SELECT RAISE(ABORT, 'no'); END")

    with pytest.raises(sqlite3.IntegrityError):
        put(db, AccountEntry(AccountKey("1"), {"home": "H"}), AccountEntry(AccountKey("2"), {}))

    assert list(find_accounts(db)) == [Account(account="1")]


def test_a_removed_account_is_gone_and_its_history_stays(db: sqlite3.Connection) -> None:
    """The record holds the removed account. The same account on another line stays."""
    put(db, AccountEntry(AccountKey("1"), {"home": "H"}), AccountEntry(AccountKey("1", "", "2"), {}))

    change = remove(db, AccountKey("1"), by="ana", at_us=9)

    assert change == Change(AccountKey("1"), "removed", '{"account": "1", "home": "H"}', "")
    assert list(find_accounts(db)) == [Account(account="1", line="2")]
    assert [record.change.field for record in recorded_changes(db, account="1")] == [
        "removed",
        "registered",
        "registered",
    ]
    assert remove(db, AccountKey("1"), by="ana", at_us=9) is None


def test_accounts_are_found_by_home_and_by_key(db: sqlite3.Connection) -> None:
    """An account must match every argument."""
    put(
        db,
        AccountEntry(AccountKey("2"), {"home": "H", "key_name": "k"}),
        AccountEntry(AccountKey("1"), {"home": "H"}),
        AccountEntry(AccountKey("3"), {"key_name": "k"}),
    )

    assert [account.account for account in find_accounts(db)] == ["1", "2", "3"]
    assert [account.account for account in find_accounts(db, home="H")] == ["1", "2"]
    assert [account.account for account in find_accounts(db, home="H", key_name="k")] == ["2"]
    assert len(recorded_changes(db, at_most=2)) == 2


def test_accounts_are_listed_in_pages_that_block_no_writer(tmp_path: Path) -> None:
    """Each account is listed once, in order, whatever its case. Between two pages another process may write."""
    names = [f"{'aB'[number % 2]}{number:05}" for number in range(2 * PAGE + 7)]
    with writing(tmp_path, CLOCK) as database:
        put(database, *(AccountEntry(AccountKey(name, "", "1"), {}) for name in names))
    with reading(tmp_path, CLOCK) as opened:
        assert count_accounts(opened) == len(names)
        listed = find_accounts(opened)
        first = next(listed)
        with writing(tmp_path, CLOCK) as database:
            put(database, AccountEntry(AccountKey("zz"), {}))
        found = [first, *listed]
    assert [one.account for one in found] == [*sorted(names, key=str.lower), "zz"]


@pytest.mark.parametrize("statement", ["UPDATE account_changes SET by = 'eva'", "DELETE FROM account_changes"])
def test_the_record_of_changes_is_never_rewritten(db: sqlite3.Connection, statement: str) -> None:
    """The database itself refuses to change the record."""
    put(db, AccountEntry(AccountKey("1"), {}))

    with pytest.raises(sqlite3.IntegrityError, match="what was changed about an account is never"):
        db.execute(statement)


@pytest.mark.parametrize(
    ("change", "weakens"),
    [
        (Change(AccountKey("1"), "clock_window", "standard", "off"), "replayed"),
        (Change(AccountKey("1"), "clock_window", "off", "standard"), ""),
        (Change(AccountKey("1"), "key_name", "north", ""), "in clear"),
        (Change(AccountKey("1"), "key_name", "", "north"), ""),
        (Change(AccountKey("1"), "interval_s", "900", "0"), "silence"),
        (Change(AccountKey("1"), "home", "H", ""), ""),
        (Change(AccountKey("1"), "registered", "", json.dumps({"clock_window": "off"})), "replayed"),
        (Change(AccountKey("1"), "maker", "", "ajax"), "as ajax means them"),
        (Change(AccountKey("1"), "maker", "ajax", ""), ""),
        (Change(AccountKey("1"), "registered", "", json.dumps({"maker": "inim"})), "as inim means them"),
        (Change(AccountKey("1"), "registered", "", json.dumps({"home": "clock_window=off"})), ""),
        (Change(AccountKey("1"), "removed", json.dumps({"clock_window": "off"}), ""), ""),
    ],
)
def test_a_change_that_lowers_protection_is_recognised(change: Change, weakens: str) -> None:
    """A change that drops the window, the key or supervision says what may happen."""
    assert weakens in change.weakens
    assert bool(change.weakens) == bool(weakens)


def test_accounts_of_an_older_registry_have_no_maker(tmp_path: Path) -> None:
    """Rows of the schema before makers are read without a change, and the next writer brings the schema up to date."""
    old = sqlite3.connect(tmp_path / REGISTRY)
    for migration in migrations("registry")[:4]:
        old.executescript(migration.sql)
    old.execute("INSERT INTO accounts VALUES ('17', '', '', 'H', '', 'standard', 900, 2, '120=fall', 0, 0, '')")
    old.execute("PRAGMA user_version = 4")
    old.commit()
    old.close()
    was = Account(account="17", home="H", interval_s=900, support_level=2, remaps={"120": Remap(Kind.FALL, None)})

    with reading(tmp_path, CLOCK) as db:
        assert list(find_accounts(db)) == [was]
    with writing(tmp_path, CLOCK) as db:
        assert put(db, AccountEntry(AccountKey("17"), {"maker": Maker.AJAX})).changes == [
            Change(AccountKey("17"), "maker", "", "ajax")
        ]
    with reading(tmp_path, CLOCK) as db:
        assert list(find_accounts(db)) == [replace(was, maker=Maker.AJAX)]


def test_a_row_that_another_program_wrote_is_reported(db: sqlite3.Connection) -> None:
    """A wrong value in a column raises an error with the account's name, without a traceback."""
    db.execute("INSERT INTO accounts VALUES ('17', '', '', '', '', 'nonsense', 0, 0, '', 0, 0, '', '')")

    with pytest.raises(StoreError, match="account 17: should be"):
        account_book(db)

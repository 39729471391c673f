"""The registry's accounts, and a record of every change to them: who made it and when, the old and the new value.

The record is part of the same transaction and is never rewritten. It is not part of the audit chain, which is in
``journal.connection`` and which only the daemon writes, so that it can be written whether or not a daemon runs.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.accounts import NO_DISTRICTS, Account, AccountBook, AccountKey, account_key
from vetlla.domain.errors import StoreError
from vetlla.store.accounts.columns import COLUMNS, account_from, row_from
from vetlla.store.registry.registry import REGISTRY
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping


PAGE = 1_000
"""Accounts in one read: some hundred kilobytes, and the read's lock ends before a writer waits for it."""
_EVERY = f"SELECT {', '.join(COLUMNS)} FROM accounts"  # noqa: S608 - our own column names
_ONE = f"{_EVERY} WHERE account = ? AND receiver = ? AND line = ?"
_CHOSEN = """WHERE (:account IS NULL OR account = :account) AND (:home IS NULL OR home = :home)
  AND (:key_name IS NULL OR key_name = :key_name)"""
_PAGE = f"""{_EVERY} {_CHOSEN} AND (account, receiver, line) > (:after_account, :after_receiver, :after_line)
ORDER BY account, receiver, line LIMIT {PAGE}"""
_COUNT = f"SELECT count(*) FROM accounts {_CHOSEN}"  # noqa: S608 - as above
_EVER_OF_HOME = """SELECT account FROM accounts WHERE home = :home
UNION SELECT account FROM account_changes WHERE field = 'home' AND old = :home
UNION SELECT account FROM account_changes WHERE field = 'removed' AND json_extract(old, '$.home') = :home
ORDER BY account"""
_REMOVE = "DELETE FROM accounts WHERE account = ? AND receiver = ? AND line = ?"
_VALUES = ", ".join(f":{column}" for column in COLUMNS)
_PUT = f"INSERT OR REPLACE INTO accounts ({', '.join(COLUMNS)}) VALUES ({_VALUES})"  # noqa: S608 - as above
_RECORD = (
    "INSERT INTO account_changes (at_us, by, account, receiver, line, field, old, new) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_CHANGES = """SELECT id, at_us, by, account, receiver, line, field, old, new FROM account_changes
WHERE id > :after AND (:account IS NULL OR account = :account) ORDER BY id DESC LIMIT :at_most"""

_PLAIN = row_from(Account(account=""))

REGISTERED = "registered"
REMOVED = "removed"


class AccountEntry(NamedTuple):
    """The fields of one account that are to be registered; its other fields stay as they are."""

    place: AccountKey
    fields: Mapping[str, Any]


class Change(NamedTuple):
    """One field of one account, before and after. REGISTERED and REMOVED hold the whole account."""

    place: AccountKey
    field: str
    old: str
    new: str

    @property
    def weakens(self) -> str:
        """Return how the change weakens the account's protection, as a clause; "" if it does not."""
        values = json.loads(self.new) if self.field == REGISTERED else {self.field: self.new}
        if values.get("clock_window") == "off":
            return "has no clock window: old encrypted frames can be replayed"
        if maker := values.get("maker"):
            return f"has its codes read as {maker} means them: some are alarms elsewhere and reports here"
        match self.field:
            case "key_name" if not self.new:
                return "has no key: its frames are taken in clear"
            case "interval_s" if self.new == "0":
                return "has no interval: its silence is not noticed"
            case _:
                return ""

    @property
    def key_given(self) -> str:
        """Return the name of the key that the account has from now on; "" if the change gives it none."""
        values = json.loads(self.new) if self.field == REGISTERED else {self.field: self.new}
        return str(values.get("key_name", ""))


class RecordedChange(NamedTuple):
    """A change as the registry keeps it, with its number, time and author."""

    id: int
    at_us: int
    by: str
    change: Change


class Registration(NamedTuple):
    """The result of a registration: the number of accounts of each kind, and every change."""

    added: int
    changed: int
    unchanged: int
    changes: list[Change]


def account_book(connection: sqlite3.Connection, districts: Mapping[str, str] = NO_DISTRICTS) -> AccountBook:
    """Return all accounts in the form in which the intake looks them up, with the districts of homes."""
    return AccountBook(_accounts(connection.execute(_EVERY)), districts)


def count_accounts(
    connection: sqlite3.Connection, *, account: str | None = None, home: str | None = None, key_name: str | None = None
) -> int:
    """Return how many accounts match every argument that is given."""
    (number,) = connection.execute(_COUNT, {"account": account, "home": home, "key_name": key_name}).fetchone()
    return int(number)


def find_accounts(
    connection: sqlite3.Connection, *, account: str | None = None, home: str | None = None, key_name: str | None = None
) -> Iterator[Account]:
    """Yield the accounts that match every argument, in order; in constant memory, without a lock between pages."""
    after = AccountKey("")
    while True:
        asked = {"account": account, "home": home, "key_name": key_name}
        asked |= {f"after_{name}": value for name, value in after._asdict().items()}
        page = list(_accounts(connection.execute(_PAGE, asked)))
        yield from page
        if len(page) < PAGE:
            return
        after = account_key(page[-1])


def accounts_of_home(connection: sqlite3.Connection, home: str) -> list[str]:
    """Return the accounts that belong to a home, and those that belonged to it before they were moved or removed."""
    return [account for (account,) in connection.execute(_EVER_OF_HOME, {"home": home})]


def register(
    connection: sqlite3.Connection, entries: Iterable[AccountEntry], *, by: str, at_us: int, dry_run: bool = False
) -> Registration:
    """Add the new accounts and change the fields that differ, in one transaction; return what changed.

    ``dry_run`` returns what would change and writes nothing.
    """
    puts: list[Account] = []
    changes: list[Change] = []
    added = unchanged = 0
    for entry in entries:
        old = _stored(connection, entry.place)
        new = replace(old, **entry.fields) if old else Account(**entry.place._asdict(), **entry.fields)
        difference = _difference(old, new)
        changes += difference
        puts += [new] if difference else []
        added += old is None
        unchanged += not difference
    if changes and not dry_run:
        with atomic(connection):
            connection.executemany(_PUT, map(row_from, puts))
            _record(connection, changes, by, at_us)
    return Registration(added, len(puts) - added, unchanged, changes)


def remove(
    connection: sqlite3.Connection, place: AccountKey, *, by: str, at_us: int, dry_run: bool = False
) -> Change | None:
    """Remove an account but keep its history; return the change, or None if the account is not registered."""
    old = _stored(connection, place)
    if old is None:
        return None
    change = Change(account_key(old), REMOVED, _summary(old), "")
    if not dry_run:
        with atomic(connection):
            connection.execute(_REMOVE, place)
            _record(connection, [change], by, at_us)
    return change


def recorded_changes(
    connection: sqlite3.Connection, *, account: str | None = None, after: int = 0, at_most: int = -1
) -> list[RecordedChange]:
    """Return recorded changes, the last one first; optionally of one account, after a number, ``at_most`` many."""
    return [
        RecordedChange(number, at_us, by, Change(AccountKey(*place), field, old, new))
        for number, at_us, by, *place, field, old, new in connection.execute(
            _CHANGES, {"account": account, "after": after, "at_most": at_most}
        )
    ]


def _stored(connection: sqlite3.Connection, place: AccountKey) -> Account | None:
    return next(_accounts(connection.execute(_ONE, place)), None)


def _accounts(rows: Iterable[tuple[Any, ...]]) -> Iterator[Account]:
    for row in rows:
        try:
            yield account_from(row)
        except ValueError as error:
            raise StoreError(
                f"{REGISTRY}: account {row[0]}: {error}", remedy="another program wrote it; correct the row with SQL"
            ) from error


def _difference(old: Account | None, new: Account) -> list[Change]:
    if old is None:
        return [Change(account_key(new), REGISTERED, "", _summary(new))]
    before, after = row_from(old), row_from(new)
    return [
        Change(account_key(new), column, str(before[column]), str(after[column]))
        for column in COLUMNS
        if before[column] != after[column]
    ]


def _summary(account: Account) -> str:
    values = {column: value for column, value in row_from(account).items() if value != _PLAIN[column]}
    return json.dumps(values, ensure_ascii=False)


def _record(connection: sqlite3.Connection, changes: Iterable[Change], by: str, at_us: int) -> None:
    connection.executemany(
        _RECORD, ((at_us, by, *change.place, change.field, change.old, change.new) for change in changes)
    )

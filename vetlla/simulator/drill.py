"""Makes up homes and keys for a drill. The same seed always gives the same ones."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from vetlla.domain.accounts import Account
from vetlla.domain.signals import Key
from vetlla.simulator.dialects.dc09 import DIALECT as DC09

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.simulator.dialects.dialect import Dialect

KEY_BITS = (128, 192, 256)


def homes(count: int, dialect: Dialect = DC09) -> tuple[Account, ...]:
    """Return made-up accounts in the dialect's form. A journal shows them plainly, in DC-09 as D00001, D00002 ..."""
    return tuple(Account(account=dialect.account(number), home=f"drill-{number}") for number in range(1, count + 1))


def encrypting(accounts: Iterable[Account], bits: int, seed: int) -> tuple[tuple[Account, ...], dict[str, Key]]:
    """Return the accounts with a key each, and the keys. Anyone can compute these keys, so they protect nothing."""
    keyed = tuple(replace(account, key_name=f"drill-{account.account}") for account in accounts)
    keys = {
        account.key_name: Key(
            name=account.key_name,
            secret=hashlib.sha256(f"vetlla drill {seed} {account.account}".encode()).digest()[: bits // 8],
        )
        for account in keyed
    }
    return keyed, keys


def in_clear(accounts: Iterable[Account]) -> tuple[Account, ...]:
    """Return the accounts as homes that do not encrypt."""
    return tuple(replace(account, key_name="") for account in accounts)

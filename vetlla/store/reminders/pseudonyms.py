"""Pseudonyms of telephones: hashes with a key of the year, from the keys file and never in the database.

In one year a person has one pseudonym, so that statistics can count people. Without the key of a year, its pseudonyms
say nothing: delete the key from the keys file when the statistics of the year are made.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vetlla.store.secrets.keyring import SharedKey

_PREFIX: Final = "pseudonyms-"
"""Beginning of the keys' names in the keys file."""
_DIGITS: Final = 24
"""Hex digits of a pseudonym: 96 bits, so that two of a million people practically never share one."""


def key_name(year: int) -> str:
    """Return the name of a year's key in the keys file."""
    return f"{_PREFIX}{year}"


class Pseudonyms:
    """Makes pseudonyms with the keys of a keys file."""

    def __init__(self, keys: Mapping[str, SharedKey]) -> None:
        self._keys = keys

    def of(self, who: str, at: datetime) -> str:
        """Return the pseudonym of a telephone, or of WhatsApp's id of a person, in the year of ``at``.

        Raises ConfigError if the keys file has no key for this year.
        """
        name = key_name(at.year)
        key = self._keys.get(name)
        if key is None:
            raise ConfigError(
                f"the keys file has no key {name!r}, with which telephones become pseudonyms",
                remedy=f"vetlla keys set {name}",
            )
        return _pseudonym(key.current, who)

    @property
    def years(self) -> list[int]:
        """Return the years whose key is there."""
        return sorted(int(name[len(_PREFIX) :]) for name in self._keys if _is_of_year(name))

    def all_of(self, who: str) -> set[str]:
        """Return the pseudonyms of a telephone, or of WhatsApp's id, in all years whose key is there."""
        keys = [self._keys[key_name(year)] for year in self.years]
        secrets = [secret for key in keys for secret in (key.current, key.previous) if secret is not None]
        return {_pseudonym(secret, who) for secret in secrets}


def _is_of_year(name: str) -> bool:
    year = name.removeprefix(_PREFIX)
    return year != name and year.isascii() and year.isdigit() and key_name(int(year)) == name


def _pseudonym(secret: bytes, who: str) -> str:
    return hmac.digest(secret, who.encode(), hashlib.sha256).hex()[:_DIGITS]

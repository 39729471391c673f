"""Seals a card with AES-256-GCM, so that only a program with the key reads it, and only as the card of its own home.

The key is in a file like the keys of terminals (``vetlla.store.secrets.keyring``), under the name ``cards``. During a
rotation the file also has the previous key. Each row says by a fingerprint which key sealed it. The code of the home
and the fingerprint are authenticated with the text, so a row that was moved to another home cannot be opened.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vetlla.domain.cards import CARD
from vetlla.domain.errors import ConfigError, StoreError
from vetlla.store.secrets.changes import finish_rotation, rotate_key, set_key
from vetlla.store.secrets.keyring import Keyring, SharedKey

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from vetlla.domain.cards import Card

KEY_NAME: Final = "cards"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
"""GCM's own length. Random nonces are safe for 2^32 cards under one key (NIST SP 800-38D, 8.3)."""
MAKE_KEY: Final = "vetlla cards rekey makes the first key; if there was one, restore its file from the copy"
_FORM: Final = "vetlla-card-1"


class SealedCard(NamedTuple):
    """A card as the database keeps it."""

    home: str
    key_id: str
    nonce: bytes
    sealed: bytes

    @property
    def digest(self) -> str:
        """A hash of the row, which the log keeps to show a row that was put back, removed or replaced."""
        values = (self.home, self.key_id, self.nonce.hex(), self.sealed.hex())
        return hashlib.sha256(ascii(values).encode("ascii")).hexdigest()


class CardKeys:
    """The current key of the cards, and during a rotation the previous one."""

    def __init__(self, path: Path, key: SharedKey) -> None:
        self._path = path
        known = [one for one in (key.current, key.previous) if one is not None]
        self._ciphers = {fingerprint(one): AESGCM(one) for one in known}
        self.current_id = fingerprint(key.current)
        self.ids = frozenset(self._ciphers)
        self.is_rotating = key.previous is not None
        """Whether the file still has the previous key."""
        self.since = key.since

    @classmethod
    def read(cls, path: Path) -> CardKeys:
        """Read the key file. Raises ConfigError if it is missing, unreadable, open to others, or has no such key."""
        if not path.exists():
            raise ConfigError(f"{path}: the key of the cards is missing", remedy=MAKE_KEY)
        found = Keyring.read(path).get(KEY_NAME)
        if found is None:
            raise ConfigError(f"{path}: has no key {KEY_NAME}", remedy=MAKE_KEY)
        return cls(path, found)

    def seal(self, card: Card) -> SealedCard:
        """Seal a card with the current key."""
        return self._seal(card.home, CARD.dump_json(card, exclude_defaults=True))

    def unseal(self, row: SealedCard) -> Card:
        """Return the card in a row. Raises ConfigError for an absent key, StoreError for a row that was changed."""
        try:
            return CARD.validate_json(self._unseal(row))
        except ValueError as error:
            raise _broken(row.home) from error

    def seal_again(self, row: SealedCard) -> SealedCard:
        """Return the same card, sealed with the current key. Raises as ``unseal``."""
        return self._seal(row.home, self._unseal(row))

    def _seal(self, home: str, text: bytes) -> SealedCard:
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self.current_id].encrypt(nonce, text, _bound(home, self.current_id))
        return SealedCard(home, self.current_id, nonce, sealed)

    def _unseal(self, row: SealedCard) -> bytes:
        cipher = self._ciphers.get(row.key_id)
        if cipher is None:
            raise ConfigError(
                f"{self._path}: has no key {row.key_id}, with which the card of home {row.home} was sealed",
                remedy="restore the file with that key, as key or as previous; then: vetlla cards rekey --finish",
            )
        try:
            return cipher.decrypt(row.nonce, row.sealed, _bound(row.home, row.key_id))
        except (InvalidTag, ValueError) as error:
            raise _broken(row.home) from error


def fingerprint(key: bytes) -> str:
    """Return a short name of a key, from which the key cannot be computed: the key is 32 random bytes."""
    return hashlib.sha256(b"vetlla card key\0" + key).hexdigest()[:16]


def make_key(path: Path, *, by: str, now: datetime) -> None:
    """Make a new key. An existing one becomes the previous key. Raises UsageError during a rotation."""
    if path.exists() and KEY_NAME in Keyring.read(path):
        rotate_key(path, KEY_NAME, secrets.token_bytes(KEY_BYTES), by=by, now=now)
    else:
        set_key(path, KEY_NAME, secrets.token_bytes(KEY_BYTES), by=by, now=now)


def drop_previous(path: Path) -> None:
    """Drop the previous key. Raises UsageError if there is none."""
    finish_rotation(path, KEY_NAME)


def _bound(home: str, key_id: str) -> bytes:
    return ascii((_FORM, home, key_id)).encode("ascii")


def _broken(home: str) -> StoreError:
    return StoreError(
        f"the card of home {home} was changed or damaged in its file",
        remedy="vetlla cards verify shows which rows; restore a backup, or set the card again: vetlla cards set",
    )

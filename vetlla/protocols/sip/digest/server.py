"""The server's side: challenges a request, and checks the proof that the next one brings.

A nonce carries its time and our signature, so that an unanswered challenge costs no memory. Once a proof with it was
right, its count of uses is kept, and each further proof needs a higher one (RFC 7616, 3.4.5): who records a request
cannot send it again. A nonce that is too old, or whose count is no longer kept, is *stale*: the password may be right,
and the terminal proves it again with the new nonce.
"""

from __future__ import annotations

import hmac
import re
from enum import Enum, auto
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import MINUTE_US
from vetlla.protocols.sip.digest.hashing import ALGORITHMS, QOP, algorithm_of, proof, read_fields, write_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.protocols.sip.message import Request

NONCE_LIFE_US: Final = 5 * MINUTE_US
"""For how long a nonce may be used. A terminal that reports less often needs one round trip more for each report."""
NONCES_MOST: Final = 100_000
"""Most nonces whose uses are counted: one for each registered terminal. About 200 bytes each."""
_NONCE: Final = re.compile(r"([0-9a-f]{16})([0-9a-f]{8})([0-9a-f]{32})", re.ASCII)
_COUNT: Final = re.compile(r"[0-9a-fA-F]{8}", re.ASCII)


class Proof(Enum):
    """What a request proves."""

    RIGHT = auto()
    MISSING = auto()
    """It brought no proof for this realm: it must be challenged."""
    STALE = auto()
    """Its nonce is not, or no longer, known: it must be challenged, with ``stale``."""
    WRONG = auto()
    """The user is unknown, the password is wrong, or the proof is one of an earlier request."""


class DigestServer:
    """Challenges and checks for one realm. Times are microseconds of the monotonic clock."""

    def __init__(self, realm: str, key: bytes, *, nonces_most: int = NONCES_MOST) -> None:
        """Take a random key, which is new at each start."""
        self._realm = realm
        self._key = key
        self._most = nonces_most
        self._made = 0
        self._used: dict[str, int] = {}
        """The highest count that came with a nonce, in the order of the first use."""
        self._lost_us = -1
        """Nonces that were made at this time or before are stale: the count of one of them is no longer kept."""

    def challenges(self, now_us: int, *, is_stale: bool = False) -> list[str]:
        """Return the values of WWW-Authenticate: one for each algorithm, with one new nonce."""
        self._made += 1
        nonce = self._nonce(now_us, self._made & 0xFFFF_FFFF)
        fields = {"realm": self._realm, "nonce": nonce, "qop": QOP}
        stale = {"stale": "true"} if is_stale else {}
        quoted = frozenset({"qop"})
        return [write_fields(fields | {"algorithm": one} | stale, quoted_too=quoted) for one in ALGORITHMS]

    def check(self, request: Request, secret: Callable[[str, str], str | None], now_us: int) -> tuple[Proof, str]:
        """Return what a request proves, and the user that it names.

        ``secret`` returns for a user and an algorithm what stands for the password (``hashing.secret_of``), or None.
        """
        fields = self._fields(request)
        if fields is None:
            return Proof.MISSING, ""
        user, nonce = fields.get("username", ""), fields.get("nonce", "")
        algorithm = algorithm_of(fields.get("algorithm", ""))
        made_us = self._made_us(nonce)
        count = _count(fields)
        if algorithm is None or count is None or fields.get("uri") != request.uri:
            return Proof.WRONG, user
        if made_us is None or made_us <= self._lost_us or not 0 <= now_us - made_us < NONCE_LIFE_US:
            return Proof.STALE, user
        known = secret(user, algorithm)
        # An unknown user costs as much time as a known one, and the comparison takes the same time for every proof.
        wanted = proof(algorithm, known if known is not None else "", request.method, fields)
        is_right = hmac.compare_digest(wanted.encode(), fields.get("response", "").lower().encode("utf-8", "replace"))
        if known is None or not is_right:
            return Proof.WRONG, user
        if count <= self._used.get(nonce, 0):
            return Proof.STALE, user
        self._count(nonce, count, made_us)
        return Proof.RIGHT, user

    def _fields(self, request: Request) -> dict[str, str] | None:
        for value in request.headers.get("authorization", ()):
            scheme, _, text = value.partition(" ")
            fields = read_fields(text)
            if scheme.lower() == "digest" and fields.get("realm") == self._realm:
                return fields
        return None

    def _nonce(self, now_us: int, number: int) -> str:
        stamp = f"{now_us:016x}{number:08x}"
        return stamp + hmac.new(self._key, f"{self._realm}:{stamp}".encode(), sha256).hexdigest()[:32]

    def _made_us(self, nonce: str) -> int | None:
        """Return when we made a nonce; None if it is not ours."""
        found = _NONCE.fullmatch(nonce)
        if found is None:
            return None
        made_us = int(found[1], 16)
        return made_us if hmac.compare_digest(self._nonce(made_us, int(found[2], 16)), nonce) else None

    def _count(self, nonce: str, count: int, made_us: int) -> None:
        if nonce not in self._used and len(self._used) >= self._most:
            oldest = next(iter(self._used))
            self._lost_us = max(self._lost_us, self._made_us(oldest) or 0)
            del self._used[oldest]
        if made_us > self._lost_us:
            self._used[nonce] = count


def _count(fields: dict[str, str]) -> int | None:
    """Return the count of uses; 1 without ``qop``, which allows one use; None if it is no count."""
    if not fields.get("qop"):
        return 1
    if fields["qop"].lower() != QOP or not fields.get("cnonce"):
        return None
    return int(fields["nc"], 16) if _COUNT.fullmatch(fields.get("nc", "")) else None

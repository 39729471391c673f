"""Who calls the webhook: Meta proves each delivery with a signature, and its first visit with a word that we chose."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SIGNATURE: Final = "X-Hub-Signature-256"
_PREFIX: Final = "sha256="


def is_signed(body: bytes, signature: str, app_secret: str) -> bool:
    r"""Return True if the signature is Meta's over exactly these bytes.

    Meta signs the bytes that it sends. The same JSON written again has other escapes (``\u00e0``, ``\/``), and another
    signature.
    """
    wanted = _PREFIX + hmac.new(app_secret.encode(), body, sha256).hexdigest()
    return hmac.compare_digest(signature.strip().encode("utf-8", "replace"), wanted.encode())


def challenge_of(query: Mapping[str, str], verify_token: str) -> str | None:
    """Return what Meta's first visit wants to read, as plain text; None if the visitor does not know the word."""
    given = query.get("hub.verify_token", "").encode("utf-8", "replace")
    is_known = hmac.compare_digest(given, verify_token.encode())
    is_visit = query.get("hub.mode") == "subscribe" and bool(query.get("hub.challenge"))
    return query["hub.challenge"] if is_known and is_visit else None

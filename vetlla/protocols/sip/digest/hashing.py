"""The algorithms of digest authentication, its fields, and the response that proves a password."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from vetlla.protocols.sip.values import QUOTED, quoted, unquoted

MD5: Final = "MD5"
SHA256: Final = "SHA-256"
ALGORITHMS: Final = (MD5, SHA256)
"""In the order in which they are offered: many terminals try only the first one."""
QOP: Final = "auth"
"""The only quality of protection: the body of a report is not part of the proof."""

_FIELD: Final = re.compile(rf"(?<![\w-])([\w-]++)\s*+=\s*+({QUOTED}|[^\s,\"]*+)", re.ASCII | re.DOTALL)
_QUOTED_FIELDS: Final = frozenset({"username", "realm", "nonce", "uri", "response", "cnonce", "opaque", "domain"})
"""Fields that are always in quotes. Stacks disagree about others, and ``qop`` of a challenge is another one."""


def read_fields(text: str) -> dict[str, str]:
    """Return the fields behind the word Digest: names in lower case. Of two with the same name the first counts."""
    fields: dict[str, str] = {}
    for name, value in _FIELD.findall(text):
        fields.setdefault(name.lower(), unquoted(value) if value[:1] == '"' else value)
    return fields


def write_fields(fields: dict[str, str], *, quoted_too: frozenset[str] = frozenset()) -> str:
    """Return a value of a header with these fields."""
    names = _QUOTED_FIELDS | quoted_too
    return "Digest " + ", ".join(
        f"{name}={quoted(value) if name in names else value}" for name, value in fields.items()
    )


def algorithm_of(name: str) -> str | None:
    """Return the algorithm that a challenge or an answer names, MD5 if it names none; None for one we do not have."""
    return next((one for one in ALGORITHMS if one.lower() == name.lower()), None) if name else MD5


def hashed(algorithm: str, *parts: str) -> str:
    """Return the hash of parts with colons between them, as hex digits."""
    made = hashlib.sha256() if algorithm == SHA256 else hashlib.md5(usedforsecurity=False)
    made.update(":".join(parts).encode("utf-8", "surrogateescape"))
    return made.hexdigest()


def secret_of(algorithm: str, username: str, realm: str, password: str) -> str:
    """Return what stands for the password of a user (HA1)."""
    return hashed(algorithm, username, realm, password)


def proof(algorithm: str, secret: str, method: str, fields: dict[str, str]) -> str:
    """Return the response that fits these fields. Without ``qop`` it is that of RFC 2069, which old stacks send."""
    request = hashed(algorithm, method, fields.get("uri", ""))
    nonce = fields.get("nonce", "")
    if fields.get("qop"):
        return hashed(
            algorithm, secret, nonce, fields.get("nc", ""), fields.get("cnonce", ""), fields["qop"], request
        )  # fmt: skip
    return hashed(algorithm, secret, nonce, request)

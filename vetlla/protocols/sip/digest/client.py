"""The client's side: picks a challenge of a 401 or 407, and writes the header that proves the password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.sip.digest.hashing import (
    ALGORITHMS,
    QOP,
    algorithm_of,
    proof,
    read_fields,
    secret_of,
    write_fields,
)
from vetlla.protocols.sip.values import QUOTED

if TYPE_CHECKING:
    from vetlla.protocols.sip.message import Response

HEADERS: Final = {401: ("www-authenticate", "Authorization"), 407: ("proxy-authenticate", "Proxy-Authorization")}
"""For each status: the header with its challenges, and the header with the proof."""

_SCHEME: Final = re.compile(rf"{QUOTED}|(?:^|,)\s*+([A-Za-z][\w-]*+)\s++(?=[\w-]++\s*+=)", re.ASCII | re.DOTALL)
"""A quoted string, or the begin of a challenge: its scheme and the blanks before its first field."""


class Credentials(NamedTuple):
    """Who we are to a server."""

    username: str
    password: str


class Challenge(NamedTuple):
    """What a server asks for."""

    realm: str
    nonce: str
    algorithm: str
    has_qop: bool
    """Whether the server knows ``auth``. Without it the proof is that of RFC 2069."""
    opaque: str | None
    is_stale: bool
    """True if only the nonce was too old, so that the same password may be tried again."""
    header: str
    """Name of the header that the proof goes into."""


def challenge_of(response: Response) -> Challenge | None:
    """Return the first challenge of a 401 or 407 that we can meet; None without one."""
    asked, header = HEADERS.get(response.status, ("", ""))
    for value in response.headers.get(asked, ()):
        for scheme, text in _challenges(value):
            fields = read_fields(text)
            algorithm = algorithm_of(fields.get("algorithm", ""))
            qop = [one.strip().lower() for one in fields.get("qop", "").split(",") if one.strip()]
            if scheme.lower() != "digest" or algorithm not in ALGORITHMS or "nonce" not in fields:
                continue
            if qop and QOP not in qop:
                continue
            is_stale = fields.get("stale", "").lower() == "true"
            return Challenge(
                fields.get("realm", ""), fields["nonce"], algorithm, bool(qop), fields.get("opaque"), is_stale, header
            )
    return None


def authorization(
    challenge: Challenge, credentials: Credentials, method: str, uri: str, *, cnonce: str, count: int = 1
) -> tuple[str, str]:
    """Return the header that proves the password: its name and its value.

    ``cnonce`` is random text of ours, and ``count`` the number of requests with this nonce.
    """
    fields = {
        "username": credentials.username,
        "realm": challenge.realm,
        "nonce": challenge.nonce,
        "uri": uri,
        "algorithm": challenge.algorithm,
    }
    if challenge.has_qop:
        fields |= {"qop": QOP, "nc": f"{count:08x}", "cnonce": cnonce}
    secret = secret_of(challenge.algorithm, credentials.username, challenge.realm, credentials.password)
    fields["response"] = proof(challenge.algorithm, secret, method, fields)
    if challenge.opaque is not None:
        fields["opaque"] = challenge.opaque
    return challenge.header, write_fields(fields)


def _challenges(value: str) -> list[tuple[str, str]]:
    """Return scheme and fields of each challenge in a value."""
    found = [one for one in _SCHEME.finditer(value) if one[1]]
    ends = [*(one.start() for one in found[1:]), len(value)]
    return [(one[1], value[one.end() : end]) for one, end in zip(found, ends, strict=False)]

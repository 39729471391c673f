"""How Qmatic lets a client in. Public clients of Orchestra use four ways; an installation has one of them.

The way is a value, and ``Door`` turns it into headers. No text of it ever appears in an error or a log.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE: Final = "SSOcookie"
"""The cookie of a session of Orchestra, which its own gateway holds for each user."""
LONGEST_COOKIE: Final = 4_096
"""Most characters of a cookie that is kept; browsers keep no longer one."""


@dataclass(frozen=True, slots=True)
class Basic:
    """HTTP Basic with a user of Orchestra."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthToken:
    """Qmatic's API Gateway: the header ``auth-token``, which the gateway maps to a user."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A gateway of another maker in front of Orchestra: the header ``X-Api-Key``."""

    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """HTTP Basic once; then the cookie ``SSOcookie`` that Orchestra answers with, until Orchestra forgets it."""

    user: str
    password: str = field(repr=False)


Access = Basic | AuthToken | ApiKey | Session


class Door:
    """The headers that let a call in, and the cookie that Orchestra gave."""

    def __init__(self, access: Access | None) -> None:
        self._access = access
        self._cookie = ""

    def headers(self) -> dict[str, str]:
        """Return the headers of the next call."""
        match self._access:
            case Basic(user, password):
                return {"Authorization": _basic(user, password)}
            case Session(user, password):
                if self._cookie:
                    return {"Cookie": f"{COOKIE}={self._cookie}"}
                return {"Authorization": _basic(user, password)}
            case AuthToken(token):
                return {"auth-token": token}
            case ApiKey(key):
                return {"X-Api-Key": key}
        return {}

    def admitted(self, cookies: Mapping[str, str]) -> None:
        """Keep the cookie of a session, if an answer gave one."""
        given = cookies.get(COOKIE, "")
        if isinstance(self._access, Session) and given and len(given) <= LONGEST_COOKIE and given.isprintable():
            self._cookie = given

    def forgotten(self) -> bool:
        """Forget the cookie after a refusal; return True if the same call with the password may be let in."""
        had_cookie = bool(self._cookie)
        self._cookie = ""
        return had_cookie


def _basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")

"""Who is let in: the four ways that public clients of Orchestra use."""

from __future__ import annotations

import hmac
import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiohttp import web

COOKIE: Final = "SSOcookie"


@dataclass(slots=True, kw_only=True)
class Doors:
    """The credentials of a simulated Orchestra; an empty one closes its door. None of them is a secret."""

    user: str = "simulat"
    password: str = field(default="simulat", repr=False)
    auth_token: str = field(default="00000000-0000-4000-8000-000000000011", repr=False)
    api_key: str = field(default="simulated-key", repr=False)
    is_open: bool = False
    """Everyone is let in, as with the public API of an installation without a gateway."""

    _session: str = field(default="", init=False, repr=False)

    def forget(self) -> None:
        """End all sessions, as a restart of Orchestra does."""
        self._session = ""

    def admit(self, request: web.Request) -> tuple[bool, str]:
        """Return whether a request is let in, and the cookie of its new session, "" for none."""
        if self.is_open:
            return True, ""
        headers = request.headers
        expected = "Basic " + b64encode(f"{self.user}:{self.password}".encode()).decode("ascii")
        if self.user and _same(headers.get("Authorization", ""), expected):
            self._session = self._session or secrets.token_hex(16)
            return True, self._session
        pairs = (
            (request.cookies.get(COOKIE, ""), self._session),
            (headers.get("auth-token", ""), self.auth_token),
            (headers.get("X-Api-Key", ""), self.api_key),
        )
        return any(wanted and _same(given, wanted) for given, wanted in pairs), ""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())

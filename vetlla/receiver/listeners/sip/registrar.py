"""Where terminals that register can be reached (RFC 3261, 10.3), and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.protocols.sip.values import read_address, read_number

if TYPE_CHECKING:
    from vetlla.protocols.sip.message import Request

EXPIRES_S: Final = 3_600
"""For how long a binding holds if the terminal does not say it."""
EXPIRES_LEAST_S: Final = 60
"""Shortest time that is taken: a shorter one would be more work than the terminal's reports."""
EXPIRES_MOST_S: Final = 86_400
"""Longest time that is given: a terminal that is gone is forgotten within a day."""
TERMINALS_MOST: Final = 100_000
"""Most terminals with bindings: the largest service that the receiver is measured with."""
CONTACTS_MOST: Final = 8
"""Most addresses of one terminal: one for each network that it has, with room for those of earlier starts."""
OK: Final = 200
TOO_BRIEF: Final = 423
FULL: Final = 503
BAD: Final = 400


class Binding(NamedTuple):
    """One address of a terminal."""

    uri: str
    until_us: int
    """By the monotonic clock."""
    way: str
    """Where the registration came from: transport, address and port. Requests of ours go there, through its NAT."""


class Registered(NamedTuple):
    """What a registration is answered."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


class Registrar:
    """The bindings of one door."""

    def __init__(self) -> None:
        self._bindings: dict[str, dict[str, Binding]] = {}

    def __len__(self) -> int:
        return len(self._bindings)

    def of(self, user: str, now_us: int) -> list[Binding]:
        """Return the bindings of a terminal that hold."""
        return [one for one in self._bindings.get(user, {}).values() if one.until_us > now_us]

    def register(self, request: Request, user: str, way: str, now_us: int) -> Registered:
        """Take a registration: adds, renews or removes addresses; without any it only asks for them."""
        asked = _asked(request)
        if asked is None:
            return Registered(BAD)
        if any(0 < seconds < EXPIRES_LEAST_S for _, seconds in asked):
            return Registered(TOO_BRIEF, (("Min-Expires", str(EXPIRES_LEAST_S)),))
        known = {one.uri: one for one in self.of(user, now_us)}
        if ("*", 0) in asked:
            known.clear()
        for uri, seconds in asked:
            known.pop(uri, None)
            if seconds and uri != "*":
                until_us = now_us + min(seconds, EXPIRES_MOST_S) * SECOND_US
                known[uri] = Binding(uri, until_us, way)
        while len(known) > CONTACTS_MOST:
            del known[next(iter(known))]  # the oldest one
        if not known:
            self._bindings.pop(user, None)
        elif user not in self._bindings and len(self._bindings) >= TERMINALS_MOST and not self._sweep(now_us):
            return Registered(FULL, (("Retry-After", str(EXPIRES_LEAST_S)),))
        else:
            self._bindings[user] = known
        left = ((one.uri, (one.until_us - now_us) // SECOND_US) for one in known.values())
        return Registered(OK, tuple(("Contact", f"<{uri}>;expires={seconds}") for uri, seconds in left))

    def _sweep(self, now_us: int) -> bool:
        """Forget the terminals whose bindings are over; return True if there were any."""
        over = [user for user in self._bindings if not self.of(user, now_us)]
        for user in over:
            del self._bindings[user]
        return bool(over)


def _asked(request: Request) -> list[tuple[str, int]] | None:
    """Return the addresses of a registration, each with its seconds; None if they cannot be read."""
    usual = read_number(request.headers.first("expires"))
    usual = EXPIRES_S if usual is None else usual
    asked = []
    for value in request.headers.every("contact"):
        if value.strip() == "*":
            if usual:
                return None  # all can only be removed (10.2.2)
            asked.append(("*", 0))
            continue
        address = read_address(value)
        if address is None or not address.uri.isprintable() or len(asked) > CONTACTS_MOST:
            return None
        given = read_number(address.parameters.get("expires", ""))
        asked.append((address.uri, usual if given is None else given))
    return asked

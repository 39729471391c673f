"""Two homes for the tests of the intake, one of them with a key."""

from __future__ import annotations

from tests.rigs.core import signal
from vetlla.domain.accounts import Account
from vetlla.domain.signals import Event, Kind, Phase, Signal

HOME = Account(account="1234", home="H1")
KEYED = Account(account="5678", home="H2", key_name="spring")
BEAT = Event(Kind.HEARTBEAT, Phase.STATUS, "NULL", "dc09")


def beat(account: str = "1234") -> Signal:
    return signal(account)._replace(event=BEAT)

"""Watches of the bracket protocol: LK is a heartbeat, UD a position, UD2 a stored position and AL an alarm.

The receiver does not answer positions, so they count as sent once the receiver's machine has their bytes.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from vetlla.simulator.dialects.dialect import Dialect
from vetlla.simulator.dialects.handheld import Handheld, Happening, Occasion, Word, cut_behind, made_up_imei, maker_of

MAKER: Final = "3G"

_ALARM_BITS: Final = {Occasion.SOS: 16, Occasion.FALL: 21, Occasion.LOW_BATTERY: 17}
_IS_LOW: Final = 1
"""State bit 0, which a low battery sets besides its alarm bit."""
_NETWORKS: Final = "1,0,1,1,4096,8193,140,0,10.0"
"""One cell of the test network 001-01, no Wi-Fi, accuracy in metres."""


class Watch3g(Handheld):
    """One watch."""

    def say(self, happening: Happening) -> Word:
        """Return the message."""
        command = "LK"
        if happening.occasion is Occasion.HEARTBEAT:
            content = f"LK,{happening.number},0,{happening.charge}"
        else:
            command, content = self._located(happening)
        answer = b"" if command.startswith("UD") else self._message(command)
        return Word(command, "", self._message(content), answer)

    def _located(self, happening: Happening) -> tuple[str, str]:
        bit = _ALARM_BITS.get(happening.occasion)
        status = 0 if bit is None else 1 << bit
        if happening.occasion is Occasion.LOW_BATTERY:
            status |= _IS_LOW
        # A watch repeats an alarm until it is answered, so an alarm is never sent as a stored position.
        command = "AL" if bit is not None else "UD2" if happening.is_stored else "UD"
        content = (
            f"{command},{happening.at:%d%m%y,%H%M%S},A,{happening.latitude:.6f},N,{happening.longitude:.7f},E,"
            f"4.00,90.0,12.0,8,60,{happening.charge},{happening.number},0,{status:08X},{_NETWORKS}"
        )
        return command, content

    def _message(self, content: str) -> bytes:
        return f"[{MAKER}*{self.id.account}*{len(content):04x}*{content}]".encode()


def _account(number: int) -> str:
    """Return the ten digits of the IMEI that are a watch's account: the fifth to the fourteenth."""
    return made_up_imei(number)[4:14]


DIALECT: Final = Dialect(
    name="watch3g",
    make=maker_of(Watch3g),
    cut=partial(cut_behind, b"]"),
    account=_account,
    form=re.compile(r"\d{5,15}", re.ASCII),
    form_said="5 to 15 digits (mostly ten of the IMEI)",
    mishaps=frozenset({"torn", "batch", "retry", "storm"}),
)

"""MiniFinder Pico and EV-07S pendants: they log in on every connection, and the protocol answers nothing.

A report counts as sent once the receiver's machine has its bytes, because such a device cannot know more.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from vetlla.simulator.dialects.dialect import Dialect
from vetlla.simulator.dialects.handheld import Handheld, Happening, Occasion, Word, cut_behind, made_up_imei, maker_of

if TYPE_CHECKING:
    from random import Random

    from vetlla.domain.accounts import Account
    from vetlla.simulator.weights import Mix

_ALARM_BITS: Final = {Occasion.SOS: 6, Occasion.FALL: 8, Occasion.LOW_BATTERY: 12}
_GPS_FIX: Final = 1
_SIGNAL: Final = 18 << 16


class Pico(Handheld):
    """One pendant."""

    def __init__(self, account: Account, mix: Mix, random: Random) -> None:
        super().__init__(account, mix, random)
        self.greeting = f"!1,{account.account},V07S.5701.1621,100;".encode()

    def say(self, happening: Happening) -> Word:
        """Return the message."""
        if happening.occasion is Occasion.HEARTBEAT:
            return Word("5", "", f"!5,18,A,{happening.charge};".encode(), b"")
        bit = _ALARM_BITS.get(happening.occasion)
        flags = _GPS_FIX | _SIGNAL | (0 if bit is None else 1 << bit)
        kind = "B" if happening.is_stored else "D"
        text = (
            f"!{kind},{happening.at:%d/%m/%y,%H:%M:%S},{happening.latitude:.6f},{happening.longitude:.6f},"
            f"4,90,{flags:x},12.0,{happening.charge},8,10,0.9;"
        )
        return Word(kind, "", text.encode(), b"")


DIALECT: Final = Dialect(
    name="minifinder",
    make=maker_of(Pico),
    cut=partial(cut_behind, b";"),
    account=made_up_imei,
    form=re.compile(r"\d{15}", re.ASCII),
    form_said="an IMEI of 15 digits",
    mishaps=frozenset({"torn", "batch", "retry", "storm"}),
)

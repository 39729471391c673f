"""Thinkrace IW watches: the receiver answers the login with the time, and each report with the report's letters.

Answers have no number, so a late IWBP10# settles any alarm that waits for one. No code for a low battery is known, so
the watch sends a position with a low charge.
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

_WELCOME: Final = re.compile(rb"IWBP00,20\d\d(0[1-9]|1[0-2])[0-3]\d[0-2]\d[0-5]\d[0-5]\d,0#")
_ALARMS: Final = {Occasion.SOS: "01", Occasion.FALL: "05"}
_CELL: Final = "1,1,9520,3671"
"""A cell of the test network 001-01."""
_NO_WIFI: Final = "00"


class ThinkraceWatch(Handheld):
    """One watch."""

    def __init__(self, account: Account, mix: Mix, random: Random) -> None:
        super().__init__(account, mix, random)
        self.greeting = f"IWAP00{account.account}#".encode()

    def is_welcome(self, data: bytes) -> bool:
        """Return True if this is the answer to the login: the time, and a zone of 0."""
        return _WELCOME.fullmatch(data) is not None

    def say(self, happening: Happening) -> Word:
        """Return the message."""
        alarm = _ALARMS.get(happening.occasion)
        if happening.occasion is Occasion.HEARTBEAT:
            letters, body = "P03", f",060009{happening.charge:03d}00102,{happening.number},30"
        elif alarm:
            letters, body = "P10", f"{_fix(happening)},{_CELL},{alarm},en,{_NO_WIFI}"
        else:
            letters, body = "P01", f"{_fix(happening)},{_CELL}"
        return Word(f"A{letters}", "", f"IWA{letters}{body}#".encode(), f"IWB{letters}#".encode())


def _fix(happening: Happening) -> str:
    """Return date, place in degrees and minutes, speed, time, course, GSM, satellites, charge and three states."""
    latitude, longitude = (divmod(round(value * 600_000), 600_000) for value in happening[3:5])
    return (
        f"{happening.at:%y%m%d}A{latitude[0]:02d}{latitude[1] / 10_000:07.4f}N"
        f"{longitude[0]:03d}{longitude[1] / 10_000:07.4f}E004.0{happening.at:%H%M%S}090.00060009"
        f"{happening.charge:03d}00102"
    )


DIALECT: Final = Dialect(
    name="thinkrace",
    make=maker_of(ThinkraceWatch),
    cut=partial(cut_behind, b"#"),
    account=made_up_imei,
    form=re.compile(r"\d{15}", re.ASCII),
    form_said="an IMEI of 15 digits",
    mishaps=frozenset({"torn", "batch", "retry", "storm"}),
)

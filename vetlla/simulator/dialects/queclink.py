"""Queclink pendants (GL300): each report has a count, which the SACK repeats; +BUFF marks a stored report.

No public source shows how these pendants report a fall, so the simulator sends an SOS instead.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from vetlla.simulator.dialects.dialect import Dialect
from vetlla.simulator.dialects.handheld import Handheld, Happening, Occasion, Word, cut_behind, made_up_imei, maker_of

VERSION: Final = "1A0401"

_LAST_COUNT: Final = 0xFFFF
_TIME: Final = "%Y%m%d%H%M%S"
_CELL: Final = "0001,0001,18D8,6141"
"""A cell of the test network 001-01."""
_REPORTS: Final = {
    Occasion.SOS: "GTSOS",
    Occasion.FALL: "GTSOS",
    Occasion.LOW_BATTERY: "GTBPL",
    Occasion.POSITION: "GTFRI",
}
_LOW_VOLTS: Final = "3.53"


class QueclinkPendant(Handheld):
    """One pendant."""

    def say(self, happening: Happening) -> Word:
        """Return the report."""
        count = f"{happening.number & _LAST_COUNT:04X}"
        who = f"{VERSION},{self.id.account},"
        if happening.occasion is Occasion.HEARTBEAT:
            text = f"+ACK:GTHBD,{who},{happening.at:{_TIME}},{count}$"
            return Word("GTHBD", count, text.encode(), f"+SACK:GTHBD,{VERSION},{count}$".encode())
        report = _REPORTS[happening.occasion]
        prefix = "+BUFF" if happening.is_stored else "+RESP"
        text = f"{prefix}:{report},{who},{_told(report, happening)},{happening.at:{_TIME}},{count}$"
        return Word(report, count, text.encode(), f"+SACK:{count}$".encode())


def _told(report: str, happening: Happening) -> str:
    """Return the fields between the head and the time of sending. Longitude is before latitude, a charge is last."""
    fix = f"1,4.3,92,12.0,{happening.longitude:.6f},{happening.latitude:.6f},{happening.at:{_TIME}},{_CELL}"
    return f"{_LOW_VOLTS},{fix}," if report == "GTBPL" else f"0,0,1,{fix},,{happening.charge}"


DIALECT: Final = Dialect(
    name="queclink",
    make=maker_of(QueclinkPendant),
    cut=partial(cut_behind, b"$"),
    account=made_up_imei,
    form=re.compile(r"\d{15}", re.ASCII),
    form_said="an IMEI of 15 digits",
    mishaps=frozenset({"torn", "batch", "retry", "duplicate", "storm"}),
    datagrams=True,
)

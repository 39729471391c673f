"""Reads the older formats of analog panels as line receivers print them: pulse, DTMF 4/2 and 4/3, Ademco High Speed.

    X G YYY             pulse: event character, area, zone or user; tables/pulse.csv has the characters
    CCCC CCCC C         High Speed: eight channels and the report's status; tables/high_speed.csv has the digits

A digit of a pulse format has the meaning that the panel's installer gave to it. So an event that is no known letter is
an alarm, under a code of its own: a service gives it another meaning by that code (accounts, column remaps).
"""

from __future__ import annotations

from typing import Final

from vetlla.domain.signals import Kind
from vetlla.protocols.codes.tables import HIGH_SPEED, PULSE, Report

_QUIET: Final = 5
"""Digit of a channel that has nothing to report."""
_SILENT: Final = Kind.CONFIGURATION


def pulse(event: bytes, area: bytes = b"", device: bytes = b"") -> Report:
    """Return the report of an event character with its area, and its zone or user, any of which may be blank."""
    letter, where, zone = (field.decode().strip() for field in (event, area, device))
    code = letter if letter in PULSE.known else "".join(f"{letter}{where}{zone}".split())
    return Report(PULSE.event(code), device=zone, area=where)


def high_speed(channels: bytes, status: bytes) -> list[Report]:
    """Return a report for each of eight channels that has one, and for the status unless it says nothing more."""
    reports = [
        Report(HIGH_SPEED.event(digit), device=str(number))
        for number, digit in enumerate(channels.decode(), 1)
        if digit != str(_QUIET)
    ]
    whole = Report(HIGH_SPEED.event(f"S{status.decode()}"))
    return reports if reports and whole.event.kind is _SILENT else [*reports, whole]


def numbered(event: bytes, device: bytes) -> Report:
    """Return the report of an event digit and a zone digit, which is hexadecimal and so never an event character."""
    digit, zone = event.decode(), device.decode().strip()
    return Report(PULSE.event(f"{digit}-{zone}"), device=zone)

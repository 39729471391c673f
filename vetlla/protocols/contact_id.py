"""SIA DC-05 "Contact ID" as DC-09 carries it (ADM-CID): one event in 16 digits without message type and check digit.

    [#acct|] Q XYZ GG CCC        #1234|1131 01 015

    Q     qualifier: 1 new event or opening, 3 restore or closing, 6 still present (status)
    XYZ   event code; tables/contact_id.csv holds those of DC-05-2016, with 4xx read as 1 = opening, 3 = closing
    GG    partition, 00 = none
    CCC   zone or user

Digits may be B..F; the spaces may be missing; some makers put text behind. A code that no table knows keeps its class.
"""

from __future__ import annotations

import re
from typing import Final

from vetlla.protocols.charset import readable
from vetlla.protocols.codes import CONTACT_ID, Report
from vetlla.signals import NOTHING, Event, Phase

QUALIFIERS: Final = {"1": Phase.NEW, "3": Phase.RESTORE, "6": Phase.STATUS}

_EVENT: Final = re.compile(
    rb"(?:#?([0-9A-Za-z]{0,16})\|)?\s*"
    rb"([0-9A-Fa-f])([0-9A-Fa-f]{3}) ?([0-9A-Fa-f]{2}) ?([0-9A-Fa-f]{3,4})(?![0-9A-Za-z])([\s\S]*)"
)


def _event(qualifier: str, code: str) -> Event:
    return Event(CONTACT_ID.find(code).kind, QUALIFIERS.get(qualifier, Phase.NEW), code, CONTACT_ID.system)


_EVENTS: Final = {(q + code).encode(): _event(q, code) for code in CONTACT_ID.known for q in QUALIFIERS}
"""Qualifier and code as they stand in the frame -> the event, made once."""


def parse(data: bytes) -> Report | None:
    """Return the event that a payload states; None when it states none.

    A qualifier that DC-05 does not define is taken as a new event and kept in ``details["qualifier"]``.
    """
    found = _EVENT.fullmatch(data)
    if found is None:
        return None
    account, qualifier, code, area, device, rest = found.groups()
    event = _EVENTS.get(qualifier + code)
    details = NOTHING
    if event is None:
        said = qualifier.decode().upper()
        event = _event(said, code.decode().upper())
        if said not in QUALIFIERS:
            details = {"qualifier": said}
    text = readable(rest).strip() if rest else ""
    return Report(event, account.decode() if account else "", device.decode(), area.decode(), text, details)

"""Reads the data of a DC-09 frame into reports, by its token: ADM-CID, SIA-DCS, and the heartbeats NULL and XNM.

Data that cannot be read, and data of any other token, give one report that shows their text. Under encryption the token
is not evidence, so data that only the other payload's reader understands are unreadable under this token.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import NOTHING, Event, Kind, Phase
from vetlla.protocols.codes.tables import CONTACT_ID, SIA_DCS, Report, code_of
from vetlla.protocols.dc09.frame import NAME
from vetlla.protocols.dc09.sealing import NO_BAR
from vetlla.protocols.framing.charset import join_texts, readable
from vetlla.protocols.payloads import contact_id, sia_dcs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.protocols.codes.tables import CodeTable
    from vetlla.protocols.dc09.frame import Frame

HEARTBEATS: Final = {token: Event(Kind.HEARTBEAT, Phase.STATUS, token, NAME) for token in ("NULL", "XNM")}
_BARE: Final = {token: (Report(event),) for token, event in HEARTBEATS.items()}
"""Reports of heartbeats without data, which nearly all are."""
_NOTHING: Final = re.compile(
    rb"(?:#[0-9A-Za-z]{0,16}(?:\||\Z)|[0-9][0-9A-Za-z]{0,15}\|)?\s*(?:NULL|OK|0000 ?00 ?000)?\s*", re.IGNORECASE
)
"""Data of a heartbeat that have no meaning: the account, a word, or the zeros of Hikvision."""
_SIGNS_OF_LIFE: Final = frozenset({Kind.PERIODIC_TEST, Kind.MANUAL_TEST, Kind.CONFIGURATION, Kind.PRESENCE})
_ODD_ACCOUNT: Final = re.compile(rb"#(?![0-9A-Za-z]{0,16}\|)[^|]*(?=\|)")
_READERS: Final = ((contact_id.parse, CONTACT_ID), (sia_dcs.parse, SIA_DCS))
_CONTACT_ID_HEAD: Final = re.compile(rb"(?:#[0-9A-Za-z]{0,16}\|)?[136][0-9]{3} ")
_SIA_HEAD: Final = re.compile(rb"(?:#[0-9A-Za-z]{0,16}\|)?[NO]")
"""How the data of a payload usually begin, and those of the other payload never begin."""
_UNDECODED: Final[Mapping[str, str]] = MappingProxyType({"undecoded": "no event could be read from the data"})


def reports_in(frame: Frame) -> Sequence[Report]:
    """Return the events in the data: at least one, because data that cannot be read may be a call for help."""
    data = frame.data
    if frame.quirks and (odd := _ODD_ACCOUNT.match(data)):
        data = data[odd.end() :]  # the payload readers accept only accounts of letters and digits
    caller = frame.id.account
    match frame.token:
        case "ADM-CID":
            reports = contact_id.parse(data, caller)
            if frame.key_name and not _CONTACT_ID_HEAD.match(data):
                reports = [] if _is_certain(sia_dcs.parse(data, caller), SIA_DCS) else reports
        case "SIA-DCS":
            reports = sia_dcs.parse(data, caller)
            if frame.key_name and not _SIA_HEAD.match(data):
                reports = [] if _is_certain(contact_id.parse(data, caller), CONTACT_ID) else reports
        case "NULL" | "XNM":
            if not data:
                return _BARE[frame.token]
            reports = _in_heartbeat(frame, data)
        case _:
            reports = []
    return reports or [unreadable(frame)]


def _in_heartbeat(frame: Frame, data: bytes) -> list[Report]:
    """Return the reports of a heartbeat that has data, although it should have none; an empty list if unreadable.

    In clear a sign of life counts as the token's heartbeat. Under encryption the token may have been changed.
    """
    beat = [Report(HEARTBEATS[frame.token], text=readable(frame.data))]
    if _NOTHING.fullmatch(data):
        return beat
    certain = _certain(data, frame.id.account)
    if len(certain) != 1:
        return []
    is_event = frame.key_name or any(report.event.kind not in _SIGNS_OF_LIFE for report in certain[0])
    return certain[0] if is_event else beat


def without_bar(frame: Frame) -> Frame:
    """Return a message that has no bar: with its pad as data if that is an event, otherwise without data."""
    if _certain(frame.data, frame.id.account):
        return frame
    return frame._replace(data=b"", quirks=tuple(quirk for quirk in frame.quirks if quirk != NO_BAR))


def _certain(data: bytes, caller: str) -> list[list[Report]]:
    """Return the certain readings of a payload; if there are several, they contradict each other."""
    readings = [(parse(data, caller), codes) for parse, codes in _READERS]
    return [reports for reports, codes in readings if _is_certain(reports, codes)]


def _is_certain(reports: Sequence[Report], codes: CodeTable) -> bool:
    """Return True if a payload was read to its end, as events with known codes only."""
    return bool(reports) and all(
        report.event.code in codes.known and sia_dcs.REST not in report.details for report in reports
    )


def unreadable(frame: Frame, *why: str) -> Report:
    """Return the report of data that cannot be read or cannot be trusted."""
    text = join_texts(*why, readable(frame.data))
    event = Event(Kind.UNREADABLE, Phase.NEW, code_of(frame.token), NAME)
    return Report(event, text=text, details=NOTHING if why else _UNDECODED)

r"""Reads SIA DC-03 as DC-09 carries it (SIA-DCS): blocks of modifiers and events, several events in one message.

    [#acct|] block [ | block ]...          #1234|Nri1/BA01/BA02|AFront door

    block      the first byte names its kind: N new events, O events reported before, A text for the events before it;
               all other kinds are kept as details under "block X"
    events     [ modifier / ]... code address [*number unit] [^text^] [ / more ]
    modifier   two lower-case letters and a value [^name^]: ri area, id user, pi peripheral, ti time, da date ...;
               holds for the events after it; the last one holds for the event before it, if that has none
    code       two upper-case letters, tables/sia_dcs.csv; a code that no table knows keeps its class
    address    zone, user, area ... as the code says; digits, hexadecimal in the standard; may be empty

Devices leave out the slashes (Ajax, Satel, Jablotron) and even the N (``NL2``). If a text can be read in two ways, the
reading with a known code wins. Times in modifiers are the panel's local time and stay details.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import NO_MEASUREMENTS
from vetlla.protocols.codes.tables import EVENTS_MAX, SIA_DCS, Report, more
from vetlla.protocols.framing.charset import join_texts, readable

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN: Final = re.compile(rb"(?:#([0-9A-Za-z]{0,16})\|)?N(?:ri([0-9]+)/)?([A-Z]{2})([0-9A-F]{0,4})")
"""Matches nearly every frame: one event, perhaps with its area. ``_read_events`` reads the others."""

_ACCOUNT: Final = re.compile(rb"#[^|]*|[0-9][0-9A-Za-z]{0,15}|")
_BARE_ACCOUNT: Final = re.compile(rb"[0-9A-Za-z]{3,16}")
# Digits come first. Hexadecimal letters count only where no code can begin, or a missing slash would hide an event.
_MODIFIER: Final = re.compile(
    rb"([a-z]{2})([0-9:.,+-]*(?=[a-z/^]|[A-Z]{2}|$)|[0-9A-F]+(?=[/^]|$))(?:\^([^^]*)\^?)?/?",
)
_CODE: Final = re.compile(
    rb"([A-Z]{2})([0-9A-F]{0,4}(?![0-9A-F])|[0-9]*)((?:\*[^*/^]*\*?[^*/^]*|\^[^^]*\^?)*)/?",
)
_APART: Final = re.compile(
    rb"([]\\\s,;.:&+-]{1,8}N?)(?:[a-z]{2}[0-9]{0,8}/?){0,8}([A-Z]{2})(?=[0-9A-F]{0,4}(?:[]/^*\\\s,;.:&+-]|\Z))"
)
"""Another event after something other than a slash. Its code must be known, because a text may stand there."""
_SUFFIX: Final = re.compile(rb"\*([^*/^]*\*?[^*/^]*)|\^([^^]*)\^?")
_MEASURE: Final = re.compile(rb"([-+]?[0-9]{1,12}(?:\.[0-9]+)?)([A-Z]{2})")
REST: Final = "rest"
"""Detail that holds the unreadable text after an event."""
_NAME_UNIT: Final = b"NM"
"""Unit of a text that stands in place of a number, as "xSIA" writes it: *'text'NM."""


_EVENTS: Final = {code.encode(): SIA_DCS.event(code) for code in SIA_DCS.known}
_OF_AREA: Final = frozenset(code.encode() for code, row in SIA_DCS if row.address == "area")


def parse(data: bytes, caller: str = "") -> list[Report]:
    """Return the events that a payload states, in their order; an empty list if it states none.

    ``caller`` is the account of the envelope, by which an account without "#" is recognised ("ABCD" may be an event).
    """
    plain = _PLAIN.fullmatch(data)
    if plain is not None:
        account, area, code, address = plain.groups()
        event = _EVENTS.get(code)
        if event is not None:
            device = address.decode()
            where = area.decode() if area else device if code in _OF_AREA else ""
            return [Report(event, account.decode() if account else "", device, where)]
    account, blocks = _split(data, caller)
    reports: list[Report] = []
    others: dict[str, str] = {}
    for block in blocks:
        events = _events_of(block)
        if block[:1] == b"A" and (reports or not events):
            text = readable(block[1:])
            reports = [report._replace(text=join_texts(report.text, text)) for report in reports]
        elif events:
            reports += events
        elif block:
            _keep(others, block)
    if not reports:  # an unmarked code that no table knows is still an event, if nothing else is there
        reports = next((events for block in blocks if _is_whole(events := _read_events(block, repeated=False))), [])
    return [_with(report, account, others) for report in reports]


def _split(data: bytes, caller: str) -> tuple[str, list[bytes]]:
    """Return the account, without "#", and the blocks after it.

    A text that can be an event is not read as an account, unless it is the caller's account.
    """
    first, *blocks = data.split(b"|")
    if (
        _ACCOUNT.fullmatch(first)
        or first.lower() == caller.lower().encode()
        or (blocks and _BARE_ACCOUNT.fullmatch(first) and not _events_of(first))
    ):
        return first.lstrip(b"#").decode("latin-1"), blocks
    return "", [first, *blocks]


def _events_of(block: bytes) -> list[Report]:
    """Return a block's events; an empty list if it is a block of another kind."""
    marked = _read_events(block[1:], repeated=block[:1] == b"O") if block[:1] in (b"N", b"O") else []
    if marked and marked[0].event.code in SIA_DCS.known:
        return marked
    unmarked = _read_events(block, repeated=False)
    return unmarked if _is_whole(unmarked) and unmarked[0].event.code in SIA_DCS.known else marked


def _is_whole(events: list[Report]) -> bool:
    """Return True if a reading reached the end of the text."""
    return bool(events) and REST not in events[-1].details


def _read_events(text: bytes, *, repeated: bool) -> list[Report]:
    """Return the events of a text, with their modifiers, read from left to right."""
    reports: list[Report] = []
    modifiers: dict[str, str] = {}
    trailing: dict[str, str] = {}
    at = 0
    while at < len(text) and len(reports) <= EVENTS_MAX:
        modifier = _MODIFIER.match(text, at)
        found = modifier or _CODE.match(text, at)
        if found is None:
            apart = _APART.match(text, at) if reports else None
            if apart is None or apart[2] not in _EVENTS:
                break
            at = apart.end(1)
            continue
        at = found.end()
        if modifier is not None:
            trailing |= _modifier(modifier)
        else:
            modifiers |= trailing
            trailing = {}
            reports.append(_report(found, modifiers, repeated=repeated))
    if reports and trailing:
        reports[-1] = _apply(reports[-1], trailing)
    if len(reports) > EVENTS_MAX:  # the events after them are only counted, at a hundredth of the cost
        return [*reports[:EVENTS_MAX], more(SIA_DCS.system, 1 + len(_CODE.findall(text, at)))]
    if reports and at < len(text):
        reports[-1] = reports[-1]._replace(details={**reports[-1].details, REST: readable(text[at:])})
    return reports


def _modifier(found: re.Match[bytes]) -> dict[str, str]:
    letters, value, name = found.groups()
    details = {letters.decode(): value.decode()}
    if name:
        details[f"{letters.decode()} name"] = readable(name)
    return details


def _report(found: re.Match[bytes], modifiers: Mapping[str, str], *, repeated: bool) -> Report:
    code, address, suffix = found.groups()
    device = address.decode()
    text, measurements = _said(suffix) if suffix else ("", NO_MEASUREMENTS)
    report = Report(
        _EVENTS.get(code) or SIA_DCS.event(code.decode()),
        device=device,
        area=device if code in _OF_AREA and "ri" not in modifiers else "",
        text=text,
        measurements=measurements,
        repeated=repeated,
    )
    return _apply(report, modifiers) if modifiers else report


def _said(suffix: bytes) -> tuple[str, Mapping[str, float]]:
    """Return text and measurements after an address: ^text^, *number unit, or a text in place of it (*text*NM)."""
    text, measurements = "", {}
    for starred, careted in _SUFFIX.findall(suffix):
        measure = _MEASURE.fullmatch(starred)
        if measure is not None:
            measurements[measure[2].decode()] = float(measure[1])
        else:
            text = join_texts(text, readable(careted or starred.removesuffix(_NAME_UNIT).strip(b"*'\"")))
    return text, measurements


def _apply(report: Report, modifiers: Mapping[str, str]) -> Report:
    """Return the report with area, and user or peripheral, from modifiers if it has none; the rest are details."""
    left = {name: value for name, value in modifiers.items() if name not in report.details}
    area, device = report.area, report.device
    if not area:
        area = left.pop("ri", "")
    for name in ("id", "pi"):
        if not device and left.get(name):
            device = left.pop(name)
    details = {**report.details, **left} if left else report.details
    return report._replace(area=area, device=device, details=details)


def _keep(others: dict[str, str], block: bytes) -> None:
    """Keep a block of another kind; of a passcode ("?") keep only the fact that it came."""
    kind = readable(block[:1])
    others[f"block {kind}"] = "present" if kind == "?" else readable(block[1:])


def _with(report: Report, account: str, others: Mapping[str, str]) -> Report:
    return report._replace(account=account, details={**others, **report.details} if others else report.details)

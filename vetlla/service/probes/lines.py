"""A probe as a line of NDJSON, and back. A line that is not a whole probe gives the reason instead.

    {"machine": "probe-1", "component": "dc09-tcp", "part": "system", "started": "2026-11-30T10:00:00.000000Z",
     "ended": "2026-11-30T10:00:00.012345Z", "duration_us": 12345, "result": "ok", "reason": "", "through": "ack",
     "account": "99001"}

``ended`` is for people: it is ``started`` and the duration, which the monotonic clock measured.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from vetlla.domain.clock import SECOND_US, iso, to_us
from vetlla.domain.probes import NAME_MOST, REASON_MOST, Probe, ProbedPart, ProbeResult, SeenThrough

if TYPE_CHECKING:
    from collections.abc import Mapping

LINE_MOST: Final = 8_192
"""Most bytes of a line. A probe with its longest names and reason has 4,200 if each character is escaped."""
DURATION_MOST_US: Final = 3_600 * SECOND_US
"""Longest duration that is believed. A probe has a timeout of seconds."""
_W = TypeVar("_W", bound=StrEnum)


class _Wrong(Exception):  # noqa: N818 - never leaves this module
    """What is wrong with a line."""


def fields(probe: Probe) -> dict[str, Any]:
    """Return the fields of a line."""
    return {
        "machine": probe.machine,
        "component": probe.component,
        "part": probe.part.value,
        "started": iso(probe.started_us),
        "ended": iso(probe.ended_us),
        "duration_us": probe.duration_us,
        "result": probe.result.value,
        "reason": probe.reason,
        "through": probe.through.value,
        "account": probe.account,
    }


def probe_of(line: bytes) -> Probe | str:
    """Return the probe of a line, or a sentence that says why it is none."""
    if len(line) > LINE_MOST:
        return f"has more than {LINE_MOST} bytes"
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return "is not whole: it is no JSON object"
    if not isinstance(document, dict):
        return "is no JSON object"
    try:
        return _probe(document)
    except _Wrong as wrong:
        return str(wrong)


def _probe(document: Mapping[str, object]) -> Probe:
    result = _word(document, "result", ProbeResult)
    duration_us = document.get("duration_us")
    if not isinstance(duration_us, int) or isinstance(duration_us, bool) or not 0 <= duration_us <= DURATION_MOST_US:
        raise _Wrong(f"duration_us is no whole number from 0 to {DURATION_MOST_US}")
    reason = _text(document, "reason", REASON_MOST)
    if result is not ProbeResult.OK and not reason:
        raise _Wrong(f"result is {result}, and reason is empty")
    return Probe(
        machine=_name(document, "machine"),
        component=_name(document, "component"),
        part=_word(document, "part", ProbedPart),
        started_us=_moment(document, "started"),
        duration_us=duration_us,
        result=result,
        reason=reason,
        through=_word(document, "through", SeenThrough),
        account=_text(document, "account", NAME_MOST),
    )


def is_name(text: str) -> bool:
    """Return True if a text can be the name of a machine or a component: printable, without blanks."""
    return 0 < len(text) <= NAME_MOST and text.isprintable() and not any(one.isspace() for one in text)


def _name(document: Mapping[str, object], field: str) -> str:
    text = _text(document, field, NAME_MOST)
    if not is_name(text):
        raise _Wrong(f"{field} is empty or has blanks")
    return text


def _text(document: Mapping[str, object], field: str, most: int) -> str:
    text = document.get(field)
    if not isinstance(text, str) or len(text) > most or not text.isprintable():
        raise _Wrong(f"{field} is no printable text of at most {most} characters")
    return text


def _word(document: Mapping[str, object], field: str, words: type[_W]) -> _W:
    text = document.get(field)
    if not isinstance(text, str) or text not in set(words):
        raise _Wrong(f"{field} is none of {', '.join(repr(one.value) for one in words)}")
    return words(text)


def _moment(document: Mapping[str, object], field: str) -> int:
    text = document.get(field)
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
        if at is not None and at.tzinfo is not None:
            return to_us(at)
    except (ValueError, OverflowError):
        pass
    raise _Wrong(f"{field} is no time with a zone, such as 2026-11-30T10:00:00Z")

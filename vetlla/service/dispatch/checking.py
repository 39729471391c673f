"""Findings about emergencies in the street, for monitoring. They have codes and no notes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from vetlla.domain.findings import Finding, Level
from vetlla.service.dispatch.doubtful import not_sent, repeated
from vetlla.service.dispatch.order import how_to_end, minutes
from vetlla.service.dispatch.possible import impossible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.order import Line, StreetMarks


def check(lines: Iterable[Line], marks: StreetMarks) -> list[Finding]:
    """Return a finding for each emergency that is late, is about to be, or has been without a unit for too long.

    One without news is a WARNING: it must not hide another one for which a person waits.
    """
    found = []
    for line in lines:
        one = line.emergency
        if line.has_no_news:
            found.append(_no_news(one))
            continue
        if line.left_us is None:
            continue
        if line.is_escalated:
            level, text = Level.CRITICAL, f"has no unit after {minutes(marks.escalate_us)}"
        elif line.left_us < 0:
            level, text = Level.CRITICAL, f"the limit passed {minutes(-line.left_us)} ago"
        elif line.left_us <= marks.warn_us:
            level, text = Level.WARNING, f"{minutes(line.left_us)} are left"
        else:
            continue
        found.append(
            Finding(
                check=one.standing.duty.kind,
                level=level,
                text=f"emergency of type {one.type}, {one.named}, home {one.home}: {text}",
                remedy=f"vetlla dispatch propose {one.label}" if not one.unit else "vetlla dispatch board",
                home=one.home,
                figures={"duty": one.id, "left_s": line.left_us // 1_000_000},
            )
        )
    return found


def _no_news(one: StreetEmergency) -> Finding:
    text = f"emergency of type {one.type}, {one.named}, home {one.home}: nothing was recorded of it for a day"
    return _warning("no_news", one, text, how_to_end(one))


def contradictions(emergencies: Iterable[StreetEmergency], time: Callable[[int], str]) -> list[Finding]:
    """Return a finding for each event that contradicts another one of its emergency; ``time`` writes a moment."""
    return [
        Finding(
            check="impossible",
            level=Level.WARNING,
            text=f"emergency of {one.named}, home {one.home}, event {wrong.event.id}: {wrong.reason}",
            remedy=f"vetlla duties show {one.id}, then vetlla duties withdraw EVENT --reason TEXT of the wrong one",
            home=one.home,
            figures={"duty": one.id, "event": wrong.event.id},
        )
        for one in emergencies
        for wrong in impossible(one.standing.duty, time)
    ]


def doubtful(emergencies: Iterable[StreetEmergency], time: Callable[[int], str]) -> list[Finding]:
    """Return a finding for two emergencies of a home of which one still waited, and for a unit that was not sent.

    Emergencies within the chaining time are left to ``vetlla duties import``: the journal may have shown that they are
    two, and a finding could not be cleared.
    """
    homes: dict[str, list[StreetEmergency]] = defaultdict(list)
    for one in emergencies:
        homes[one.home].append(one)
    found = [
        _warning("repeated", pair.later, pair.reason(time), pair.remedy)
        for own in homes.values()
        for pair in repeated(own, 0)
    ]
    for one in (one for own in homes.values() for one in own):
        for wrong in not_sent(one):
            text = f"emergency of {one.named}, home {one.home}, event {wrong.event.id}: {wrong.reason}"
            remedy = f"vetlla duties withdraw {wrong.event.id} --reason TEXT, or record who was sent"
            found.append(_warning("not_sent", one, text, remedy))
    return found


def _warning(check: str, one: StreetEmergency, text: str, remedy: str) -> Finding:
    return Finding(check=check, level=Level.WARNING, text=text, remedy=remedy, home=one.home, figures={"duty": one.id})

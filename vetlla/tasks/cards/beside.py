"""What the duties and calls of a home say beside its card: calls, visits, faults, open duties, keys and emergencies."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.domain.clock import SECOND_US, iso
from vetlla.service.calls.joining import joined
from vetlla.service.custody.chain import KEY, chain
from vetlla.service.visits.visit import KIND as VISIT
from vetlla.service.visits.visit import visit_of
from vetlla.store.calls.queries import calls as calls_of
from vetlla.store.homes.queries import people
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.dispatch.looking import of_home
from vetlla.tasks.duties import book
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.faults.book import FAULT, device_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules

RECENT_S: Final = 30 * 86_400
"""How long ago an alarm may have been closed, or a call made."""
CALLS_MAX: Final = 20
"""Most calls: an operator looks whether the home called lately, and not for a history."""
VISITS_MAX: Final = 10
"""Most visits, the latest ones: the next ones and what became of the last ones."""
FAULTS_MAX: Final = 10
"""Most faults, the latest ones."""
DUTIES_MAX: Final = 20
"""Most open duties; a home has a few."""
KEYS_MAX: Final = 10
"""Most keys in custody; a home has one or two."""
EMERGENCIES_MAX: Final = 5
"""Most open emergencies; a home has one."""


class HomeAsked(NamedTuple):
    """Which home is looked up, and where."""

    state_dir: Path
    clock: Clock
    home: str


@lru_cache(maxsize=1)
def _rules() -> DutyRules:
    return load_rules()


def calls(asked: HomeAsked) -> Iterable[Mapping[str, Any]]:
    """Yield the latest calls of the home, without numbers."""
    since_us = asked.clock.now().utc_us - RECENT_S * SECOND_US
    with snapshot(asked.state_dir, asked.clock) as registry:
        found = list(calls_of(registry, joined, since_us=since_us, home=asked.home))
    for call in sorted(found, key=lambda one: one.record.started or one.record.ready or 0)[-CALLS_MAX:]:
        record = call.record
        yield {
            "call": call.id,
            "started": iso(record.started),
            "direction": record.direction,
            "outcome": record.outcome,
            "agent": record.agent,
            "talk_s": call.talk_s,
            "alarm": call.tie.alarm,
        }


def visits(asked: HomeAsked) -> Iterable[Mapping[str, Any]]:
    """Yield the latest visits to the home."""
    found = sorted(map(visit_of, _standings(asked, [VISIT])), key=lambda one: one.begin_us)
    for visit in found[-VISITS_MAX:]:
        yield {
            "visit": visit.id,
            "from": iso(visit.begin_us),
            "to": iso(visit.end_us),
            "purpose": visit.purpose.value,
            "technician": visit.technician,
            "state": visit.state.value,
        }


def faults(asked: HomeAsked) -> Iterable[Mapping[str, Any]]:
    """Yield the latest faults of the home's equipment."""
    for one in _standings(asked, [FAULT])[-FAULTS_MAX:]:
        yield {
            "fault": one.duty.id,
            "opened": iso(one.duty.opened_us),
            "ended": iso(one.ended.told.at_us) if one.ended else None,
            "device": device_of(one).device,
            "code": device_of(one).code,
            "verdict": one.verdict.value,
        }


def duties(asked: HomeAsked) -> Iterable[Mapping[str, Any]]:
    """Yield the open duties about the home and its people, the one that is due first at the beginning."""
    found = [one for one in _standings(asked, list(_rules().kinds.names())) if one.is_open and one.duty.kind != KEY]
    far = 1 << 62
    for one in sorted(found, key=lambda one: far if one.due_us is None else one.due_us)[:DUTIES_MAX]:
        yield {
            "duty": one.duty.id,
            "kind": one.duty.kind,
            "subject": one.duty.subject,
            "due": iso(one.due_us),
            "verdict": one.verdict.value,
        }


def keys(asked: HomeAsked) -> Iterable[Mapping[str, Any]]:
    """Yield the keys of the home that are in custody: where each is, and who has it."""
    found = [key for one in _standings(asked, [KEY]) if (key := chain(one.duty)).in_custody]
    for key in found[:KEYS_MAX]:
        yield {
            "key": key.code,
            "state": key.state.value,
            "place": key.place,
            "holder": key.holder,
            "since": iso(key.since_us),
        }


def emergencies(asked: HomeAsked) -> Iterable[Mapping[str, Any]]:
    """Yield the open emergencies of the home."""
    with snapshot(asked.state_dir, asked.clock) as registry:
        found = [one for one in of_home(registry, _rules(), asked.home, asked.clock.now().utc_us) if one.is_open]
    for one in found[:EMERGENCIES_MAX]:
        yield {
            "emergency": one.id,
            "opened": iso(one.opened_us),
            "type": one.type.value,
            "alarms": " ".join(one.alarms),
            "unit": one.unit,
            "arrived": iso(one.arrived_us),
        }


def _standings(asked: HomeAsked, kinds: list[str]) -> list[Standing]:
    """Return the duties of these kinds about the home and its people, in order of their opening."""
    rules, now_us = _rules(), asked.clock.now().utc_us
    known = [kind for kind in kinds if rules.kinds.find(kind)]
    with snapshot(asked.state_dir, asked.clock) as registry:
        subjects = [asked.home, *(person.code for person in people(registry, [asked.home]))]
        found = [
            book.standing_of(registry, rules, duty.id, now_us)
            for subject in subjects
            for kind in known
            for duty in book.duties_of(registry, rules, kind, subject)
        ]
    return sorted(found, key=lambda one: (one.duty.opened_us, one.duty.id))

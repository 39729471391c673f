"""The figures of ANS 5 (*t2*) and ANS 6 (*t3*) of all communications of a month (tender 20220428, 16.5 and 16.6).

A duration that is equal to its limit is within it. A communication whose time was not recorded is counted as unmeasured
and is in no part. One that still waits, and has waited longer than may ever be, breaks the level already.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US, to_datetime
from vetlla.domain.communications import CommunicationSource
from vetlla.domain.service_levels import (
    LISTED_AT_MOST,
    BreachReason,
    CaseVerdict,
    GroupedBy,
    LevelBreach,
    LevelGroup,
    LevelPart,
    LevelVerdict,
    PartName,
)
from vetlla.service.sla.comparing import HUNDRED, figure, share
from vetlla.service.sla.durations import Durations
from vetlla.service.sla.from_duties import required_share

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, tzinfo

    from vetlla.domain.communications import Communication
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.parameters import Reading

QUARTER_US: Final = 900 * SECOND_US
"""The offsets of all zones are whole quarters of an hour."""


class Seen(NamedTuple):
    """What is the same for all communications of a month."""

    month: date
    zone: tzinfo
    now_us: int


class T3Rules(NamedTuple):
    """What decides about *t3*."""

    limit_us: int
    never_us: int
    counted: frozenset[str]
    """Which of routine reports, tests and abandoned calls are cases."""


def t2_figure(ans: int, found: Iterable[Communication], reading: Reading, seen: Seen) -> LevelFigure:
    """Return the figures of ANS 5: every communication of a terminal is ready in time."""
    limit_us = t2_limit_us(reading)
    tally = _Tally(seen, Durations("t2", [limit_us]))
    for one in found:
        if one.source is not CommunicationSource.TERMINAL:
            continue
        verdict = judged_t2(one, limit_us)
        if verdict is CaseVerdict.UNMEASURED or one.t2_us is None:
            tally.unmeasured += 1
            continue
        is_kept = verdict is CaseVerdict.KEPT
        tally.add(one, one.t2_us, within=is_kept, limit_us=limit_us, is_breach=not is_kept)
    parts = [share(PartName.ALL, tally.within, tally.cases, required_share(reading, ans))]
    return tally.figure(ans, parts if tally.cases or tally.unmeasured else [], reading)


def t2_limit_us(reading: Reading) -> int:
    """Return the limit of *t2*."""
    return reading.integer("sla.t2_s") * SECOND_US


def t3_figure(ans: int, found: Iterable[Communication], reading: Reading, seen: Seen) -> LevelFigure:
    """Return the figures of ANS 6: 90 % of what comes in is answered in 15 s, and none later than 30 s."""
    rules = t3_rules(reading)
    limits = [rules.limit_us, rules.never_us]
    tally = _Tally(seen, Durations("t3", limits))
    apart = {source: Durations(f"t3.{source}", limits) for source in CommunicationSource}
    never = Counter[str]()
    for one in found:
        verdict, waited = judged_t3(one, rules, seen.now_us)
        match verdict:
            case CaseVerdict.LEFT_OUT:
                tally.left_out[left_out(one, rules)] += 1
            case CaseVerdict.UNMEASURED:
                tally.unmeasured += 1
            case CaseVerdict.UNDECIDED:
                tally.undecided += 1
            case _:
                is_breach = verdict is CaseVerdict.BREACHED
                never["kept"] += not is_breach
                if one.t3_us is not None:
                    apart[one.source].add(waited)
                within = verdict is CaseVerdict.KEPT
                tally.add(one, waited, within=within, limit_us=rules.never_us, is_breach=is_breach)
    if not tally.cases and not tally.unmeasured:
        return tally.figure(ans, [], reading)
    parts = [
        share(PartName.WITHIN, tally.within, tally.cases, reading.integer("calls.t3_share")),
        share(PartName.NEVER, never["kept"], tally.cases, HUNDRED),
    ]
    if reading.is_yes("sla.phone_calls") and not len(apart[CommunicationSource.PHONE]):
        parts.append(LevelPart(PartName.PHONE_CALLS, 0, 0, HUNDRED, "%", None, LevelVerdict.NOT_MEASURED))
    return tally.figure(ans, parts, reading, [one for one in apart.values() if len(one)])


def t3_rules(reading: Reading) -> T3Rules:
    """Return the rules that the parameters say. Raises ConfigError for a word that is neither yes nor no."""
    limit_us, never_us = (reading.integer(f"calls.{name}") * SECOND_US for name in ("t3_s", "t3_max_s"))
    counted = frozenset(name for name in ("routine", "tests", "abandoned") if reading.is_yes(f"sla.t3.{name}"))
    return T3Rules(limit_us, never_us, counted)


def left_out(one: Communication, rules: T3Rules) -> str:
    """Return why a communication is no case of ANS 6, as the last part of its parameter; "" if it is one."""
    is_of = {"routine": one.is_routine, "tests": one.on_test, "abandoned": one.was_abandoned}
    return next((name for name, true in is_of.items() if true and name not in rules.counted), "")


def judged_t2(one: Communication, limit_us: int) -> CaseVerdict:
    """Return what ANS 5 says of a communication of a terminal."""
    if one.t2_us is None:
        return CaseVerdict.UNMEASURED
    return CaseVerdict.KEPT if one.t2_us <= limit_us else CaseVerdict.BREACHED


def judged_t3(one: Communication, rules: T3Rules, now_us: int) -> tuple[CaseVerdict, int]:
    """Return what ANS 6 says of a communication, and how long it waited; 0 if that is not known."""
    if left_out(one, rules):
        return CaseVerdict.LEFT_OUT, 0
    waited = _waited(one, now_us)
    if waited is None:
        return CaseVerdict.UNMEASURED, 0
    if one.t3_us is None and not one.was_abandoned and waited <= rules.never_us:
        return CaseVerdict.UNDECIDED, waited
    if one.t3_us is None or waited > rules.never_us:
        return CaseVerdict.BREACHED, waited
    return CaseVerdict.KEPT if waited <= rules.limit_us else CaseVerdict.LATE, waited


def _waited(one: Communication, now_us: int) -> int | None:
    if one.t3_us is not None:
        return one.t3_us
    if one.waits_since_us is not None:
        return max(0, now_us - one.waits_since_us)
    return 0 if one.was_abandoned else None


class _Tally:
    """Counts of the communications of a month."""

    def __init__(self, seen: Seen, durations: Durations) -> None:
        self._seen = seen
        self._durations = durations
        self.within = self.cases = self.unmeasured = self.undecided = self._breaches = 0
        self.left_out = Counter[str]()
        self._listed: list[LevelBreach] = []
        self._by_quarter: dict[int, list[int]] = {}
        self._groups: dict[tuple[GroupedBy, str], list[int]] = {}

    def add(self, one: Communication, duration_us: int, *, within: bool, limit_us: int, is_breach: bool) -> None:
        self.cases += 1
        self.within += within
        self._durations.add(duration_us)
        counts = [self._by_quarter.setdefault(one.begun_us // QUARTER_US, [0, 0])]
        counts.append(self._groups.setdefault((GroupedBy.SOURCE, one.source), [0, 0]))
        if one.priority:
            counts.append(self._groups.setdefault((GroupedBy.PRIORITY, one.priority), [0, 0]))
        for pair in counts:
            pair[0] += within
            pair[1] += 1
        if is_breach:
            self._breaches += 1
            if len(self._listed) < LISTED_AT_MOST:
                self._listed.append(_breach(one, duration_us, limit_us))

    def figure(self, ans: int, parts: list[LevelPart], reading: Reading, more: Iterable[Durations] = ()) -> LevelFigure:
        return figure(
            ans,
            self._seen.month,
            parts,
            self._listed,
            self._breaches,
            undecided=self.undecided,
            unmeasured=self.unmeasured,
            assumed=reading.assumed(),
            groups=self._all_groups(),
            spreads=tuple(one.spread() for one in (self._durations, *more)) if parts else (),
        )

    def _all_groups(self) -> tuple[LevelGroup, ...]:
        groups = dict(self._groups)
        for quarter, (within, cases) in self._by_quarter.items():
            at = to_datetime(quarter * QUARTER_US).astimezone(self._seen.zone)
            for key in ((GroupedBy.DAY, f"{at:%Y-%m-%d}"), (GroupedBy.HOUR, f"{at:%H}")):
                counts = groups.setdefault(key, [0, 0])
                counts[0] += within
                counts[1] += cases
        groups |= {(GroupedBy.LEFT_OUT, name): [0, count] for name, count in self.left_out.items()}
        return tuple(LevelGroup(*key, *counts) for key, counts in sorted(groups.items()))


def _breach(one: Communication, duration_us: int, limit_us: int) -> LevelBreach:
    what = "signal" if one.source is CommunicationSource.TERMINAL else "call"
    return LevelBreach(
        what=what,
        number=str(one.number),
        home=one.home,
        subject="",
        reason=BreachReason.TOO_LONG if not one.was_abandoned else BreachReason.NOT_DONE,
        begun_us=one.begun_us,
        limit_us=limit_us,
        measured_us=duration_us,
    )

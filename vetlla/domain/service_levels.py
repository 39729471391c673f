"""Values of a service level (ANS): its figures in a month, and each case in which it was not kept.

Rules make these values (``vetlla.service.sla``); documents show them, and a closed month keeps them. Times are
microseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

LISTED_AT_MOST: Final = 10_000
"""Breaches that a figure lists one by one. A month in which more calls fail has one cause, and memory has a bound; the
others are counted."""


class LevelVerdict(StrEnum):
    """What the figures of a month come to."""

    KEPT = "kept"
    NOT_KEPT = "not_kept"
    NOT_MEASURED = "not_measured"
    """Nothing was recorded that could show it. It never counts as kept."""
    EMPTY = "empty"
    """It was measured, and there was no case to judge in the month."""


class BreachReason(StrEnum):
    """Why a case breaks a service level; documents say it in their language."""

    LATE = "late"
    """It was done after its time had run out."""
    NOT_DONE = "not_done"
    """Its time ran out, and it was not done."""
    OUTSIDE = "outside"
    """It was done outside the promised interval, or the interval was wider than may be promised."""
    FAILED = "failed"
    """It ended with an event that does not fulfil it, such as a person who did not answer."""
    TOO_LONG = "too_long"
    """It took longer than the limit."""
    NOT_REGISTERED = "not_registered"
    NOT_RECORDED = "not_recorded"
    NOT_FILED = "not_filed"
    NOT_CHECKED = "not_checked"
    """No sign of life came at the period."""
    UNAVAILABLE = "unavailable"
    PERTINENT = "pertinent"
    """The city judged that a complaint is pertinent."""


class PartName(StrEnum):
    """What a part of a level compares; documents say it in their language."""

    ALL = "all"
    WITHIN = "within"
    """Answered within the limit that a share may miss."""
    NEVER = "never"
    """Answered within the longest time."""
    PHONE_CALLS = "phone_calls"
    SOLVED = "solved"
    SCHEDULED = "scheduled"
    CHECKED = "checked"
    DAYS_RECORDED = "days_recorded"
    REGISTERED = "registered"
    RECORDED = "recorded"
    FILED = "filed"
    LIMIT = "limit"
    SHARE = "share"
    PERTINENT = "pertinent"
    AVAILABLE = "available"


class GroupedBy(StrEnum):
    """What the cases of a group have in common; documents say it in their language."""

    DAY = "day"
    HOUR = "hour"
    BASE = "base"
    DISTRICT = "district"
    TOPIC = "topic"
    KIND = "kind"
    """Terminal, UCR, or a device without a name."""
    SOURCE = "source"
    """How a communication came: ``CommunicationSource``."""
    PRIORITY = "priority"
    LEFT_OUT = "left_out"
    """The parameter ``sla.t3.NAME`` that makes them no case."""
    COMPONENT = "component"
    """Time available of a component."""
    UNSEEN = "unseen"
    """Time of a component that no probe saw."""


class LevelNote(StrEnum):
    """What limits the figures of a level; documents say it in their language."""

    UNSEEN_EXCLUDED = "unseen_excluded"
    PERIOD_AS_CONFIGURED = "period_as_configured"


class LevelBreach(NamedTuple):
    """One case in which a service level was not kept."""

    what: str
    """Kind of the case: a kind of duty, ``alarm``, ``call``, ``signal``, ``terminal`` or ``component``."""
    number: str
    """Its number in the record, for the command that shows it; empty if it has none."""
    home: str
    """Code of the home; empty if it concerns none, or if it is unknown."""
    subject: str
    """What it is about, if it is not the home: a person, a device, a document, a component."""
    reason: BreachReason
    begun_us: int | None = None
    """When it began: opened, promised, established."""
    due_us: int | None = None
    """Last moment at which it would have been kept."""
    at_us: int | None = None
    """When it happened; None if it did not."""
    limit_us: int | None = None
    """The limit of a duration."""
    measured_us: int | None = None
    """The duration that was measured against it."""
    is_worse: bool = False
    """Whether it exceeds the limit by so much that the contract has a fault of its own for it."""


class CaseVerdict(StrEnum):
    """What a level says of one case."""

    KEPT = "kept"
    LATE = "late"
    """It misses a limit that a share of the cases may miss."""
    BREACHED = "breached"
    UNDECIDED = "undecided"
    """Its clock still runs."""
    UNMEASURED = "unmeasured"
    """Its time was not recorded."""
    LEFT_OUT = "left_out"
    """It is no case of the level, by a rule or by a parameter."""


class LevelCase(NamedTuple):
    """One case of a level in a month, with the way from it to what was recorded."""

    what: str
    """Kind of the case, as in ``LevelBreach``."""
    number: str
    home: str
    subject: str
    verdict: CaseVerdict
    counts: str
    """Why it counts in the month, as a sentence."""
    why: str
    """Why it has its verdict: what happened, the limit with its parameter, and the clause."""
    show: str
    """The command that shows what was recorded."""


class LevelPart(NamedTuple):
    """One comparison of a service level. A level is kept if all of its parts are."""

    name: PartName
    numerator: int
    denominator: int
    threshold: Decimal
    """What the value must reach, or may not exceed."""
    unit: str
    """Of value and threshold: ``%``, or ``per 2000``."""
    value: Decimal | None
    """For people: rounded, but never onto the other side of the threshold. None without a case."""
    verdict: LevelVerdict


class LevelGroup(NamedTuple):
    """The figures of one part of the month, such as a day, a base or a priority."""

    by: GroupedBy
    name: str
    numerator: int
    denominator: int


class Spread(NamedTuple):
    """How a duration is spread over the cases of a month."""

    name: str
    """``t2``, ``t3``, ``arrival``; with the source behind a point: ``t3.terminal``, ``t3.phone``."""
    cases: int
    p90_us: int | None
    longest_us: int | None
    counts: tuple[int, ...]
    """Cases by whole step of ``step_us``; the last place has all that are longer."""
    step_us: int
    limits_us: tuple[int, ...]
    """The limits that a chart of it shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelFigure:
    """The figures of a service level in a month."""

    ans: int
    month: date
    """First day of the month."""
    parts: tuple[LevelPart, ...]
    """The first one is the main one. Empty if it is not measured."""
    verdict: LevelVerdict
    breaches: tuple[LevelBreach, ...] = ()
    """At most ``LISTED_AT_MOST``, in the order of their begin."""
    breach_count: int = 0
    undecided: int = 0
    """Cases of the month whose clock still runs. They are not in the parts."""
    undecided_by_part: tuple[int, ...] = ()
    """The same for each part, if a case is of one part alone; empty if a case is of every part."""
    unmeasured: int = 0
    """Cases of the month whose time was not recorded. They are not in the parts."""
    assumed: tuple[str, ...] = ()
    """Names of the parameters behind it that no contract says, in the order of the alphabet."""
    groups: tuple[LevelGroup, ...] = ()
    spreads: tuple[Spread, ...] = ()
    notes: tuple[LevelNote, ...] = ()

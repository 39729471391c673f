"""Explains a figure of a service level: the figure in words, and the cases behind it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.service_levels import LISTED_AT_MOST, CaseVerdict, LevelCase, LevelFigure
from vetlla.service.sla.explaining import figure_sentences
from vetlla.store.homes.queries import must_know_home
from vetlla.tasks.sla.availability import PARTS
from vetlla.tasks.sla.explain.communications import proof_cases, t2_cases, t3_cases
from vetlla.tasks.sla.explain.duties import complaint_cases, duty_cases, emergency_cases
from vetlla.tasks.sla.explain.probed import probed_cases, probed_sentences
from vetlla.tasks.sla.explain.supervised import supervised_cases
from vetlla.tasks.sla.from_duties import of_duties
from vetlla.tasks.sla.sources import SOURCES, figures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from vetlla.service.sla.explaining import TellTime
    from vetlla.tasks.sla.explain.candidate import Candidate
    from vetlla.tasks.sla.month import MonthRecord

    Explainer: TypeAlias = Callable[[MonthRecord, int, TellTime], Iterator[Candidate]]

EXPLAINERS: Final[Mapping[int, Explainer]] = {
    ans: duty_cases for ans, source in SOURCES.items() if source is of_duties
} | {
    5: t2_cases,
    6: t3_cases,
    7: proof_cases,
    11: emergency_cases,
    12: emergency_cases,
    13: supervised_cases,
    18: probed_cases,
    20: complaint_cases,
    21: probed_cases,
}
"""Number of the level -> what yields its cases."""


class Shown(NamedTuple):
    """Which cases are shown."""

    home: str = ""
    """All cases of this home; empty: those of all homes that are not kept."""
    only_breaches: bool = False

    def has(self, one: Candidate) -> bool:
        """Return True if a case is shown."""
        if self.home and one.home != self.home:
            return False
        if self.only_breaches:
            return one.verdict is CaseVerdict.BREACHED
        return bool(self.home) or one.verdict not in {CaseVerdict.KEPT, CaseVerdict.LEFT_OUT}


class Explanation(NamedTuple):
    """A figure, the sentences that say it, and the cases that are shown."""

    figure: LevelFigure
    sentences: list[str]
    counts: Mapping[CaseVerdict, int]
    """All cases of the month by verdict, also those that are not shown."""
    cases: list[LevelCase]
    """In the order of the moments that put them into the month; at most ``LISTED_AT_MOST``."""
    more: int
    """How many more would be shown."""


def explain(record: MonthRecord, ans: int, shown: Shown, time: TellTime) -> Explanation:
    """Return the explanation of a figure; ``time`` writes a moment, given in microseconds UTC.

    Raises UsageError for a home that is not registered and has no case, and for a home of a level that knows none.
    """
    if shown.home and ans in PARTS:
        raise UsageError(
            f"ANS {ans} has no case of a home: its cases are times of components",
            remedy=f"leave --home out: vetlla sla explain {ans} --month {record.month:%Y-%m}",
        )
    (found,) = figures(record, [ans])
    counts: Counter[CaseVerdict] = Counter()
    listed: list[Candidate] = []
    more = 0
    is_known = False
    for one in EXPLAINERS[ans](record, ans, time):
        counts[one.verdict] += 1
        is_known = is_known or one.home == shown.home
        if not shown.has(one):
            continue
        if len(listed) < LISTED_AT_MOST:
            listed.append(one)
        else:
            more += 1
    if not is_known:  # a signal can name a home that is not registered
        must_know_home(record.connection, shown.home)
    listed.sort(key=lambda one: one.at_us)
    sentences = list(figure_sentences(found, counts, record.rules.parameters, record.last))
    if ans in PARTS:
        sentences += probed_sentences(record, ans, time)
    return Explanation(found, sentences, counts, [one.tell() for one in listed], more)

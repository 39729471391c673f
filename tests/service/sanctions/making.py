"""Makes facts of the ledger in few words: months as letters, cases, and the terms with chosen answers."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from vetlla.domain.sanctions import FaultCase, FaultFacts, LevelMonth
from vetlla.domain.service_levels import LevelVerdict
from vetlla.service.calendar import add_months
from vetlla.service.parameters import Basis, Parameter, Parameters
from vetlla.service.sanctions.terms import terms
from vetlla.settings.shipped import parameters_file
from vetlla.tasks.parameters import read_parameters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.domain.sanctions import ContractFault
    from vetlla.service.parameters import Value
    from vetlla.service.sanctions.terms import SanctionTerms

START = date(2024, 4, 1)
LETTERS = {
    "X": LevelVerdict.NOT_KEPT,
    ".": LevelVerdict.KEPT,
    "?": LevelVerdict.NOT_MEASURED,
    "-": LevelVerdict.EMPTY,
}
SHIPPED = read_parameters(parameters_file(), "--parameters")


def terms_with(**answers: Value) -> SanctionTerms:
    """Return the installed terms with other answers; ``offered`` is the offered share of ANS 11."""
    names = {("umo.offered_share" if name == "offered" else f"sanctions.{name}"): one for name, one in answers.items()}
    entries = [
        Parameter(name=name, value=names[name], unit="", valid_from=START, basis=Basis.ASSUMED, ref="test")
        if name in names
        else SHIPPED.all(name)[0]
        for name in SHIPPED.names()
    ]
    return terms(Parameters(entries).on(date(2026, 12, 1)))


def month_after(first: date, count: int) -> date:
    """Return the month that lies a number of months later."""
    return add_months(first, count)


def facts_of(
    levels: Mapping[int, str], first: date = START, cases: Sequence[FaultCase] = (), months: int | None = None
) -> FaultFacts:
    """Return facts; each level has a letter for each month from ``first`` on, and spaces are months without figures."""
    found: dict[date, dict[int, LevelMonth]] = {}
    for ans, letters in levels.items():
        for place, letter in enumerate(letters):
            if letter != " ":
                found.setdefault(month_after(first, place), {})[ans] = LevelMonth(LETTERS[letter], letter == "X")
    length = months or max((len(letters) for letters in levels.values()), default=36)
    return FaultFacts(found, first, month_after(first, length - 1), cases, tuple(levels))


def case(
    fault: str, day: str, number: str = "1", *, what: str = "recorded", subject: str = "", ans: int = 0
) -> FaultCase:
    """Return a case of a fault on a day written as 2024-04-01."""
    return FaultCase(fault, date.fromisoformat(day), what, number, subject, ans=ans)


def short(found: Sequence[ContractFault]) -> list[str]:
    """Return faults as number, day and what they are about."""
    return [" ".join((one.fault, str(one.day), one.about)).strip() for one in found]

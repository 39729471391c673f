"""The service levels over twelve months, as lines of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.sanctions import NO_FIGURES
from vetlla.domain.service_levels import LevelVerdict
from vetlla.service.calendar import add_months, months_of
from vetlla.service.sanctions.windows import YEAR_MONTHS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.domain.sanctions import FaultFacts

MARKS: Final = {
    LevelVerdict.KEPT: ".",
    LevelVerdict.NOT_KEPT: "X",
    LevelVerdict.NOT_MEASURED: "?",
    LevelVerdict.EMPTY: "-",
}


def picture(facts: FaultFacts) -> Iterator[str]:
    """Yield a line with the months, one for each level with a mark for each month, and what the marks mean."""
    first = max(facts.first, add_months(facts.last, 1 - YEAR_MONTHS))
    months = list(months_of(first, facts.last))
    if not months:
        return
    yield f"{first:%Y-%m} to {facts.last:%Y-%m}"
    yield f"{'month':<8}{' '.join(f'{month:%m}' for month in months)}"
    for ans in facts.levels:
        verdicts = (facts.months.get(month, {}).get(ans, NO_FIGURES).verdict for month in months)
        yield f"{f'ANS {ans}':<8}{' '.join(f'{MARKS[verdict]:>2}' for verdict in verdicts)}"
    yield ". kept   X not kept   ? not measured   - no case"

"""Where the figures of each service level come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from vetlla.domain.service_levels import LevelNote
from vetlla.service.sla.comparing import noted
from vetlla.service.sla.levels import NUMBERS
from vetlla.tasks.sla.availability import of_probes
from vetlla.tasks.sla.communications import of_proofs, of_t2, of_t3
from vetlla.tasks.sla.complaints import of_pertinent
from vetlla.tasks.sla.emergencies import of_emergencies
from vetlla.tasks.sla.from_duties import of_duties
from vetlla.tasks.sla.supervised import of_supervision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from vetlla.domain.service_levels import LevelFigure
    from vetlla.tasks.sla.month import MonthRecord

    Source: TypeAlias = Callable[[MonthRecord, int], LevelFigure]


SOURCES: Final[Mapping[int, Source]] = (
    dict.fromkeys((1, 2, 3, 4, 8, 9, 10, 14, 15, 16, 17, 19, 22, 23), of_duties)
    | {5: of_t2, 6: of_t3, 7: of_proofs, 13: of_supervision, 18: of_probes, 21: of_probes}
    | {11: of_emergencies, 12: of_emergencies, 20: of_pertinent}
)
"""Number of the level -> what makes its figures of a month."""


def figures(record: MonthRecord, numbers: Iterable[int] = NUMBERS) -> Iterator[LevelFigure]:
    """Yield the figures of levels in a month, in the order of the numbers; those of a running month say so."""
    runs = (LevelNote.MONTH_RUNS,) if record.seen_us <= record.end_us else ()
    for ans in numbers:
        yield noted(SOURCES[ans](record, ans), *runs)

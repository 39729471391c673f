"""The visits of a plan as all-day events, so that a base's calendar shows its week."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.cli.kit.icalendar import CalendarEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vetlla.domain.visits import Visit


def visit_entries(visits: Iterable[Visit], reasons: Mapping[int, list[str]]) -> Iterator[CalendarEntry]:
    """Yield an event for each visit. A visit keeps its UID as long as it keeps its number."""
    for visit in visits:
        yield CalendarEntry(
            uid=f"visit-{visit.number}",
            day=visit.day,
            summary=f"{visit.home or 'new home'} ({visit.base}, {visit.minutes} min)",
            description="\n".join(reasons.get(visit.number, [])),
            category=visit.base,
            is_certain=visit.agreed,
        )

"""Reads the rows of one poll: a row that cannot be read is a fault of the poll, and the others count."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.gateways.contracts import Poll
from vetlla.gateways.qmatic.fields import UnreadableFieldError
from vetlla.gateways.qmatic.moments import zone_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from vetlla.domain.appointments import Appointment, AppointmentKey

MAX_ROWS: Final = 50_000
"""Most rows of one poll. An office with 60 appointments a day has 1,800 in a month."""
MAX_FAULTS: Final = 20
"""Most different faults of a poll that are named; the rest is counted in one."""


class Asked(NamedTuple):
    """What a poll asked for."""

    office: str
    first: date
    last: date


class ElsewhereError(UnreadableFieldError):
    """A row that belongs to an answer to another question, such as another office's."""


def poll_of(
    asked: Asked,
    rows: Iterable[Any],
    read: Callable[[Mapping[str, Any]], Appointment],
    *,
    is_complete: bool = True,
    max_rows: int = MAX_ROWS,
) -> Poll:
    """Return the poll of these rows.

    Rows of another office or of other days are left out, and the poll is not complete: a gateway may give an answer to
    an earlier question out of its cache (the default cache of qmatic/api-gateway does not look at the query).
    """
    found: dict[AppointmentKey, Appointment] = {}
    faults: Counter[str] = Counter()
    for number, row in enumerate(rows):
        if number >= max_rows:
            faults[f"there are more than {max_rows} rows"] += 1
            break
        if not isinstance(row, dict):
            faults["a row is no object"] += 1
            continue
        try:
            appointment = read(row)
            _check(asked, appointment)
        except UnreadableFieldError as error:
            faults[str(error)] += 1
            continue
        if found.get(appointment.key, appointment) != appointment:
            faults["two different rows have the same id"] += 1
        found[appointment.key] = appointment
    return Poll(
        office=asked.office,
        first=asked.first,
        last=asked.last,
        appointments=tuple(found.values()),
        faults=tuple(_named(faults)),
        is_complete=is_complete and not faults,
    )


def _check(asked: Asked, appointment: Appointment) -> None:
    if appointment.office != asked.office:
        raise ElsewhereError("a row is of another office: does a gateway answer from its cache?")
    zone = zone_of(appointment.zone)
    assert zone is not None  # it was found by this name
    if not asked.first <= appointment.start.astimezone(zone).date() <= asked.last:
        raise ElsewhereError("a row is of another day than asked: does a gateway answer from its cache?")


def _named(faults: Counter[str]) -> Iterable[str]:
    for text, count in faults.most_common(MAX_FAULTS):
        yield text if count == 1 else f"{text} ({count} rows)"
    if len(faults) > MAX_FAULTS:
        yield f"and {len(faults) - MAX_FAULTS} other faults"

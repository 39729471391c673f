"""Cases that are faults of the contract by themselves (tender 20220428, 17), whatever a service level says of them.

The ways of ``planting`` have few obligations, no technical document, no document that is returned, and no key that is
lost or misused. With these the ledger of a year has faults of every class.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.simulator.service_year.telling import ToldEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vetlla.simulator.service_year.days import YearCalendar
    from vetlla.simulator.service_year.telling import Facts

OBLIGATION_MONTHS: Final = range(6, 13)
"""An obligation is missed in each. With the three of ``planting`` they are ten, so S10, S28 and S44 are reached."""
TERM_DAY: Final = 20
"""Day of the month on which a document or an obligation is due."""
TECHNICAL: Final = "protocols"
"""Code of a technical document (parameter ``sanctions.technical_documents``)."""
REPORT: Final = "inventory"
"""Code of a document that is not technical."""
AUTHORISED: Final = "P-KEY-1"
"""Code of the person who may get a key back."""


class PlantedFault(NamedTuple):
    """A duty that is a fault of the contract, or nearly."""

    way: str
    verdict: str
    """What the clock of the duty says; a key has none, so it is open until it is returned."""
    fault: str
    """Empty for a near miss."""
    events: list[ToldEvent]
    subject: str = ""
    """Empty for a home, or for the service."""


def contract_faults(one: Facts, calendar: YearCalendar) -> Iterator[PlantedFault]:
    """Yield the faults that are planted into the duties of a kind."""
    made = _OF_KIND.get(one.name)
    return iter(()) if made is None else made(calendar)


def _obligations(calendar: YearCalendar) -> Iterator[PlantedFault]:
    for month in OBLIGATION_MONTHS:
        opening, end = _due(calendar, month)
        if month % 2:
            yield PlantedFault("one more, never done", "breached", "S10", [opening])
        else:
            done = ToldEvent("fulfilled", min(end + 1, calendar.end_us))
            yield PlantedFault("one more, one microsecond too late", "breached", "S10", [opening, done])


def _documents(calendar: YearCalendar) -> Iterator[PlantedFault]:
    opening, end = _due(calendar, 7)
    late, in_term = [ToldEvent("delivered", end + 1)], [ToldEvent("delivered", end)]
    yield PlantedFault("a technical document too late", "breached", "S26", [opening, *late], TECHNICAL)
    yield PlantedFault("a technical document in term", "kept", "", [opening, *in_term], TECHNICAL)
    opening, end = _due(calendar, 8)
    span = end - opening.at_us
    returned = [ToldEvent("delivered", end - span // 2), ToldEvent("rejected", end - span // 3)]
    again = ToldEvent("delivered", end)
    yield PlantedFault("returned, and delivered again in term", "kept", "S04", [opening, *returned, again], REPORT)


def _keys(calendar: YearCalendar) -> Iterator[PlantedFault]:
    def told(day: int, name: str, alarm: int = 0, **details: str) -> ToldEvent:
        text = json.dumps(details) if details else ""
        return ToldEvent(name, calendar.at(date(calendar.year, 10, day), 10), None, alarm, text)

    ceded = told(1, "ceded", place="cabinet 1", may_return=AUTHORISED)
    out = [ceded, told(2, "taken")]
    back = told(4, "brought_back")
    yield PlantedFault("lost", "open", "S41", [*out, told(3, "lost")])
    yield PlantedFault("used without an alarm", "open", "S43", [*out, told(3, "used"), back])
    yield PlantedFault(
        "used for an alarm that does not exist", "open", "S43", [*out, told(3, "used", 1, alarm_check="missing"), back]
    )
    yield PlantedFault(
        "used for an alarm of another home", "open", "S43", [*out, told(3, "used", 1, alarm_check="other home"), back]
    )
    yield PlantedFault("returned to another person", "kept", "S42", [ceded, told(3, "returned", to="P-KEY-2")])
    yield PlantedFault("used for an alarm", "open", "", [*out, told(3, "used", 1), back])
    yield PlantedFault(
        "returned to the person who may have it", "kept", "", [ceded, told(3, "returned", to=AUTHORISED)]
    )
    yield PlantedFault("returned without the code of the person", "kept", "", [ceded, told(3, "returned")])


def _due(calendar: YearCalendar, month: int) -> tuple[ToldEvent, int]:
    """Return the opening of a duty that is due on a day of a month, and the last moment of its term."""
    first = date(calendar.year, month, 1)
    end = calendar.end_of(first + timedelta(days=TERM_DAY - 1))
    return ToldEvent("due", calendar.at(first, 9), (calendar.at(first, 0), end)), end


_OF_KIND: Final[Mapping[str, Callable[[YearCalendar], Iterator[PlantedFault]]]] = {
    "obligation": _obligations,
    "document": _documents,
    "key": _keys,
}

"""Service levels and tickets of the support desk, with times on the wall clock of Lleida."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from vetlla.domain.support import ContactWay, Ticket, TicketAct, TicketEvent
from vetlla.service.parameters import Basis, Parameter, Parameters
from vetlla.service.support.levels import ServiceLevels

if TYPE_CHECKING:
    from vetlla.service.parameters import Value

ZONE = ZoneInfo("Europe/Madrid")
HOURS = "Mo-Fr 09:00-14:00,15:00-18:00"
VALUES: dict[str, tuple[Value, str]] = {
    "zone": ("Europe/Madrid", "time zone"),
    "hours": (HOURS, "opening hours"),
    "day": (8, "working hours"),
    "holidays.public": ("ES", "ISO 3166"),
    "holidays.local": ((), "dates"),
    "severity.critical.answer": (4, "working hours"),
    "severity.critical.solve": (2, "working days"),
    "severity.low.answer": (3, "working days"),
    "severity.low.solve": (20, "working days"),
    "warning.answer": (1, "working hours"),
    "warning.solve": (4, "working hours"),
}
FIRST = date(2024, 1, 1)


def entry(name: str, value: Value, unit: str, valid_from: date = FIRST) -> Parameter:
    """Return a parameter."""
    return Parameter(name=name, value=value, unit=unit, valid_from=valid_from, basis=Basis.ASSUMED, ref="tests")


def levels(*later: Parameter, **values: tuple[Value, str] | None) -> ServiceLevels:
    """Return service levels with some other values (``day=...``, ``severity__low__solve=...``; None leaves one out)."""
    changed = {name.replace("__", "."): value for name, value in values.items()}
    entries = [entry(name, *value) for name, value in (VALUES | changed).items() if value is not None]
    return ServiceLevels(Parameters([*entries, *later]))


LEVELS = levels()


def local(text: str) -> datetime:
    """Return the moment at which the clocks of Lleida show this: ``2026-11-27 17:59``, or with an offset."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=ZONE)).astimezone(UTC)


def ticket(*acts: tuple[str, str] | tuple[str, str, str], severity: str = "critical", number: int = 1) -> Ticket:
    """Return a ticket from acts such as ("opened", "2026-11-23 09:00"); the third word of "severity" is the new one."""
    events = []
    for name, at, *more in acts:
        act = TicketAct(name)
        new = severity if act is TicketAct.OPENED else "".join(more)
        events.append(TicketEvent(act=act, at=local(at), recorded_at=local(at), by="tests", severity=new, text="text"))
    return Ticket(id=number, way=ContactWay.PHONE, reference="", events=tuple(events))

"""Says why a home, a person, an emergency or a device counts as it does: the way from a line down to the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.homes import ServiceState
from vetlla.service.inventory.stays import RentReason
from vetlla.service.invoice.rents import joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from vetlla.domain.homes import Home, Person
    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.homes.attended import DaySpan
    from vetlla.service.inventory.stays import RentTerms
    from vetlla.service.invoice.rents import DeviceMonth
    from vetlla.service.invoice.terms import UmoTerms

ELSEWHERE: Final = "in another home"
"""What a person or a device is on days in another home."""


class UserStretch(NamedTuple):
    """Days on which the state of a user did not change."""

    person: str
    first: date
    last: date
    state: str
    """``active``, ``suspended``, ``out``, or ``ELSEWHERE``."""
    periods: str
    """Whose periods say it: ``own``, or ``home``."""
    programmes: tuple[str, ...]


class DeviceStretch(NamedTuple):
    """Days on which a device was rented, or was not for one reason."""

    device: str
    first: date
    last: date
    reason: str


def user_stretches(spans: Iterable[tuple[Person, date, date]], home: Home, span: DaySpan) -> Iterator[UserStretch]:
    """Yield the states of the users of a home by person and day; ``spans`` has each person in parts of the month."""
    for person, first, last in spans:
        there = span.between(first, last)
        if person.home != home.code:
            for since, until in span.stretches(there):
                yield UserStretch(person.code, since, until or last, ELSEWHERE, "", ())
            continue
        active, suspended = person.periods(home)
        served, resting = span.covered(active), span.covered(suspended)
        states = (
            (ServiceState.ACTIVE, served & ~resting),
            (ServiceState.SUSPENDED, served & resting),
            (ServiceState.OUT, span.whole & ~served),
        )
        found = [
            _user(person, since, until or last, state, span)
            for state, days in states
            for since, until in span.stretches(days & there)
        ]
        yield from sorted(found, key=lambda one: one.first)


def _user(person: Person, first: date, last: date, state: ServiceState, span: DaySpan) -> UserStretch:
    own = person.suspended if state is ServiceState.SUSPENDED else person.active
    days = span.between(first, last)
    programmes = {name for name, period in person.programmes if span.between(*period) & days}
    return UserStretch(person.code, first, last, state.value, "own" if own else "home", tuple(sorted(programmes)))


def device_stretches(one: DeviceMonth, home: str, terms: RentTerms) -> Iterator[DeviceStretch]:
    """Yield what a device was in the month, by day. Of its days in another home than ``home`` only that is said."""
    of_home, warehouse = one.days_in(home), one.days_in("")
    elsewhere = joined(days for _, days in one.places) & ~of_home & ~warehouse
    parts = [(RentReason.RENTED.value, one.days), *((reason.value, days) for reason, days in one.others.items())]
    found = [
        DeviceStretch(one.device.name, since, until or terms.span.last, reason)
        for reason, days in (*((reason, days & ~elsewhere) for reason, days in parts), (ELSEWHERE, elsewhere))
        for since, until in terms.span.stretches(days)
    ]
    return iter(sorted(found, key=lambda stretch: stretch.first))


def emergency_reason(one: StreetEmergency, terms: UmoTerms) -> str:
    """Return why an emergency is paid or is not."""
    if terms.units(one):
        return "paid"
    if one.is_retyped:
        return "goes on as the other type"
    return "no unit reached the home" if one.is_mobilised else "no unit was sent"

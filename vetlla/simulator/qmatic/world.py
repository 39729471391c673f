"""The offices, procedures, citizens and appointments of a simulated Orchestra. Everything is invented."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import IntEnum
from math import ceil
from random import Random
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

ZONE: Final = "Europe/Madrid"
OPENS, CLOSES = time(9), time(14)
SLOT: Final = timedelta(minutes=10)
HELD: Final = timedelta(minutes=5)
"""A reservation that is not confirmed ends after this time."""
PHONES: Final = 999
"""Telephone numbers +34600000001 to +34600000999 are reserved for tests by this project."""
OFFICES: Final = ("OMAC", "OGAT")
OFFICES_MADE: Final = 2
PER_DAY: Final = 60
"""Appointments of an office on a working day, as the city's office has."""
DAYS: Final = 14
"""Days from tomorrow that have appointments."""
PROCEDURES: Final = (
    ("Padro_alta", "Alta al padró", True),
    ("Padro_volant", "Volant d'empadronament", True),
    ("Registre", "Registre d'entrada", True),
    ("IBI", "Consulta de l'IBI", True),
    ("Serveis_socials", "Primera acollida", False),
)
"""Public id, name, and whether a citizen may cancel."""
MOST_BOOKED: Final = 0.8
"""Share of the places of a day that are booked at most, so that a person can book another one."""
LANGUAGES: Final = ("ca", "es", None)
UNPUBLISHED: Final = 0.05
"""Share of appointments without any telephone number."""


class Status(IntEnum):
    """The numbers of Orchestra's calendar."""

    RESERVED = 10
    CREATED = 20
    RESCHEDULED = 21
    ARRIVED = 30
    CALLED = 40
    COMPLETE = 50
    NO_SHOW = 51
    ENDED_BY_RESET = 52
    CANCELLED = 53


@dataclass(frozen=True, slots=True)
class Branch:
    """An office."""

    id: int
    public_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Service:
    """A procedure."""

    id: int
    public_id: str
    name: str
    may_cancel: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A citizen, who does not exist."""

    id: int
    public_id: str
    first_name: str = "Nom"
    last_name: str = "Cognom"
    phone: str | None = None
    email: str | None = None
    consent_ms: int | None = None


@dataclass(slots=True, kw_only=True)
class Booking:
    """One appointment."""

    number: int
    """``qpId`` of the calendar, ``id`` of the queue side."""
    public_id: str
    branch: Branch
    services: tuple[Service, ...]
    start: datetime
    """UTC."""
    table: int
    customer: Customer | None
    created_ms: int
    updated_ms: int
    status: Status = Status.CREATED
    duration: timedelta = SLOT
    title: str = ""
    notes: str | None = None
    phone_of_booking: str | None = None
    """``custom.phoneNumber``."""
    language: str | None = None
    companions: int = 0

    @property
    def end(self) -> datetime:
        """UTC."""
        return self.start + self.duration


def written(number: int, form: int) -> str:
    """Return a reserved number in one of the ways in which people write it."""
    digits = f"600000{number:03}"
    spaced = f"{digits[:3]} {digits[3:6]} {digits[6:]}"
    return (digits, f"+34{digits}", f"0034{digits}", spaced, spaced.replace(" ", "-"))[form % 5]


class TakenError(Exception):
    """The slot was taken meanwhile."""


@dataclass(kw_only=True)
class World:
    """All offices and appointments of an Orchestra."""

    seed: int
    now: Callable[[], datetime]
    branches: list[Branch] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    bookings: dict[str, Booking] = field(default_factory=dict)
    tables: int = 1
    """Places that serve at the same time."""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo(ZONE))

    def __post_init__(self) -> None:
        """Begin with random numbers of the seed, so that two runs are alike."""
        self._random = Random(self.seed)  # noqa: S311 - a simulation, not a secret
        self._numbers = 4_711
        self._of_branch: dict[int, dict[str, Booking]] = defaultdict(dict)
        self.services = [Service(n, public, name, may) for n, (public, name, may) in enumerate(PROCEDURES, 1)]

    def found_offices(self, count: int) -> None:
        """Add offices."""
        for number in range(1, count + 1):
            name = OFFICES[number - 1] if number <= len(OFFICES) else f"Oficina {number}"
            self.branches.append(Branch(number, self._public_id("branch", number), name))

    def fill(self, *, days: int, per_day: int) -> None:
        """Book ``per_day`` appointments in each office on each working day from tomorrow, for ``days`` days."""
        self.tables = max(self.tables, ceil(per_day / MOST_BOOKED / len(list(self._slots(self.today)))))
        for branch in self.branches:
            for ahead in range(1, days + 1):
                day = self.today + timedelta(days=ahead)
                if day.weekday() < 5:
                    self._fill_day(branch, day, per_day)

    def _fill_day(self, branch: Branch, day: date, per_day: int) -> None:
        places = [(at, table) for at in self._slots(day) for table in range(1, self.tables + 1)]
        for at, table in sorted(self._random.sample(places, min(per_day, len(places)))):
            customer, phone = self._citizen()
            self._put(
                branch,
                (self._random.choice(self.services),),
                at,
                table,
                customer=customer,
                phone_of_booking=phone,
                language=self._random.choice(LANGUAGES),
                companions=self._random.choice((0, 0, 0, 1)),
            )

    @property
    def today(self) -> date:
        """Today in the offices."""
        return self.now().astimezone(self.zone).date()

    def local(self, text: str) -> datetime:
        """Return a wall clock of the offices, or a time with an offset, as UTC. Raises ValueError."""
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=self.zone)).astimezone(UTC)

    def branch(self, named: str) -> Branch | None:
        """Return the office with this id or public id."""
        return next((one for one in self.branches if named in {str(one.id), one.public_id}), None)

    def service(self, named: str) -> Service | None:
        """Return the procedure with this id or public id."""
        return next((one for one in self.services if named in {str(one.id), one.public_id}), None)

    def numbered(self, number: str) -> Booking | None:
        """Return the appointment with this number."""
        return next((one for one in self.bookings.values() if str(one.number) == number), None)

    def of(self, branch: Branch, first: date, last: date) -> list[Booking]:
        """Return the appointments of an office on these days, in order of time."""
        there = [
            one
            for one in self._of_branch[branch.id].values()
            if first <= one.start.astimezone(self.zone).date() <= last
        ]
        return sorted(there, key=lambda one: (one.start, one.number))

    def free(self, branch: Branch, day: date) -> list[datetime]:
        """Return the hours of a day at which a place is free."""
        return [at for at in self._slots(day) if self._table(branch, at) is not None]

    def book(
        self,
        branch: Branch,
        services: tuple[Service, ...],
        at: datetime,
        *,
        customer: Customer | None = None,
        status: Status = Status.CREATED,
        phone_of_booking: str | None = None,
        language: str | None = None,
        at_extra_table: bool = False,
    ) -> Booking:
        """Book or reserve an appointment at an hour (UTC). Raises TakenError.

        With ``at_extra_table`` a person of the office puts it in between the others, if no place is free.
        """
        self._end_reservations(branch)
        table = self._table(branch, at) or (self.tables + 1 if at_extra_table else None)
        if table is None:
            raise TakenError
        booking = self._put(
            branch, services, at, table, customer=customer, phone_of_booking=phone_of_booking, language=language
        )
        booking.status = status
        return booking

    def move(self, booking: Booking, start: datetime, end: datetime | None = None) -> None:
        """Move an appointment to another hour (UTC). Raises TakenError."""
        table = self._table(booking.branch, start, apart_from=booking)
        if table is None:
            raise TakenError
        if end is not None and end > start:
            booking.duration = end - start
        booking.start, booking.table, booking.status = start, table, Status.RESCHEDULED
        self.touch(booking)

    def touch(self, booking: Booking) -> None:
        """Note that an appointment was changed now."""
        booking.updated_ms = self._ms()

    def customer(
        self, *, phone: str | None, first_name: str = "Nom", last_name: str = "Cognom", email: str | None = None
    ) -> Customer:
        """Return another citizen."""
        number = self._next()
        return Customer(
            id=number,
            public_id=self._public_id("customer", number),
            phone=phone,
            first_name=first_name,
            last_name=last_name,
            email=email,
        )

    def remove(self, booking: Booking) -> None:
        """Forget an appointment, such as a reservation that ended."""
        del self.bookings[booking.public_id]
        del self._of_branch[booking.branch.id][booking.public_id]

    def _citizen(self) -> tuple[Customer | None, str | None]:
        """Return a citizen, and the number that the booking app asked for; sometimes only one of both has it."""
        number, form = self._random.randint(1, PHONES), self._random.randrange(5)
        phone = None if self._random.random() < UNPUBLISHED else written(number, form)
        at_customer = self._random.random() < 0.5
        customer = self.customer(phone=phone if at_customer else None)
        return customer, None if at_customer else phone

    def _put(self, branch: Branch, services: tuple[Service, ...], at: datetime, table: int, **more: object) -> Booking:
        number, now = self._next(), self._ms()
        booking = Booking(
            number=number,
            public_id=self._public_id("appointment", number),
            branch=branch,
            services=services,
            start=at,
            table=table,
            created_ms=now,
            updated_ms=now,
            **more,  # type: ignore[arg-type] # the callers are above
        )
        self.bookings[booking.public_id] = self._of_branch[branch.id][booking.public_id] = booking
        return booking

    def _table(self, branch: Branch, at: datetime, apart_from: Booking | None = None) -> int | None:
        taken = {
            one.table
            for one in self._of_branch[branch.id].values()
            if one.start < at + SLOT and at < one.end and one is not apart_from and one.status is not Status.CANCELLED
        }
        return next((table for table in range(1, self.tables + 1) if table not in taken), None)

    def _end_reservations(self, branch: Branch) -> None:
        """Free the slots that were held too long."""
        limit = self._ms() - int(HELD.total_seconds() * 1000)
        held = [one for one in self._of_branch[branch.id].values() if one.status is Status.RESERVED]
        for one in held:
            if one.created_ms < limit:
                self.remove(one)

    def _slots(self, day: date) -> Iterator[datetime]:
        at = datetime.combine(day, OPENS, self.zone)
        while at.time() < CLOSES:
            yield at.astimezone(UTC)
            at += SLOT

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers

    def _ms(self) -> int:
        return int(self.now().timestamp() * 1000)

    def _public_id(self, kind: str, number: int) -> str:
        return hashlib.sha256(f"{self.seed}/{kind}/{number}".encode()).hexdigest()


def invented(
    *,
    seed: int = 1,
    offices: int = OFFICES_MADE,
    per_day: int = PER_DAY,
    days: int = DAYS,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> World:
    """Return offices with appointments; the same seed gives the same ones on the same day."""
    world = World(seed=seed, now=now)
    world.found_offices(offices)
    world.fill(days=days, per_day=per_day)
    return world

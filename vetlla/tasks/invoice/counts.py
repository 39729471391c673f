"""Counts the units of a month from its record, concept by concept; each is counted when it is first asked for."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from vetlla.domain.devices import DeviceType
from vetlla.domain.emergencies import TYPE_OF_KIND
from vetlla.service.agenda.month import agenda_month
from vetlla.service.dispatch.emergency import emergency
from vetlla.service.inventory.pilots import free_pilots
from vetlla.service.inventory.rent_lines import rent_line
from vetlla.service.inventory.renting import rent_terms
from vetlla.service.invoice.agendas import AgendaReason, AgendaTerms, answered_agendas
from vetlla.service.invoice.attendance import MonthAttendance
from vetlla.service.invoice.concepts import AGENDAS, ESSENTIAL, HOME_SAFETY, INTEGRATED, MIMAL, RENT, UMO
from vetlla.service.invoice.rents import device_month, positions, rent_units, without_pilots
from vetlla.service.invoice.terms import contract_days, programmes_of, umo_terms
from vetlla.store.homes import queries as stored_homes
from vetlla.store.inventory import queries as stored_devices
from vetlla.tasks.agenda.reading import calls_around_answers, figures_on
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.looking import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.inventory.stays import RentTerms
    from vetlla.service.invoice.agendas import AnsweredAgenda
    from vetlla.service.invoice.rents import DeviceMonth, RentPosition
    from vetlla.service.invoice.terms import UmoTerms
    from vetlla.tasks.sla.month import MonthRecord


class InvoiceCounts:
    """The counted units of a month."""

    def __init__(self, record: MonthRecord) -> None:
        """Take the record of a month that is over. Raises UsageError if the contract has no day of that month."""
        self.record = record
        self._reading = record.reading()
        self.span = contract_days(record.month, record.last, self._reading)
        """The days of the contract in the month; no other day is counted."""
        self.month_days = record.last.day
        """Days of the whole month, of which the rents of some days are a part."""
        self.begin_us = record.rules.calendar.begin_of(self.span.first.toordinal())
        self.end_us = record.rules.calendar.end_of(self.span.last.toordinal())

    def units(self, concept: str) -> Decimal:
        """Return the units of a concept."""
        if concept in {ESSENTIAL, HOME_SAFETY, MIMAL, INTEGRATED}:
            return Decimal(self.attendance.units(concept))
        if concept == AGENDAS:
            return Decimal(sum(one.reason is AgendaReason.PAID for one in self.calls))
        if concept == UMO:
            return Decimal(sum(self.umo_terms.units(one) for one in self.emergencies))
        line = concept.removeprefix(RENT)
        return rent_units(self.rents.get(line, ()), self.month_days, self.rent_terms.pro_rata)

    # --- homes and people ---------------------------------------------------------------------------------------------

    @cached_property
    def attendance(self) -> MonthAttendance:
        """The days of homes and people."""
        record = self.record
        found = MonthAttendance(
            self.span,
            record.homes,
            programmes_of(self._reading),
            self._reading.names("agenda.excluded_programmes"),
        )
        spans = stored_homes.person_spans(record.connection, self.span.first, self.span.last)
        for person, first, last in spans:
            found.add(person, first, last)
        return found

    # --- calls and emergencies ----------------------------------------------------------------------------------------

    @cached_property
    def calls(self) -> list[AnsweredAgenda]:
        """The calls of the agenda that were answered in the month, also those that are not paid."""
        record, calendar = self.record, self.record.rules.calendar
        begin, figures = self.span.first.toordinal(), figures_on(record.rules, self.span.last)
        terms = AgendaTerms(
            begin_us=self.begin_us,
            end_us=self.end_us,
            day_of=lambda at_us: calendar.day_of(at_us) - begin,
            homes=record.homes,
            home_of=self.attendance.home_of,
            fortnightly=self.attendance.fortnightly,
            follow_ups=figures.follow_ups,
        )
        month = agenda_month(record.month, calendar)
        found = calls_around_answers(record.connection, record.rules, figures, month)
        return answered_agendas(found, terms)

    @cached_property
    def emergencies(self) -> list[StreetEmergency]:
        """The emergencies whose first communication came in the month, by time."""
        record = self.record
        wanted = Wanted(
            kinds=[kind for kind in TYPE_OF_KIND if record.rules.kinds.find(kind)],
            since_us=self.begin_us,
            until_us=self.end_us + 1,
        )
        found = looking.found(record.connection, record.rules, wanted, record.seen_us) if wanted.kinds else ()
        return sorted(map(emergency, found), key=lambda one: (one.opened_us, one.id))

    @cached_property
    def umo_terms(self) -> UmoTerms:
        """Which emergencies are paid."""
        return umo_terms(self._reading)

    # --- devices ------------------------------------------------------------------------------------------------------

    @cached_property
    def rent_terms(self) -> RentTerms:
        """What decides about the rents."""
        return rent_terms(self._reading, self.span, self.record.homes, self.attendance.days[ESSENTIAL])

    @cached_property
    def _free(self) -> frozenset[int]:
        terms = self.rent_terms
        types = [kind for kind in DeviceType if rent_line(kind) in terms.pilot_lines]
        record = self.record
        histories = stored_devices.histories(record.connection, self.span.last, types=types)
        return free_pilots(histories, terms.pilot_lines, terms.pilot_free)

    @cached_property
    def rents(self) -> Mapping[str, list[RentPosition]]:
        """The rented devices by line, as positions."""
        by_line: dict[str, list[DeviceMonth]] = {}
        for one in self.devices():
            line = rent_line(one.device.type)
            if line is not None and (one.days or one.device.movements[-1].day >= self.span.first):
                by_line.setdefault(line, []).append(one)
        return {line: positions(found, self.span) for line, found in by_line.items()}

    def devices(self, home: str = "") -> list[DeviceMonth]:
        """Return what devices were in the month: those that were ever leased, or all that were ever in a home."""
        record, terms = self.record, self.rent_terms
        histories = stored_devices.histories(record.connection, self.span.last, home=home)
        return list(without_pilots((device_month(one, terms) for one in histories), self._free))

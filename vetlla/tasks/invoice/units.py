"""Lists every counted unit of the invoice: one table a concept, with codes and no other personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import iso
from vetlla.domain.homes import listed
from vetlla.service.inventory.rent_lines import rent_line
from vetlla.service.invoice.agendas import AgendaReason
from vetlla.service.invoice.concepts import AGENDAS, COUNTED, DEDUCTION, ESSENTIAL, HOME_SAFETY, RENT, UMO
from vetlla.service.invoice.explaining import (
    device_stretches,
    emergency_reason,
    user_stretches,
)
from vetlla.service.invoice.rents import position_units
from vetlla.store.homes import queries as stored_homes
from vetlla.tasks.invoice.deducted import recorded_deductions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vetlla.tasks.invoice.counts import InvoiceCounts

_HOMES: Final = ("home", "days", "dates")
_PEOPLE: Final = ("person", "home", "days", "dates")
_CALLS: Final = ("call", "kind", "home", "subject", "answered", "way", "reason")
_EMERGENCIES: Final = ("emergency", "type", "home", "begun", "sent", "units", "reason")
_DEVICES: Final = ("device", "home", "days", "dates", "units")
_DEDUCTIONS: Final = ("record", "day", "reason", "amount")
_USERS: Final = ("person", "from", "to", "days", "state", "periods", "programmes")
_DEVICE_DAYS: Final = ("device", "from", "to", "days", "reason")


class UnitTable(NamedTuple):
    """The units of a concept; a row has the columns' values."""

    columns: tuple[str, ...]
    rows: Iterable[tuple[object, ...]]


def unit_table(counts: InvoiceCounts, concept: str) -> UnitTable:
    """Return the counted units of a concept, by home; of deductions the recorded ones, by day."""
    if concept == DEDUCTION:
        return UnitTable(_DEDUCTIONS, _deductions(counts))
    if concept == AGENDAS:
        return UnitTable(_CALLS, (row for row in _calls(counts) if row[-1] == AgendaReason.PAID))
    if concept == UMO:
        return UnitTable(_EMERGENCIES, (row for row in _emergencies(counts) if row[-2]))
    if concept.startswith(RENT):
        return UnitTable(_DEVICES, _devices(counts, concept.removeprefix(RENT)))
    if concept in {ESSENTIAL, HOME_SAFETY}:
        return UnitTable(_HOMES, _homes(counts, concept))
    return UnitTable(_PEOPLE, _people(counts, concept))


def workbook(counts: InvoiceCounts) -> Mapping[str, tuple[tuple[str, ...], Iterable[tuple[object, ...]]]]:
    """Return a sheet for each concept, and one if there are recorded deductions; rows are made when it is written."""
    more = (DEDUCTION,) if recorded_deductions(counts.record) else ()
    return {concept: unit_table(counts, concept) for concept in (*COUNTED, *more)}


def home_table(counts: InvoiceCounts, concept: str, home: str) -> UnitTable:
    """Return why a home counts in a concept as it does. Raises UsageError for a home that is not registered."""
    record = counts.record
    found = stored_homes.home(record.connection, home, day=record.last)
    if concept == AGENDAS:
        return UnitTable(_CALLS, (row for row in _calls(counts) if row[2] == home))
    if concept == UMO:
        return UnitTable(_EMERGENCIES, (row for row in _emergencies(counts) if row[2] == home))
    if concept.startswith(RENT):
        line = concept.removeprefix(RENT)
        devices = (one for one in counts.devices(home) if rent_line(one.device.type) == line)
        days = (stretch for one in devices for stretch in device_stretches(one, home, counts.rent_terms))
        return UnitTable(
            _DEVICE_DAYS, ((*stretch[:3], (stretch.last - stretch.first).days + 1, stretch.reason) for stretch in days)
        )
    spans = stored_homes.person_spans(record.connection, counts.span.first, counts.span.last, home=home)
    return UnitTable(
        _USERS,
        (
            (
                one.person,
                one.first,
                one.last,
                (one.last - one.first).days + 1,
                one.state,
                one.periods,
                ", ".join(one.programmes),
            )
            for one in user_stretches(spans, found, counts.span)
        ),
    )


def _deductions(counts: InvoiceCounts) -> Iterator[tuple[object, ...]]:
    for one in recorded_deductions(counts.record):
        yield one.record, one.day, one.reason, f"{one.amount:.2f}" if one.is_known else ""


def _homes(counts: InvoiceCounts, concept: str) -> Iterator[tuple[object, ...]]:
    for home, days in sorted(counts.attendance.days[concept].items()):
        yield home, days.bit_count(), _dates(counts, days)


def _people(counts: InvoiceCounts, concept: str) -> Iterator[tuple[object, ...]]:
    found = counts.attendance
    for person, days in sorted(found.days[concept].items()):
        homes = ", ".join(found.homes_of[concept, person])
        yield person, homes, days.bit_count(), _dates(counts, days)


def _calls(counts: InvoiceCounts) -> Iterator[tuple[object, ...]]:
    for one in counts.calls:
        yield one.number, one.kind, one.home, one.subject, iso(one.at_us), one.way, one.reason.value


def _emergencies(counts: InvoiceCounts) -> Iterator[tuple[object, ...]]:
    terms = counts.umo_terms
    for one in counts.emergencies:
        sent = iso(one.sent_us) or ""
        reason = emergency_reason(one, terms)
        yield one.id, one.type.value, one.home, iso(one.opened_us), sent, terms.units(one), reason


def _devices(counts: InvoiceCounts, line: str) -> Iterator[tuple[object, ...]]:
    terms = counts.rent_terms
    for one in counts.rents.get(line, ()):
        names = ", ".join(device.device.name for device in one.devices)
        units = position_units(one, counts.month_days, terms.pro_rata)
        homes = ", ".join(one.homes)
        yield names, homes, one.days.bit_count(), _dates(counts, one.days), f"{units:.8f}".rstrip("0").rstrip(".")


def _dates(counts: InvoiceCounts, days: int) -> str:
    return listed(counts.span.stretches(days))

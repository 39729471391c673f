"""The lines of the invoice of a month, counted with plain loops over its days."""

from __future__ import annotations

import calendar
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from tests.rigs.recount.attended import Record
from tests.rigs.recount.rents import rent_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.rigs.recount.exports import Call, Exports, Row

CENT: Final = Decimal("0.01")
MONTHLY_LEVEL: Final = "3"
"""The level of which the parameter is a number of calls a month."""


class Line(NamedTuple):
    """A line of the invoice."""

    concept: str
    units: Decimal
    price: Decimal
    amount: Decimal
    vat: Decimal


class Asked(NamedTuple):
    """What is said beside the record."""

    not_kept: Sequence[int] = ()
    """Service levels that were not kept in the month."""
    reduction: Decimal | None = None
    deductions: Sequence[Decimal] = ()


NOTHING: Final = Asked()


def cents(amount: Decimal) -> Decimal:
    """Return the amount in cents, half a cent away from zero."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def days_of(month: str) -> list[str]:
    """Return the days of a month such as 2025-02."""
    year, number = (int(part) for part in month.split("-"))
    return [date(year, number, day).isoformat() for day in range(1, calendar.monthrange(year, number)[1] + 1)]


def count(exports: Exports, values: dict[str, str], month: str, asked: Asked = NOTHING) -> list[Line]:
    """Return the lines of the invoice. The parameters are those in force on the last day of the month.

    Only the days of the contract count.
    """
    whole, record = days_of(month), Record(exports)
    days = [day for day in whole if values["contract.start"] <= day <= values["contract.end"]]
    zone = ZoneInfo(values["zone"])
    services = {
        "essential": _home_days(record, days),
        "agendas": _agendas(record, exports.calls, values, days, zone),
        "umo": sum(_emergency(one, values) for one in exports.emergencies if local_day(one["opened"], zone) in days),
        "home_safety": len(_homes_in(record, values["invoice.programme.home_safety"], days)),
        "mimal": len(_people_in(record, values["invoice.programme.mimal"], days)),
        "integrated": len(_people_in(record, values["invoice.programme.integrated"], days)),
    }
    found = [
        _line(name, Decimal(units), values[f"price.{name}"], values["vat.services"]) for name, units in services.items()
    ]
    for name, units in rent_units(record, exports.devices, values, days, len(whole)).items():
        priced_as = values["rent.geolocator_at"] if name == "geolocator" else name
        found.append(_line(f"rent.{name}", units, values[f"price.rent.{priced_as}"], values["vat.rent"]))
    reduction = _reduction(found, values, asked)
    minus = [("ans_reduction", reduction), *(("deduction", amount) for amount in asked.deductions)]
    return [*found, *(line for name, amount in minus for line in _minus(found, values, name, amount))]


def local_day(moment: str, zone: ZoneInfo) -> str:
    """Return the day of a moment on the clock of the service."""
    return datetime.fromisoformat(moment).astimezone(zone).date().isoformat()


def _line(concept: str, units: Decimal, price: str, vat: str) -> Line:
    return Line(concept, units, Decimal(price), cents(units * Decimal(price)), Decimal(vat))


def _home_days(record: Record, days: list[str]) -> int:
    total = 0
    for day in days:
        total += len({record.home_of(person, day) for person in record.people if record.attended(person, day)})
    return total


def _named(names: str) -> set[str]:
    return {name.strip() for name in names.split(",") if name.strip()}


def _homes_in(record: Record, names: str, days: list[str]) -> set[str]:
    return {
        record.home_of(person, day)
        for day in days
        for person in record.people
        if record.programmes(person, day) & _named(names) and record.attended(person, day)
    }


def _people_in(record: Record, names: str, days: list[str]) -> set[str]:
    return {
        person
        for day in days
        for person in record.people
        if record.programmes(person, day) & _named(names) and record.attended(person, day)
    }


def _agendas(record: Record, calls: Iterable[Call], values: dict[str, str], days: list[str], zone: ZoneInfo) -> int:
    """Return the answered calls of the month that are paid."""
    excluded = _named(values["agenda.excluded_programmes"])
    fortnightly = {
        (record.home_of(person, day), day)
        for person in record.people
        for day in days
        if record.programmes(person, day) & excluded
    }
    follow_ups: dict[str, int] = {}
    revaluations: dict[str, int] = {}
    for call in calls:
        day = local_day(call.answered, zone)
        if day not in days:
            continue
        if call.kind == "revaluation":
            home = call.home or record.home_of(call.subject, days[-1])
            revaluations[home] = revaluations.get(home, 0) + 1
        elif (call.subject, day) not in fortnightly:
            follow_ups[call.subject] = follow_ups.get(call.subject, 0) + 1
    total = sum(revaluations.values())
    for home, number in follow_ups.items():
        instead = revaluations.get(home, 0)
        normal = _follow_ups_of_a_month(record.level(home, days_of(days[-1][:7])[-1]), values)
        total += min(number, max(normal - instead, 0)) if instead else number
    return total


def _follow_ups_of_a_month(level: str, values: dict[str, str]) -> int:
    calls = int(values[f"agenda.follow_up.level_{level}"])
    return calls if level == MONTHLY_LEVEL else -(-calls // 12)


def _emergency(duty: Row, values: dict[str, str]) -> int:
    """Return the units of one emergency."""
    events = [one for one in duty["events"] if not one["withdrawn"]]
    events.sort(key=lambda one: one["at"])
    if any(one["event"] == "retyped" for one in events):
        return 0
    sent: dict[str, bool] = {}
    unit, at_door, got_in = "", False, False
    for one in events:
        named = "".join((one["details"] or {}).get("team", "").split()).casefold()
        if one["event"] == "sent":
            unit = named
            sent[unit], at_door = True, False
        elif one["event"] == "recalled":
            sent[unit] = False
        at_door = at_door or one["event"] == "arrived"
        got_in = got_in or one["event"] in {"access", "no_access"}
    if not sent.get(unit, False) or (values["invoice.umo.counts"] == "arrived" and not at_door and not got_in):
        return 0
    return sum(sent.values()) if values["invoice.umo.each"] == "unit" else 1


def _reduction(found: list[Line], values: dict[str, str], asked: Asked) -> Decimal:
    if asked.reduction is not None:
        return asked.reduction
    if values["invoice.ans_reduction"] != "bands":
        return Decimal()
    percentage = sum((Decimal(values.get(f"invoice.ans_reduction.{ans}", "0")) for ans in asked.not_kept), Decimal())
    services = sum((line.amount for line in found if not line.concept.startswith("rent.")), Decimal())
    return cents(services * percentage / 100)


def _minus(found: list[Line], values: dict[str, str], concept: str, amount: Decimal) -> list[Line]:
    """Return the line, or the two lines, of a reduction."""
    parts = {values["vat.services"]: amount}
    if values["invoice.reduction_vat"] == "rent":
        parts = {values["vat.rent"]: amount}
    if values["invoice.reduction_vat"] == "both":
        services = sum((line.amount for line in found if not line.concept.startswith("rent.")), Decimal())
        share = cents(amount * services / sum((line.amount for line in found), Decimal()))
        parts = {values["vat.services"]: share, values["vat.rent"]: amount - share}
    return [Line(concept, Decimal(1), -part, -part, Decimal(vat)) for vat, part in parts.items()]

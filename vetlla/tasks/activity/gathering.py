"""Gathers the report of a month: each figure comes from the function that counts it everywhere else."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.activity import communications, contract, duties, emergencies, people
from vetlla.service.calendar import add_months
from vetlla.service.calls.report import figures as call_figures
from vetlla.service.calls.report import limits_of
from vetlla.service.complaints.report import active_users
from vetlla.service.custody.chain import KEY, chain
from vetlla.service.dispatch.emergency import emergency, until
from vetlla.service.dispatch.report import count
from vetlla.service.homes.attended import DaySpan
from vetlla.service.invoice.concepts import ESSENTIAL, SERVICES
from vetlla.service.sanctions.corrective import actions
from vetlla.tasks.activity.devices import device_tables
from vetlla.tasks.activity.proofs import proof_tables
from vetlla.tasks.complaints.desk import month as complaints_month
from vetlla.tasks.custody.register import keys
from vetlla.tasks.invoice.making import must_be_over
from vetlla.tasks.sanctions.gathering import fault_rows
from vetlla.tasks.sla.communications import calls_of, of_terminals
from vetlla.tasks.sla.emergencies import share_us
from vetlla.tasks.sla.from_duties import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from vetlla.domain.duties import Duty
    from vetlla.domain.figures import FigureTable
    from vetlla.domain.service_levels import LevelFigure, LevelVerdict
    from vetlla.service.custody.chain import CustodyKey
    from vetlla.service.duties.standing import Standing
    from vetlla.tasks.months.sources import MonthSources
    from vetlla.tasks.sla.month import MonthRecord

MONTHS: Final = 12
"""Months of the service levels that are shown, the month of the report included."""
WORK: Final = (2, 1, 14, 17, 15, 10, 16, 19, 22, 23)
"""The levels whose duties are counted by kind: work at homes and on devices, complaints, incidents, documents. Calls of
the agenda and emergencies have tables of their own."""
AGENDA: Final = (3, 9)
"""The levels whose duties are the planned calls of the agenda: follow-ups and revaluations."""


class MonthActivity(NamedTuple):
    """The report of a month, for pages and files."""

    month: date
    """First day."""
    known_us: int
    """The time as of which it is known: the date of the page."""
    figures: tuple[LevelFigure, ...]
    """Of all levels in that month."""
    year: Mapping[date, Mapping[int, LevelVerdict]]
    """The verdicts of the levels in the last twelve months, as far as the contract goes back."""
    tables: Mapping[str, FigureTable]
    """By name, in the order of the report."""
    assumed: frozenset[str]
    """Names of the parameters behind it that no contract says."""


def month_activity(sources: MonthSources) -> MonthActivity:
    """Return the report of a month. Raises UsageError for a month that is not over, ConfigError for a parameter."""
    record = sources.record
    must_be_over(record)
    reading = record.reading()
    devices = device_tables(record, reading)
    tables = [
        *_people(sources),
        *_communications(sources),
        *_emergencies(record),
        *_work(record),
        *devices,
        *proof_tables(record, sources.figures),
        *_contract(sources),
    ]
    names = {name for one in sources.figures for name in one.assumed} | set(reading.assumed())
    return MonthActivity(
        month=record.month,
        known_us=record.seen_us,
        figures=sources.figures,
        year=_year(sources),
        tables={one.name: one for one in tables},
        assumed=frozenset(names),
    )


def _people(sources: MonthSources) -> Iterator[FigureTable]:
    record, counts = sources.record, sources.counts
    homes, everyone = record.homes, record.people.values()
    yield people.homes_in_service(homes.values(), record.last)
    yield people.people_in_service(everyone, homes, record.last)
    attended = people.Attended(
        homes=len(counts.attendance.days[ESSENTIAL]),
        people=active_users(homes, everyone, record.month, record.last),
    )
    yield people.changes(homes, everyone, DaySpan(record.month, record.last), attended)
    yield contract.units({concept: counts.units(concept) for concept in SERVICES})


def _communications(sources: MonthSources) -> Iterator[FigureTable]:
    record = sources.record
    yield communications.signals(of_terminals(record))
    calls = call_figures(calls_of(record), limits_of(record.reading()), record.rules.calendar.zone)
    yield communications.calls(calls)
    yield communications.call_hours(calls)
    yield communications.durations(sources.figures)


def _emergencies(record: MonthRecord) -> Iterator[FigureTable]:
    found = {ans: [emergency(one) for _, one in counted(record, ans)] for ans in (11, 12)}
    time_of = partial(share_us, record)
    yield emergencies.emergency_types(count([*found[11], *found[12]], time_of))
    yield emergencies.proof(found[11], time_of, record.rules.calendar.zone)


def _work(record: MonthRecord) -> Iterator[FigureTable]:
    kinds = record.rules.kinds
    names = [name for ans in WORK for name in kinds.names() if kinds.kind(name).ans == ans]
    yield duties.duties(_standings(record, WORK), names)
    yield duties.agenda(_standings(record, AGENDA))
    found = complaints_month(record.connection, record.rules, record.month, record.reading(), record.seen_us)
    yield duties.complaints(found)
    held = list(_keys(record))
    yield duties.keys(held)
    yield duties.key_acts(held, record.begin_us, record.end_us)


def _standings(record: MonthRecord, levels: Iterable[int]) -> Iterator[Standing]:
    for ans in levels:
        for _, one in counted(record, ans):
            yield one


def _keys(record: MonthRecord) -> Iterator[CustodyKey]:
    """Yield the keys as they were at the end of the month, without those that were ceded later."""
    if record.rules.kinds.find(KEY) is None:
        return
    found: Iterator[Duty] = (key.duty for key in keys(record.connection, record.rules))
    for duty in found:
        if duty.opened_us <= record.end_us:
            yield chain(until(duty, record.end_us))


def _year(sources: MonthSources) -> dict[date, dict[int, LevelVerdict]]:
    first = add_months(sources.record.month, 1 - MONTHS)
    months = sources.ledger.facts.months
    return {
        month: {ans: level.verdict for ans, level in sorted(levels.items())}
        for month, levels in sorted(months.items())
        if first <= month <= sources.record.month
    }


def _contract(sources: MonthSources) -> Iterator[FigureTable]:
    record, ledger = sources.record, sources.ledger
    yield contract.levels(sources.figures)
    first = add_months(record.month, 1 - MONTHS)
    months = {
        month: {ans: (level.verdict, level.breaches) for ans, level in levels.items()}
        for month, levels in ledger.facts.months.items()
        if first <= month <= record.month
    }
    yield contract.year(months, ledger.closed)
    yield contract.faults(fault_rows(ledger), record.month, record.last)
    told = [one for one in ledger.actions if one.at_us <= record.end_us]
    yield contract.corrective(actions(told, record.last), record.begin_us)

"""Gathers what the ledger is made of: the levels by month, and the cases of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.clock import as_of, last_of_month
from vetlla.domain.sanctions import FaultFacts
from vetlla.service.calendar import last_whole_month, months_of
from vetlla.service.sanctions import recorded
from vetlla.service.sanctions.catalogue import DUTY_OF_PENALTY
from vetlla.service.sanctions.corrective import actions, against
from vetlla.service.sanctions.fields import fault_fields
from vetlla.service.sanctions.from_record import DocumentFaults, fault_kinds, new_terms, of_duty, of_key
from vetlla.service.sanctions.ledger import ledger
from vetlla.service.sanctions.terms import document_faults, terms
from vetlla.service.sla.levels import NUMBERS
from vetlla.store.registry.transaction import snapshot
from vetlla.store.sanctions import actions as stored_actions
from vetlla.store.sanctions import faults as stored_faults
from vetlla.tasks.custody.register import keys
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.looking import Wanted
from vetlla.tasks.sanctions import levels
from vetlla.tasks.sanctions.levels import LastMonth, LevelsAsked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.sanctions import ActionEvent
    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.sanctions.terms import SanctionTerms


class LedgerQuestion(NamedTuple):
    """What is asked."""

    last: date | None = None
    """First day of the last month; None for the last whole one."""
    known_us: int | None = None
    """As known at this time; None for now."""
    file: Path | None = None
    """File of the levels, instead of closed months and the record."""
    from_record: bool = False
    """Whether closed months are computed again, too."""
    computed: LastMonth | None = None
    """The last month, if the caller has computed it already."""


class LedgerInput(NamedTuple):
    """What the ledger is made of, and what was done about it."""

    facts: FaultFacts
    terms: SanctionTerms
    actions: list[ActionEvent]
    closed: Mapping[date, int]
    """The months whose levels were taken from a closed month -> its version."""
    today: date
    """The day as of which it is known, on the calendar of the service."""


def gather(state_dir: Path, clock: Clock, rules: DutyRules, asked: LedgerQuestion) -> LedgerInput:
    """Return the facts from the start of the contract to a month, and the cases up to its end or today.

    The parameters are those in force on the last of these days. Raises StoreError, ConfigError and UsageError.
    """
    date_of = rules.calendar.date_of
    now_us = as_of(clock, asked.known_us)
    today = date_of(now_us)
    running = today.replace(day=1)
    last = asked.last or last_whole_month(today)
    is_latest = asked.last is None or last >= running
    until = today if is_latest else min(today, last_of_month(last))
    reading = rules.parameters.on(until)
    found, first = terms(reading), reading.the_date("contract.start").replace(day=1)
    fault_of_document = document_faults(reading)
    closed: Mapping[date, int] = {}
    if asked.file:
        months = levels.read(asked.file)
    else:
        wanted = LevelsAsked(
            state_dir,
            clock,
            rules,
            asked.known_us,
            with_arrivals=found.is_("arrival", "average"),
            from_record=asked.from_record,
            last=asked.computed,
        )
        months, closed = levels.gathered(wanted, months_of(first, last))
    with snapshot(state_dir, clock, asked.known_us) as connection:
        records = stored_faults.all_records(connection)
        told = stored_actions.all_events(connection)
        kinds = fault_kinds(rules.kinds)
        of_advice = [kind for kind in kinds if kind in DUTY_OF_PENALTY.values()]
        advised = looking.found(connection, rules, Wanted(kinds=of_advice), now_us) if of_advice else ()
        documents = DocumentFaults(fault_of_document, new_terms(advised))
        standings = looking.found(connection, rules, Wanted(kinds=kinds), now_us)
        cases = [case for one in standings for case in of_duty(one, documents, date_of)]
        cases += [case for key in keys(connection, rules) for case in of_key(key, date_of)]
    cases += recorded.cases(records, date_of)
    inside = sorted((case for case in cases if first <= case.day <= until), key=lambda case: case[:4])
    return LedgerInput(FaultFacts(months, first, last, inside, NUMBERS, until), found, told, closed, today)


def fault_rows(found: LedgerInput) -> list[dict[str, Any]]:
    """Return the faults of the ledger as the fields of JSON, each with the actions against it."""
    done = actions(found.actions, found.today)
    return [fault_fields(one, against(done, one), found.closed) for one in ledger(found.facts, found.terms)]

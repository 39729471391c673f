"""Gathers what the ledger is made of: the levels by month, and the cases of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import as_of, last_of_month
from vetlla.domain.sanctions import FaultFacts
from vetlla.service.calendar import last_whole_month, months_of
from vetlla.service.sanctions import recorded
from vetlla.service.sanctions.from_record import fault_kinds, of_duty, of_key
from vetlla.service.sanctions.terms import terms
from vetlla.service.sla.levels import NUMBERS
from vetlla.store.registry.transaction import snapshot
from vetlla.store.sanctions import actions as stored_actions
from vetlla.store.sanctions import faults as stored_faults
from vetlla.tasks.custody.register import keys
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.looking import Wanted
from vetlla.tasks.sanctions import levels

if TYPE_CHECKING:
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
    """File of the levels, instead of computing them."""


class LedgerInput(NamedTuple):
    """What the ledger is made of, and what was done about it."""

    facts: FaultFacts
    terms: SanctionTerms
    actions: list[ActionEvent]
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
    technical = frozenset(reading.names("sanctions.technical_documents"))
    if asked.file:
        months = levels.read(asked.file)
    else:
        average = found.is_("arrival", "average")
        wanted = months_of(first, last)
        months = levels.computed(state_dir, clock, rules, wanted, asked.known_us, with_arrivals=average)
    with snapshot(state_dir, clock, asked.known_us) as connection:
        records = stored_faults.all_records(connection)
        actions = stored_actions.all_events(connection)
        kinds = fault_kinds(rules.kinds)
        standings = looking.found(connection, rules, Wanted(kinds=kinds), now_us)
        cases = [case for one in standings for case in of_duty(one, technical, date_of)]
        cases += [case for key in keys(connection, rules) for case in of_key(key, date_of)]
    cases += recorded.cases(records, date_of)
    inside = sorted((case for case in cases if first <= case.day <= until), key=lambda case: case[:4])
    return LedgerInput(FaultFacts(months, first, last, inside, NUMBERS, until), found, actions, today)

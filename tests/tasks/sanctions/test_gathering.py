"""What the ledger is made of, from a real registry: duties, keys, recorded faults, months, and the past."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import ManualClock, to_us
from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import UsageError
from vetlla.domain.sanctions import FaultClass, FaultFacts, LevelMonth, RecordedFault
from vetlla.domain.service_levels import LevelVerdict
from vetlla.service.sanctions.fields import level_month
from vetlla.service.sanctions.ledger import ledger
from vetlla.service.sla.fields import fields
from vetlla.store.duties import events
from vetlla.store.registry.transaction import transaction
from vetlla.store.sanctions import faults
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.sanctions import levels
from vetlla.tasks.sanctions.gathering import LedgerQuestion, gather
from vetlla.tasks.sanctions.levels import LevelsAsked
from vetlla.tasks.sla.from_duties import of_duties
from vetlla.tasks.sla.month import month_record
from vetlla.tasks.sla.sources import figures

if TYPE_CHECKING:
    from pathlib import Path


def us(text: str) -> int:
    """Return a time that is written in UTC."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


CLOCK = ManualClock(datetime(2025, 3, 10, 12, tzinfo=UTC))
NOW = CLOCK.now().utc_us
RULES = load_rules()
DAY_US = 86_400_000_000


def told(kind: str, subject: str, event: str, at: str, **more: object) -> NewEvent:
    """Return an event."""
    return NewEvent(kind, subject, event, us(at), **more)  # type: ignore[arg-type]


def due(document: str, period: str, until: str) -> NewEvent:
    """Return that a document is due."""
    begin = "2025-01-01T08:00"
    return told("document", document, "due", begin, ref=period, begin_us=us(begin), end_us=us(until))


EVENTS = [
    # An invoice delivered late, one returned and delivered again in term, protocols that never came.
    due("invoice", "2024-12", "2025-01-05T20:00"),
    told("document", "invoice", "delivered", "2025-01-08T08:00", ref="2024-12"),
    due("inventory", "2024-12", "2025-01-30T20:00"),
    told("document", "inventory", "delivered", "2025-01-03T08:00", ref="2024-12"),
    told("document", "inventory", "rejected", "2025-01-04T08:00", ref="2024-12"),
    told("document", "inventory", "delivered", "2025-01-06T08:00", ref="2024-12"),
    due("protocols", "start", "2025-02-03T20:00"),
    # Of staff: the list of substitutions and the summary of payrolls, both late. Of section 18: the first term.
    due("substitutions", "2025-01", "2025-02-15T20:00"),
    due("hr_documents", "2025-01", "2025-02-15T20:00"),
    due("equality_plan", "start", "2024-04-11T20:00"),
    due("conciliation", "start", "2024-04-12T20:00"),
    told("incident", "service", "happened", "2025-02-10T08:00", ref="I1"),
    # The city advised and gave a new term; the plan came six weeks later, the document of conciliation in term.
    told("equality_plan", "service", "advised", "2025-01-07T08:00", ref="A1", end_us=us("2025-01-15T20:00")),
    told("equality_plan", "service", "delivered", "2025-02-26T08:00", ref="A1"),
    told("conciliation_document", "service", "advised", "2025-01-07T08:00", ref="A2", end_us=us("2025-01-15T20:00")),
    told("conciliation_document", "service", "delivered", "2025-01-15T08:00", ref="A2"),
    # Keys of a home that left last spring: their six months have passed.
    told("key_destruction", "H1", "due", "2024-06-01T08:00", ref="K1"),
    # A fault of equipment, whose breach is that of a level and no fault of the contract by itself.
    told("fault", "H1", "detected", "2025-02-10T08:00", ref="F1"),
]  # fmt: skip


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """Make a registry with these events, and a fault recorded by hand two days ago."""
    recorded = RecordedFault(0, "S07", NOW - 3 * DAY_US, "H2", "why", "", None, "anna", 0, NOW - 2 * DAY_US)
    with transaction(tmp_path, CLOCK) as connection:
        for event in EVENTS:
            events.add(connection, event, "test", NOW - 5 * DAY_US)
        faults.add(connection, recorded, "test")
    return tmp_path


def found(state_dir: Path, asked: LedgerQuestion = LedgerQuestion()) -> FaultFacts:  # noqa: B008 - immutable
    """Return the facts of the ledger."""
    return gather(state_dir, CLOCK, RULES, asked).facts


def test_17_documents_incidents_and_keys_are_faults_by_themselves(state_dir: Path) -> None:
    cases = {(one.fault, str(one.day), one.what, one.ans) for one in found(state_dir).cases}
    assert cases >= {
        ("S03", "2025-01-05", "document", 23),
        ("S04", "2025-01-04", "document", 23),
        ("S03", "2025-02-15", "document", 23),
        ("S26", "2025-02-03", "document", 23),
        ("S46", "2024-04-11", "document", 23),
        ("S46", "2024-04-12", "document", 23),
        ("S47", "2025-02-15", "document", 23),
        ("S41", "2024-12-01", "key_destruction", 0),
        ("18.equality", "2025-01-15", "equality_plan", 0),
        ("S07", "2025-03-07", "recorded", 0),
    }
    assert {one.what for one in found(state_dir).cases if one.fault == "S06"} == {"incident"}
    assert not {"fault", "conciliation_document"} & {one.what for one in found(state_dir).cases}
    (plan,) = (one for one in found(state_dir).cases if one.what == "equality_plan")
    assert plan.until == date(2025, 2, 26)


def test_17_a_late_document_is_of_the_class_that_its_kind_has(state_dir: Path) -> None:
    """The parameter that names the document is behind the fault, and no contract says it."""
    asked = gather(state_dir, CLOCK, RULES, LedgerQuestion())
    rows = {
        (one.fault, one.fault_class, one.cases[0].subject): one for one in ledger(asked.facts, asked.terms) if one.cases
    }
    pay = rows["S47", FaultClass.VERY_GRAVE, "hr_documents 2025-01"]
    assert (str(pay.ceiling), set(pay.assumed)) == ("3346590.46", {"sanctions.base", "sanctions.pay_documents"})
    assert rows["S46", FaultClass.VERY_GRAVE, "equality_plan start"].assumed == (
        "sanctions.base",
        "sanctions.special_documents",
    )
    assert rows["S26", FaultClass.GRAVE, "protocols start"].assumed == (
        "sanctions.base",
        "sanctions.technical_documents",
    )
    assert rows["S03", FaultClass.MINOR, "substitutions 2025-01"].assumed == ("sanctions.base",)


@pytest.mark.parametrize(("advised", "is_fault"), [("2024-04-11T20:00", False), ("2024-04-11T20:01", True)])
def test_18_advice_in_the_first_term_takes_its_place(state_dir: Path, advised: str, is_fault: bool) -> None:  # noqa: FBT001
    """The first term of the plan ended at 20:00; advice that came later does not excuse its delay."""
    one = told("equality_plan", "service", "advised", advised, ref="A0", end_us=us("2024-05-15T20:00"))
    with transaction(state_dir, CLOCK) as connection:
        events.add(connection, one, "test", NOW)
    late = [one.subject for one in found(state_dir).cases if one.fault == "S46"]
    assert ("equality_plan start" in late) is is_fault
    assert "conciliation start" in late


@pytest.mark.parametrize(
    ("last", "details", "faults"),
    [
        ("lost", "", ["S41"]),
        ("used", "", ["S43"]),
        ("returned", '{"to": "P9"}', ["S42"]),
        ("returned", "", []),
    ],
)
def test_17_keys_lost_or_misused_are_very_grave(state_dir: Path, last: str, details: str, faults: list[str]) -> None:
    """A return that does not name its receiver proves no fault."""
    with transaction(state_dir, CLOCK) as connection:
        for place, event in enumerate(("ceded", "taken", last)):
            one = told("key", "H3", event, f"2025-02-01T0{place}:00", ref="K3", details=details if place == 2 else "")
            events.add(connection, one, "test", NOW)
    cases = [one for one in found(state_dir).cases if one.what == "key"]
    assert [one.fault for one in cases] == faults
    assert {(str(one.day), one.subject, one.ans) for one in cases} <= {("2025-02-01", "H3", 0)}


def test_the_months_go_from_the_start_of_the_contract_to_the_last_whole_one(state_dir: Path) -> None:
    facts = found(state_dir)
    assert (facts.first, facts.last, len(facts.months)) == (date(2024, 4, 1), date(2025, 2, 1), 11)
    assert facts.months[date(2025, 2, 1)][14].verdict is LevelVerdict.NOT_KEPT
    assert facts.months[date(2025, 2, 1)][5] == LevelMonth(LevelVerdict.NOT_MEASURED)


def test_cases_after_an_earlier_month_do_not_count(state_dir: Path) -> None:
    facts = found(state_dir, LedgerQuestion(date(2025, 1, 1)))
    assert {one.fault for one in facts.cases} == {"S03", "S04", "S41", "S46", "18.equality"}
    assert facts.last == max(facts.months) == date(2025, 1, 1)


def test_the_past_knows_nothing_of_what_was_recorded_later(state_dir: Path) -> None:
    known = found(state_dir, LedgerQuestion(known_us=NOW - 3 * DAY_US))
    assert "S07" not in {one.fault for one in known.cases}
    assert "S03" in {one.fault for one in known.cases}
    assert not found(state_dir, LedgerQuestion(known_us=NOW - 6 * DAY_US)).cases


def test_a_file_of_the_report_gives_the_same_as_the_record(state_dir: Path, tmp_path: Path) -> None:
    computed = found(state_dir).months
    file = tmp_path / "months.ndjson"
    with file.open("w", encoding="utf-8") as out:
        for month in computed:
            with month_record(state_dir, CLOCK, RULES, month) as record:
                out.writelines(json.dumps(fields(one)) + "\n" for one in figures(record))
    assert found(state_dir, LedgerQuestion(file=file)).months == computed


def test_a_level_month_keeps_the_breaches_that_are_worse(state_dir: Path) -> None:
    with transaction(state_dir, CLOCK) as connection:
        events.add(connection, told("umo_1", "H1", "communicated", "2025-02-01T08:00", ref="1"), "test", NOW)
        events.add(connection, told("umo_1", "H1", "access", "2025-02-01T09:00", ref="1"), "test", NOW)
    month = date(2025, 2, 1)
    with month_record(state_dir, CLOCK, RULES, month) as record:
        figure = of_duties(record, 11)
    assert len(level_month(figure).worse) == 1
    months = levels.gathered(LevelsAsked(state_dir, CLOCK, RULES, with_arrivals=True), [month]).months
    arrivals = months[month][11].arrivals
    assert arrivals is not None
    assert (arrivals.cases, arrivals.total_us, arrivals.limit_us) == (1, 3600 * 10**6, 2100 * 10**6)
    assert months[month][12].arrivals is None


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"month": "2025-01", "ans": 1}', '{"month": "2025-13", "ans": 1, "verdict": "kept", "breaches": 0}'],
)
def test_a_line_that_is_no_level_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "months.ndjson"
    file.write_text('{"month": "2025-01", "ans": 2, "verdict": "kept", "breaches": 0}\n' + line, encoding="utf-8")
    with pytest.raises(UsageError, match="line 2 is no row"):
        levels.read(file)


def test_a_level_that_comes_twice_or_does_not_exist_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "months.ndjson"
    line = '{"month": "2025-01", "ans": 2, "verdict": "kept", "breaches": 0}\n'
    for text in (line * 2, line + line.replace('"ans": 2', '"ans": 24')):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match="line 2: ANS"):
            levels.read(file)
    with pytest.raises(UsageError, match="cannot be read"):
        levels.read(tmp_path / "none")

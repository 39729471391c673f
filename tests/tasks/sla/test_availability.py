"""ANS 18 and 21 from probes: exact at the threshold, strict about what no probe saw, and real hours of the month."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import pytest

from vetlla.domain.clock import SECOND_US, ManualClock, to_us
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.domain.probes import Incident, Probe, ProbedPart, ProbeResult, SeenThrough
from vetlla.domain.service_levels import BreachReason, GroupedBy, LevelVerdict
from vetlla.service.duties.terms import DutyRules
from vetlla.service.parameters import Parameters
from vetlla.store.probes.write import ProbeBook
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.probes.times import Within, note_incident, outages, times
from vetlla.tasks.sla.availability import of_probes
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from vetlla.tasks.sla.month import MonthRecord

RULES: Final = load_rules()
CLOCK: Final = ManualClock(datetime(2026, 12, 2, tzinfo=UTC))
STEP_S: Final = 100
"""Seconds between two probes; less than the gap for which one vouches."""


def begin_of(month: date) -> int:
    """Return the first moment of a month on the clock of the service."""
    return RULES.calendar.begin_of(month.toordinal())


def series(
    month: date, days: int, component: str = "dc09", down: range = range(0), part: ProbedPart = ProbedPart.SYSTEM
) -> Iterator[Probe]:
    """Yield a probe at each step of a month; those with a number in ``down`` have failed."""
    for number in range(days * 86_400 // STEP_S):
        is_down = number in down
        yield Probe(
            "m1",
            component,
            part,
            begin_of(month) + number * STEP_S * SECOND_US,
            5_000,
            ProbeResult.TIMEOUT if is_down else ProbeResult.OK,
            "no answer in 5 s" if is_down else "",
            SeenThrough.NOTHING if is_down else SeenThrough.ACK,
        )


def keep(state: Path, probes: Iterable[Probe], at_us: int | None = None) -> None:
    """Keep probes in the registry, recorded at a time."""
    with transaction(state, CLOCK, large=True) as connection:
        book = ProbeBook(connection, CLOCK.now().utc_us if at_us is None else at_us, "tester", "probes.ndjson")
        for one in probes:
            assert book.add(one) is not None


def ruled(**values: int | str) -> DutyRules:
    """Return the rules with other values of ``availability`` parameters."""
    entries = [entry for name in RULES.parameters.names() for entry in RULES.parameters.all(name)]
    model = next(one for one in entries if one.name == "availability.weight")
    given = {f"availability.{name.replace('__', '.')}": value for name, value in values.items()}
    kept = [one for one in entries if one.name not in given]
    new = [replace(model, name=name, value=value) for name, value in given.items()]
    return DutyRules(RULES.kinds, Parameters([*kept, *new]))


@contextmanager
def record_of(state: Path, month: date, rules: DutyRules = RULES, **more: int) -> Iterator[MonthRecord]:
    """Yield the record of a month."""
    with month_record(state, CLOCK, rules, month, **more) as record:
        yield record


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return a state directory with an empty registry."""
    folder = tmp_path / "state"
    folder.mkdir()
    with transaction(folder, CLOCK):
        pass
    return folder


NOVEMBER: Final = date(2026, 11, 1)
ALLOWED: Final = 2_592_000_000
"""Microseconds of outage in 30 days that leave exactly 99.9 %: 43 min 12 s."""


@pytest.mark.parametrize(
    ("more_us", "verdict"), [(0, LevelVerdict.KEPT), (-1, LevelVerdict.KEPT), (1, LevelVerdict.NOT_KEPT)]
)
def test_one_microsecond_decides_at_the_threshold(state: Path, more_us: int, verdict: LevelVerdict) -> None:
    """43 min 12 s are 99.9 % of 30 days exactly. Equality keeps the level, and no value is rounded onto it."""
    outage = [one for one in series(NOVEMBER, 30) if one.started_us < begin_of(NOVEMBER) + ALLOWED + more_us]
    failed = [one._replace(result=ProbeResult.FAILED, reason="refused") for one in outage]
    first_good = failed[-1]._replace(
        started_us=begin_of(NOVEMBER) + ALLOWED + more_us, result=ProbeResult.OK, reason=""
    )
    rest = [one for one in series(NOVEMBER, 30) if one.started_us > first_good.started_us]
    keep(state, [*failed, first_good, *rest])
    with record_of(state, NOVEMBER) as record:
        found = of_probes(record, 18)
    (part,) = found.parts
    assert (part.denominator, part.denominator - part.numerator) == (30 * 86_400 * SECOND_US, ALLOWED + more_us)
    assert found.verdict is verdict
    assert (part.value is not None and part.value >= part.threshold) is (verdict is LevelVerdict.KEPT)
    (breach,) = found.breaches
    assert (breach.what, breach.subject, breach.reason) == ("component", "dc09", BreachReason.UNAVAILABLE)
    assert breach.measured_us == ALLOWED + more_us


@pytest.mark.parametrize(("month", "days", "hours"), [(date(2026, 3, 1), 31, 743), (date(2026, 10, 1), 31, 745)])
def test_a_month_with_a_clock_change_is_judged_over_its_real_hours(
    state: Path, month: date, days: int, hours: int
) -> None:
    """The probes of October go on for the hour that comes twice."""
    keep(
        state, (one for one in series(month, days + 1) if one.started_us < begin_of(month) + hours * 3_600 * SECOND_US)
    )
    with record_of(state, month) as record:
        (part,) = of_probes(record, 18).parts
    assert part.numerator == part.denominator == hours * 3_600 * SECOND_US


def test_a_probe_of_the_month_before_vouches_for_the_first_seconds(state: Path) -> None:
    """The last probe of October is 40 s old when November begins, and vouches for 120 s."""
    keep(state, [next(series(NOVEMBER, 1))._replace(started_us=begin_of(NOVEMBER) - 40 * SECOND_US)])
    with record_of(state, NOVEMBER) as record:
        assert of_probes(record, 18).parts[0].numerator == 80 * SECOND_US


def test_without_a_probe_a_level_is_not_measured(state: Path) -> None:
    """Also if the parameters name a component, and if all probes are of the month before."""
    keep(state, series(date(2026, 10, 1), 2))
    with record_of(state, NOVEMBER, ruled(components__system="dc09")) as record:
        assert of_probes(record, 18).verdict is LevelVerdict.NOT_MEASURED
    with record_of(state, date(2026, 10, 1)) as record:
        assert of_probes(record, 18).verdict is LevelVerdict.NOT_KEPT
        assert of_probes(record, 21).verdict is LevelVerdict.NOT_MEASURED


def test_time_that_no_probe_saw_never_counts_as_met(state: Path) -> None:
    """Strictly it is unavailable; excluded it is in neither number, and the figures say so."""
    keep(state, series(NOVEMBER, 10))
    with record_of(state, NOVEMBER) as record:
        strict = of_probes(record, 18)
    with record_of(state, NOVEMBER, ruled(unseen="excluded")) as record:
        lenient = of_probes(record, 18)
    seen_us = (10 * 86_400 + 20) * SECOND_US  # the last probe vouches for 120 s
    assert [(one.parts[0].numerator, one.verdict) for one in (strict, lenient)] == [
        (seen_us, LevelVerdict.NOT_KEPT),
        (seen_us, LevelVerdict.KEPT),
    ]
    assert (strict.parts[0].denominator, lenient.parts[0].denominator) == (30 * 86_400 * SECOND_US, seen_us)
    assert [one.reason for one in strict.breaches] == [BreachReason.NOT_CHECKED]
    assert (lenient.breach_count, lenient.notes) == (0, ("unseen_excluded",))
    assert {"availability.unseen", "availability.overlap", "availability.probe_gap_s"} <= set(strict.assumed)
    assert "availability.share" not in strict.assumed


def test_components_have_their_weight_and_one_that_must_be_probed_is_unseen(state: Path) -> None:
    """A component of weight 3 that is down for a day costs as much as three others."""
    keep(state, series(NOVEMBER, 30))
    keep(state, series(NOVEMBER, 30, "mqtt", down=range(864)))
    keep(state, series(NOVEMBER, 30, "window", part=ProbedPart.ACCESS))
    day_us = 86_400 * SECOND_US
    with record_of(state, NOVEMBER, ruled(weight__mqtt=3)) as record:
        found = of_probes(record, 18)
        assert (found.parts[0].numerator, found.parts[0].denominator) == ((30 + 3 * 29) * day_us, 4 * 30 * day_us)
        assert of_probes(record, 21).verdict is LevelVerdict.KEPT
    groups = {(one.by, one.name): (one.numerator, one.denominator) for one in found.groups}
    assert groups[GroupedBy.COMPONENT, "mqtt"] == (29 * day_us, 30 * day_us)
    assert groups[GroupedBy.UNSEEN, "mqtt"] == (0, 30 * day_us)
    with record_of(state, NOVEMBER, ruled(components__access="window files")) as record:
        assert of_probes(record, 21).parts[0].numerator == 30 * day_us
        assert of_probes(record, 21).parts[0].denominator == 60 * day_us
    with record_of(state, NOVEMBER, ruled(weight=0)) as record:
        assert of_probes(record, 18).verdict is LevelVerdict.NOT_MEASURED


@pytest.mark.parametrize("unseen", ["unavailable", "excluded"])
def test_the_days_of_a_month_add_up_to_its_figure(state: Path, unseen: str) -> None:
    """October has a day of 25 hours, and a component is down over midnight; each day has its weights."""
    october = date(2026, 10, 1)
    keep(state, series(october, 31, down=range(860, 880)))
    keep(state, series(october, 20, "mqtt"))
    with record_of(state, october, ruled(weight__mqtt=3, unseen=unseen)) as record:
        found = of_probes(record, 18)
        early = of_probes(replace(record, seen_us=begin_of(october) + 36 * 3_600 * SECOND_US), 18)
    days = {one.name: one for one in found.groups if one.by is GroupedBy.DAY}
    assert list(days) == [f"2026-10-{day:02}" for day in range(1, 32)]
    assert sum(one.numerator for one in days.values()) == found.parts[0].numerator
    assert sum(one.denominator for one in days.values()) == found.parts[0].denominator
    hours = {"unavailable": 4 * 25, "excluded": 25}[unseen] * 3_600
    assert days["2026-10-25"].denominator == hours * SECOND_US
    down = [days[f"2026-10-0{day}"].denominator - days[f"2026-10-0{day}"].numerator for day in (1, 2, 3)]
    assert down == [400 * SECOND_US, 1_600 * SECOND_US, 0]
    assert [one.name for one in early.groups if one.by is GroupedBy.DAY] == ["2026-10-01", "2026-10-02"]


def test_a_month_is_computed_as_it_was_known(state: Path) -> None:
    """A file that comes later changes the month only for those who ask later."""
    early, late = (to_us(datetime(2026, 12, 1, hour, tzinfo=UTC)) for hour in (6, 18))
    keep(state, series(NOVEMBER, 10), early)
    keep(state, (one._replace(machine="m2") for one in series(NOVEMBER, 30)), late)
    with record_of(state, NOVEMBER, known_us=early) as record:
        assert of_probes(record, 18).verdict is LevelVerdict.NOT_KEPT
    with record_of(state, NOVEMBER) as record:
        assert of_probes(record, 18).verdict is LevelVerdict.KEPT


def test_a_wrong_word_in_the_parameters_is_named(state: Path) -> None:
    keep(state, series(NOVEMBER, 1))
    with record_of(state, NOVEMBER, ruled(overlap="most")) as record, pytest.raises(ConfigError, match=r"overlap"):
        of_probes(record, 18)


def test_what_a_person_noted_stands_beside_the_outage_and_changes_no_figure(state: Path) -> None:
    """The tender exempts no maintenance. A note without an outage is shown, too."""
    keep(state, series(NOVEMBER, 30, down=range(36, 72)))
    begin_us, hour_us = begin_of(NOVEMBER), 3_600 * SECOND_US
    with record_of(state, NOVEMBER) as record:
        before = of_probes(record, 18)
    note = Incident(
        number=0,
        component="dc09",
        begun_us=begin_us + hour_us,
        ended_us=begin_us + 2 * hour_us,
        is_planned=True,
        note="new kernel",
        by="ada",
        recorded_us=CLOCK.now().utc_us,
    )
    note_incident(state, CLOCK, note)
    note_incident(state, CLOCK, note._replace(component="mqtt", note="broker moved"))
    with record_of(state, NOVEMBER) as record:
        assert of_probes(record, 18) == before
        within = Within(record.begin_us, record.end_us + 1)
        system = {ProbedPart.SYSTEM: times(record.connection, ProbedPart.SYSTEM, within, record.reading())}
        found = outages(record.connection, system, within)
    assert [(one.component, [note.note for note in one.notes]) for one in found] == [
        ("dc09", ["new kernel"]),
        ("mqtt", ["broker moved"]),
    ]
    assert found[0].span is not None
    assert (found[0].span.begin_us, found[0].span.length_us) == (begin_us + hour_us, hour_us)
    with pytest.raises(UsageError, match="before it begins"):
        note_incident(state, CLOCK, note._replace(ended_us=note.begun_us))
    with pytest.raises(UsageError, match="future"):
        note_incident(state, CLOCK, note._replace(is_planned=False, ended_us=CLOCK.now().utc_us + 1))

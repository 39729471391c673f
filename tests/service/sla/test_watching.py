"""How the running month will end: what parts can bear, and the forecast of a share, against slow counts."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.service_levels import GroupedBy, LevelGroup, LevelVerdict, PartName
from vetlla.service.sla.comparing import at_most_one_per, figure, share
from vetlla.service.sla.watching import bearable, forecast

COUNTS = st.integers(0, 500)
FEW = st.integers(0, 30)
MONTH = date(2026, 10, 1)


@given(COUNTS, COUNTS, COUNTS, st.integers(0, 100))
def test_as_many_breaches_can_be_borne_as_keep_the_share(kept: int, failed: int, undecided: int, percent: int) -> None:
    part = share(PartName.ALL, kept, kept + failed, percent)
    found = bearable(figure(3, MONTH, [part], undecided=undecided))
    assert found is not None
    whole = kept + failed + undecided
    for more in range(max(0, found), found + 2):
        is_kept = 100 * (kept + undecided - more) >= percent * whole
        assert is_kept == (more <= found)


@given(st.integers(0, 100), st.integers(0, 100_000))
def test_complaints_can_be_borne_up_to_the_allowed_number(pertinent: int, users: int) -> None:
    found = figure(20, MONTH, [at_most_one_per(PartName.PERTINENT, pertinent, users, 2000)], undecided=5)
    assert bearable(found) == users // 2000 - pertinent


def test_the_worst_part_decides_and_without_parts_nothing_is_known() -> None:
    parts = [share(PartName.WITHIN, 95, 100, 90), share(PartName.NEVER, 10, 10, 100)]
    assert bearable(figure(6, MONTH, parts)) == 0
    assert bearable(figure(6, MONTH, [], undecided=3)) is None


@given(FEW, FEW, FEW, FEW, st.integers(0, 100))
def test_an_open_case_of_one_part_helps_that_part_alone(
    solved: int, open_faults: int, scheduled: int, open_visits: int, percent: int
) -> None:
    parts = [
        share(PartName.SOLVED, solved, solved + 2, percent),
        share(PartName.SCHEDULED, scheduled, scheduled + 1, percent),
    ]
    found = figure(14, MONTH, parts, undecided=open_faults + open_visits, undecided_by_part=(open_faults, open_visits))
    bears = bearable(found)
    assert bears is not None

    def kept(count: int, of: int, more: int) -> bool:
        return 100 * (count - more) >= percent * of

    for more in range(max(0, bears), bears + 2):
        both = kept(solved + open_faults, solved + 2 + open_faults, more)
        both &= kept(scheduled + open_visits, scheduled + 1 + open_visits, more)
        assert both == (more <= bears)


@given(st.integers(1, 400), st.integers(0, 400), st.integers(1, 30))
def test_the_rest_of_the_month_is_as_good_as_the_last_days(kept: int, late: int, days: int) -> None:
    groups = (LevelGroup(GroupedBy.DAY, "2026-10-01", kept, kept + late),)
    found = figure(6, date(2026, 10, 1), [share(PartName.WITHIN, kept, kept + late, 90)], groups=groups)
    ahead = forecast(found, days, 30)
    assert ahead is not None
    assert ahead.expected == max(kept + late, (kept + late) * 30 // days)
    assert abs(Fraction(ahead.value) - Fraction(100 * kept, kept + late)) <= Fraction(1, 100)
    allowed = ahead.expected * 10 // 100
    assert ahead.may_fail == allowed - late


def test_a_bad_last_week_lowers_the_forecast() -> None:
    groups = tuple(LevelGroup(GroupedBy.DAY, f"2026-10-{day:02}", 100 if day <= 8 else 50, 100) for day in range(1, 16))
    kept = sum(one.numerator for one in groups)
    found = figure(6, date(2026, 10, 1), [share(PartName.WITHIN, kept, 1500, 90)], groups=groups)
    ahead = forecast(found, 15, 31)
    assert ahead is not None
    assert (ahead.expected, ahead.value) == (3100, (kept + 800) * 100 // 31 / type(ahead.value)(100))
    assert found.verdict is LevelVerdict.NOT_KEPT


def test_without_a_case_or_before_the_month_there_is_no_forecast() -> None:
    assert forecast(figure(6, date(2026, 10, 1), []), 1, 2) is None
    assert forecast(figure(6, date(2026, 10, 1), [share(PartName.WITHIN, 0, 0, 90)]), 1, 2) is None

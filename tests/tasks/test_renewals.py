"""A plan is computed while others may write, and kept only if it rests on what the registry still holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from vetlla.cli.kit import parameters
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError
from vetlla.service.renewals import planning
from vetlla.store.registry.registry import REGISTRY
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.store.renewals.plan import planned_span
from vetlla.store.sqlite.migrate import apply, migrations
from vetlla.tasks import renewals

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.renewals.planning import PlanResult

CLOCK = ManualClock()
SPAN = (date(2026, 1, 7), date(2026, 3, 31))


def planned(state_dir: Path, monkeypatch: pytest.MonkeyPatch, changes: int) -> int:
    """Plan while another command changes the registry this often; return how often the plan was computed."""
    computed = 0

    def make(*given: Any, **more: Any) -> PlanResult:  # noqa: ANN401 - as the planner takes them
        nonlocal computed
        computed += 1
        if computed <= changes:
            with transaction(state_dir, CLOCK):
                pass
        return planning.make(*given, **more)

    monkeypatch.setattr(renewals, "make", make)
    values = parameters.load(None).on(SPAN[0])
    renewals.plan_renewals(state_dir, CLOCK, values, SPAN, today=SPAN[0], growth=False)
    return computed


def kept(state_dir: Path) -> tuple[date, date] | None:
    """Return the span of the plan that the registry holds."""
    with snapshot(state_dir, CLOCK) as connection:
        return planned_span(connection)


@pytest.mark.parametrize("changes", [0, 1, renewals.TRIES - 1])
def test_a_plan_rests_on_the_registry_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: int) -> None:
    """A change that comes meanwhile is not locked out, and the plan is computed again."""
    with transaction(tmp_path, CLOCK):
        pass
    assert planned(tmp_path, monkeypatch, changes) == changes + 1
    assert kept(tmp_path) == SPAN


def test_a_migration_is_no_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first plan after an upgrade is computed once, although keeping it migrates the registry."""
    with closing(sqlite3.connect(tmp_path / REGISTRY, isolation_level=None)) as connection:
        apply(connection, migrations("registry")[:-1], CLOCK)

    assert planned(tmp_path, monkeypatch, 0) == 1
    assert kept(tmp_path) == SPAN


def test_a_plan_creates_the_first_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the file is created is no change, either."""
    assert planned(tmp_path, monkeypatch, 0) == 1
    assert kept(tmp_path) == SPAN


def test_a_registry_that_never_rests_gets_no_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planner says so, and what was planned before stays."""
    with transaction(tmp_path, CLOCK):
        pass
    with pytest.raises(StoreError, match="was changed"):
        planned(tmp_path, monkeypatch, renewals.TRIES)
    assert kept(tmp_path) is None

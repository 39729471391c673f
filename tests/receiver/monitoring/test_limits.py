"""A limit of the settings reaches the counters, the metrics and the alert rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog

from tests.rigs.core import core, signal, small, until
from vetlla.receiver.monitoring.metrics import LIMITS

if TYPE_CHECKING:
    from vetlla.settings.model import Settings

RULES = (Path(__file__).parents[3] / "config" / "alerts" / "vetlla.rules.yaml").read_text(encoding="utf-8")
BOARD = (Path(__file__).parents[3] / "config" / "grafana" / "vetlla.json").read_text(encoding="utf-8")


def limited(directory: Path, t2_max_s: float) -> Settings:
    return small(directory, queue={"t2_max_s": t2_max_s})


@pytest.mark.parametrize(("t2_max_s", "breaches"), [(1, 1), (5, 0)])
async def test_a_communication_beyond_t2_is_counted_and_logged(tmp_path: Path, t2_max_s: float, breaches: int) -> None:
    """``queue.t2_max_s`` decides which communications are breaches; the log names their signals."""
    async with core(tmp_path, settings=limited(tmp_path, t2_max_s)) as rig:
        with structlog.testing.capture_logs() as logged:
            told = rig.submit(signal(), arrival=rig.arrival(seconds_ago=2))
            await told
            await until(lambda: sum(rig.counters.t2.counts) == 1)

        assert rig.counters.t2_breaches == breaches
        late = [line["signals"] for line in logged if line["event"] == "signals.late"]
        assert late == [[1]] * breaches


async def test_another_limit_applies_without_a_restart(tmp_path: Path) -> None:
    """Each part that compares with the limit takes the new one."""
    async with core(tmp_path, settings=limited(tmp_path, 1)) as rig:
        for part in rig.parts.reloadable:
            part.apply(limited(tmp_path, 5), rig.book)
        await rig.submit(signal(), arrival=rig.arrival(seconds_ago=2))
        await until(lambda: sum(rig.counters.t2.counts) == 1)

        assert rig.counters.t2_breaches == 0


def test_the_rules_and_the_board_read_the_breaches_of_t2() -> None:
    """An alert fires on the counter of breaches, the board draws it, and the limit is a metric beside it."""
    assert "increase(vetlla_t2_breaches_total[15m]) > 0" in RULES
    assert "vetlla_t2_breaches_total" in BOARD
    assert "t2_max" in LIMITS

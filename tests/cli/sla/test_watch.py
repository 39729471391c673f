"""``vetlla sla watch``: its JSON, its tables, and the exit statuses of a plug-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rigs.homes_on_record import register_homes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

FIELDS = {
    "ans", "month", "numerator", "denominator", "value", "threshold", "unit", "verdict", "breaches", "open", "next_due",
    "may_fail", "running_out", "soon", "forecast",
}  # fmt: skip


def test_machines_and_people_see_every_level(vetlla: Vetlla, state_dir: Path) -> None:
    register_homes(state_dir.parent)
    rows = vetlla("sla", "watch", "--json").json
    assert [row["ans"] for row in rows] == list(range(1, 24))
    assert all(row.keys() == FIELDS for row in rows)
    assert "up to now" in vetlla("sla", "watch").out


def test_the_plug_in_is_fine_with_nothing_open_and_critical_after_a_breach(vetlla: Vetlla, state_dir: Path) -> None:
    register_homes(state_dir.parent)
    done = vetlla("sla", "watch", "--check")
    assert (done.status, done.out.startswith("SLA OK")) == (0, True)
    assert vetlla("duties", "open", "call_audit", "alarm:1").status == 0
    assert vetlla("duties", "event", "1", "not_met").status == 0
    done = vetlla("sla", "watch", "--check", "--json")
    assert (done.status, [one["check"] for one in done.json]) == (2, ["ans_8"])


def test_the_plug_in_is_unknown_without_a_registry(vetlla: Vetlla, tmp_path: Path) -> None:
    done = vetlla("sla", "watch", "--check", "--state-dir", tmp_path / "none")
    assert (done.status, "UNKNOWN" in done.out) == (3, True)

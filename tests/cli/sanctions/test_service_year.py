"""A generated year: the ledger has the faults that were planted, and the months that the report of levels gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.conftest import imported
from vetlla.simulator.service_year import EVENTS, PLAN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = 150
FAULTS = {"document": "S03", "incident": "S06", "key_destruction": "S41"}
KINDS = (*FAULTS, "fault", "fault_visit", "visit", "key")


def test_planted_faults_and_months_stand_in_the_ledger_and_no_others(vetlla: Vetlla, tmp_path: Path) -> None:
    year = tmp_path / "year"
    vetlla("simulate", "year", "--homes", HOMES, "--year", "2025", "--seed", "3", "--out", year)
    imported(vetlla, year)
    for kind in KINDS:
        assert vetlla("duties", "import", year / EVENTS / f"{kind}.csv", "--json").json[0]["bad"] == 0
    plan = [json.loads(line) for line in (year / PLAN).read_text(encoding="utf-8").splitlines()]
    planted = {
        (FAULTS[one["kind"]], one["ref"]) for one in plan if one["kind"] in FAULTS and one["verdict"] == "breached"
    }
    rows = vetlla("sanctions", "ledger", "--year", "2025", "--json").json
    found = {(row["fault"], row["about"].split()[-1]) for row in rows if row["cases"]}
    assert {fault for fault, _ in planted} == set(FAULTS.values())
    assert found == planted
    report = vetlla("sla", "report", "--month", "2025-01..2025-12", "--json").json
    for row in rows:
        if row["about"].startswith("ANS "):
            ans = int(row["about"].split()[1])
            missed = {one["month"] for one in report if one["ans"] == ans and one["verdict"] == "not_kept"}
            assert set(row["months"]) <= missed
    counts = [one["ans"] for one in report if one["verdict"] == "not_kept"]
    assert {row["about"] for row in rows if row["fault"] == "S29"} >= {
        f"ANS {ans}" for ans in {*counts} if counts.count(ans) >= 3
    }

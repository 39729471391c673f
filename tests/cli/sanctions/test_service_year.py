"""A generated year: the ledger has every fault that was planted, as a second count says, and no other."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.rigs.contract_judge import Entry, Year, entries
from tests.rigs.service_year import ServiceYear, build
from vetlla.settings.shipped import parameters_file
from vetlla.simulator.service_year import EVENTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES: Final = 300
SEED: Final = 3
YEAR: Final = 2025
CEILINGS: Final = {
    "minor": "1003977.14", "grave": "2007954.28", "very_grave": "3346590.46", "termination": None,
    "penalty": "3346590.46",
}  # fmt: skip
"""3, 6 and 10 % of 33,465,904.60 EUR."""
ONE_PERCENT: Final = Decimal("334659.046")
EVERY: Final = {
    "S03", "S04", "S06", "S10", "S17", "S26", "S27", "S28", "S29", "S39", "S41", "S42", "S43", "S44", "S45", "R5", "R7",
    "18.equality", "18.conciliation",
}  # fmt: skip
"""What a year can show; the other faults are recorded by hand, and S31 needs an offer."""


@pytest.fixture
def year(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> ServiceYear:
    return build(vetlla, state_dir, tmp_path / "made", HOMES, SEED)


def test_the_ledger_says_what_was_planted_and_nothing_else(vetlla: Vetlla, year: ServiceYear, tmp_path: Path) -> None:
    rows = vetlla("sanctions", "ledger", "--year", YEAR, "--json").json
    duties = vetlla("duties", "list", "--json").json
    known = Year(year.plan, duties, _kept(vetlla), tmp_path / "made" / "year" / EVENTS, YEAR)
    found = _found(rows, duties)
    assert found == entries(known)
    assert {one.fault for one in found} == EVERY
    _has_the_ceilings(rows)

    shipped = parameters_file().read_text(encoding="utf-8")
    before, name, after = shipped.partition('name = "umo.offered_share"\nvalue = ')
    assert after.startswith("80\n")
    offered = tmp_path / "offered.toml"
    offered.write_text(f"{before}{name}95{after[2:]}", encoding="utf-8")
    with_offer = ("--parameters", offered)
    rows = vetlla("sanctions", "ledger", "--year", YEAR, "--json", *with_offer).json
    found = _found(rows, duties)
    assert found == entries(known._replace(offered=95, kept=_kept(vetlla, *with_offer)))
    assert {one.fault for one in found} == {*EVERY, "S31"}


def _kept(vetlla: Vetlla, *words: object) -> set[tuple[int, str]]:
    rows = vetlla("sla", "report", "--month", f"{YEAR}-01..{YEAR}-12", "--json", *words).json
    return {(row["ans"], row["month"]) for row in rows if row["verdict"] == "kept"}


def _found(rows: list[dict[str, Any]], duties: list[dict[str, Any]]) -> list[Entry]:
    """Return the rows of the ledger under the names that the plan gives."""
    names = {str(one["id"]): f"{one['kind']} {one['ref']}" for one in duties}
    found = []
    for row in rows:
        arrivals = row["fault"] == "S27"
        cases = sorted(
            f"emergency {names[one['number']].split()[1]}" if arrivals else names[one["number"]] for one in row["cases"]
        )
        is_series = row["months"] and (not row["cases"] or arrivals)
        faults = [one.split()[:2] for one in row["faults"]]
        found.append(
            Entry(
                row["fault"],
                date.fromisoformat(row["day"]),
                row["about"] if is_series else "",
                tuple(row["months"]),
                tuple(cases),
                tuple((fault, date.fromisoformat(day)) for fault, day in faults),
            )
        )
    return sorted(found)


def _has_the_ceilings(rows: list[dict[str, Any]]) -> None:
    of_class: defaultdict[str, set[str | None]] = defaultdict(set)
    for row in rows:
        of_class[row["class"]].add(row["ceiling"])
        expected = f"{ONE_PERCENT * len(row['months']):.2f}" if row["class"] == "penalty" else None
        assert row["amount"] == expected
    assert of_class == {name: {ceiling} for name, ceiling in CEILINGS.items()}

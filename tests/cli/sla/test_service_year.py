"""The generated year in ``sla report``: each planted breach is in its month and level, and nothing else is."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from tests.rigs.planted_year import ANS_OF_KIND, planted, short_shares

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.rigs.planted_year import Cases
    from tests.rigs.service_year import ServiceYear

MONTHS: Final = [f"2025-{number:02}" for number in range(1, 13)]
NOT_MEASURED: Final = {13, 18, 21}


def reported(vetlla: Vetlla, rows: list[dict[str, Any]], duties: dict[str, dict[str, Any]]) -> Cases:
    """Return the breaches of the report under the names that the plan gives them."""
    alarms = {str(one["id"]): f"alarm {one['alarm']}" for one in vetlla("signals", "export").json}
    calls: dict[str, str] = {}
    found: Cases = defaultdict(set)
    for row in rows:
        for one in row["breached"]:
            if one["what"] == "signal":
                name = alarms[one["number"]]
            elif one["what"] == "call":
                number = one["number"]
                if number not in calls:
                    calls[number] = f"call {vetlla('calls', 'show', number, '--json').json[0]['external_id']}"
                name = calls[number]
            else:
                duty = duties[one["number"]]
                name = f"{duty['kind']} {duty['ref']}"
                assert one["home"] or duty["kind"] in {"call_audit", "incident", "document", "renewal", "maintenance"}
            found[row["ans"], row["month"]].add(name)
    return found


def test_each_planted_breach_is_in_its_month_and_its_level(vetlla: Vetlla, service_year: ServiceYear) -> None:
    rows = vetlla("sla", "report", "--month", "2025-01..2025-12", "--json").json
    assert [(row["month"], row["ans"]) for row in rows] == [(month, ans) for month in MONTHS for ans in range(1, 24)]
    every = vetlla("duties", "list", "--json").json
    by_ref = {(one["kind"], one["ref"]): one for one in every}
    wanted = planted(service_year.plan, by_ref)
    found = reported(vetlla, rows, {str(one["id"]): one for one in every})
    in_2025 = {key: names for key, names in wanted.items() if key[1] in MONTHS}
    assert dict(found) == in_2025
    assert {ans for ans, _ in found} == {*ANS_OF_KIND.values(), 5, 6, 7}
    _has_the_planned_verdicts(rows, service_year.plan, in_2025)
    _has_the_grave_faults(rows, service_year.plan)
    _explains_the_same(vetlla, rows)


def _has_the_planned_verdicts(rows: list[dict[str, Any]], plan: list[dict[str, Any]], wanted: Cases) -> None:
    """Check that a level is not kept if a breach was planted, or an answer in time is missing, and only then."""
    broken = {*wanted, *short_shares(plan)}
    assert {(row["ans"], row["month"]) for row in rows if row["verdict"] == "not_kept"} == broken
    assert {row["ans"] for row in rows if row["verdict"] == "not_measured"} == NOT_MEASURED
    (exact,) = {one["month"] for one in plan if one["way"] == "exactly the share in time"}
    (row,) = [row for row in rows if (row["ans"], row["month"]) == (6, exact)]
    assert row["verdict"] == "kept"
    assert all(row["breaches"] == len(row["breached"]) for row in rows)


def _has_the_grave_faults(rows: list[dict[str, Any]], plan: list[dict[str, Any]]) -> None:
    grave = sum(one["grave"] for row in rows for one in row["breached"])
    assert grave == sum(one["worse"] for one in plan if one["kind"] in ANS_OF_KIND) > 2


def _explains_the_same(vetlla: Vetlla, rows: list[dict[str, Any]]) -> None:
    """Check that the cases of ``sla explain`` are those of the figure, and that each names a command that shows it."""
    for row in rows:
        if row["month"] != "2025-04" or row["ans"] in NOT_MEASURED or not row["breaches"]:
            continue
        done = vetlla("sla", "explain", row["ans"], "--month", row["month"], "--breaches", "--json").json[0]
        counts = done["counts"]
        assert sum(counts.get(name, 0) for name in ("kept", "late", "breached")) == row["denominator"] + sum(
            part["denominator"] for part in row["parts"][1:] if part["name"] == "scheduled"
        )
        assert {one["number"] for one in done["cases"]} == {one["number"] for one in row["breached"]}
        for one in done["cases"][:2]:
            assert vetlla(*one["show"].split()[1:]).status == 0, one["show"]


def test_a_month_with_cases_of_every_level_is_a_page_in_each_language(
    vetlla: Vetlla, service_year: ServiceYear, tmp_path: Path
) -> None:
    """March has emergencies of both types, with all their limits; no name of the program is left on the page."""
    assert any(one["kind"] == "umo_1" and one["month"] == "2025-03" for one in service_year.plan)
    for language in ("ca", "es", "en"):
        for out in (tmp_path / f"{language}.html", tmp_path / f"{language}.pdf"):
            done = vetlla("sla", "report", "--month", "2025-03", "--language", language, "--out", out)
            assert (done.status, out.exists()) == (1, True), done.error
        page = (tmp_path / f"{language}.html").read_text(encoding="utf-8")
        for name in ("duty.", "sla.", "umo.", "home_risk", "left_out", "umo_1", "within_", "not_done"):
            assert f">{name}" not in page, name
            assert f" {name}" not in page, name

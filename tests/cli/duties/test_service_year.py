"""A generated year at the tender's rates: every planted breach is found, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from bench.office.communications import judge_alarms, judge_calls
from bench.office.service_year import COMMUNICATIONS, judge
from vetlla.settings.shipped import parameters_file
from vetlla.simulator.service_year import PLAN
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.rigs.service_year import ServiceYear

Plan: TypeAlias = list[dict[str, Any]]


def test_every_planted_breach_is_found_and_nothing_else(
    vetlla: Vetlla, tmp_path: Path, service_year: ServiceYear
) -> None:
    """The files are imported as other systems deliver them: rows mixed up, closings before openings."""
    plan, written, counts = service_year.plan, service_year.written, service_year.events
    assert sum(one["new"] for one in counts) == written["events"] > 50_000
    assert sum(one["bad"] + one["unchanged"] for one in counts) == 0
    assert vetlla("duties", "check", "--loose", "--json").out == ""
    _finds_the_planted_calls(vetlla, service_year)
    _finds_the_planted_alarms(vetlla, plan, written)
    breached = vetlla("duties", "list", "--verdict", "breached", "--json").json
    assert judge(plan, breached) == []
    assert len(breached) > 90
    assert sum(one["verdict"] == "breached" for one in plan) == written["planted"]
    _says_the_planned_verdicts(plan, vetlla("duties", "list", "--json").json, written)
    _finds_differences_under_other_rules(vetlla, tmp_path, plan)


def _finds_the_planted_calls(vetlla: Vetlla, service_year: ServiceYear) -> None:
    """Compare the calls with the plan. Some of them fulfil follow-ups, which were open until then."""
    plan, done = service_year.plan, service_year.calls
    assert sum(one["new"] for one in done) == service_year.written["calls"] > 40_000
    assert sum(one["counted"] for one in done) > 300
    lacking = [word for proof in ("registered", "recorded", "filed") for word in ("--lacks", proof)]
    found = vetlla("calls", "list", "--since", "2025-01-01", *lacking, "--limit", 1_000, "--json").json
    reports = [vetlla("calls", "report", "--month", f"2025-{month:02}", "--json").json[0] for month in range(1, 13)]
    assert judge_calls(plan, reports, found) == []
    assert len(judge_calls(plan, reports[:3] + reports[4:], found[1:])) == 2


def _finds_the_planted_alarms(vetlla: Vetlla, plan: Plan, written: dict[str, Any]) -> None:
    """Every emergency names its alarm, which its first communication opened."""
    signals = vetlla("signals", "export").json
    assert len(signals) == written["alarms"] > 7_000
    assert judge_alarms(plan, signals) == []
    assert len(judge_alarms(plan, [one for one in signals if one["established"][:7] != "2025-10"])) == 2
    assert vetlla("audit", "verify").status == 0
    established = {str(one["alarm"]): one["established"] for one in signals}
    for one in vetlla("duties", "list", "--kind", "umo_1", "--limit", 3, "--json").json:
        first = vetlla("duties", "show", one["id"], "--json").json[0]["events"][0]
        assert established[first["details"]["alarm"]] == first["at"]


def _says_the_planned_verdicts(plan: Plan, every: list[dict[str, Any]], written: dict[str, Any]) -> None:
    """Near misses are kept or cancelled as planned, and every kind is breached in some way."""
    verdicts = {(one["kind"], one["ref"]): one["verdict"] for one in every if one["ref"].startswith("PL-")}
    duties = [one for one in plan if one["kind"] not in COMMUNICATIONS]
    assert verdicts == {(one["kind"], one["ref"]): one["verdict"] for one in duties}
    assert len(every) == written["duties"]
    assert {one["verdict"] for one in every if not one["ref"].startswith("PL-")} == {"kept"}
    known = load_rules().kinds
    assert {one["kind"] for one in duties if one["verdict"] == "breached"} == {
        name for name in known.names() if known.kind(name).clock.value != "none" or name == "call_audit"
    }


def _finds_differences_under_other_rules(vetlla: Vetlla, tmp_path: Path, plan: Plan) -> None:
    """Let the judge find something: with a minute more, duties that just missed one limit are kept."""
    figures = parameters_file().read_text(encoding="utf-8")
    longer = tmp_path / "parameters.toml"
    changed = figures.replace('name = "duty.umo_1.limit"\nvalue = 35', 'name = "duty.umo_1.limit"\nvalue = 36')
    assert changed != figures
    longer.write_text(changed, encoding="utf-8")
    found = vetlla("duties", "list", "--verdict", "breached", "--json", "--parameters", longer).json
    differences = judge(plan, found)
    assert "umo_1" in differences[0]
    assert "one microsecond too late" in differences[0]
    assert all(one.startswith("umo_1") for one in differences)


def test_the_judge_names_what_was_not_planted() -> None:
    planted: dict[str, Any] = {"kind": "fault", "subject": "H1", "ref": "A", "way": "late", "verdict": "breached"}
    planted |= {"worse": False}
    other = {"kind": "fault", "subject": "H2", "ref": "B", "worse": None, "why": "It is late."}
    assert judge([planted], [other]) == [
        "fault H1 A (late): planted as breached",
        "fault H2 B: not planted: It is late.",
    ]
    grave = {"kind": "fault", "subject": "H1", "ref": "A", "worse": "grave fault"}
    assert judge([planted], [grave]) == ["fault H1 A (late): grave fault"]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_year(vetlla: Vetlla, tmp_path: Path) -> None:
    def files(folder: str, seed: int) -> dict[str, bytes]:
        out = tmp_path / folder
        assert vetlla("simulate", "year", "--homes", 50, "--seed", seed, "--year", 2025, "--out", out).status == 0
        return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}

    first, again, other = files("a", 3), files("b", 3), files("c", 4)
    assert first == again
    assert first.keys() == other.keys()
    assert first["events/fault.csv"] != other["events/fault.csv"]


def test_a_year_that_is_not_over_is_refused(vetlla: Vetlla, tmp_path: Path) -> None:
    done = vetlla("simulate", "year", "--out", tmp_path / "year", "--year", "2090")
    assert "2090 is not over, and events to come cannot be imported" in done.error
    assert vetlla("simulate", "year", "--out", tmp_path / "year", "--year", "2024").status == 2


def test_an_existing_year_stays(vetlla: Vetlla, tmp_path: Path) -> None:
    (tmp_path / PLAN).write_text("mine", encoding="utf-8")
    done = vetlla("simulate", "year", "--out", tmp_path)
    assert f"{tmp_path / PLAN}: exists already" in done.error
    assert "cannot be written" in vetlla("simulate", "year", "--homes", 10, "--out", "/proc/year").error

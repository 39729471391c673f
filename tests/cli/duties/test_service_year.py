"""A generated year at the tender's rates: every planted breach is found, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.office.service_year import judge, lines
from tests.cli.conftest import imported
from vetlla.settings.shipped import parameters_file
from vetlla.simulator.service_year import EVENTS, PLAN
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

HOMES = 2_000


def test_every_planted_breach_is_found_and_nothing_else(vetlla: Vetlla, tmp_path: Path) -> None:
    """The files are imported as other systems deliver them: rows mixed up, closings before openings."""
    year = tmp_path / "year"
    done = vetlla("simulate", "year", "--homes", HOMES, "--year", "2025", "--seed", "7", "--out", year, "--json")
    written = done.json[0]
    imported(vetlla, year)
    counts = [
        vetlla("duties", "import", file, "--json").json[0] for file in sorted((year / EVENTS).iterdir(), reverse=True)
    ]
    assert sum(one["new"] for one in counts) == written["events"] > 50_000
    assert sum(one["bad"] + one["unchanged"] for one in counts) == 0
    assert vetlla("duties", "check", "--loose", "--json").out == ""
    plan = lines(year / PLAN)
    breached = vetlla("duties", "list", "--verdict", "breached", "--json").json
    assert judge(plan, breached) == []
    assert len(breached) == written["planted"] > 90
    _says_the_planned_verdicts(plan, vetlla("duties", "list", "--json").json, written)
    _finds_differences_under_other_rules(vetlla, tmp_path, plan)


def _says_the_planned_verdicts(
    plan: list[dict[str, Any]], every: list[dict[str, Any]], written: dict[str, Any]
) -> None:
    """Near misses are kept or cancelled as planned, and every kind is breached in some way."""
    verdicts = {(one["kind"], one["ref"]): one["verdict"] for one in every if one["ref"].startswith("PL-")}
    assert verdicts == {(one["kind"], one["ref"]): one["verdict"] for one in plan}
    assert len(every) == written["duties"]
    assert {one["verdict"] for one in every if not one["ref"].startswith("PL-")} == {"kept"}
    known = load_rules().kinds
    assert {one["kind"] for one in plan if one["verdict"] == "breached"} == {
        name for name in known.names() if known.kind(name).clock.value != "none"
    }


def _finds_differences_under_other_rules(vetlla: Vetlla, tmp_path: Path, plan: list[dict[str, Any]]) -> None:
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

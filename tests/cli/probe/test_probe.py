"""``vetlla probe``: a machine probes, its files are imported, and the month is reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.daemon import PATIENCE_S, VETLLA, running
from tests.rigs.sip.servers import running_kamailio
from vetlla.settings.shipped import parameters_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

FILE = '[[component]]\nname = "{name}"\npart = "access"\nkind = "file"\npath = "{path}"\nmax_age_s = 3600\n'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return the file of a machine that looks at one file, which is not there yet."""
    file = tmp_path / "probe.toml"
    file.write_text('machine = "m1"\n' + FILE.format(name="export", path=tmp_path / "export.csv"), encoding="utf-8")
    return file


def line(started: str, component: str = "dc09", result: str = "ok", machine: str = "m1", **more: str) -> str:
    """Return a line of a probe."""
    reason = "" if result == "ok" else "no answer in 5 s"
    known = {"machine": machine, "component": component, "part": "system", "started": started}
    rest = {"duration_us": 9_000, "result": result, "reason": reason, "through": "ack" if result == "ok" else ""} | {
        "account": ""
    }
    return json.dumps(known | rest | more) + "\n"


def hours(day: int, first: int, last: int, *, step_s: int = 100, result: str = "ok") -> str:
    """Return the lines of probes from an hour of a day of November (UTC) until another one."""
    seconds = range(first * 3_600, last * 3_600, step_s)
    times = (f"2025-11-{day:02d}T{at // 3600:02d}:{at // 60 % 60:02d}:{at % 60:02d}Z" for at in seconds)
    return "".join(line(at, result=result) for at in times)


def test_a_machine_probes_and_writes_lines_that_the_office_imports(
    vetlla: Vetlla, config: Path, tmp_path: Path
) -> None:
    out = tmp_path / "probes.ndjson"
    assert vetlla("probe", "run", "--config", config, "--out", out).status == 1
    (tmp_path / "export.csv").write_text("1", encoding="utf-8")
    done = vetlla("probe", "run", "--config", config, "--out", out, "--once", "--json")
    assert done.status == 0
    told = [json.loads(text) for text in out.read_text(encoding="utf-8").splitlines()]
    assert [one["result"] for one in told] == ["failed", "ok"]
    assert told[1:] == done.json
    assert {
        "machine",
        "component",
        "part",
        "started",
        "ended",
        "duration_us",
        "result",
        "reason",
        "through",
        "account",
    } == set(told[0])
    assert vetlla("probe", "import", out, "--json").json[0]["new"] == 2
    listed = vetlla("probe", "list", "--json").json
    assert listed == told
    assert [one["result"] for one in vetlla("probe", "list", "--failed", "--json").json] == ["failed"]
    assert "export" in vetlla("probe", "list").out


def test_half_a_line_costs_no_other_line(vetlla: Vetlla, config: Path, tmp_path: Path) -> None:
    """A machine that lost its power left half a line; the next run begins a new one."""
    out = tmp_path / "probes.ndjson"
    half = line("2025-11-01T10:00:00Z")[:60]
    out.write_text(half, encoding="utf-8")
    vetlla("probe", "run", "--config", config, "--out", out)
    done = vetlla("probe", "import", out, "--aside", tmp_path / "aside", "--json")
    assert done.status == os.EX_DATAERR
    assert (done.json[0]["new"], done.json[0]["put_aside"]) == (1, 1)
    assert done.json[0]["aside"][0]["line"] == 1
    assert (tmp_path / "aside").read_text(encoding="utf-8") == half + "\n"


def test_a_plug_in_says_what_was_not_reached(vetlla: Vetlla, config: Path, tmp_path: Path) -> None:
    """Its status is that of Nagios; a file that cannot be read is UNKNOWN."""
    done = vetlla("probe", "run", "--config", config, "--check")
    assert (done.status, done.out.splitlines()[0]) == (2, "PROBE CRITICAL: 0 of 1 components reached")
    (tmp_path / "export.csv").write_text("1", encoding="utf-8")
    done = vetlla("probe", "run", "--config", config, "--check")
    assert (done.status, done.out) == (0, "PROBE OK: 1 of 1 components reached\n")
    assert vetlla("probe", "run", "--config", tmp_path / "none", "--check").status == 3
    assert vetlla("probe", "run", "--config", config, "--check", "--count", "2").status == 3


def test_a_signal_ends_a_run_in_order(config: Path, tmp_path: Path) -> None:
    """The probes so far are whole lines."""
    out = tmp_path / "probes.ndjson"
    words = [VETLLA, "probe", "run", "--config", str(config), "--interval", "1h", "--out", str(out), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as running_probe:
        assert running_probe.stdout is not None
        first = running_probe.stdout.readline()
        running_probe.send_signal(signal.SIGTERM)
        assert running_probe.wait(PATIENCE_S) == 1
    assert out.read_text(encoding="utf-8") == first


def test_only_the_named_components_are_probed(vetlla: Vetlla, config: Path, tmp_path: Path) -> None:
    with config.open("a", encoding="utf-8") as out:
        out.write(FILE.format(name="here", path=config))
    done = vetlla("probe", "run", "--config", config, "--component", "here", "--json")
    assert [one["component"] for one in done.json] == ["here"]
    wrong = vetlla("probe", "run", "--config", config, "--component", "other")
    assert (wrong.status, "other" in wrong.error) == (os.EX_USAGE, True)


def test_the_office_finds_what_a_machine_outside_sent_in_the_journal(vetlla: Vetlla, tmp_path: Path) -> None:
    """The machine saw only acknowledgements; one that the journal does not have is named."""
    out = tmp_path / "probes.ndjson"
    with running(tmp_path / "receiver") as daemon:
        file = tmp_path / "probe.toml"
        file.write_text(
            'machine = "m1"\n[[component]]\nname = "dc09"\nkind = "dc09"\n'
            f'to = "127.0.0.1:{daemon.port}"\naccount = "99001"\n',
            encoding="utf-8",
        )
        done = [vetlla("probe", "run", "--config", file, "--json", "--out", out) for _ in range(3)]
    assert [(one.status, one.json[0]["through"]) for one in done] == [(0, "ack")] * 3
    at = ("--state-dir", daemon.state_dir)
    assert vetlla("probe", "import", out, *at).status == 0
    (row,) = vetlla("probe", "verify", "--json", *at).json
    assert (row["account"], row["acknowledged"], row["in_journal"]) == ("99001", 3, 3)
    assert row["placed"] >= 2  # the stamp of the last commit of a run is written with the next one
    assert vetlla("probe", "verify", *at).status == 0
    lost = done[0].json[0] | {"machine": "m2"}
    (tmp_path / "m2").write_text(json.dumps(lost) + "\n", encoding="utf-8")
    assert vetlla("probe", "import", tmp_path / "m2", *at).status == 0
    found = vetlla("probe", "verify", "--json", *at)
    assert (found.status, found.json[0]["missing"]) == (1, 1)
    assert "not in the journal" in vetlla("probe", "verify", *at).out


def test_a_sip_edge_is_probed_and_its_time_is_counted(vetlla: Vetlla, tmp_path: Path) -> None:
    """It is seen through to its answer, has no account, and the office imports it like any other probe."""
    out = tmp_path / "probes.ndjson"
    with running_kamailio(tmp_path / "edge") as edge:
        file = tmp_path / "probe.toml"
        file.write_text(
            f'machine = "m1"\n[[component]]\nname = "edge"\nkind = "sip"\nto = "127.0.0.1:{edge.plain}"\n',
            encoding="utf-8",
        )
        done = vetlla("probe", "run", "--config", file, "--out", out)
    assert (done.status, "seen through to the ack" in done.out) == (0, True)
    gone = vetlla("probe", "run", "--config", file, "--out", out, "--json")
    assert (gone.status, gone.json[0]["result"], gone.json[0]["account"]) == (1, "failed", "")
    at = ("--state-dir", tmp_path / "state")
    assert vetlla("probe", "import", out, *at).status == 0
    assert [one["result"] for one in vetlla("probe", "list", "--json", *at).json] == ["ok", "failed"]


@pytest.fixture
def november(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    """Import a day of probes with an outage of an hour, from two files that overlap."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text(hours(3, 0, 10) + hours(3, 10, 11, result="timeout"), encoding="utf-8")
    two.write_text(hours(3, 10, 11, result="timeout") + hours(3, 11, 24), encoding="utf-8")
    done = vetlla("probe", "import", one, two, "--json").json[0]
    assert (done["new"], done["unchanged"]) == (864, 36)
    return vetlla


def test_the_report_tells_available_unavailable_and_unseen_time(november: Vetlla) -> None:
    (row,) = november("probe", "report", "--month", "2025-11", "--json").json
    hour = 3_600_000_000
    assert (row["available_us"], row["unavailable_us"]) == (23 * hour + 20_000_000, hour)
    assert row["available_us"] + row["unavailable_us"] + row["unseen_us"] == row["total_us"] == 720 * hour
    told = november("probe", "report", "--month", "2025-11").out
    assert "ANS 18: 3.20 % of at least 99.9 %: not kept" in told
    assert "ANS 21: not measured" in told


@pytest.mark.parametrize("words", [("report",), ("verify",), ("report", "--known", "2025-10-31T12:00")])
def test_a_month_that_has_not_begun_is_refused(november: Vetlla, words: tuple[str, ...]) -> None:
    """So it is by other reports. With --known it is a month that had not begun then."""
    month = "2025-11" if "--known" in words else "2099-01"
    done = november("probe", *words, "--month", month)
    assert (done.status, done.error.splitlines()[0]) == (64, f"{month} has not begun")


def test_the_service_levels_have_the_same_figures(november: Vetlla) -> None:
    ans18, ans21 = november("sla", "report", "--month", "2025-11", "--ans", "18", "--ans", "21", "--json").json
    (row,) = november("probe", "report", "--month", "2025-11", "--json").json
    assert (ans18["numerator"], ans18["denominator"]) == (row["available_us"], row["total_us"])
    assert (ans18["verdict"], ans21["verdict"]) == ("not_kept", "not_measured")
    assert [one["reason"] for one in ans18["breached"]] == ["not_checked", "unavailable", "not_checked"]


def test_the_log_of_incidents_has_the_outage_and_what_was_noted(november: Vetlla) -> None:
    words: tuple[Any, ...] = ("--component", "dc09", "--from", "2025-11-03T11:00", "--until", "2025-11-03T12:00")
    tried = november("probe", "incident", "add", *words, "--note", "new disk", "--planned", "--dry-run")
    assert "dry run" in tried.out
    assert november("probe", "incident", "add", *words, "--note", "new disk", "--planned", "--json").json[0]["planned"]
    found = november("probe", "incident", "list", "--month", "2025-11", "--json").json
    assert [(one["what"], [note["note"] for note in one["notes"]]) for one in found] == [
        ("unseen", []),
        ("unavailable", ["new disk"]),
        ("unseen", []),
    ]
    assert found[1]["begin"] == "2025-11-03T10:00:00.000000Z"
    assert "planned: new disk" in november("probe", "incident", "list", "--month", "2025-11").out
    wrong = november("probe", "incident", "add", "--component", "a b", *words[2:], "--note", "x")
    assert wrong.status == os.EX_USAGE


def explained(service: Vetlla, *words: object) -> dict[str, Any]:
    """Return the explanation of ANS 18 in November."""
    (found,) = service("sla", "explain", 18, "--month", "2025-11", *words, "--json").json
    return found


def test_a_figure_is_walked_to_each_outage_and_unseen_time(november: Vetlla) -> None:
    """Each has the probe that began it, the machines, what it costs, what was noted, and a command that shows it."""
    noted = ("--component", "dc09", "--from", "2025-11-03T11:00", "--until", "2025-11-03T12:00", "--note", "new disk")
    alone = ("--component", "dc09", "--from", "2025-11-03T15:00", "--until", "2025-11-03T16:00", "--note", "all well")
    for words in (noted, alone):
        assert november("probe", "incident", "add", *words).status == 0
    found = explained(november)
    assert found["counts"] == {"breached": 3} == {"breached": found["figure"]["breaches"]}
    before, outage, after = found["cases"]
    assert [one["subject"] for one in found["cases"]] == ["dc09"] * 3
    for told in ("was of m1, at 2025-11-03T10:00:00.000000Z: no answer in 5 s.", "Machines that looked: m1.",
                 "with weight 1", "availability.overlap is any", "incident 1: new disk", "16.18"):  # fmt: skip
        assert told in outage["why"], told
    assert "No probe vouches" in before["why"]
    assert "availability.unseen is unavailable" in after["why"]
    assert "Nothing is noted" in after["why"]
    text = " ".join(found["words"])
    for told in ("Component dc09: ", "It has 100.0000 % of the level's time", "incident 2: all well"):
        assert told in text, told
    shown = november(*outage["show"].split()[1:], "--json").json
    assert shown[0]["started"] == "2025-11-03T10:00:00.000000Z"
    assert {one["result"] for one in shown} == {"timeout"}
    assert november(*before["show"].split()[1:]).status == 0
    assert "unavailable" in november("sla", "explain", 18, "--month", "2025-11").out


def test_unseen_time_that_is_excluded_is_shown_and_breaks_nothing(november: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "parameters.toml"
    text = parameters_file().read_text(encoding="utf-8")
    file.write_text(text.replace('value = "unavailable"', 'value = "excluded"'), encoding="utf-8")
    found = explained(november, "--parameters", file)
    assert found["counts"] == {"breached": 1, "unmeasured": 2}
    assert [one["verdict"] for one in found["cases"]] == ["unmeasured", "breached", "unmeasured"]
    assert "It is in neither number." in found["cases"][0]["why"]


def test_a_level_of_components_knows_no_home(november: Vetlla) -> None:
    done = november("sla", "explain", 21, "--month", "2025-11", "--home", "H1")
    assert done.status == os.EX_USAGE
    assert done.error.splitlines()[0] == "ANS 21 has no case of a home: its cases are times of components"
    without = november("sla", "explain", 21, "--month", "2025-11")
    assert (without.status, "not measured" in without.out) == (0, True)

"""``vetlla reminders doctor`` as a monitoring plug-in runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.rigs.reminders_desk import DeskWorld


def test_findings_have_levels_remedies_and_the_exit_status_of_the_worst(vetlla: Vetlla, desk: DeskWorld) -> None:
    desk.db.execute("PRAGMA user_version")  # it is there
    done = vetlla("reminders", "doctor", "--json")
    found = {one["check"]: one for one in done.json}
    assert done.status == 2
    assert set(found["service"]) == {"check", "level", "text", "remedy", "home", "device", "figures"}
    assert (found["configuration"]["level"], found["database"]["level"]) == ("critical", "ok")
    assert found["service"]["remedy"].startswith("systemctl start vetlla-reminders")
    assert all(one["remedy"] for one in done.json if one["level"] != "ok")
    shown = vetlla("reminders", "doctor").out
    assert "-> systemctl start vetlla-reminders" in shown


def test_a_fault_in_the_configuration_is_the_only_finding(vetlla: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text("statedir = 1\n", encoding="utf-8")
    done = vetlla("reminders", "doctor", "--config", file, "--json")
    assert done.status == 2
    assert [(one["check"], one["level"]) for one in done.json] == [("configuration", "critical")]
    assert "statedir" in done.json[0]["text"]

"""The fingerprint of rules changes with what their clocks use, and with nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.settings.shipped import duty_kinds_file, parameters_file
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    from pathlib import Path


def fingerprint(file: Path, text: str) -> str:
    """Return the fingerprint of rules with these parameters."""
    file.write_text(text, encoding="utf-8")
    return load_rules(parameters=file).fingerprint


def changed(text: str, name: str) -> str:
    """Return parameters in which the first entry of a name holds from a year earlier."""
    place = text.index(f'name = "{name}"')
    return text[:place] + text[place:].replace("valid_from = 2024", "valid_from = 2023", 1)


def test_only_parameters_of_clocks_make_other_rules(tmp_path: Path) -> None:
    text = parameters_file().read_text(encoding="utf-8")
    file = tmp_path / "parameters.toml"
    usual = fingerprint(file, text)
    assert usual == load_rules().fingerprint
    for name in ("duty.fault.limit", "duty.stop.absent", "recovery", "zone", "holidays.local"):
        assert changed(text, name) != text, name
        assert fingerprint(file, changed(text, name)) != usual, name
    assert changed(text, "contract.end") != text
    assert fingerprint(file, changed(text, "contract.end")) == usual


def test_another_file_of_kinds_makes_other_rules(tmp_path: Path) -> None:
    """A comment changes no rule, and an event that stops a clock does."""
    file = tmp_path / "duties.toml"
    text = duty_kinds_file().read_text(encoding="utf-8")
    file.write_text(text + "# mine\n", encoding="utf-8")
    assert load_rules(file).fingerprint == load_rules().fingerprint
    other = text.replace('paused = { until = ["resumed"] }', 'paused = { until = ["resumed", "scheduled"] }', 1)
    assert other != text
    file.write_text(other, encoding="utf-8")
    assert load_rules(file).fingerprint != load_rules().fingerprint

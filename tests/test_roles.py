"""The machine allows each role what the handbook says: groups of the receiver, and commands of sudo."""

from __future__ import annotations

import re
from pathlib import Path

from tests.rigs.command_tree import commands
from vetlla.settings.surfaces import ControlSettings

ROOT = Path(__file__).parents[1]
SUDO = (ROOT / "config" / "sudo" / "vetlla-engineers").read_text(encoding="utf-8")
HANDBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
NEVER = {"receiver", "decode", "capture", "simulate", "demo", "db"}
"""Commands that sudo must not allow: they run another receiver, read or write any file of its user, or restore a
copy."""


def _allowed() -> set[str]:
    return set(re.findall(r"^\s+/usr/local/bin/vetlla ([a-z-]+)", SUDO, flags=re.MULTILINE))


def test_sudo_allows_what_the_handbook_says() -> None:
    """Sudo and the handbook allow the same commands. All of them exist, and none is in ``NEVER``."""
    (row,) = re.findall(r"^\| engineer, as the receiver's user .*$", HANDBOOK, flags=re.MULTILINE)
    named = set(re.findall(r"`([a-z-]+)`", row.partition("by sudo |")[2]))
    assert _allowed() == named
    assert named <= {command.path.split()[0] for command in commands()}
    assert not named & NEVER


def test_sudo_becomes_the_receivers_user_and_no_other() -> None:
    """There is one rule: the engineers' group may run the program that the handbook links, as the units' user."""
    (rule,) = re.findall(r"^%.*$", SUDO, flags=re.MULTILINE)
    assert rule == "%vetlla-engineers ALL = (vetlla) NOPASSWD: VETLLA_OFFICE"
    unit = (ROOT / "config" / "systemd" / "vetlla.service").read_text(encoding="utf-8")
    assert "\nUser=vetlla\n" in unit
    assert "ln -s /opt/vetlla/bin/vetlla /usr/local/bin/vetlla" in HANDBOOK
    assert "vetlla-engineers" in (ROOT / "config" / "systemd" / "vetlla-sysusers.conf").read_text(encoding="utf-8")


def test_every_role_has_its_row() -> None:
    """The example configuration and the handbook's table have the same groups."""
    example = (ROOT / "config" / "vetlla.toml").read_text(encoding="utf-8")
    for role in set(ControlSettings.model_fields) - {"mode"}:
        (group,) = re.findall(rf'^#{role} = "([a-z-]+)"$', example, flags=re.MULTILINE)
        assert f"| {role.removesuffix('s')} | `{group}` |" in HANDBOOK


def test_operators_read_one_card_at_a_time() -> None:
    """Sudo lets operators and supervisors run ``home`` alone; only the keepers of the cards may export them."""
    rules = (ROOT / "config" / "sudo" / "vetlla-operators").read_text(encoding="utf-8")
    aliases = dict(re.findall(r"^Cmnd_Alias (\w+) = /usr/local/bin/vetlla (.+)$", rules, flags=re.MULTILINE))
    allowed = re.findall(r"^%([a-z-]+) ALL = \(vetlla\) NOPASSWD: (\w+)$", rules, flags=re.MULTILINE)
    assert {group: aliases[alias] for group, alias in allowed} == {
        "vetlla-operators": "home *",
        "vetlla-supervisors": "home *",
        "vetlla-cards": "cards *",
    }
    groups = (ROOT / "config" / "systemd" / "vetlla-sysusers.conf").read_text(encoding="utf-8")
    assert all(re.search(rf"^g {group} ", groups, re.MULTILINE) for group, _ in allowed)

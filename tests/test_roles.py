"""What the handbook lets a role do is what the machine lets it do: groups of the receiver, commands of sudo."""

from __future__ import annotations

import re
from pathlib import Path

from tests.rigs.command_tree import commands
from vetlla.settings.model import ControlSettings

ROOT = Path(__file__).parents[1]
SUDO = (ROOT / "config" / "sudo" / "vetlla-engineers").read_text(encoding="utf-8")
HANDBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
NEVER = {"receiver", "decode", "simulate", "demo", "db"}
"""Not as the receiver's user: these run another receiver, read any file of that user, or go back to a copy."""


def _allowed() -> set[str]:
    return set(re.findall(r"^\s+/usr/local/bin/vetlla ([a-z-]+)", SUDO, flags=re.MULTILINE))


def test_sudo_allows_what_the_handbook_says() -> None:
    """The same commands, all of which there are, and none that is more than an engineer's work."""
    (row,) = re.findall(r"^\| engineer, as the receiver's user .*$", HANDBOOK, flags=re.MULTILINE)
    named = set(re.findall(r"`([a-z-]+)`", row.partition("by sudo |")[2]))
    assert _allowed() == named
    assert named <= {command.path.split()[0] for command in commands()}
    assert not named & NEVER


def test_sudo_becomes_the_receivers_user_and_no_other() -> None:
    """One rule, for the group of engineers, as the user of the units, of the program that the handbook links."""
    (rule,) = re.findall(r"^%.*$", SUDO, flags=re.MULTILINE)
    assert rule == "%vetlla-engineers ALL = (vetlla) NOPASSWD: VETLLA_OFFICE"
    unit = (ROOT / "config" / "systemd" / "vetlla.service").read_text(encoding="utf-8")
    assert "\nUser=vetlla\n" in unit
    assert "ln -s /opt/vetlla/bin/vetlla /usr/local/bin/vetlla" in HANDBOOK
    assert "vetlla-engineers" in (ROOT / "config" / "systemd" / "vetlla-sysusers.conf").read_text(encoding="utf-8")


def test_every_role_has_its_row() -> None:
    """The groups of the example configuration are those of the handbook's table."""
    example = (ROOT / "config" / "vetlla.toml").read_text(encoding="utf-8")
    for role in set(ControlSettings.model_fields) - {"mode"}:
        (group,) = re.findall(rf'^#{role} = "([a-z-]+)"$', example, flags=re.MULTILINE)
        assert f"| {role.removesuffix('s')} | `{group}` |" in HANDBOOK

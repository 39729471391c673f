"""docs/commands.md: what it says of options and exit statuses is what the commands have."""

from __future__ import annotations

import re
from pathlib import Path

from tests.rigs.command_tree import commands

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([a-z][a-z -]*?)(?: --[a-z]+)?`")


def test_the_page_names_each_command_that_has_statuses_of_its_own() -> None:
    """A status in the help of a command is also where people look for all of them, and no other command is there."""
    table = PAGE.partition("a meaning of their own")[2].partition("`vetlla position show`")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    named = {name for row in rows for name in NAMED.findall(row)}
    own = {command.path for command in commands() if "Exit status" in command.help}
    assert named == own


def test_the_page_names_each_command_that_answers_as_known_earlier() -> None:
    named = NAMED.findall(PAGE.partition("These commands have it: ")[2].partition(".\n")[0])
    assert sorted(named) == sorted(command.path for command in commands() if "--known" in command.options)

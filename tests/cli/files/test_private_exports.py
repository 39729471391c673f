"""Exports with telephones, notes or other data about people can be opened by their owner alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.command_tree import commands

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

PRIVATE: dict[str, list[tuple[str, ...]]] = {
    "inventory export": [("--what", what) for what in ("homes", "people", "devices", "accounts")],
    "duties export": [()],
    "custody export": [()],
    "calls export": [()],
}
ELSEWHERE = {"cards export", "reminders export", "reminders optout export"}
"""Their own tests look at the mode, because they need a card, a key or a telephone."""
OF_NO_PEOPLE = {"renewals export", "signals export", "month export"}
"""The first has codes only, as route sheets have; the second writes to standard output, where the shell decides; the
third has the documents of a month, which are handed to the city and have codes only."""


def test_every_export_is_here() -> None:
    exports = {command.path for command in commands() if command.path.split()[-1] == "export"}
    assert exports == {*PRIVATE, *ELSEWHERE, *OF_NO_PEOPLE}


@pytest.mark.parametrize("name", ["all.csv", "all.xlsx"])
@pytest.mark.parametrize("words", [(path, *more) for path, ways in PRIVATE.items() for more in ways], ids=" ".join)
def test_only_the_owner_can_open_an_export(stocked: Vetlla, tmp_path: Path, words: tuple[str, ...], name: str) -> None:
    """Also if a file of that name could be read by all."""
    path, *more = words
    file = tmp_path / name
    file.touch(mode=0o644)
    done = stocked(*path.split(), file, *more)
    assert done.status == 0, done.error
    assert file.stat().st_mode & 0o777 == 0o600

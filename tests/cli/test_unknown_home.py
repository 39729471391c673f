"""A code that no home has: each command with ``--home`` refuses it, instead of an answer that says "nothing"."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.rigs.command_tree import commands
from tests.rigs.lived_in import Place, lived_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rigs.nursery import Nursery

OF_THE_RECEIVER = {
    "accounts list", "accounts set", "queue list", "signals export", "signals list", "signals tail", "supervision list",
}  # fmt: skip
"""Commands whose homes are those that accounts name: an account may come before its home is registered, and one that no
account has may have sent signals."""
ASKING = [command.path for command in commands() if "--home" in command.options and command.path not in OF_THE_RECEIVER]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with lived_in() as made:
        yield made


@pytest.mark.parametrize("path", ASKING)
def test_an_unknown_home_is_refused(program: Nursery, place: Place, path: str) -> None:
    left = program.run(*place.words(path), "--home", "NOPE", environment=place.environment)
    assert left.status == os.EX_USAGE, left
    assert ("nothing is kept of home NOPE" if path == "erase" else "no home 'NOPE'") in left.err
    assert "  -> " in left.err

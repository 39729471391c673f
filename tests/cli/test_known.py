"""``--known``: each question about a day or a month of the record can be asked as the registry knew it earlier."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.rigs.command_tree import commands
from tests.rigs.lived_in import Place, lived_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rigs.nursery import Nursery

OPTIONS = {command.path: set(command.options) for command in commands()}
KNOWN = sorted(path for path, options in OPTIONS.items() if "--known" in options)
WITHOUT = {
    "inventory export": "its file is imported again, and must not bring the past back",
    "inventory parameters": "it reads a file, and each value there has the day from which it holds",
    "inventory check": "it reads the receiver's accounts and journal, which keep only what holds now",
    "probe verify": "it compares the probes with the journal, which nothing is added to later",
    "reminders list": "messages have one truth: what was sent",
    "supervision report": "it reads the journal, which nothing is added to later",
    "support levels": "it reads a file",
    "support report": "it reads the desk's own file of tickets",
}
"""Commands that are asked about a day or a month and have no --known, and why."""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with lived_in() as made:
        yield made


def test_a_question_about_a_day_can_be_asked_as_known_earlier() -> None:
    """A command that has --dry-run writes; each other one has the option, or a reason here and in docs/commands.md."""
    reading = {path: options for path, options in OPTIONS.items() if "--dry-run" not in options}
    asking = {path for path, options in reading.items() if options & {"--day", "--month"}}
    assert asking - set(KNOWN) == set(WITHOUT)


@pytest.mark.parametrize("path", KNOWN)
def test_nothing_of_today_is_in_an_answer_about_the_past(program: Nursery, place: Place, path: str) -> None:
    """Before the registry was begun it knew nothing; a table that keeps no past would make the command fail."""
    left = program.run(*place.words(path), "--known", "1990-01-02", environment=place.environment)
    assert "Traceback" not in left.err
    assert left.status in {0, 1, os.EX_USAGE}, left.err
    assert "H1" not in left.out

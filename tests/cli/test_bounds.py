"""Months, days and times that no service can have: each command refuses them, and the last ones make no fault."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.rigs.command_tree import commands
from tests.rigs.lived_in import Place, lived_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.rigs.nursery import Nursery

TAKES = {command.path: command.takes for command in commands() if command.takes}
FAULT = 70
"""Exit status of a fault of the program's own."""
REFUSED_BEFORE = {
    "sanctions withdraw": "a withdrawal holds from now on, so it takes no --at",
}
"""Commands that refuse the option for another reason first."""


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with lived_in() as made:
        yield made


def _asked(place: Place, path: str, name: str, text: str) -> list[str]:
    """Return the words of a call with the text as this option, or as this argument."""
    words = place.words(path)
    if name.startswith("--"):
        return [*words, name, text]
    (number,) = (number for number, word in enumerate(words) if re.fullmatch(r"\d{4}-\d\d(-\d\d)?", word))
    return [*words[:number], text, *words[number + 1 :]]


def _text(form: str, day: str) -> str:
    return day if form in {"YYYY-MM-DD", "DATE", "TIME", "DAY|TIME"} else day[:7]


@pytest.mark.parametrize("path", TAKES)
def test_a_year_that_no_service_has_is_refused(program: Nursery, place: Place, path: str) -> None:
    """The message names the text and the bounds; nothing is computed, so nothing can overflow."""
    for name, form in TAKES[path]:
        for day, why in (("0001-01-01", "lies before 1990"), ("2100-01-01", "lies after 2099")):
            text = _text(form, day)
            left = program.run(*_asked(place, path, name, text), environment=place.environment)
            assert left.status == os.EX_USAGE, (name, text, left)
            told = why in left.err or "is not in the years 1990 to 2099" in left.err
            assert told or path in REFUSED_BEFORE, (name, text, left.err)


@pytest.mark.parametrize("path", TAKES)
def test_the_last_day_of_the_last_year_makes_no_fault(program: Nursery, place: Place, path: str) -> None:
    """A term that begins there still ends in the calendar. tests/cli/test_known.py asks about the first year."""
    for name, form in TAKES[path]:
        left = program.run(*_asked(place, path, name, _text(form, "2099-12-31")), environment=place.environment)
        assert left.status != FAULT, (name, left)
        assert "Traceback" not in left.err, (name, left)

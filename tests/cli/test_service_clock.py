"""A machine with another time zone: commands that know the parameters show and read times of the service's zone."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from tests.rigs.command_tree import commands
from tests.rigs.lived_in import Place, lived_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Vetlla
    from tests.rigs.nursery import Nursery

ELSEWHERE = "XXX7"
"""A zone that no part of the service has, as POSIX writes it."""
KNOWING = [command.path for command in commands() if {"--parameters", "--levels"} & command.options and command.takes]


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with lived_in() as made:
        yield made


@pytest.mark.parametrize("path", KNOWING)
def test_no_answer_has_the_zone_of_the_machine(program: Nursery, place: Place, path: str) -> None:
    """Where a command shows no time, it reads one: tests/cli/test_bounds.py calls it with each of its options."""
    left = program.run(*place.words(path), environment=place.environment | {"TZ": ELSEWHERE})
    assert "Traceback" not in left.err
    assert not re.search(r"\bXXX\b", left.out + left.err), left


def test_an_outage_is_noted_at_the_time_that_the_list_shows(vetlla: Vetlla, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a server in UTC the list shows the zone of the service, and a time that is typed again means the same."""
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    words = ("--component", "dc09", "--until", "2025-06-01T17:00", "--note", "x")
    (added,) = vetlla("probe", "incident", "add", "--from", "2025-06-01T16:40", *words, "--json").json
    assert added["from"] == "2025-06-01T14:40:00.000000Z"
    assert "2025-06-01 16:40:00 CEST" in vetlla("probe", "incident", "list", "--month", "2025-06").out

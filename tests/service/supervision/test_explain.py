"""Each state of a device has a reason in words."""

from __future__ import annotations

import pytest

from vetlla.service.supervision.explain import PAUSES, StateFacts, why
from vetlla.service.supervision.rules import Health, Pause


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (StateFacts(Health.OK), "heard in time"),
        (StateFacts(Health.LATE, missed=2, allowed_misses=3), "2 of 3 signs of life failed to come"),
        (StateFacts(Health.LOST, missed=7, allowed_misses=3), "7 signs of life in a row failed to come"),
        (StateFacts(Health.LOST, missed=1, allowed_misses=1), "1 sign of life in a row failed to come"),
        (StateFacts(Health.LOST, missed=0, allowed_misses=3), "the broker reports that its connection broke"),
        (
            StateFacts(Health.LOST, missed=3, allowed_misses=3, incident="incident 4, cell:1"),
            "3 signs of life in a row failed to come; one of many: incident 4, cell:1",
        ),
        (StateFacts(Health.UNKNOWN), "not heard since its supervision began"),
        (StateFacts(Health.UNKNOWN, terminal=Health.OK), "not heard since its supervision began"),
        (StateFacts(Health.UNKNOWN, terminal=Health.LOST), "its terminal is lost, so its own silence says nothing"),
        (StateFacts(Health.NOT_SUPERVISED, Pause.ORDERED, ordered="enric: repair"), "paused by enric: repair"),
        (
            StateFacts(Health.NOT_SUPERVISED, Pause.AWAY | Pause.WAREHOUSE),
            "the user left the home: its pendants may be out of reach; it is in the warehouse",
        ),
    ],
)
def test_a_state_in_words(known: StateFacts, words: str) -> None:
    """The sentence says what happened, with the numbers."""
    assert why(known) == words


def test_every_pause_has_words() -> None:
    """Every reason that prevents supervision has words."""
    assert set(PAUSES) == set(Pause)
    assert all(why(StateFacts(Health.NOT_SUPERVISED, pause)) for pause in Pause)

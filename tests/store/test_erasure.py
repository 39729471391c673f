"""Erasure of a home in the journal: the counts of its last record."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.rigs.journals import Scribe, journal, report
from vetlla.domain.clock import ManualClock, iso
from vetlla.domain.removal import Erasure
from vetlla.store.erasure import finish, steps_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DAY_S = 86_400
HOME = Erasure("H-1", ("0001",), "ana")
WINDOW_US = 2_700_000_000


def erased(scribe: Scribe, *, steps: int | None = None, people: int = 0) -> Mapping[str, Any]:
    """Erase the home a day from now, at most ``steps`` steps; return the detail of the last record."""
    assert isinstance(scribe.clock, ManualClock)
    scribe.clock.advance(DAY_S)
    work = steps_of(scribe.journal.connection, HOME, {"people": people}, scribe.clock, WINDOW_US)
    while scribe.journal.take(islice(work, steps)) is not None:
        if steps is not None:
            return {}
    return finish(scribe.journal, HOME, scribe.clock).told()


def test_a_second_erasure_counts_its_own(tmp_path: Path) -> None:
    """If a home came back and left again, the second certificate counts only the second erasure."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        scribe.commit(report(1), report(11), report(21), home="H-1")
        first = erased(scribe, people=2)
        assert (first["destroyed"]["signals"], first["destroyed"]["people"]) == (3, 2)
        clock.advance(400 * DAY_S)
        scribe.commit(report(31), home="H-1")
        assert erased(scribe, steps=1, people=1) == {}
        began = iso(clock.now().utc_us)
        second = erased(scribe)
    assert (second["destroyed"]["signals"], second["destroyed"]["people"], second["began"]) == (1, 1, began)

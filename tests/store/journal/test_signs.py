"""Signs of life by the stretch, and a device's row together with its signs, whichever was written later."""

from __future__ import annotations

import sqlite3
from array import array
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import journal
from vetlla.domain.supervision import STRETCH, KeptDevice
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.journal.signs import Signs, SignsRow, pack_signs
from vetlla.store.journal.supervision_rows import read_units, with_signs

if TYPE_CHECKING:
    from pathlib import Path

YESTERDAY, TODAY = "2026-01-01", "2026-01-02"


def unit(number: int = 0, *, heard_us: int = 50, day: str = TODAY, received: int = 3, longest_s: int = 7) -> KeptDevice:
    """Return the row of an invented terminal that was not supervised for 60 s of its day, for reason 4."""
    return KeptDevice(number, f"{number:04}", "", "0", "", 1, 1, heard_us, 0, 900, 3, day, received, longest_s, 60, 4)


def signs(*told: tuple[int, int, int], stretch: int = 0, day: str = TODAY) -> SignsRow:
    """Return a stretch of devices, given when and how often each reported, and its longest silence."""
    heard_us, received, longest_s = zip(*told, strict=True)
    return SignsRow(stretch, day, pack_signs(array("q", heard_us), array("I", received), array("I", longest_s)))


@pytest.mark.parametrize(
    ("row", "told", "day", "expected"),
    [
        (unit(), (90, 5, 9), TODAY, unit(heard_us=90, received=5, longest_s=9)),
        (unit(), (40, 2, 6), TODAY, unit()),
        (unit(), (90, 8, 900), YESTERDAY, unit(heard_us=90)),
        (
            unit(day=YESTERDAY, received=80, longest_s=900),
            (90, 1, 9),
            TODAY,
            unit(heard_us=90, received=1, longest_s=9)._replace(unsupervised_s=0, reasons=0),
        ),
    ],
    ids=["the signs are later", "the row is later", "the row is of a later day", "the signs are of a later day"],
)
def test_the_later_of_both_counts(row: KeptDevice, told: tuple[int, int, int], day: str, expected: KeptDevice) -> None:
    """Counts of a day that is over do not go into the next day."""
    assert with_signs(row, Signs(signs(told, day=day))) == expected


def test_each_device_has_the_signs_of_its_own_place(tmp_path: Path) -> None:
    """Each device gets its own signs from any stretch. Without signs it stays as its row says."""
    with journal(tmp_path) as scribe:
        batch = scribe.batch()
        numbers = (0, 1, 2, STRETCH, STRETCH + 1, 2 * STRETCH)
        batch.supervision.units += [unit(number, heard_us=0, received=0) for number in numbers]
        batch.supervision.signs += [signs((1, 1, 1), (2, 2, 2)), signs((0, 0, 0), (9, 9, 9), stretch=1)]
        scribe.write(batch)
        batch = scribe.batch()
        batch.supervision.signs.append(signs((3, 3, 3), (2, 2, 2)))
        scribe.write(batch)

    with closing(sqlite3.connect(f"file:{tmp_path / JOURNAL}?mode=ro", uri=True)) as connection:
        heard = {one.id: (one.heard_us, one.received) for one in read_units(connection)}
    assert heard == {0: (3, 3), 1: (2, 2), 2: (0, 0), STRETCH: (0, 0), STRETCH + 1: (9, 9), 2 * STRETCH: (0, 0)}

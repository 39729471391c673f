"""When a device was lost by itself and when that was over, from the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rigs.journals import journal
from vetlla.domain.supervision import KeptChange, KeptDevice
from vetlla.store.journal.archive import Archive
from vetlla.store.supervision import losses

if TYPE_CHECKING:
    from pathlib import Path

OK, LATE, LOST, NOT_SUPERVISED = 1, 2, 3, 4


def change(at_us: int, unit: int, states: tuple[int, int], *, incident: int | None = None) -> KeptChange:
    """Return a change of state; a loss has an alarm."""
    before, state = states
    return KeptChange(at_us, unit, before, state, 0, 0, 3, incident, 70 + unit if state == LOST else None)


def test_losses_of_single_devices_and_their_ends(tmp_path: Path) -> None:
    """A device that was lost with others, or that joins them, has no trouble of its own; pages skip no change."""
    with journal(tmp_path) as scribe:
        batch = scribe.batch()
        batch.supervision.units += [
            KeptDevice(number, f"{number:04}", "", "", "", OK, 1, 1, 0, 900, 3, "", 0, 0, 0, 0) for number in range(4)
        ]
        batch.supervision.verdicts += [
            change(10, 0, (OK, LOST)),
            change(11, 1, (OK, LOST), incident=1),
            change(12, 2, (OK, LOST)),
            change(13, 3, (OK, LATE)),
            change(20, 0, (LOST, OK)),
            change(21, 2, (LOST, LOST), incident=1),
            change(22, 1, (LOST, NOT_SUPERVISED)),
        ]
        scribe.write(batch)
    with Archive(tmp_path) as archive:
        changes = losses.changes(archive, 0, LOST, page=2)
        found = [(one.at_us, one.name.account, one.is_over, one.alarm) for one in changes]
        assert found == [
            (10, "0000", False, 70),
            (11, "0001", True, None),
            (12, "0002", False, 72),
            (20, "0000", True, None),
            (21, "0002", True, None),
            (22, "0001", True, None),
        ]
        assert [one.at_us for one in losses.changes(archive, 20, LOST)] == [20, 21, 22]

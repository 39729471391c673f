"""The hand-over is whole, or can be seen not to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vetlla.domain.errors import UsageError
from vetlla.store.reminders import export
from vetlla.tasks.reminders.desk import handover

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from tests.rigs.reminders_desk import DeskWorld


def test_a_hand_over_that_broke_off_has_a_record_and_no_manifest(
    desk: DeskWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = export.rows_of

    def breaking(db: object, table: str) -> Iterator[dict[str, Any]]:
        if table == "replies":
            raise OSError(28, "No space left on device")
        assert db is not desk.db, "the service would wait"
        return whole(desk.db, table)

    monkeypatch.setattr(export, "rows_of", breaking)
    with pytest.raises(OSError, match="No space"):
        handover.hand_over(desk.db, tmp_path / "out", "ana", desk.now)
    with pytest.raises(UsageError, match="no manifest"):
        handover.faults(tmp_path / "out")
    assert desk.audited() == [("handed over", "all tables")]
    assert not [file.name for file in (tmp_path / "out").iterdir() if not file.name.endswith(".ndjson")]


def test_a_manifest_that_leaves_a_table_out_is_a_fault(desk: DeskWorld, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    handover.hand_over(desk.db, folder, "ana", desk.now)
    assert handover.faults(folder) == []
    manifest = folder / handover.MANIFEST
    manifest.write_text(manifest.read_text(encoding="utf-8").replace('"table": "audit"', '"table": "other"'))
    assert handover.faults(folder) == ["audit: the manifest does not have it"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"tables": [{}]}', '{"tables": 1}'])
def test_a_broken_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / handover.MANIFEST).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="no manifest"):
        handover.faults(tmp_path)

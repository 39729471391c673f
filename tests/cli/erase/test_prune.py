"""``vetlla db prune`` as users type it, with and without a receiver."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.erase.left import LIMITS, rows
from tests.rigs.daemon import running
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def test_a_dry_run_of_pruning(place: Path, state_dir: Path, vetlla: Vetlla) -> None:
    """It counts each kind, with and without a receiver, and changes nothing."""
    before = (state_dir / JOURNAL).read_bytes()
    told = {row["what"]: row for row in vetlla("db", "prune", "--dry-run", "--json").json}
    assert (state_dir / JOURNAL).read_bytes() == before
    assert {what: row["too_old"] for what, row in told.items()} == {
        "positions": 6, "raw": 6, "signals": 0, "notes": 0, "rejects": 1,
    }  # fmt: skip
    assert told["raw"]["bytes"] == 6 * len(b"Carrer Major 7 1")
    assert "positions" in vetlla("db", "prune", "--dry-run").out
    with running(place, config=LIMITS.format(state_dir)):
        beside = {row["what"]: row["too_old"] for row in vetlla("db", "prune", "--dry-run", "--json").json}
    assert beside["raw"] == 6


@pytest.mark.parametrize("with_receiver", [False, True])
def test_pruning(place: Path, state_dir: Path, vetlla: Vetlla, with_receiver: bool) -> None:  # noqa: FBT001
    """What is too old is removed, the rest is proven, and the audit says what was done."""
    if with_receiver:
        with running(place, config=LIMITS.format(state_dir)):
            (told,) = vetlla("db", "prune", "--json").json
    else:
        (told,) = vetlla("db", "prune", "--json").json
    assert told["removed"] == {"positions": 6, "raw": 0, "signals": 0, "notes": 0, "rejects": 1}
    assert rows(state_dir, "SELECT count(*) FROM signals WHERE raw <> x''") == [(1,)]
    assert vetlla("audit", "verify").status == 0
    (record,) = vetlla("audit", "list", "--action", "prune", "--subject", "signals 1 to 6", "--json").json
    assert (record["detail"]["what"], record["detail"]["count"], record["actor"]) == ("positions", 6, "receiver")
    (told,) = vetlla("db", "prune", "--json").json
    assert not any(told["removed"].values())
    assert vetlla("db", "prune").out == ""


def test_pruning_without_a_journal(vetlla: Vetlla) -> None:
    """The status is 74, and the command makes no journal."""
    for words in ((), ("--dry-run",)):
        done = vetlla("db", "prune", *words)
        assert (done.status, "there is no journal" in done.error) == (os.EX_IOERR, True)

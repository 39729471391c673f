"""``vetlla check-config`` by a user who may not read everything says what it did not check."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.rigs.permissions import reachable_directory, unprivileged

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def test_a_user_who_may_not_read_is_told_what_was_not_checked(vetlla: Vetlla, config: Path) -> None:
    """An engineer who is not the receiver's user still sees whether the configuration itself is good."""
    with reachable_directory() as folder:
        there = folder / "vetlla.toml"
        there.write_bytes(config.read_bytes())
        vetlla("accounts", "set", "1", "--state-dir", folder)
        (folder / "registry.db").chmod(0)
        folder.chmod(0o555)
        with unprivileged():
            done = vetlla("check-config", "--config", there, "--state-dir", folder, "--json")

    (report,) = done.json
    assert (done.status, report["ok"], report["accounts"], report["keys"]) == (os.EX_NOPERM, False, None, None)
    (closed,) = report["not_checked"]
    assert closed.endswith(f" may not read {folder}/registry.db")
    assert done.error.startswith(f"not checked: {closed}\n  -> ")


def test_a_closed_state_directory_is_reported(vetlla: Vetlla, config: Path) -> None:
    """If this user may not read a directory, the summary leaves accounts and keys out."""
    with reachable_directory() as folder:
        there = folder / "vetlla.toml"
        there.write_bytes(config.read_bytes())
        (folder / "state").mkdir(mode=0o000)
        with unprivileged():
            done = vetlla("check-config", "--config", there, "--state-dir", folder / "state")

    assert done.status == os.EX_NOPERM
    assert done.out.startswith(f"{there}: usable\n")
    assert f"may not enter {folder}/state\n  -> " in done.error
    assert " accounts, " not in done.out

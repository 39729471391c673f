"""An unregistered account calls: from a terminal's socket to the finding of `vetlla inventory check`."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import VETLLA, running
from tests.rigs.registered_homes import register
from tests.rigs.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

HOMES = "code,district,base,level,alone\nH-1001,01,NORD,1,no\n"


def vetlla(state: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [VETLLA, *map(str, arguments), "--state-dir", str(state)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("policy", ["accept", "refuse"])
def test_an_unregistered_account_that_calls_is_reported(tmp_path: Path, policy: str) -> None:
    """The check lists the account until it is registered, whether the receiver takes strangers or refuses them."""
    register(tmp_path / "state", "1001,H-1001,,")
    homes = tmp_path / "homes.csv"
    homes.write_text(HOMES, encoding="utf-8")
    config = f'[store]\nmin_free_mib = 1\n[intake]\nunknown_accounts = "{policy}"\n'
    with running(tmp_path, config=config) as daemon:
        assert vetlla(daemon.state_dir, "inventory", "import", homes, "--what", "homes").returncode == 0
        for account in ("1001", "4F21", "4F21"):
            with Terminal(daemon.port, account) as terminal:
                answer = terminal.say(terminal.frame())
            assert answer == ("ACK" if account == "1001" or policy == "accept" else "DUH")
        check = ("inventory", "check", "--rule", "unknown_account", "--json")
        told = vetlla(daemon.state_dir, *check)
        assert told.returncode == 1
        assert json.loads(told.stdout)["text"].startswith("account 4F21 was heard")
        register(daemon.state_dir, "4F21,H-1001,,")
        assert vetlla(daemon.state_dir, *check).returncode == 0

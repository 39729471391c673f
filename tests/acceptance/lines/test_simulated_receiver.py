"""A simulated receiver reports to the installed daemon, which dies meanwhile: its ledger and the journal agree."""

from __future__ import annotations

import csv
import json
import socket
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import VETLLA, Daemon, running
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

FAULTS = "damage=.1,parity=.05,glued=.1,duplicate=.03,torn=.1"
PATIENT_S = 120


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def journalled(daemon: Daemon) -> list[str]:
    """Return the frames of the stored signals, in their order."""
    with closing(sqlite3.connect(daemon.state_dir / JOURNAL)) as connection:
        rows = connection.execute("SELECT raw FROM signals ORDER BY id").fetchall()
    return [raw.decode().strip() for (raw,) in rows]


@pytest.mark.parametrize("protocol", ["ademco685", "radionics6500", "surgard"])
def test_ledger_and_journal_agree_after_kill_9(tmp_path: Path, protocol: str) -> None:
    """Faults on the line and two kills: everything acknowledged is stored once, and nothing else is."""
    port, ledger = free_port(), tmp_path / "ledger.csv"
    line = f'[[line]]\nname = "sg"\nprotocol = "{protocol}"\naccept = {{ host = "127.0.0.1", port = {port} }}\n'
    with running(tmp_path, config=line) as daemon:
        command = [
            VETLLA, "simulate", "receiver", "--protocol", protocol, "--connect", f"127.0.0.1:{port}", "--json",
            "--closed", "--reports", "200", "--seed", "3", "--faults", FAULTS, "--ledger", str(ledger),
            "--answer-within", "0.5", "--beat-every", "1",
        ]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as receiver:
            for reached in (60, 130):
                while len(journalled(daemon)) < reached:
                    assert receiver.poll() is None, receiver.communicate()
                daemon.kill()
                daemon.start()
            out, err = receiver.communicate(timeout=PATIENT_S)
        assert receiver.returncode == 0, err
        report = json.loads(out)
        assert (report["acknowledged"], report["complete"]) == (200, True)
        assert report["connections"] >= 3
        with ledger.open(encoding="ascii", newline="") as rows:
            told = [row["data"].strip() for row in csv.DictReader(rows)]
        assert journalled(daemon) == told

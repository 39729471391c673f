"""Measures a restart with millions of signals in the journal, from exec to the first acknowledgement."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.receiving import peers
from bench.receiving.load import Shape, frames
from vetlla.domain.clock import SystemClock
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from rich.console import Console

# Signals of 80,000 accounts over the last hours, in commits of 10. The last ones are within the duplicate window.
_FILL = """
WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)
INSERT INTO signals
SELECT i, i / 10 + 1, 'dc09', 'tcp', '127.0.0.1:40000', 'dc09', '', '0', printf('%05X', i % 80000), '0001',
       printf('H%05d', i % 80000), 'periodic_test', 'new', '602', 'contact_id', 3, '000', '00', '', NULL, NULL, NULL,
       CAST('0000ADM-CID0001L0#1234[#1234|1602 00 000]_00:00:00,01-01-2026' AS BLOB), CAST(printf('%016X', i) AS BLOB),
       1, 1, '', 0, NULL, :now - (:last_of_all - i) * 1000, 0, :now - (:last_of_all - i) * 1000, 0
FROM n
"""
CHUNK = 1_000_000


def restart(signals: int, out: Console) -> dict[str, Any]:
    """Fill a journal, start a receiver on it, and measure the time until its first acknowledgement."""
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as temporary:
        state = Path(temporary)
        with out.status(f"restart: filling a journal with {signals:,} signals"):
            _fill(state, signals)
        size_mib = (state / JOURNAL).stat().st_size / (1 << 20)
        frame = frames(Shape(0, 1, 1, "602", None, each=False, rate=0.0), 0)[0]
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        began = time.perf_counter()
        command = [sys.executable, "-m", "vetlla", "receiver", "--listen", f"dc09=127.0.0.1:{port}"]
        process = subprocess.Popen([*command, "--state-dir", state], stderr=subprocess.DEVNULL)
        with peers.ended(process):
            answer = _first_answer(port, frame, began + peers.READY_S)
            seconds = time.perf_counter() - began
        assert b'"ACK"' in answer
    out.print(f"restart with {signals:,} signals stored ({size_mib:,.0f} MiB): first ACK after {seconds:.2f} s")
    return {"load": "restart", "signals": signals, "journal_mib": size_mib, "first_ack_s": seconds}


def _fill(state: Path, signals: int) -> None:
    Journal(state, SystemClock()).close()
    connection = sqlite3.connect(state / JOURNAL, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    now = time.time_ns() // 1000
    for first in range(1, signals + 1, CHUNK):
        last = min(first + CHUNK - 1, signals)
        connection.execute(_FILL, {"first": first, "last": last, "last_of_all": signals, "now": now})
        connection.execute(
            "WITH RECURSIVE n(i) AS (SELECT :first / 10 UNION ALL SELECT i + 1 FROM n WHERE i < :last / 10)"
            " INSERT OR IGNORE INTO commits SELECT i + 1, 1, :now, :now, :now, 0 FROM n",
            {"first": first, "last": last, "now": now},
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _first_answer(port: int, frame: bytes, deadline: float) -> bytes:
    while time.perf_counter() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=peers.READY_S) as line:
                line.sendall(frame)
                return line.recv(4096)
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise TimeoutError("no acknowledgement after the restart")

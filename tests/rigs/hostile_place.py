"""A state directory where every text of a third party contains control characters for the operator's terminal.

The receiver accepts no such text in most fields. The test writes it into the databases while the receiver is stopped,
as an older version, a third party's decoder or a careless import could have left it.
"""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from tests.rigs.daemon import vetlla
from tests.rigs.lived_in import lived_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rigs.lived_in import Place

LONG = 16_000
HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\x1bc\x9b31m\x9d0;owned\x9c\u202e\u2066\u2028\r\n\b\talarm 9 closed\x7f\x00" + "A" * LONG
)
"""Title, clear, reset, C1 forms of both, reversed text, another line, and a length that no screen has."""

JOURNAL = {
    "signals": ("listener", "peer", "sequence", "home", "code", "device", "area", "text", "sealed_with"),
    "duplicates": ("transport", "peer"),
    "rejects": ("listener", "transport", "peer", "protocol", "account", "text"),
    "alarms": ("home", "account", "why", "operator", "escalated_by", "escalated_why"),
    "notes": ("operator", "text"),
    "on_test": ("account", "operator", "reason"),
    "audit": ("actor", "action", "subject"),
    "incidents": ("label",),
    "pauses": ("operator", "reason"),
}
REGISTRY = {
    "accounts": ("home", "key_name", "labels"),
    "account_changes": ("by", "field", "old"),
    "recordings": ("by", "source"),
    "home_facts": ("district", "base", "language", "note"),
    "person_facts": ("note",),
    "devices": ("model", "imei"),
    "movements": ("note",),
    "visits": ("base",),
}
"""Columns by table that hold texts of devices, operators, engineers and other offices."""


@contextmanager
def hostile_place() -> Iterator[Place]:
    """Make such a state directory, with its receiver running."""
    with lived_in() as place:
        _say_more(place)
        assert place.daemon.stop() == 0
        for database, tables in (("journal", JOURNAL), ("registry", REGISTRY)):
            _poison(place.state_dir / f"{database}.db", tables)
        place.daemon.start()
        yield place


def _say_more(place: Place) -> None:
    """Add rows, so that every table has one."""
    with socket.create_connection(("127.0.0.1", place.daemon.port)) as line:
        line.sendall(b"\nnoise of a line\r")
        line.shutdown(socket.SHUT_WR)
        line.recv(1)
    for words in (
        ("queue", "claim", "2"),
        ("queue", "note", "2", "a note"),
        ("queue", "test", "A003", "--reason", "x"),
    ):
        done = vetlla(*words, state_dir=place.state_dir)
        assert done.returncode == 0, done.stderr


def _poison(file: Path, tables: dict[str, tuple[str, ...]]) -> None:
    with closing(sqlite3.connect(file)) as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        for table, columns in tables.items():
            sets = ", ".join(f"{column} = {column} || ?" for column in columns)
            database.execute(f"UPDATE {table} SET {sets}", [HOSTILE] * len(columns))
        if "signals" in tables:
            more = json.dumps({"details": {HOSTILE: HOSTILE}, "measurements": {HOSTILE: 1.0}, "position": None})
            database.execute("UPDATE signals SET more = ?", [more])
            database.execute("UPDATE audit SET detail = ?", [json.dumps({HOSTILE: HOSTILE, "text": HOSTILE})])
        for _, sql in triggers:
            database.execute(sql)
        database.commit()

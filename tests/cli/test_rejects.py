"""``vetlla rejects`` lists evidence on which an installer can act."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import Daemon
from tests.rigs.journals import arrival, journal, reject
from tests.rigs.terminal import Terminal
from vetlla.domain.clock import ManualClock
from vetlla.domain.signals import Reason
from vetlla.store.journal.rows import reject_row

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture
def evidence(state_dir: Path) -> Path:
    """Write four rejects, a minute apart, from two addresses."""
    clock = ManualClock()
    with journal(state_dir, clock) as scribe:
        for number, (reason, peer) in enumerate(
            [
                (Reason.BAD_CHECKSUM, "192.0.2.7:40000"),
                (Reason.UNDECRYPTABLE, "192.0.2.8:40001"),
                (Reason.BAD_CHECKSUM, "192.0.2.7:40002"),
                (Reason.FOREIGN, "192.0.2.77:40003"),
            ]
        ):
            batch = scribe.batch()
            raw = b"\n\x1b[2J" + bytes([number]) * 60
            batch.rejects.append(reject_row(arrival(clock, peer), reject(reason=reason, raw=raw)))
            scribe.write(batch)
            clock.advance(60)
    return state_dir


@pytest.mark.usefixtures("evidence")
def test_rejects_are_listed_with_reason_and_bytes(vetlla: Vetlla) -> None:
    """A row says when, from where, why and what to do, with the first bytes, which cannot harm the terminal."""
    lines = vetlla("rejects", "list", "--limit", 1).out.splitlines()

    assert lines[0].split() == ["id", "received", "peer", "account", "reason", "text", "raw"]
    assert lines[1].split()[:6] == ["4", "2026-01-01", "01:03:00", "CET", "tcp", "192.0.2.77:40003"]
    assert "foreign" in lines[1]
    assert "the checksum says FFFF" in lines[1]
    assert r"\n\x1b[2J\x03\x03" in lines[1]
    assert lines[1].rstrip().endswith(("...", "…"))


@pytest.mark.usefixtures("evidence")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [1, 2, 3, 4]),
        (["--limit", 2], [3, 4]),
        (["--reason", "bad_checksum"], [1, 3]),
        (["--reason", "foreign", "--reason", "undecryptable"], [2, 4]),
        (["--peer", "192.0.2.7"], [1, 3]),
        (["--peer", "192.0.2.7:40002"], [3]),
        (["--account", "00af"], [1, 2, 3, 4]),
        (["--account", "0001"], []),
        (["--since", "2026-01-01T01:01", "--until", "2026-01-01T01:03"], [2, 3]),
    ],
)
def test_rejects_are_found(vetlla: Vetlla, options: list[object], expected: list[int]) -> None:
    """Rejects are found by reason, address, account and time."""
    assert [line["id"] for line in vetlla("rejects", "list", "--json", *options).json] == expected


@pytest.mark.usefixtures("evidence")
def test_machines_get_all_of_it(vetlla: Vetlla) -> None:
    """A machine gets the fields of ``vetlla decode`` first, with every byte, and then the origin."""
    (line,) = vetlla("rejects", "list", "--json", "--limit", 1).json

    assert line == {
        "item": "reject", "protocol": "dc09", "account": "00AF", "event": None, "device": None, "occurred_at": None,
        "position": None, "text": "the checksum says FFFF", "reason": "foreign",
        "raw": (b"\n\x1b[2J" + bytes([3]) * 60).hex(), "id": 4, "listener": "dc09", "transport": "tcp",
        "peer": "192.0.2.77:40003", "received": "2026-01-01T00:03:00.000000Z",
    }  # fmt: skip


def test_without_a_journal_it_says_what_to_do(vetlla: Vetlla) -> None:
    """The user most likely named the wrong directory."""
    done = vetlla("rejects", "list")
    assert (done.status, "--state-dir" in done.error) == (os.EX_IOERR, True)


def test_a_frame_that_could_not_be_taken_is_found(tmp_path: Path, vetlla: Vetlla) -> None:
    """A frame with a wrong checksum, sent over a real line, is kept with its bytes and not answered."""
    daemon = Daemon(tmp_path / "daemon")
    try:
        daemon.start()
        with Terminal(daemon.port) as home:
            broken = bytearray(home.frame())
            broken[1:5] = b"0000"
            home.send(bytes(broken))
            assert home.say(home.frame()) == "ACK"
        daemon.stop()
        (line,) = vetlla("rejects", "list", "--state-dir", daemon.state_dir, "--json").json
        assert (line["reason"], line["raw"], line["account"]) == ("bad_checksum", broken.hex(), None)
    finally:
        daemon.close()

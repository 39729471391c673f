"""``vetlla simulate`` in every protocol, against the installed receiver."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import Daemon, running, vetlla
from tests.rigs.drills import HANDHELD, simulated
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LISTEN = "\n".join(f'[[listen]]\nprotocol = "{name}"\nhost = "127.0.0.1"\nport = 0' for name in HANDHELD)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with running(tmp_path_factory.mktemp("simulate"), config=LISTEN) as started:
        yield started


def stored(daemon: Daemon, protocol: str) -> list[bytes]:
    with Archive(daemon.state_dir) as archive:
        return [one.signal.raw for one in history.stream(archive, history.signals()) if one.signal.protocol == protocol]


@pytest.mark.parametrize("protocol", HANDHELD)
def test_every_acknowledged_report_is_stored_once(daemon: Daemon, tmp_path: Path, protocol: str) -> None:
    """After torn, batched and repeated reports and an outage, each report of the ledger is in the journal once."""
    ledger = tmp_path / "sent.ndjson"
    result = simulated(
        daemon,
        *("--protocol", protocol, "--homes", "8", "--rate", "100", "--duration", "2.5", "--ledger", str(ledger)),
        *("--mix", "alarms=2,technical=1,tests=4", "--faults", "torn=.3,batch=.2,retry=.2"),
        *("--outage", "0.8:0.5", "--return-within", "0.5"),
    )
    assert (result["complete"], result["lost"], result["malformed"]) == (True, 0, 0)
    assert result["protocol"] == protocol
    assert 0 < result["cut"] <= 8, "a home that is just dialling again has no line to lose"
    assert result["backlog"] > 0
    entries = [json.loads(line) for line in ledger.read_text(encoding="ascii").splitlines()]
    assert {entry["fate"] for entry in entries} <= {"acknowledged", "sent"}
    told = [bytes.fromhex(one["data"]) if protocol == "eview" else one["data"].encode() for one in entries]
    assert len(told) == result["told"]
    daemon.await_status(lambda status: status["counts"]["signals"] >= len(told))
    assert sorted(raw for raw in stored(daemon, protocol) if raw in set(told)) == sorted(told)


def test_silent_homes_are_named(daemon: Daemon) -> None:
    """A drill of supervision names the silent homes, as fields for a machine and in a sentence for a person."""
    options = ("--protocol", "eview", "--homes", "4", "--rate", "40", "--duration", "1", "--silent", "0.5:0.3")
    result = simulated(daemon, *options)
    assert len(result["silent"]) == 2
    done = vetlla("simulate", "dial", *options, "--seed", str(result["seed"]), state_dir=daemon.state_dir)
    assert f"2 homes fall silent: {', '.join(result['silent'])}" in done.stderr
    assert "2  homes fell silent" in done.stdout


def test_an_outage_is_reported_as_it_happens(daemon: Daemon) -> None:
    """A person reads when the network failed, when it was back, and what happened to the reports."""
    options = ("--protocol", "watch3g", "--rate", "50", "--duration", "1.2", "--outage", "0.3:0.4")
    done = vetlla("simulate", "dial", *options, state_dir=daemon.state_dir)
    assert done.returncode == 0
    assert re.search(r"\d\.\d s  the network fails: 10 connections broken", done.stderr)
    assert re.search(r"\d\.\d s  the network is back, homes return all at once", done.stderr)
    assert "became due while the home had no network" in done.stdout
    assert "sent: the protocol has no acknowledgement" in done.stdout


def test_an_export_registers_the_terminals(daemon: Daemon, tmp_path: Path) -> None:
    """Invented IMEIs are exported for `accounts import`, and calls from them are then known."""
    options = ("--protocol", "thinkrace", "--homes", "3")
    assert vetlla("simulate", "dial", *options, "--export", str(tmp_path)).returncode == 0
    imported = vetlla("accounts", "import", str(tmp_path / "accounts.csv"), state_dir=daemon.state_dir)
    assert imported.returncode == 0, imported.stderr
    accounts = ("--accounts", str(tmp_path / "accounts.csv"), "--reports", "6", "--closed")
    assert simulated(daemon, *options, *accounts)["homes"] == 3


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--protocol", "morse"), "one of dc09, eview"),
        (("--protocol", "eview", "--encrypt", "128"), "encryption"),
        (("--protocol", "eview", "--transport", "udp"), "TCP only"),
        (("--protocol", "minifinder", "--faults", "damage"), "minifinder cannot have the mishap damage"),
        (("--outage", "5"), "not AFTER:LENGTH"),
        (("--outage", "5:nan"), "not AFTER:LENGTH"),
        (("--outage", "5:5", "--closed"), "give a rate"),
        (("--return-within", "5"), "--outage"),
        (("--silent", "2"), "not SHARE[:AFTER]"),
        (("--silent", "half"), "not SHARE[:AFTER]"),
        (("--silent", "0.5", "--reports", "10"), "silence needs a run"),
    ],
)
def test_options_that_make_no_sense_are_reported_with_their_remedy(options: tuple[str, ...], says: str) -> None:
    """What a protocol cannot do, and a wrong outage or share, is refused before any home calls."""
    done = vetlla("simulate", "dial", "--to", "127.0.0.1:9", *options)
    assert done.returncode == os.EX_USAGE
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_receiver_without_the_protocol_is_not_called(tmp_path: Path) -> None:
    """Without --to the receiver's own listener for the protocol is dialled; without a listener there is an error."""
    with running(tmp_path) as daemon:
        done = vetlla("simulate", "dial", "--protocol", "eview", state_dir=daemon.state_dir)
    assert done.returncode == os.EX_UNAVAILABLE
    assert "does not listen for eview" in done.stderr

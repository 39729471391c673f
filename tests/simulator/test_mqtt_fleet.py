"""The MQTT fleet against a real broker and the installed receiver. Its counts must match the journal."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from tests.rigs.broker import PATIENCE_S, running_broker
from tests.rigs.daemon import running
from tests.rigs.journal import query
from vetlla.cli.main import command_line
from vetlla.domain.errors import UsageError
from vetlla.simulator.mqtt.fleet import Event, EventFate, Fleet
from vetlla.simulator.mqtt.plan import Plan
from vetlla.simulator.scenario import Outage, Silence
from vetlla.simulator.weights import Mix

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.rig.broker import Broker
    from tests.rigs.daemon import Daemon

CONFIG = '[[mqtt]]\nhost = "127.0.0.1"\nport = {port}\nnode = "a"\nretry_max_s = 0.5\n'
ALARMS = Mix(alarms=1, technical=0, tests=0, heartbeats=0)
STORED = "SELECT account, device, sequence FROM signals WHERE system = 'scaip'"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path / "broker") as made:
        yield made


@pytest.fixture
def daemon(tmp_path: Path, broker: Broker) -> Iterator[Daemon]:
    with running(tmp_path / "receiver", config=CONFIG.format(port=broker.port)) as made:
        made.await_log("mqtt.connected")
        yield made


def plan(broker: Broker, **said: object) -> Plan:
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": broker.port,
        "terminals": [f"T{number}" for number in range(12)],
        "mix": Mix(),
        "rate": 200.0,
        "duration_s": 60.0,
        "messages": 120,
        "devices": 3,
    }
    return Plan(**values | said)  # type: ignore[arg-type] # as above


@pytest.mark.parametrize("connections", [3, 12])
async def test_every_receipted_event_is_stored(broker: Broker, daemon: Daemon, connections: int) -> None:
    """Every event is accepted, reported as settled and stored once, on shared or own connections."""
    settled: list[Event] = []
    counts = await Fleet(plan(broker, connections=connections), settled=settled.append).run()

    assert counts.complete
    assert counts.told + counts.heartbeats == 120
    assert counts.connections == connections
    assert counts.latencies.max
    assert {event.fate for event in settled} == {EventFate.ACCEPTED}
    stored = [tuple(row) for row in query(daemon.state_dir, STORED)]
    assert sorted(stored) == sorted((event.terminal, event.device, event.ref) for event in settled)
    daemon.await_status(lambda status: status["counts"]["signals"] >= counts.told)


async def test_without_a_receiver_every_event_is_lost(broker: Broker) -> None:
    """A broker alone sends no receipts, so the fleet counts all events as lost after its attempts."""
    alone = plan(broker, messages=5, mix=ALARMS, timeout_s=0.1, attempts=2)
    counts = await Fleet(alone).run()
    assert (counts.told, counts.lost, counts.accepted, counts.repeated) == (5, 5, 0, 5)
    assert not counts.complete


async def test_a_receiver_that_comes_late_costs_repetitions(tmp_path: Path, broker: Broker) -> None:
    """Events that wait for a receiver are accepted once it runs. No event is lost or stored twice."""
    with running(tmp_path / "late", config=CONFIG.format(port=broker.port)) as daemon:
        daemon.stop()
        late = plan(broker, messages=20, mix=ALARMS, timeout_s=0.3, attempts=60)
        fleet = asyncio.ensure_future(Fleet(late).run())
        await asyncio.to_thread(daemon.start)
        counts = await fleet
        assert counts.complete
        assert len(query(daemon.state_dir, STORED)) == 20


# --- outages and silence ----------------------------------------------------------------------------------------------

TOLD = "SELECT account, sequence, occurred_us FROM signals WHERE system = 'scaip'"
LOST = "SELECT DISTINCT account FROM signals WHERE code = 'lost'"


@pytest.mark.parametrize("connections", [3, 12])
async def test_a_fleet_returns_from_an_outage_with_its_backlog(
    broker: Broker, daemon: Daemon, connections: int
) -> None:
    """All connections break. On return terminals send what became due meanwhile, with its own time; nothing is lost."""
    outage = Outage(after_s=0.5, length_s=1.0, return_within_s=0.5)
    wanted = plan(broker, connections=connections, outage=outage, messages=None, duration_s=2.5, rate=100.0)
    settled: list[Event] = []
    said: list[str] = []
    counts = await Fleet(wanted, settled=settled.append, tell=said.append).run()

    assert counts.complete
    assert counts.cut == connections
    assert counts.connections == 2 * connections
    assert counts.backlog > 50, "more than a second at 100 a second"
    assert counts.heartbeats > 0
    assert counts.heartbeats_lost == 0
    assert counts.backlog_s is not None
    assert counts.lost == counts.refused == 0
    rows = [(row["account"], row["sequence"], row["occurred_us"] // 1000) for row in query(daemon.state_dir, TOLD)]
    meant = [(e.terminal, e.ref, round(datetime.fromisoformat(e.ts).timestamp() * 1000)) for e in settled]
    assert sorted(rows) == sorted(meant)
    assert f"{connections} connections broken, 12 homes without network" in said[0]


@pytest.mark.parametrize("last_will", [True, False])
async def test_the_broker_reports_terminals_that_lost_their_network(
    broker: Broker, daemon: Daemon, *, last_will: bool
) -> None:
    """Terminals send no DISCONNECT, so the broker reports each one with its own connection as lost by its last will.

    A probe has no last will, so that no operator is told of its machine.
    """
    outage = Outage(after_s=0.2, length_s=0.5)
    wanted = plan(broker, connections=12, outage=outage, messages=None, duration_s=1.0, last_will=last_will)
    await Fleet(wanted).run()
    assert sorted(row["account"] for row in query(daemon.state_dir, LOST)) == (
        sorted(wanted.terminals) if last_will else []
    )


async def test_an_outage_that_is_cut_short_ends_at_once(broker: Broker, daemon: Daemon) -> None:
    """If a run is stopped during an outage, its network returns at once and nothing is lost."""
    outage = Outage(after_s=0.2, length_s=1000.0, return_within_s=1000.0)
    wanted = plan(broker, outage=outage, messages=None, duration_s=3000.0)
    stop = asyncio.Event()

    def tell(said: str) -> None:
        if "the network fails" in said:
            stop.set()

    async with asyncio.timeout(PATIENCE_S):
        counts = await Fleet(wanted, tell=tell).run(stop)
    assert counts.cut == 12
    assert counts.complete
    assert counts.told == len(query(daemon.state_dir, TOLD))


async def test_silent_terminals_keep_their_connections(broker: Broker, daemon: Daemon) -> None:
    """The counts name the silent terminals. These send nothing more, and the broker reports none of them as lost."""
    silence = Silence(share=0.25, after_s=0.5)
    wanted = plan(broker, connections=12, silence=silence, messages=None, duration_s=2.0, mix=ALARMS)
    settled: list[Event] = []
    counts = await Fleet(wanted, settled=settled.append).run()

    assert counts.complete
    assert len(counts.silent) == 3
    assert counts.connections == 12
    assert query(daemon.state_dir, LOST) == []
    last = {event.terminal: event.ts for event in settled}
    assert last.keys() == set(wanted.terminals), "the receiver heard each terminal before the silence"
    assert max(last[name] for name in counts.silent) < min(last[name] for name in last.keys() - set(counts.silent))


def test_a_run_is_long_enough_for_its_outage_and_silence(broker: Broker) -> None:
    """The same rules hold as for homes that dial: a run must outlast its outage, and go on after a silence begins."""
    with pytest.raises(UsageError, match="before the last home"):
        plan(broker, messages=None, duration_s=1.0, outage=Outage(after_s=1, length_s=9))
    with pytest.raises(UsageError, match="silence needs a run"):
        plan(broker, silence=Silence(share=0.5, after_s=1))


# --- the command ------------------------------------------------------------------------------------------------------


def command(*options: str) -> Result:
    """Return the result of ``vetlla simulate mqtt`` with these options."""
    return CliRunner().invoke(
        command_line(["simulate"]), ["simulate", "mqtt", "--mix", "alarms=1,heartbeats=1", *options]
    )


def test_the_command_prints_its_result(broker: Broker, daemon: Daemon, tmp_path: Path) -> None:
    """The command finds the broker of the running receiver, prints its report, and writes its ledger."""
    options = ["--state-dir", str(daemon.state_dir), "--homes", "4", "--reports", "40", "--rate", "400"]
    done = command(*options, "--ledger", str(tmp_path / "l.ndjson"), "--json")

    assert done.exit_code == 0, done.output
    report = json.loads(done.output)
    assert report["complete"] is True
    assert report["to"] == f"127.0.0.1:{broker.port}"
    assert report["told"] + report["heartbeats"] == 40
    lines = [json.loads(line) for line in (tmp_path / "l.ndjson").read_text(encoding="utf-8").splitlines()]
    assert [line["fate"] for line in lines] == ["accepted"] * report["told"]
    assert "every event was accepted" in command(*options).output


def test_the_command_prints_the_outage_and_the_silence(daemon: Daemon) -> None:
    """The command prints outage and silence as they happen, and in the result for people and programs."""
    options = ["--state-dir", str(daemon.state_dir), "--homes", "4", "--rate", "40", "--duration", "2.5"]
    options += ["--outage", "0.3:0.5", "--return-within", "0.3", "--silent", "0.5:1.5"]
    done = command(*options, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["complete"], report["cut"], len(report["silent"])) == (True, 4, 2)
    assert report["backlog"] > 0
    assert report["backlog_s"] > 0
    assert "4 connections broken, 4 homes without network" in done.stderr
    assert f"2 homes fall silent: {', '.join(report['silent'])}" in done.stderr
    told = command(*options).stdout
    for words in (
        "broken by the outage",
        "had no network",
        "homes fell silent",
        "the last report that the outage delayed",
    ):
        assert words in told


def test_options_that_a_fleet_cannot_use_are_refused() -> None:
    """The command refuses an option that a fleet cannot use, instead of ignoring it."""
    done = command("--to", "127.0.0.1:1", "--faults", "torn")
    assert done.exit_code != 0
    assert "--faults" in done.output

"""The MQTT fleet against a real broker and the installed receiver: what it counts is what the journal holds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pytest
import typer
from typer.testing import CliRunner

from tests.acceptance.broker import running_broker
from tests.acceptance.daemon import running
from tests.acceptance.journal import query
from vetlla.cli.simulate_mqtt import simulate_mqtt
from vetlla.errors import UsageError
from vetlla.simulator.mqtt_fleet import Event, Fate, Fleet, Plan
from vetlla.simulator.scenario import Mix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.broker import Broker
    from tests.acceptance.daemon import Daemon

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
def test_what_a_fleet_was_receipted_for_is_stored(broker: Broker, daemon: Daemon, connections: int) -> None:
    """On shared connections and on one each: every event accepted, told of one by one, and in the journal once."""
    settled: list[Event] = []
    counts = asyncio.run(Fleet(plan(broker, connections=connections), settled=settled.append).run())

    assert counts.complete
    assert counts.told + counts.heartbeats == 120
    assert counts.connections == connections
    assert counts.latencies.max
    assert {event.fate for event in settled} == {Fate.ACCEPTED}
    stored = [tuple(row) for row in query(daemon.state_dir, STORED)]
    assert sorted(stored) == sorted((event.terminal, event.device, event.ref) for event in settled)
    daemon.await_status(lambda status: status["counts"]["signals"] >= counts.told)


def test_without_a_receiver_every_event_is_lost(broker: Broker) -> None:
    """A broker alone receipts nothing: the fleet says so, after its attempts."""
    alone = plan(broker, messages=5, mix=ALARMS, timeout_s=0.1, attempts=2)
    counts = asyncio.run(Fleet(alone).run())
    assert (counts.told, counts.lost, counts.accepted, counts.repeated) == (5, 5, 0, 5)
    assert not counts.complete


def test_a_receiver_that_comes_late_costs_repetitions(tmp_path: Path, broker: Broker) -> None:
    """Events that wait for a receiver are accepted when it is there; none is lost, none is stored twice."""
    with running(tmp_path / "late", config=CONFIG.format(port=broker.port)) as daemon:
        daemon.stop()

        async def run() -> None:
            late = plan(broker, messages=20, mix=ALARMS, timeout_s=0.3, attempts=60)
            fleet = asyncio.ensure_future(Fleet(late).run())
            await asyncio.to_thread(daemon.start)
            counts = await fleet
            assert counts.complete
            assert len(query(daemon.state_dir, STORED)) == 20

        asyncio.run(run())


# --- the command ------------------------------------------------------------------------------------------------------


def command() -> typer.Typer:
    """Return a command with the options that `vetlla simulate` hands on."""
    app = typer.Typer()

    @app.command()
    def simulate(
        ctx: typer.Context,
        *,
        to: str = "",
        homes: int | None = None,
        reports: int | None = None,
        rate: float | None = None,
        faults: str = "",
        mix: str = "alarms=1,heartbeats=1",
        ledger: str = "",
        state_dir: str = "",
        as_json: Annotated[bool, typer.Option("--json")] = False,
    ) -> None:
        ctx.params |= {"state_dir": Path(state_dir), "ledger": Path(ledger) if ledger else None}
        simulate_mqtt(ctx)

    return app


def test_the_command_tells_what_came_of_it(broker: Broker, daemon: Daemon, tmp_path: Path) -> None:
    """It finds the broker of the running receiver, prints its report, and writes its ledger."""
    options = ["--state-dir", str(daemon.state_dir), "--homes", "4", "--reports", "40", "--rate", "400"]
    done = CliRunner().invoke(command(), [*options, "--ledger", str(tmp_path / "l.ndjson"), "--json"])

    assert done.exit_code == 0, done.output
    report = json.loads(done.output)
    assert report["complete"] is True
    assert report["to"] == f"127.0.0.1:{broker.port}"
    assert report["told"] + report["heartbeats"] == 40
    lines = [json.loads(line) for line in (tmp_path / "l.ndjson").read_text(encoding="utf-8").splitlines()]
    assert [line["fate"] for line in lines] == ["accepted"] * report["told"]
    assert "every event was accepted" in CliRunner().invoke(command(), [*options]).output


def test_what_does_not_go_with_it_is_refused() -> None:
    """An option that a fleet cannot follow is an error, not ignored."""
    done = CliRunner().invoke(command(), ["--to", "127.0.0.1:1", "--faults", "torn"])
    assert isinstance(done.exception, UsageError)
    assert "--faults" in str(done.exception)

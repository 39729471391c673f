"""Probes of a real receiver, a real broker and a real HTTP server; and an outage of the right length."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from aiohttp import web

from tests.rigs.broker import running_broker
from tests.rigs.daemon import Daemon, running
from tests.rigs.journal import query
from tests.rigs.registered_homes import keep_key, register
from tests.rigs.script_server import script_server
from vetlla.domain.accounts import Account
from vetlla.domain.clock import SECOND_US, ManualClock, SystemClock
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.domain.probes import ProbedPart, ProbeResult, SeenThrough
from vetlla.service.probes.availability import Condition, Overlap, ProbeRule, component_time
from vetlla.settings.probes import load_probe_settings
from vetlla.simulator.drive import drive
from vetlla.simulator.probing.rounds import UNHEARD, Pace, ProbeRun
from vetlla.simulator.scenario import Scenario
from vetlla.simulator.weights import Mix
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.arrivals import arrived

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.probes import Probe

KEY = bytes(range(16))
RECEIVER = """
[[listen]]
protocol = "dc09"
name = "udp"
transports = ["udp"]
host = "127.0.0.1"
port = 0

[[line]]
name = "sg"
protocol = "surgard"
accept = {{ host = "127.0.0.1", port = 0 }}

[[mqtt]]
host = "127.0.0.1"
port = {broker}
node = "arc-1"
retry_max_s = 0.5
"""


class Scene(NamedTuple):
    """A receiver with every way in."""

    daemon: Daemon
    broker: int
    ports: dict[str, int]

    @property
    def state_dir(self) -> Path:
        return self.daemon.state_dir


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Start a broker and a receiver."""
    directory = tmp_path_factory.mktemp("probed")
    with ExitStack() as stack:
        broker = stack.enter_context(running_broker(directory / "broker"))
        state = directory / "receiver" / "state"
        keep_key(state, "probe", KEY)
        register(state, "99001,,,", "99002,,probe,", "99003,,,", "probe-1,,,", "9904,,,")
        daemon = stack.enter_context(running(directory / "receiver", config=RECEIVER.format(broker=broker.port)))
        daemon.await_status(lambda status: all(place.get("connected", True) for place in status["listening"]))
        ports = {place["name"]: place["port"] for place in daemon.status()["listening"] if "port" in place}
        yield Scene(daemon, broker.port, ports)


def run_of(folder: Path, text: str, clock: Clock | None = None) -> ProbeRun:
    """Return a run of a configuration."""
    file = folder / "probe.toml"
    file.write_text(f'machine = "m1"\n{text}', encoding="utf-8")
    return ProbeRun(load_probe_settings(file), clock or SystemClock())


def component(kind: str, **values: object) -> str:
    """Return a table of a component."""
    lines = [f'kind = "{kind}"', f'name = "{values.pop("name", kind)}"']
    for key, value in values.items():
        lines.append(f"{key} = {value}" if isinstance(value, (int, float)) else f'{key} = "{value}"')
    return "\n".join(["[[component]]", *lines, ""])


async def once(run: ProbeRun) -> dict[str, Probe]:
    """Return the probes of a round, by component."""
    found: list[Probe] = []
    assert await run.rounds(Pace(), asyncio.Event(), found.append) == 1
    return {probe.component: probe for probe in found}


async def one(folder: Path, text: str) -> Probe:
    """Return the probe of the only component."""
    (probe,) = (await once(run_of(folder, text))).values()
    return probe


async def test_every_way_in_is_seen_through_and_no_operator_sees_an_alarm(scene: Scene, tmp_path: Path) -> None:
    """Plain and encrypted DC-09 over TCP and UDP, a broker, a line: the journal has each signal, the queue nothing."""
    dc09, state = f"127.0.0.1:{scene.ports['dc09']}", scene.state_dir
    text = component("dc09", name="plain", to=dc09, account="99001", state_dir=state)
    text += component(
        "dc09", name="sealed", to=dc09, account="99002", key="probe", keys_file=state / "keys.toml", state_dir=state
    )
    udp = f"127.0.0.1:{scene.ports['udp']}"
    text += component("dc09", name="udp", to=udp, account="99003", transport="udp", state_dir=state)
    text += component("mqtt", to=f"127.0.0.1:{scene.broker}", account="probe-1", state_dir=state)
    text += component("line", to=f"127.0.0.1:{scene.ports['sg']}", account="9904", state_dir=state)
    run = run_of(tmp_path, text)
    for _ in range(2):  # the second round is no repetition of the first one to the receiver, or is counted as one
        found = await once(run)
        assert {name: (probe.result, probe.reason) for name, probe in found.items()} == dict.fromkeys(
            ("plain", "sealed", "udp", "mqtt", "line"), (ProbeResult.OK, "")
        )
        assert all(probe.through in {SeenThrough.JOURNAL, SeenThrough.QUEUE} for probe in found.values())
        assert all(0 < probe.duration_us < 5 * SECOND_US for probe in found.values())
    assert query(state, "SELECT count(*) FROM alarms WHERE account <> '99055'")[0][0] == 0
    rows = query(state, "SELECT account, kind, phase FROM signals WHERE kind <> 'periodic_test'")
    assert [tuple(row) for row in rows] == [("probe-1", "path_trouble", "restore")] * 2  # the broker: it is connected


async def test_the_stamp_of_the_receiver_shows_that_a_signal_was_placed(scene: Scene, tmp_path: Path) -> None:
    """It comes with the next commit, here of the other component."""
    dc09 = f"127.0.0.1:{scene.ports['dc09']}"
    text = component("dc09", name="a", to=dc09, account="99001", state_dir=scene.state_dir, ready_s=15)
    first = await one(tmp_path, text)
    assert first.through is SeenThrough.QUEUE


async def test_a_signal_that_the_journal_does_not_have_is_no_success(scene: Scene, tmp_path: Path) -> None:
    """An acknowledgement by another program that took the port proves nothing."""
    with running(tmp_path / "other") as other:
        text = component(
            "dc09", to=f"127.0.0.1:{scene.ports['dc09']}", account="99077", state_dir=other.state_dir
        )  # fmt: skip
        probe = await one(tmp_path, text)
    assert (probe.result, probe.reason, probe.through) == (ProbeResult.FAILED, UNHEARD, SeenThrough.ACK)


async def test_a_journal_that_cannot_be_read_leaves_the_acknowledgement(scene: Scene, tmp_path: Path) -> None:
    """It is a fault of the probe's machine."""
    place = f"127.0.0.1:{scene.ports['dc09']}"
    probe = await one(tmp_path, component("dc09", to=place, account="99001", state_dir=tmp_path / "none"))
    assert (probe.result, probe.through) == (ProbeResult.OK, SeenThrough.ACK)
    assert "journal was not read" in probe.reason


async def test_a_receiver_that_is_stopped_for_a_while_makes_an_outage_of_the_right_length(tmp_path: Path) -> None:
    """Rounds at 0, 30, 60 and 90 s; the receiver is away in the second and third one."""
    clock = ManualClock(datetime(2026, 11, 1, tzinfo=UTC))
    begin_us = clock.now().utc_us
    daemon = Daemon(tmp_path / "receiver", port=_free_port())
    try:
        daemon.start()
        place = f"127.0.0.1:{daemon.port}"
        run = run_of(tmp_path, component("dc09", to=place, account="99001", timeout_s=0.5, tries=1), clock)
        found: list[Probe] = []
        for step in ("", "stop", "", "start"):
            if step == "stop":
                daemon.stop()
            elif step == "start":
                daemon.start()
            await run.rounds(Pace(), asyncio.Event(), found.append)
            clock.advance(30)
    finally:
        daemon.close()
    assert [probe.result for probe in found] == [ProbeResult.OK, ProbeResult.FAILED, ProbeResult.FAILED, ProbeResult.OK]
    time = component_time(found, begin_us, clock.now().utc_us, ProbeRule(120 * SECOND_US, Overlap.ANY))
    (span,) = time.spans
    assert (span.begin_us - begin_us, span.length_us) == (30 * SECOND_US, 60 * SECOND_US)
    assert span.condition is Condition.UNAVAILABLE
    assert "no connection" in span.reason


async def test_a_peer_that_never_answers_is_a_timeout(tmp_path: Path) -> None:
    """Over TCP, over UDP, on a line, and from a web server."""
    with socket.create_server(("127.0.0.1", 0)) as deaf, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as hole:
        hole.bind(("127.0.0.1", 0))
        tcp, udp = (f"127.0.0.1:{one.getsockname()[1]}" for one in (deaf, hole))
        text = component("dc09", name="tcp", to=tcp, account="1234", timeout_s=0.1, tries=1)
        text += component("dc09", name="udp", to=udp, account="1234", transport="udp", timeout_s=0.1, tries=2)
        text += component("line", to=tcp, account="1234", timeout_s=0.1, tries=1)
        text += component("http", url=f"http://{tcp}/", timeout_s=0.1)
        found = await once(run_of(tmp_path, text))
    assert {name: probe.reason for name, probe in found.items()} == {
        "tcp": "no answer in 0.1 s",
        "udp": "no answer in 0.1 s, 2 times",
        "line": "no answer in 0.1 s",
        "http": "no answer in 0.1 s",
    }
    assert {probe.result for probe in found.values()} == {ProbeResult.TIMEOUT}
    assert {probe.through for probe in found.values()} == {SeenThrough.NOTHING}


async def test_a_broker_without_a_receiver_is_a_timeout_and_no_broker_a_failure(tmp_path: Path) -> None:
    """The broker takes the event, and no receipt comes."""
    with running_broker(tmp_path / "broker") as broker:
        text = component("mqtt", to=f"127.0.0.1:{broker.port}", account="probe-1", timeout_s=0.3, tries=1)
        alone = await one(tmp_path, text)
    gone = await one(tmp_path, text)
    assert (alone.result, gone.result) == (ProbeResult.TIMEOUT, ProbeResult.FAILED)


@pytest.mark.parametrize(
    ("answer", "more", "told"),
    [
        (web.Response(text="Nivells de servei"), {"text": "Nivells"}, ""),
        (web.Response(status=503), {}, "status 503, expected 200"),
        (web.Response(status=302, headers={"Location": "/login"}), {}, "status 302, expected 200"),
        (web.Response(status=302, headers={"Location": "/login"}), {"status": 302}, ""),
        (web.Response(text="maintenance"), {"text": "Nivells"}, "the answer does not contain the expected text"),
        (None, {}, "it closed the connection without an answer"),
    ],
)
async def test_a_page_must_have_its_status_and_its_text(
    tmp_path: Path, answer: web.Response | None, more: dict[str, Any], told: str
) -> None:
    """A page that says that it is down is no access."""
    async with script_server() as server:
        server.answer = lambda _: answer
        probe = await one(tmp_path, component("http", url=f"{server.url}/ans", part="access", **more))
    assert (probe.result is ProbeResult.OK, probe.reason) == (not told, told)
    assert probe.part is ProbedPart.ACCESS


async def test_the_password_of_a_page_is_in_a_file_and_in_no_reason(tmp_path: Path) -> None:
    """HTTP Basic (RFC 7617)."""
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n", encoding="utf-8")
    secret.chmod(0o600)
    async with script_server() as server:
        server.answer = lambda heard: web.Response(status=200 if "Authorization" in heard.headers else 401)
        text = component("http", url=f"{server.url}/ans", username="imss", password_file=secret)
        assert (await one(tmp_path, text)).result is ProbeResult.OK
    assert "s3cret" not in (await one(tmp_path, text)).reason


async def test_a_file_must_be_there_and_must_not_be_old(tmp_path: Path) -> None:
    """The age is that of its last change."""
    file = tmp_path / "november.csv"
    text = component("file", path=file, max_age_s=3_600)
    assert (await one(tmp_path, text)).reason.startswith("the file: No such file")
    file.touch()
    assert (await one(tmp_path, text)).reason == "the file has 0 bytes, expected at least 1"
    file.write_text("1", encoding="utf-8")
    assert (await one(tmp_path, text)).result is ProbeResult.OK
    os.utime(file, (0, 0))
    assert (await one(tmp_path, text)).reason.endswith("at most 3600 s are allowed")
    assert (await one(tmp_path, component("file", path=tmp_path, max_age_s=3_600))).reason == "it is no plain file"


async def test_a_run_ends_after_the_round_in_which_it_is_stopped(tmp_path: Path) -> None:
    """No half probe is told."""
    run = run_of(tmp_path, component("file", path=tmp_path / "none", max_age_s=1))
    stop, found = asyncio.Event(), list[object]()

    def told(probe: Probe) -> None:
        found.append(probe)
        if len(found) == 3:
            stop.set()

    assert await run.rounds(Pace(10, 0.01), stop, told) == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "component"),
        (component("ski", to="a:5060"), r"component\[1\]"),
        (component("dc09", to="nowhere", account="1"), "HOST:PORT"),
        (component("dc09", to="a:9", account="1", key="k"), "belong together"),
        (component("dc09", to="a:9", account="1", timeout_s=3_600), "timeout_s"),
        (component("file", path="relative", max_age_s=1), "absolute"),
        (component("file", path="/a", max_age_s=1) * 2, "two components"),
        (component("http", url="https://u:p@a/"), "password"),
        ("[[component", "TOML"),
    ],
)
def test_a_fault_in_the_file_names_its_key(tmp_path: Path, text: str, told: str) -> None:
    """A component of a kind that does not exist is refused, and not left out."""
    with pytest.raises(ConfigError, match=told):
        run_of(tmp_path, text)


def test_a_key_that_is_missing_is_named_before_anything_is_sent(tmp_path: Path) -> None:
    keep_key(tmp_path, "other", KEY)
    text = component("dc09", to="127.0.0.1:9", account="1", key="probe", keys_file=tmp_path / "keys.toml")
    with pytest.raises(UsageError, match="no key probe"):
        run_of(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        component("dc09", to="127.0.0.1:9", account="no-hex-number"),
        component("dc09", to="127.0.0.1:9", account="1", transport="tls", ca="/none.pem"),
        component("line", to="127.0.0.1:9", account="not-digits"),
        component("mqtt", to="127.0.0.1:9", account="1", ca="/none.pem"),
        component("mqtt", to="127.0.0.1:9", account="1", username="u", password_file="/none"),
        component("http", url="https://127.0.0.1/", ca="/none.pem"),
    ],
)
def test_a_fault_of_the_file_is_no_outage_of_the_service(tmp_path: Path, text: str) -> None:
    """It ends the run before anything is sent, instead of being counted as a failed probe."""
    with pytest.raises((ConfigError, UsageError)):
        run_of(tmp_path, text)


async def test_only_a_periodic_test_proves_that_one_arrived(scene: Scene) -> None:
    """An alarm of the same account does not."""
    scenario = Scenario(
        host="127.0.0.1",
        port=scene.ports["dc09"],
        accounts=(Account(account="99055"),),
        keys={},
        reports=1,
        mix=Mix.parse("technical=1"),
    )
    assert (await drive(scenario)).acknowledged == 1
    with Archive(scene.state_dir) as archive:
        assert arrived(archive, "99055", 0) is None


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port

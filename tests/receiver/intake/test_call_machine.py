"""Terminals that call and repeat, an operator, a clock and restarts: no call is lost, no retry opens a second alarm.

The terminals report over real sockets and a real broker. The expectations come from the handbook: a retry is the same
report, sent again within the time that terminals wait for an answer, with no other report of that terminal in between.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from bench.rig.broker import OPEN, Broker
from tests.rigs.broker import need_broker
from tests.rigs.core import ANA, BERTA, PATIENCE_S, Core, small, until
from tests.rigs.mqtt_device import Device
from vetlla.domain.accounts import Account
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import AccountId
from vetlla.protocols.dc09.decoder import Dc09Decoder
from vetlla.protocols.dc09.frame import build
from vetlla.protocols.mqtt.decoder import MqttDecoder
from vetlla.receiver.listeners.bind import bind
from vetlla.receiver.listeners.mqtt.listener import MqttListener
from vetlla.receiver.listeners.tcp import TcpListener
from vetlla.receiver.listeners.udp import UdpListener
from vetlla.receiver.session import SessionServices
from vetlla.service.queue.retelling import RETRY_GAP_S
from vetlla.settings.broker import Mqtt
from vetlla.settings.listen import Listen

if TYPE_CHECKING:
    from collections.abc import Coroutine

MORNING = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
LEASE_S = 60
SECONDS = [1, 20, LEASE_S, RETRY_GAP_S, RETRY_GAP_S + 1, 1000]
PRESS, RESTORE = "1101 00 001", "3101 00 001"
MQTT_CODES = {PRESS: {"dty": "0003", "stc": "0010"}, RESTORE: {"dty": "0003", "stc": "0015"}}


@dataclass
class Terminal:
    """A terminal and the way in which its maker numbers and stamps reports."""

    account: str
    way: str
    """tcp, udp or mqtt."""
    constant: bool
    """Every report has the number 0001."""
    stamped: bool
    """Each transmission has the time of its sending (DC-09); each event has the time of its occurrence (MQTT)."""
    number: int = 0
    said: str = ""
    happened: datetime | None = None
    told_at: float = 0.0

    def next(self, said: str, now: datetime) -> None:
        """Begin a report."""
        self.number = 1 if self.constant else self.number + 1
        self.said = said
        self.happened = now

    def frame(self, now: datetime) -> bytes:
        """Return the report as it is sent now; a retry is stamped again."""
        who = AccountId("", "0", self.account)
        stamp = now if self.stamped else None
        return build("ADM-CID", f"{self.number:04}", who, f"#{self.account}|{self.said}".encode(), timestamp=stamp)

    def event(self) -> dict[str, Any]:
        """Return the report as an MQTT event; a retry is the same."""
        assert self.happened is not None
        stamp = {"ts": self.happened.isoformat()} if self.stamped else {}
        return {"ref": f"{self.account}-{self.number}", **MQTT_CODES[self.said], **stamp}


def terminals() -> list[Terminal]:
    kinds = [(way, constant, stamped) for way in ("tcp", "udp", "mqtt") for constant in (0, 1) for stamped in (0, 1)]
    return [Terminal(f"{4000 + n}", way, bool(one), bool(stamped)) for n, (way, one, stamped) in enumerate(kinds)]


class CallMachine(RuleBasedStateMachine):
    """Homes that call, with the expectations of each of them."""

    broker: ClassVar[Broker]
    examples: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.directory = Path(self.folder.name)
        self.clock = ManualClock(MORNING)
        self.clock.advance(1)  # the monotonic clock of a running machine is never 0, which means unknown
        self.terminals = terminals()
        CallMachine.examples += 1
        self.node = f"machine-{CallMachine.examples}"
        self.devices: dict[str, Device] = {}

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - what the work returns
        return self.loop.run_until_complete(asyncio.wait_for(work, PATIENCE_S))

    def _now(self) -> datetime:
        """Return the time by the terminals' clocks, which do not change when the receiver's clock is set."""
        return MORNING + timedelta(microseconds=self.clock.now().mono_us)

    # --- the receiver -----------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        """Start the receiver, and let the MQTT terminals connect."""
        self.run(self._open())
        for terminal in self.terminals:
            if terminal.way == "mqtt":
                name = f"{self.node}-{terminal.account}"
                device = self.devices[terminal.account] = Device(
                    terminal.account, self.broker.port, client_id=name, will=False
                )
                device.await_subscribed()

    async def _open(self) -> None:
        queue = {"lease_s": float(LEASE_S), "chain_window_s": 1800.0, "t3_warn_s": 1e6, "t3_max_s": 1e6}
        accounts = [Account(account=terminal.account, home=f"H{terminal.account}") for terminal in self.terminals]
        self.core = Core(
            self.directory, settings=small(self.directory, queue=queue), accounts=accounts, clock=self.clock
        )
        await self.core.register()
        services = SessionServices(self.core.intake, self.core.budget, self.core.counters, self.clock)
        listen = Listen(protocol="dc09", host="127.0.0.1", port=0)
        bound = bind(listen)
        self.tcp = TcpListener(listen, services, lambda: Dc09Decoder(lambda _: ()), bound["tcp"], None)
        self.udp = UdpListener(listen, services, lambda: Dc09Decoder(lambda _: ()), bound["udp"])
        await self.tcp.start()
        await self.udp.start()
        settings = Mqtt(host="127.0.0.1", port=self.broker.port, node=self.node, retry_max_s=0.2)
        self.mqtt = MqttListener(settings, services, MqttDecoder(lambda _: ()), ready=lambda: self.core.commit.ready)
        await self.mqtt.start()
        await until(lambda: self.mqtt.connected)
        await self.core.sync()

    async def _end(self) -> None:
        """End like a process that is killed."""
        self.tcp.stop()
        self.udp.stop()
        self.tcp.abort()
        self.udp.abort()
        await until(lambda: self.core.counters.connections_open == 0)
        await self.mqtt.close()
        self.core.crash()

    @rule()
    def restart(self) -> None:
        """Kill the receiver and start it again on its journal."""
        self.run(self._end())
        self.run(self._open())

    # --- actions of homes -------------------------------------------------------------------------------------------

    @rule(number=st.integers(0, 11))
    def press(self, number: int) -> None:
        """Let a home call; its alarm is open afterwards, and shows this call."""
        terminal = self.terminals[number]
        before = self._alarms(terminal)
        is_new = terminal.said != PRESS or not self._may_be_retry(terminal)
        terminal.next(PRESS, self._now())
        signals = self._stored()
        self._tell(terminal)
        after = self._alarms(terminal)
        assert after, "the call is shown nowhere"
        assert _shown(after) == _shown(before) + 1
        assert all(alarm["priority"] == "LIFE" for alarm in after.values())
        if not terminal.constant or is_new:
            assert self._stored() == signals + 1
        if not before:
            assert [alarm["state"] for alarm in after.values()] == ["waiting"]

    @rule(number=st.integers(0, 11))
    def drill(self, number: int) -> None:
        """Let an installer try the UCR of a quiet home that is on test; the queue does not show it."""
        terminal = self.terminals[number]
        if self._alarms(terminal):
            return
        sara = ANA._replace(operator="sara", supervisor=True)
        self.run(_asked(self.core, "queue.test", sara, account=terminal.account, seconds=3600, reason="drill"))
        terminal.next(PRESS, self._now())
        self._tell(terminal)
        self.run(_asked(self.core, "queue.test", sara, account=terminal.account, seconds=0, reason="done"))
        assert not self._alarms(terminal)
        terminal.said = ""  # its next report is a call, whatever the number is

    @rule(number=st.integers(0, 11))
    def restore(self, number: int) -> None:
        """Let a home's terminal send the restore of its call."""
        terminal = self.terminals[number]
        before = self._alarms(terminal)
        terminal.next(RESTORE, self._now())
        self._tell(terminal)
        assert set(self._alarms(terminal)) == set(before), "a restore opens and closes nothing"

    @rule(number=st.integers(0, 11))
    def retry(self, number: int) -> None:
        """Let a terminal repeat its last report, as if its answer had been lost."""
        terminal = self.terminals[number]
        if terminal.said != PRESS or not self._may_be_retry(terminal):
            return
        before, signals = self._alarms(terminal), self._stored()
        self._tell(terminal)
        after = self._alarms(terminal)
        if before:
            assert set(after) == set(before), "a retry opened a second alarm"
            assert self._stored() == signals, "a retry was stored again"
            assert _shown(after) == _shown(before) + 1, "a retry is not shown"
        else:
            assert len(after) == 1, "its alarm was closed: this is another call"

    def _may_be_retry(self, terminal: Terminal) -> bool:
        return bool(terminal.said) and self._elapsed() - terminal.told_at <= RETRY_GAP_S

    def _elapsed(self) -> float:
        return self.clock.now().mono_us / 1e6

    def _tell(self, terminal: Terminal) -> None:
        send = {"tcp": self._over_tcp, "udp": self._over_udp, "mqtt": self._over_mqtt}[terminal.way]
        self.run(send(terminal))
        terminal.told_at = self._elapsed()

    async def _over_tcp(self, terminal: Terminal) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.tcp.port)
        writer.write(terminal.frame(self._now()))
        assert b'"ACK"' in await reader.readuntil(b"\r")
        writer.close()

    async def _over_udp(self, terminal: Terminal) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.settimeout(0)
            wire.connect(("127.0.0.1", self.udp.port))
            await self.loop.sock_sendall(wire, terminal.frame(self._now()))
            assert b'"ACK"' in await self.loop.sock_recv(wire, 4096)

    async def _over_mqtt(self, terminal: Terminal) -> None:
        device, event = self.devices[terminal.account], terminal.event()
        seen = len(device.receipts())
        device.publish("ucr-1/ev", event)
        await until(lambda: len(device.receipts()) > seen)
        assert device.receipts()[-1] == {"ref": event["ref"], "status": "accepted"}

    # --- operators and time -----------------------------------------------------------------------------------------

    @rule(pick=st.integers(0, 99), do=st.sampled_from(["claim", "answer", "note"]), who=st.sampled_from([ANA, BERTA]))
    def work(self, pick: int, do: str, who: Any) -> None:  # noqa: ANN401 - a caller
        """Let an operator act on an alarm, if the rules of the queue allow it."""
        alarms = self._queue()
        if alarms:
            text = {"text": "rings back"} if do == "note" else {}
            self.run(_asked(self.core, f"queue.{do}", who, alarm=alarms[pick % len(alarms)]["id"], **text))

    @precondition(lambda self: self._queue())
    @rule(pick=st.integers(0, 99))
    def close(self, pick: int) -> None:
        """Let a supervisor close an alarm."""
        alarms = self._queue()
        number = alarms[pick % len(alarms)]["id"]
        sara = ANA._replace(operator="sara", supervisor=True)
        self.run(_asked(self.core, "queue.claim", sara, alarm=number, force=True))
        self.run(_asked(self.core, "queue.close", sara, alarm=number, outcome="handled_by_voice", force=True))
        assert number not in {alarm["id"] for alarm in self._queue()}

    @rule(seconds=st.sampled_from(SECONDS))
    def time_passes(self, seconds: int) -> None:
        """Let leases and the window of retries end."""
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from([-7200, 3600]))
    def the_wall_clock_steps(self, seconds: int) -> None:
        """Let NTP or a person set the receiver's clock; no verdict may change."""
        self.clock.step_wall(seconds)

    # --- reading ----------------------------------------------------------------------------------------------------

    def _queue(self) -> list[dict[str, Any]]:
        alarms: list[dict[str, Any]] = self.run(self.core.open_alarms())
        return alarms

    def _alarms(self, terminal: Terminal) -> dict[int, dict[str, Any]]:
        return {alarm["id"]: alarm for alarm in self._queue() if alarm["account"] == terminal.account}

    def _stored(self) -> int:
        return int(self.core.read("SELECT count(*) AS n FROM signals")[0]["n"])

    def teardown(self) -> None:
        """End the receiver and the terminals."""
        for device in self.devices.values():
            device.close()
        if hasattr(self, "core"):
            self.run(self._end())
        self.loop.close()
        self.folder.cleanup()


async def _asked(core: Core, do: str, who: Any, **arguments: object) -> None:  # noqa: ANN401 - a caller
    try:
        await core.ask(do, who, **arguments)
    except UsageError:
        return  # another operator holds it


def _shown(alarms: dict[int, dict[str, Any]]) -> int:
    """Return how many reports and repetitions a home's open alarms show."""
    return sum(alarm["signals"] + alarm["told_again"] for alarm in alarms.values())


class TestCalls(CallMachine.TestCase):  # type: ignore[misc,valid-type] # made by Hypothesis
    """The machine, with one broker for all its runs."""

    settings = settings(max_examples=20, stateful_step_count=25, deadline=None)

    @classmethod
    def setUpClass(cls) -> None:
        need_broker()
        cls.folder = tempfile.TemporaryDirectory()
        CallMachine.broker = Broker(Path(cls.folder.name) / "broker", OPEN).start()

    @classmethod
    def tearDownClass(cls) -> None:
        CallMachine.broker.kill()
        cls.folder.cleanup()

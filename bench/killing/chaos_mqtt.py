"""kill -9 of broker and receiver at random instants under load, then compare the receipts with the journal.

    python -m bench.killing.chaos_mqtt [--kills N] [--terminals N] [--seed N] [--json]

Terminals are paho clients, which share no code with the receiver. Each repeats an event with the same reference until
its receipt comes, and then sends the next. It checks at the end: every terminal has its last receipt; no receipted
event is missing, stored twice or without its alarm; the audit chain is intact. The exit status is 1 if a check fails.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bench.killing.receiver import Receiver
from bench.killing.victim import READY_S
from bench.rig.broker import Broker
from vetlla.store.journal import audit
from vetlla.store.journal.archive import Archive

PATIENCE_S = 0.4
"""A terminal repeats its event after this time without a receipt."""
LIFE_S = 0.8
"""The next kill comes within this time after the first receipt since the last start."""
BROKER = """
[[mqtt]]
host = "127.0.0.1"
port = {port}
node = "chaos"
retry_max_s = 0.3
"""
_STORED = """
SELECT account, sequence, count(*) AS n, count(alarm_id) AS alarms FROM signals WHERE system = 'scaip' GROUP BY 1, 2
"""


@dataclass(slots=True)
class BrokerKillTally:
    """Counts of the kills and of the faults found."""

    kills_of_the_broker: int = 0
    kills_of_the_receiver: int = 0
    receipted: int = 0
    stored: int = 0
    published: int = 0
    """Events and repetitions that the terminals sent."""
    repeats_recognised: int = 0
    missing: int = 0
    """Events that were receipted but are not in the journal."""
    twice: int = 0
    """Events that are in the journal more than once."""
    without_alarm: int = 0
    unreceipted: int = 0
    """Terminals that never got the receipt of their last event."""
    flaws: int = 0
    """Flaws of the audit chain."""

    @property
    def faults(self) -> int:
        """Number of faults of every kind."""
        return self.missing + self.twice + self.without_alarm + self.unreceipted + self.flaws


class Terminal(threading.Thread):
    """One terminal. It sends one pendant call after the other, and remembers the receipted ones."""

    def __init__(self, name: str, port: int, stop: threading.Event) -> None:
        super().__init__(name=name, daemon=True)
        self.receipted: set[str] = set()
        self.published = 0
        self._stop_event = stop
        self._changed = threading.Condition()
        client = self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
        client.reconnect_delay_set(1, 1)
        client.on_socket_open = _without_delay
        client.on_connect = self._subscribe
        client.on_message = self._hear
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 3600
        client.connect_async("127.0.0.1", port, keepalive=5, clean_start=False, properties=properties)

    def run(self) -> None:
        self._client.loop_start()
        number = 0
        while not self._stop_event.is_set():
            number += 1
            if not self._press(f"1-{number}"):
                break
        self._client.disconnect()
        self._client.loop_stop()

    def _press(self, ref: str) -> bool:
        """Repeat an event until its receipt comes, even after the stop. Return False if no receipt comes in time."""
        event = json.dumps({"ref": ref, "dty": "0003", "stc": "0010", "ts": datetime.now(UTC).isoformat()})
        for _ in range(round(READY_S / PATIENCE_S)):
            self.published += 1
            self._client.publish(f"tc/1/{self.name}/ucr/ev", event, qos=1)
            with self._changed:
                if self._changed.wait_for(lambda: ref in self.receipted, PATIENCE_S):
                    return True
        return False

    def _subscribe(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(f"tc/1/{self.name}/receipt/#", qos=1)

    def _hear(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        receipt = json.loads(message.payload)
        if receipt["status"] == "accepted":
            with self._changed:
                self.receipted.add(receipt["ref"])
                self._changed.notify_all()


def _without_delay(_client: mqtt.Client, _data: object, wire: Any) -> None:  # noqa: ANN401 - a socket, plain or TLS
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def run(directory: Path, *, kills: int, terminals: int, seed: int) -> BrokerKillTally:
    """Kill the given number of times under load, then compare."""
    random, tally, stop = Random(seed), BrokerKillTally(), threading.Event()
    with ExitStack() as stack:
        broker = Broker(directory / "broker")
        broker.start()
        stack.callback(broker.kill)
        names = [f"T{number}" for number in range(terminals)]
        receiver = Receiver(directory, config=BROKER.format(port=broker.port))
        receiver.register("account,home\n" + "".join(f"{name},H-{name}\n" for name in names))
        receiver.start()
        stack.callback(receiver.kill)
        receiver.await_ready()
        callers = [Terminal(name, broker.port, stop) for name in names]
        stack.callback(stop.set)
        for caller in callers:
            caller.start()
        for _ in range(kills):
            _await_more(callers)
            stop.wait(random.uniform(0, LIFE_S))
            victims = random.choice([{"broker"}, {"receiver"}, {"broker", "receiver"}])
            if "broker" in victims:
                broker.kill()
                tally.kills_of_the_broker += 1
            if "receiver" in victims:
                receiver.kill()
                tally.kills_of_the_receiver += 1
            stop.wait(random.uniform(0, LIFE_S / 2))
            if "broker" in victims:
                broker.start()
            if "receiver" in victims:
                receiver.start()
                receiver.await_ready()
        _await_more(callers)
        stop.set()
        for caller in callers:
            caller.join(2 * READY_S)
        tally.unreceipted = sum(caller.is_alive() for caller in callers)
        compare(receiver.state_dir, {caller.name: caller.receipted for caller in callers}, tally)
        tally.published = sum(caller.published for caller in callers)
    return tally


def compare(state_dir: Path, receipted: dict[str, set[str]], tally: BrokerKillTally) -> None:
    """Count in the tally which receipted events the journal has."""
    with Archive(state_dir) as archive:
        rows = archive.read(_STORED, ())
        tally.flaws = len(list(audit.verify(archive.read)))
        (repeats,) = archive.read("SELECT coalesce(sum(count), 0) AS n FROM duplicates")
    stored = Counter({(row["account"], row["sequence"]): row["n"] for row in rows})
    told = {(name, ref) for name, refs in receipted.items() for ref in refs}
    tally.receipted, tally.stored = len(told), sum(stored.values())
    tally.repeats_recognised = repeats["n"]
    tally.missing = sum(stored[event] == 0 for event in told)
    tally.twice = sum(count > 1 for count in stored.values())
    tally.without_alarm = sum(row["alarms"] < row["n"] for row in rows)


def _await_more(callers: list[Terminal]) -> None:
    """Wait until one more event is receipted, which shows that broker and receiver both work."""
    before = sum(len(caller.receipted) for caller in callers)
    deadline = time.monotonic() + READY_S
    while sum(len(caller.receipted) for caller in callers) == before:
        if time.monotonic() > deadline:
            raise RuntimeError("receipts no longer come: see receiver.log and broker/mosquitto.log")
        time.sleep(0.01)


def main() -> int:
    """Run the kills and print the result."""
    parser = argparse.ArgumentParser(prog="bench.killing.chaos_mqtt", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--terminals", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="default: a new random seed, which is printed")
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line")
    options = parser.parse_args()
    seed = secrets.randbelow(1 << 32) if options.seed is None else options.seed
    directory = Path(tempfile.mkdtemp(prefix="vetlla-chaos-mqtt-"))
    began = time.monotonic()
    tally = run(directory, kills=options.kills, terminals=options.terminals, seed=seed)
    told = {"seed": seed, "seconds": round(time.monotonic() - began, 1), **asdict(tally)}
    print(json.dumps(told) if options.json else "\n".join(f"{name:>24} {value}" for name, value in told.items()))
    if tally.faults:
        print(f"{tally.faults} faults: see the journal and the logs in {directory}", file=sys.stderr)
        return 1
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())

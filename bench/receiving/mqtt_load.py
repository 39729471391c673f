"""The load of mqtt.py: paho clients in one process, which publish as fast as the broker acknowledges.

    python -m bench.receiving.mqtt_load PORT --kind hb|presence|event --terminals N --messages N --connections N

It prints ``ready`` when all clients are connected, begins when a line comes on stdin, and prints its figures as JSON.
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("hb", "presence", "event")
UNDER_WAY = 100
"""Largest number of open messages of one connection: heartbeats without PUBACK, or events without receipt."""
POLL_S = 1.0


def terminal(number: int) -> str:
    """Return the account of a terminal."""
    return f"B{number:05}"


def messages(kind: str, terminals: int, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield topics and payloads of all terminals in turns. Heartbeats have sequence numbers, events new references."""
    boot = time.time_ns() // 1_000_000
    for number in range(count):
        turn, who = divmod(number, terminals)
        name = terminal(who)
        said: dict[str, object] = {"boot": boot, "seq": turn, "ts": "2026-11-21T09:30:05+01:00", "rssi": -71}
        if kind == "hb":
            yield f"tc/1/{name}/hb", _packed(said | {"mains": True, "batt": 98})
        elif kind == "presence":
            yield f"tc/1/{name}/ucr-1/hb", _packed(said | {"batt_mv": 2950, "low": False, "worn": True})
        else:
            yield (
                f"tc/1/{name}/ev",
                _packed({"ref": f"{boot}-{number}", "dty": "0002", "stc": "0102", "ts": said["ts"]}),
            )


class Caller:
    """One connection."""

    def __init__(self, port: int, number: int, load: list[tuple[str, bytes]], *, receipted: bool) -> None:
        self.latencies_s: list[float] = []
        self.done = False
        self.is_ready = False
        self._load = iter(load)
        self._left = len(load)
        self._receipted = receipted
        self._sent: dict[str, float] = {}
        client = self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"load-{number}", protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        client.max_inflight_messages_set(UNDER_WAY)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._heard
        client.on_publish = self._published
        self._mine = {topic.split("/")[2] for topic, _ in load} if receipted else set[str]()
        client.connect("127.0.0.1", port)
        wire: Any = client.socket()
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def begin(self) -> None:
        """Send the first messages. Each answer then triggers the next one."""
        for _ in range(min(UNDER_WAY, self._left)):
            self._next()

    def _next(self) -> None:
        topic, payload = next(self._load, ("", b""))
        if topic:
            if self._receipted:
                self._sent[json.loads(payload)["ref"]] = time.perf_counter()
            self.client.publish(topic, payload, qos=1)

    def _settled(self) -> None:
        self._left -= 1
        self.done = self._left == 0
        self._next()

    def _connected(self, client: mqtt.Client, *_: object) -> None:
        if self._receipted:
            client.subscribe([(f"tc/1/{name}/receipt", 1) for name in sorted(self._mine)])
        else:
            self.is_ready = True

    def _subscribed(self, *_: object) -> None:
        self.is_ready = True

    def _published(self, *_: object) -> None:
        if not self._receipted:
            self._settled()

    def _heard(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        sent = self._sent.pop(json.loads(message.payload)["ref"], None)
        if sent is not None:
            self.latencies_s.append(time.perf_counter() - sent)
            self._settled()


def main() -> None:
    """Run one load and print its figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--kind", choices=KINDS, default="hb")
    parser.add_argument("--terminals", type=int, default=1_000)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=8)
    options = parser.parse_args()
    load = list(messages(options.kind, options.terminals, options.messages))
    shares = [load[number :: options.connections] for number in range(options.connections)]
    is_event = options.kind == "event"
    callers = [Caller(options.port, number, share, receipted=is_event) for number, share in enumerate(shares)]
    _drive(callers, "is_ready")
    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.perf_counter(), time.process_time()
    for caller in callers:
        caller.begin()
    _drive(callers, "done")
    seconds = time.perf_counter() - began
    waits = sorted(wait for caller in callers for wait in caller.latencies_s)
    json.dump(
        {
            "seconds": seconds,
            "cpu_s": time.process_time() - cpu,
            "p50_ms": waits[len(waits) // 2] * 1e3 if waits else None,
            "p99_ms": waits[len(waits) * 99 // 100] * 1e3 if waits else None,
        },
        sys.stdout,
    )


def _drive(callers: list[Caller], until: str) -> None:
    """Read and write on all connections until the named flag of each caller is set."""
    by_wire: dict[Any, mqtt.Client] = {caller.client.socket(): caller.client for caller in callers}
    while not all(getattr(caller, until) for caller in callers):
        writing = [wire for wire, client in by_wire.items() if client.want_write()]
        ready, free, _ = select.select(list(by_wire), writing, [], POLL_S)
        for wire in free:
            by_wire[wire].loop_write()
        for wire in ready:
            if by_wire[wire].loop_read() != mqtt.MQTT_ERR_SUCCESS:
                raise ConnectionError("the broker hung up")
        for client in by_wire.values():
            client.loop_misc()


def _packed(said: dict[str, object]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()


if __name__ == "__main__":
    main()

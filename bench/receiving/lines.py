"""Line receivers at the speed of their lines beside homes that dial, and how far a sink lags behind.

    python -m bench.receiving.lines [--lines 20] [--rate 1000] [--seconds 30] [--json]

Each line is a pseudo-terminal at which a receiver sends its next message as soon as it has its ACK and the line could
have carried the message: 19,200 baud, ten bits for each byte, which is the fastest speed that a manual names as shipped
(Sur-Gard MLR2-E). Beside them ``vetlla simulate dial`` sends DC-09, and a webhook on loopback takes every signal.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import pty
import subprocess
import sys
import tempfile
import time
import tty
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from bench.killing.receiver import Receiver, free_port
from bench.rig.machine import describe
from vetlla.cli.kit.control import ask
from vetlla.receiver.control.messages.sinks import ListSinks

BAUD = 19_200
BITS_A_BYTE = 10
"""A start bit, eight bits and a stop bit."""
LOOK_S = 0.2
"""How often the lag of the sink is read."""
WARM_UP_S = 2.0
"""Time before figures count: the first reports of a home open its alarms."""


class Figures(NamedTuple):
    """What one run measured."""

    messages_per_s: float
    answer_p50_ms: float
    answer_p99_ms: float
    answer_max_ms: float
    dial: dict[str, Any]
    sink_taken: int
    lag_max_s: float


class LineReceiver:
    """One receiver at its end of a pseudo-terminal."""

    def __init__(self, number: int) -> None:
        self.controller, self._device = pty.openpty()
        tty.setraw(self._device)
        self.place = os.ttyname(self._device)
        self.waits_s: list[float] = []
        self._number = number
        self._sent = 0
        self._answered = asyncio.Event()

    async def speak(self, until: float, count_from: float) -> None:
        """Send messages until a time of the monotonic clock."""
        loop = asyncio.get_running_loop()
        os.set_blocking(self.controller, False)
        loop.add_reader(self.controller, self._read)
        while (now := time.monotonic()) < until:
            frame = b"5%02X1 18%04dE130%02d%03d\x14" % (
                self._number + 1, self._sent % 500, self._number, self._sent % 1_000,
            )  # fmt: skip
            self._sent += 1
            self._answered.clear()
            os.write(self.controller, frame)
            await self._answered.wait()
            waited_s = time.monotonic() - now
            if now >= count_from:
                self.waits_s.append(waited_s)
            await asyncio.sleep(max(0.0, len(frame) * BITS_A_BYTE / BAUD - waited_s))
        loop.remove_reader(self.controller)

    def _read(self) -> None:
        if b"\x06" in os.read(self.controller, 100):
            self._answered.set()


async def _measure(directory: Path, lines: int, rate: float, seconds: float) -> Figures:
    receivers = [LineReceiver(number) for number in range(lines)]
    dial_port, hook_port = free_port(), free_port()
    key = directory / "key"
    key.write_text(f"whsec_{base64.b64encode(bytes(32)).decode()}\n", encoding="ascii")
    key.chmod(0o600)
    tables = [
        f'[[line]]\nname = "line-{number}"\nprotocol = "surgard"\nserial = {{ device = "{one.place}", baud = {BAUD} }}'
        for number, one in enumerate(receivers)
    ]
    tables += [
        f'[[listen]]\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = {dial_port}',
        f'[[sink]]\nkind = "webhook"\nname = "hook"\nurl = "http://127.0.0.1:{hook_port}/"\nkey_files = ["{key}"]',
    ]
    vetlla = Receiver(directory, config="\n".join(tables))
    taken = 0

    async def take(request: web.Request) -> web.Response:
        nonlocal taken
        taken += len((await request.json())["signals"])
        return web.Response()

    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", hook_port).start()
    vetlla.start()
    vetlla.await_ready()
    try:
        command = [
            sys.executable, "-m", "vetlla", "simulate", "dial", "--to", f"127.0.0.1:{dial_port}", "--homes", "200",
            "--rate", f"{rate}", "--duration", f"{seconds}s", "--json",
        ]  # fmt: skip
        dialling = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        began = time.monotonic()
        lags: list[float] = []
        speaking = asyncio.gather(*(one.speak(began + seconds, began + WARM_UP_S) for one in receivers))
        while not speaking.done():
            (sink,) = (await asyncio.to_thread(ask, vetlla.state_dir, ListSinks()))["sinks"]
            if time.monotonic() >= began + WARM_UP_S:
                lags.append(sink["lag_s"])
            await asyncio.sleep(LOOK_S)
        out, _ = await dialling.communicate()
        waits_ms = sorted(1e3 * wait for one in receivers for wait in one.waits_s)
        return Figures(
            messages_per_s=len(waits_ms) / (seconds - WARM_UP_S),
            answer_p50_ms=waits_ms[len(waits_ms) // 2],
            answer_p99_ms=waits_ms[len(waits_ms) * 99 // 100],
            answer_max_ms=waits_ms[-1],
            dial=json.loads(out),
            sink_taken=taken,
            lag_max_s=max(lags),
        )
    finally:
        vetlla.kill()
        await runner.cleanup()


def main() -> int:
    """Measure, and print the figures with the machine."""
    parser = argparse.ArgumentParser(prog="bench.receiving.lines", description=__doc__)
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--rate", type=float, default=1_000, help="DC-09 frames a second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-lines-") as directory:
        figures = asyncio.run(_measure(Path(directory), asked.lines, asked.rate, asked.seconds))
    if asked.json:
        print(json.dumps({**figures._asdict(), "machine": describe()._asdict()}))
    else:
        for name, value in figures._asdict().items():
            print(f"{name}: {value}")
        print(describe())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

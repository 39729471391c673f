"""Try the emulator and the judge against the smallest program, over a pty pair of socat and TCP in both roles.

    python -m bench.line_emulator.selftest [--events 2000] [--speed 20000]

It shows that right programs pass, that each mistake on purpose is found under its name, and how many messages a second
the emulator makes. The exit status is 1 if anything is otherwise. It needs socat.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.line_emulator import ledger
from bench.line_emulator.judge import FileTable, Verdict, judge
from bench.line_emulator.selfcheck import shapes, tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

READY_S = 10.0
"""Longest wait for a device, in seconds."""
END_S = 90.0
"""Longest run, in seconds."""
PLAIN = (
    "--give-up", "20", "--ack-wait", "0.3", "--lost-ack-wait", "0.02", "--heartbeat", "0.3",
    "--mix", "contact-id", "--caller-id", "0", "--two-way", "0",
)  # fmt: skip
FAULTS = (
    "--lost-ack", "0.05", "--cut", "0.03", "--half", "0.003", "--damage", "0.01", "--noise", "0.05",
    "--second-calls", "0.1", "--longest-pause", "0.01",
)  # fmt: skip


class Ran(NamedTuple):
    """A run: its exit status, its counts, and the verdict on it."""

    status: int
    counts: dict[str, Any]
    verdict: Verdict

    @property
    def rate(self) -> float:
        """Acknowledged messages a second."""
        return float(self.counts.get("acknowledged", 0)) / float(self.counts["seconds"])


def _python(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"bench.line_emulator{module}", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    if process.poll() is None:
        process.send_signal(number)
    process.wait(END_S)


def _cable(folder: Path) -> subprocess.Popen[bytes]:
    """Start a pty pair whose ends are ``box`` and ``program``, and wait until both are there."""
    ends = [folder / "box", folder / "program"]
    for end in ends:
        end.unlink(missing_ok=True)
    command = ["socat", *(f"pty,rawer,link={end}" for end in ends)]
    cable = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + READY_S
    while not all(end.exists() for end in ends):
        if time.monotonic() > until:
            raise TimeoutError("socat made no pty pair")
        time.sleep(0.01)
    return cable


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


@contextmanager
def _ways(way: str, folder: Path) -> Iterator[tuple[list[str], list[str]]]:
    """Give the options of emulator and responder for a way."""
    if way == "pty":
        cable = _cable(folder)
        try:
            yield ["--serial", str(folder / "box")], ["--serial", str(folder / "program")]
        finally:
            _stop(cable)
    elif way == "own pty":
        yield ["--pty", str(folder / "program")], ["--serial", str(folder / "program")]
    else:
        port = _free_port()
        listen, connect = ["--listen", port], ["--connect", port]
        yield (listen, connect) if way == "tcp-server" else (connect, listen)


def _result(path: Path, status: int, folder: Path) -> Ran:
    counts = next(record for record in ledger.read(path) if record["is"] == "end")
    table = folder / "table.csv"
    verdict = judge(path, FileTable(table))
    if (_python(".judge", str(path), str(table)).wait(END_S) == 0) != verdict.passed:
        raise AssertionError("the command of the judge has another verdict")
    return Ran(status, counts, verdict)


def run(
    way: str, events: int, box: tuple[str, ...], program: tuple[str, ...] = (), pauses_s: Sequence[float] = ()
) -> Ran:
    """Let an emulator and a responder talk, and return what came of it. After each pause the responder starts again."""
    with tempfile.TemporaryDirectory() as name, _ways(way, Path(name)) as (for_box, for_program):
        folder, path = Path(name), Path(name) / "ledger"
        command = [".responder", *for_program, str(folder / "table.csv"), *program]
        responder = _python(*command)
        emulator = _python("", *for_box, "--ledger", str(path), "--events", str(events), *box)
        try:
            for pause_s in pauses_s:
                time.sleep(0.7)
                _stop(responder)
                time.sleep(pause_s)
                responder = _python(*command)
            status = emulator.wait(END_S)
        finally:
            _stop(emulator, signal.SIGKILL)
            _stop(responder)
        return _result(path, status, folder)


def unplugged(events: int) -> Ran:
    """Kill the cable three times in a run, and plug another one in; the program starts again each time."""
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "ledger"
        cable = _cable(folder)
        program = [".responder", "--serial", str(folder / "program"), str(folder / "table.csv")]
        responder = _python(*program)
        emulator = _python("", "--serial", str(folder / "box"), "--ledger", str(path), "--events", str(events), *PLAIN)
        try:
            for pulled_s in (2.0, 0.5, 0.5):
                time.sleep(0.7)
                os.kill(cable.pid, signal.SIGKILL)
                cable.wait()
                responder.wait(END_S)
                time.sleep(pulled_s)
                cable = _cable(folder)
                responder = _python(*program)
            status = emulator.wait(END_S)
        finally:
            _stop(emulator, signal.SIGKILL)
            _stop(responder)
            _stop(cable)
        return _result(path, status, folder)


def alone(*box: str) -> Ran:
    """Run an emulator that no program dials."""
    with tempfile.TemporaryDirectory() as name:
        folder, path = Path(name), Path(name) / "ledger"
        (folder / "table.csv").write_text("receiver,line,account,code\n")
        status = _python("", "--listen", _free_port(), "--ledger", str(path), *PLAIN, *box).wait(END_S)
        return _result(path, status, folder)


class Check:
    """Prints what was expected and found, and counts what was otherwise."""

    wrong = 0

    def __call__(self, name: str, ran: Ran, *, right: bool) -> None:
        """Note one result."""
        self.wrong += not right
        print(f"{'ok' if right else 'WRONG'}: {name} ({ran.rate:,.0f} messages/s)", flush=True)
        if not right:
            print(json.dumps({"status": ran.status, **ran.counts}), ran.verdict, sep="\n")


def main() -> int:
    """Run all."""
    parser = argparse.ArgumentParser(prog="python -m bench.line_emulator.selftest", description=__doc__)
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--speed", type=int, default=20_000)
    given = parser.parse_args()
    check, events = Check(), given.events
    shapes()
    tables(given.speed // 4)
    for way in ("pty", "own pty", "tcp-server", "tcp-client"):
        ran = run(way, given.speed, PLAIN)
        check(f"{way}, plain", ran, right=ran.status == 0 and ran.verdict.passed)
        ran = run(way, events, (*PLAIN, *FAULTS))
        met = ran.counts["lost_acks"] and ran.counts["sends"] > events and ran.verdict.second_calls > events / 50
        check(f"{way}, faults and second calls", ran, right=bool(met) and ran.verdict.passed)
    ran = run("tcp-server", events, (*PLAIN, "--b32", "--cut", "0.1"), ("--b32",))
    check("B32 header", ran, right=ran.status == 0 and ran.verdict.passed)
    ran = run("pty", events, (*PLAIN, "--end", "none", "--glued", "0.1", "--lost-ack", "0.05"), ("--no-end",))
    check("glued copies without end marks", ran, right=ran.counts["strays"] > 0 and ran.verdict.passed)
    ran = run("tcp-server", events, (*PLAIN, "--seven-even", "--tries", "2", "--give-up", "3"), ())
    check("7E1 at a port of 8N1 is not read", ran, right=ran.status == 1 and ran.verdict.never_acknowledged > 0)
    ran = run(
        "tcp-server", 50, (*PLAIN, "--second-calls", "0.2", "--second-call-gap", "time", "--second-call-after", "1")
    )
    check("second calls by time need a program with a clock", ran, right=ran.verdict.second_calls_swallowed > 0)
    for way in ("own pty", "tcp-server", "tcp-client"):
        ran = run(way, 20 * events, PLAIN, pauses_s=(2.0, 0.2, 0.2))
        right = ran.status == 0 and ran.verdict.passed and ran.counts.get("absent", 0) > 0
        check(f"{way}, the program started again three times", ran, right=right)
    ran = unplugged(20 * events)
    check("the cable pulled three times", ran, right=ran.counts.get("absent", 0) > 0 and ran.verdict.passed)
    _mistakes(check, events)
    ran = alone("--rate", "200", "--buffer", "20", "--give-up", "2")
    check("buffer overflow", ran, right=ran.status == 1 and ran.verdict.overflow > 0 and not ran.verdict.passed)
    return 1 if check.wrong else 0


def _mistakes(check: Check, events: int) -> None:
    """Let programs make mistakes, and see whether the judge finds them, and only them."""
    for wrong, finding in (
        ("stores-repetitions", "stored_twice"),
        ("forgets-some", "acknowledged_not_stored"),
        ("swallows-second-calls", "second_calls_swallowed"),
        ("acknowledges-damage", "damaged_acknowledged"),
    ):
        ran = run("pty", events, (*PLAIN, *FAULTS), ("--wrong", wrong))
        check(f"a program that {wrong}", ran, right=getattr(ran.verdict, finding) > 0 and not ran.verdict.passed)
    ran = run("pty", events, (*PLAIN, "--second-calls", "0.1"), ("--wrong", "silent"))
    right = ran.counts.get("absent", 0) > 0 and ran.status == 0 and ran.verdict.passed
    check("a program that is silent now and then", ran, right=right)
    ran = run("pty", 3, (*PLAIN, "--heartbeat", "0.2"), ("--wrong", "only-nak"))
    made = ran.counts["events"]
    right = ran.counts.get("dropped") == made == ran.verdict.never_acknowledged and ran.counts["naks"] == 26 * made
    check("a program that only says NAK", ran, right=right)


if __name__ == "__main__":
    sys.exit(main())

"""The installed receiver as a process, which acceptance tests start, watch, disturb and stop.

Nothing here sleeps for a fixed time. The daemon itself reports when it is ready (``NOTIFY_SOCKET``), and tests wait for
events in its log. Every wait has a bound, which it reaches only if something is wrong.
"""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tests.rigs.messages import checked, request_of
from vetlla.cli.kit.control import ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

VETLLA = str(Path(sys.executable).with_name("vetlla"))
PATIENCE_S = 30.0
"""Bound of every wait. The machine may be busy with other tests, and a receiver that never answers fails the test."""

_PR_SET_PDEATHSIG = 1
_PR_SET_PTRACER, _ANYBODY = 0x59616D61, -1
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 24, 1, 2
_names = itertools.count()


def bound_by_permissions() -> None:
    """Remove from a starting process the capabilities by which root ignores permissions. Other users have none."""
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


class Page(NamedTuple):
    """An answer of the daemon's HTTP server."""

    status: int
    body: str


class Ended(Exception):  # noqa: N818 - tests of bad starts expect it
    """The daemon ended instead of becoming ready."""

    def __init__(self, status: int, told: str) -> None:
        super().__init__(f"exit status {status}\n{told}")
        self.status = status
        self.told = told


class Daemon:
    """One run of ``vetlla receiver`` over a state directory; ``start`` again begins the next run.

    ``config`` is TOML. A free HTTP port is added before it, and a DC-09 listener on 127.0.0.1 behind it.
    """

    process: subprocess.Popen[bytes]

    def __init__(self, directory: Path, *, config: str = "", port: int = 0) -> None:
        self.state_dir = directory / "state"
        self.config_file = directory / "vetlla.toml"
        self.listen_port = port
        """Port in the configuration; 0 gives a new one with every start."""
        self.port = port
        """Port on which it listens now."""
        self.http_port = 0
        self.log: list[dict[str, Any]] = []
        self.told = ""
        """Standard error without the log: errors of the start and tracebacks."""
        self.shown = ""
        """The status line for ``systemctl status``."""
        self._changed = Condition()
        self._reader: Thread | None = None
        self._manager: socket.socket | None = None
        directory.mkdir(parents=True, exist_ok=True)
        self.configure(config)

    def configure(self, config: str) -> None:
        """Write the configuration file, for the next start or a reload."""
        listen = f'[[listen]]\nprotocol = "dc09"\nhost = "127.0.0.1"\nport = {self.listen_port}\n'
        self.config_file.write_text(f"http = {{ port = 0 }}\n{config}\n{listen}", encoding="utf-8")

    # --- start and end ----------------------------------------------------------------------------------------------

    def start(
        self,
        *,
        ready: bool = True,
        wrapper: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        preexec: Callable[[], object] = lambda: None,
        pass_fds: Sequence[int] = (),
        options: Sequence[str] = (),
    ) -> Daemon:
        """Start, and with ``ready`` wait until it reports READY. Raises Ended if it ends instead."""
        self.log, self.told = [], ""
        if self._manager is not None:
            self._manager.close()
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"vetlla-test-{os.getpid()}-{next(_names)}"
        self._manager.bind(f"\0{name}")

        def prepare() -> None:
            # A killed test must leave no daemon. Yama lets only ancestors trace, but strace is not one, so allow it.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANYBODY, 0, 0, 0)
            preexec()

        self.process = subprocess.Popen(
            [*wrapper, VETLLA, "receiver", *(options or ("--config", self.config_file, "--state-dir", self.state_dir))],
            env={**os.environ, "NOTIFY_SOCKET": f"@{name}", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=pass_fds,
            preexec_fn=prepare,  # noqa: PLW1509 - prctl and a test's own call take no lock
        )
        self._reader = Thread(target=self._read_log, name="log-reader", daemon=True)
        self._reader.start()
        if ready:
            self.await_state("READY=1")
            self._learn_places()
        return self

    def await_state(self, state: str) -> None:
        """Wait until the daemon reports this state to its service manager."""
        assert self._manager is not None
        ended = os.pidfd_open(self.process.pid)
        deadline = time.monotonic() + PATIENCE_S
        try:
            while True:
                told = self._manager.fileno()
                readable, _, _ = select.select([told, ended], [], [], max(0, deadline - time.monotonic()))
                if told in readable:
                    lines = self._manager.recv(4096).decode().splitlines()
                    self.shown = next((line for line in lines if line.startswith("STATUS=")), self.shown)
                    if state in lines:
                        return
                elif ended in readable:
                    raise Ended(self.wait(), self.told)
                else:
                    raise TimeoutError(f"no {state} within {PATIENCE_S} s\n{self.told}{self.log}")
        finally:
            os.close(ended)

    def _learn_places(self) -> None:
        status = self.status()
        self.port = status["listening"][0]["port"]
        self.http_port = status["http"]["port"] if status["http"] else 0

    def tell(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def reload(self) -> None:
        """Send SIGHUP, and wait until the reload was taken or refused."""
        self.tell(signal.SIGHUP)
        self.await_state("RELOADING=1")
        self.await_state("READY=1")

    def stop(self) -> int:
        """Stop it normally; return its exit status."""
        self.tell(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it at once with SIGKILL."""
        self.tell(signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Wait until it ends; return its exit status."""
        status = self.process.wait(timeout=PATIENCE_S)
        assert self._reader is not None
        self._reader.join(timeout=PATIENCE_S)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return status

    def close(self) -> None:
        """End the process if it still runs, and close all files."""
        if hasattr(self, "process"):
            with suppress(ProcessLookupError):
                self.process.kill()
            self.wait()
        if self._manager is not None:
            self._manager.close()

    # --- log, requests and pages ------------------------------------------------------------------------------------

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for raw in self.process.stderr:
            line = raw.decode(errors="replace")
            with self._changed:
                try:
                    self.log.append(json.loads(line))
                except ValueError:
                    self.told += line
                self._changed.notify_all()

    def await_log(self, event: str, *, after: int = 0, **fields: object) -> dict[str, Any]:
        """Wait for a log line and return it. ``after`` skips this number of first lines (``len(daemon.log)``)."""
        found: dict[str, Any] = {}

        def there() -> bool:
            for line in self.log[after:]:
                if line["event"] == event and fields.items() <= line.items():
                    found.update(line)
                    return True
            return False

        with self._changed:
            assert self._changed.wait_for(there, PATIENCE_S), f"no {event} {fields} in {self.log}\n{self.told}"
        return found

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of an event so far."""
        with self._changed:
            return [line for line in self.log if line["event"] == event]

    def ask(self, do: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Send a request to the control socket, as ``vetlla queue`` does, and check the answer's form."""
        return checked(do, ask(self.state_dir, request_of(do, **arguments), timeout_s=PATIENCE_S))

    def status(self) -> dict[str, Any]:
        """Return what ``vetlla status --json`` prints."""
        status: dict[str, Any] = self.ask("status")
        return status

    def await_status(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Ask for the status until it fits."""
        deadline = time.monotonic() + PATIENCE_S
        while not fits(status := self.status()):
            assert time.monotonic() < deadline, status
        return status

    def queue(self, *, on_test: bool = False) -> list[dict[str, Any]]:
        """Return the open alarms."""
        alarms: list[dict[str, Any]] = self.ask("queue.list", on_test=on_test)["alarms"]
        return alarms

    def await_alarm(self) -> dict[str, Any]:
        """Ask for the queue until it has one alarm, because a refusal is answered before its evidence is on disk."""
        (alarm,) = self.await_queue(lambda alarms: len(alarms) == 1)
        return alarm

    def await_queue(self, fits: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Ask for the queue until it fits."""
        deadline = time.monotonic() + PATIENCE_S
        while not fits(alarms := self.queue()):
            assert time.monotonic() < deadline, alarms
        return alarms

    def page(self, path: str) -> Page:
        """Fetch a page of the HTTP server."""
        url = f"http://127.0.0.1:{self.http_port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
                return Page(answer.status, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, error.read().decode())

    def metric(self, name: str, **labels: str) -> float:
        """Return a sample of ``/metrics``; of a counter the sum of all samples with these labels."""
        body = self.page("/metrics").body
        families = text_string_to_metric_families(body)  # type: ignore[no-untyped-call] # prometheus_client's
        samples = (sample for family in families for sample in family.samples)
        found = [float(one.value) for one in samples if one.name == name and labels.items() <= one.labels.items()]
        if not found:
            raise KeyError(f"{name} {labels}")
        return sum(found) if name.endswith("_total") else found[0]

    def await_metric(self, name: str, fits: Callable[[float], bool]) -> None:
        """Fetch a metric until it fits."""
        deadline = time.monotonic() + PATIENCE_S
        while not fits(value := self.metric(name)):
            assert time.monotonic() < deadline, (name, value)


@contextmanager
def running(directory: Path, *, config: str = "", port: int = 0) -> Iterator[Daemon]:
    """Run a daemon in the test's directory during the block."""
    daemon = Daemon(directory, config=config, port=port)
    try:
        yield daemon.start()
    finally:
        daemon.close()


def vetlla(*arguments: str, stdin: str = "", state_dir: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command of the installed program, and return its result."""
    where = ("--state-dir", str(state_dir)) if state_dir else ()
    return subprocess.run(
        [VETLLA, *arguments, *where], input=stdin, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )

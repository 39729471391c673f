"""Terminals that never give up, and an operator: the load that ``bench.killing.chaos`` kills the receiver under.

Each terminal is a thread with a raw socket. It repeats a report, with the same number, until it is acknowledged, over
a new line whenever the old one breaks; now and then it repeats one that was acknowledged, as if the answer had been
lost. What it was told is written down, to be compared with the journal.
"""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.cli.kit.control import ask
from vetlla.domain.errors import VetllaError
from vetlla.domain.signals import AccountId, Key
from vetlla.protocols.dc09 import frame as dc09_frame

if TYPE_CHECKING:
    from pathlib import Path

ANSWER_S = 2.0
"""How long a terminal waits for its answer before it repeats itself."""
REDIAL_S = 0.02
"""Pause before a line that broke is dialled again: short, so that a restarted receiver is under load at once."""
LAST_SEQUENCE = 9999
AGAIN = 0.1
"""Share of acknowledged reports that are sent once more."""
CODES = ("1101", "1101", "1101", "1301", "1602")
"""Pendant, mains lost, periodic test: a life, a technical alarm, and one that opens none."""
LIFE = "101"


class Report(NamedTuple):
    """What makes a report one of its kind, as the sender and the journal both know it."""

    account: str
    sequence: str
    code: str
    area: str
    device: str


class Manner(NamedTuple):
    """How a terminal talks."""

    transport: str
    keeps_line: bool
    key: Key | None


class Ledger:
    """What terminals were told; only grows."""

    def __init__(self) -> None:
        self._acknowledged: list[Report] = []
        self._grown = threading.Condition()
        self.attempts = 0
        self.refused = 0
        """Answers other than an acknowledgement: none is expected."""

    def attempt(self) -> None:
        """Count a report, or its repetition, on its way."""
        with self._grown:
            self.attempts += 1

    def refuse(self) -> None:
        """Count an answer that is no acknowledgement."""
        with self._grown:
            self.refused += 1

    def acknowledge(self, report: Report) -> None:
        """Write down that a report was acknowledged."""
        with self._grown:
            self._acknowledged.append(report)
            self._grown.notify_all()

    def acknowledged(self) -> list[Report]:
        """Return everything that was acknowledged so far."""
        with self._grown:
            return list(self._acknowledged)

    def await_more(self, count: int, timeout_s: float) -> bool:
        """Wait until so many more are acknowledged; False: they were not within the time."""
        with self._grown:
            wanted = len(self._acknowledged) + count
            return self._grown.wait_for(lambda: len(self._acknowledged) >= wanted, timeout_s)


class Terminal(threading.Thread):
    """One home."""

    def __init__(
        self, account: str, port: int, manner: Manner, *, seed: int, ledger: Ledger, stop: threading.Event
    ) -> None:
        super().__init__(name=f"terminal-{account}", daemon=True)
        self._ledger = ledger
        self._id = AccountId("", "0", account)
        self._address = ("127.0.0.1", port)
        self._manner = manner
        self._random = Random(seed)
        self._stop_asked = stop
        self._line: socket.socket | None = None
        self._number = self._random.randrange(LAST_SEQUENCE)
        self._told = 0

    def run(self) -> None:
        """Report until told to stop."""
        while not self._stop_asked.is_set():
            report = self._next()
            if not self._deliver(report):
                break
            self._ledger.acknowledge(report)
            if self._random.random() < AGAIN:
                self._deliver(report)
            if not self._manner.keeps_line:
                self._hang_up()
        self._hang_up()

    def _next(self) -> Report:
        self._number = self._number % LAST_SEQUENCE + 1
        self._told += 1
        qualified = self._random.choice(CODES)
        area, device = divmod(self._told // LAST_SEQUENCE, 1000)
        return Report(self._id.account, f"{self._number:04}", qualified[1:], f"{area:02}", f"{device:03}")

    def _deliver(self, report: Report) -> bool:
        """Repeat a report until it is acknowledged; False: told to stop before."""
        while not self._stop_asked.is_set():
            self._ledger.attempt()
            try:
                answer = self._ask(report)
            except OSError:
                self._hang_up()
                self._stop_asked.wait(REDIAL_S)
                continue
            if answer is not None and answer.token == "ACK" and answer.sequence == report.sequence:
                return True
            if answer is not None and answer.token != "ACK":
                self._ledger.refuse()
        return False

    def _ask(self, report: Report) -> dc09_frame.Frame | None:
        """Send a report, built for this moment; return the answer. Raises OSError when there is none."""
        manner = self._manner
        data = f"#{self._id.account}|1{report.code} {report.area} {report.device}".encode()
        secret = manner.key.secret if manner.key else None
        frame = dc09_frame.build(
            "ADM-CID", report.sequence, self._id, data, timestamp=datetime.now(UTC) if secret else None, key=secret
        )
        line = self._dial()
        line.sendall(frame)
        answer = line.recv(4096)
        if not answer:
            raise ConnectionResetError
        parsed = dc09_frame.parse(answer, (manner.key,) if manner.key else ())
        return parsed if isinstance(parsed, dc09_frame.Frame) else None

    def _dial(self) -> socket.socket:
        if self._line is None:
            kind = socket.SOCK_DGRAM if self._manner.transport == "udp" else socket.SOCK_STREAM
            line = socket.socket(socket.AF_INET, kind)
            line.settimeout(ANSWER_S)
            self._line = line
            line.connect(self._address)
        return self._line

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


class Operator(threading.Thread):
    """Works the queue through the control socket; ``closed`` holds what was confirmed as durable."""

    def __init__(self, state_dir: Path, stop: threading.Event) -> None:
        super().__init__(name="operator", daemon=True)
        self.closed: list[int] = []
        self.noted: list[int] = []
        self._state_dir = state_dir
        self._stop_asked = stop

    def run(self) -> None:
        """Claim, note and close one alarm after the other, until told to stop."""
        while not self._stop_asked.is_set():
            try:
                alarm = self._ask("queue.claim")["id"]
                if self._ask("queue.note", alarm=alarm, text="spoke with the home")["durable"]:
                    self.noted.append(alarm)
                if self._ask("queue.close", alarm=alarm, outcome="handled_by_voice")["durable"]:
                    self.closed.append(alarm)
            except (VetllaError, OSError, ValueError):  # no receiver just now, or it died in the middle of its answer
                self._stop_asked.wait(REDIAL_S)

    def _ask(self, do: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        return ask(self._state_dir, do, timeout_s=ANSWER_S, **arguments)

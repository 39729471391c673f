"""The load of ``bench.killing.chaos``: terminals that never give up, and an operator.

Each terminal is a thread with a raw socket. It repeats a report with the same number until it is acknowledged, and
dials again whenever its line breaks. Now and then it repeats an acknowledged report, as if the answer had been lost.
A ledger keeps the acknowledged reports, to be compared with the journal.
"""

from __future__ import annotations

import socket
import threading
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from vetlla.cli.kit.control import ask
from vetlla.domain.alarms import AlarmOutcome
from vetlla.domain.errors import VetllaError
from vetlla.domain.signals import AccountId, Key
from vetlla.protocols.dc09 import frame as dc09_frame
from vetlla.receiver.control.messages.queue import ClaimAlarm, CloseAlarm, NoteAlarm

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.receiver.control.messages.base import Request
    from vetlla.receiver.control.messages.queue import StepDone

ANSWER_S = 2.0
"""How long a terminal waits for an answer before it repeats its report."""
REDIAL_S = 0.02
"""Pause before a terminal dials again after its line broke. It is short, to load a restarted receiver at once."""
LAST_SEQUENCE = 9999
AGAIN = 0.1
"""Share of acknowledged reports that a terminal sends once more."""
CODES = ("1101", "1101", "1101", "1301", "1602")
"""Pendant, mains lost, periodic test: a LIFE alarm, a technical alarm, and a report that opens no alarm."""
LIFE = "101"


class Report(NamedTuple):
    """The fields that identify a report, both for its sender and in the journal."""

    account: str
    sequence: str
    code: str
    area: str
    device: str


class Manner(NamedTuple):
    """How a terminal connects."""

    transport: str
    keeps_line: bool
    key: Key | None


class Ledger:
    """The acknowledged reports of all terminals. It only grows."""

    def __init__(self) -> None:
        self._acknowledged: list[Report] = []
        self._grown = threading.Condition()
        self.attempts = 0
        self.refused = 0
        """Answers other than an acknowledgement. No such answer is expected."""

    def attempt(self) -> None:
        """Count a report or a repetition that is sent."""
        with self._grown:
            self.attempts += 1

    def refuse(self) -> None:
        """Count an answer that is not an acknowledgement."""
        with self._grown:
            self.refused += 1

    def acknowledge(self, report: Report) -> None:
        """Record that a report was acknowledged."""
        with self._grown:
            self._acknowledged.append(report)
            self._grown.notify_all()

    def acknowledged(self) -> list[Report]:
        """Return the reports acknowledged so far."""
        with self._grown:
            return list(self._acknowledged)

    def await_more(self, count: int, timeout_s: float) -> bool:
        """Return True once ``count`` more reports are acknowledged, or False after the time-out."""
        with self._grown:
            wanted = len(self._acknowledged) + count
            return self._grown.wait_for(lambda: len(self._acknowledged) >= wanted, timeout_s)


class Terminal(threading.Thread):
    """The terminal of one home."""

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
        """Send reports until the stop event is set."""
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
        """Repeat a report until it is acknowledged. Return False if the stop event is set before."""
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
        """Build and send a report; return the answer, or None if it is unreadable. Raises OSError without an answer."""
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
    """Works the queue through the control socket. ``closed`` and ``noted`` hold what was confirmed as durable."""

    def __init__(self, state_dir: Path, stop: threading.Event) -> None:
        super().__init__(name="operator", daemon=True)
        self.closed: list[int] = []
        self.noted: list[int] = []
        self._state_dir = state_dir
        self._stop_asked = stop

    def run(self) -> None:
        """Claim, note and close one alarm after the other, until the stop event is set."""
        while not self._stop_asked.is_set():
            try:
                alarm = self._ask(ClaimAlarm())["id"]
                if self._ask(NoteAlarm(alarm=alarm, text="spoke with the home"))["durable"]:
                    self.noted.append(alarm)
                if self._ask(CloseAlarm(alarm=alarm, outcome=AlarmOutcome.HANDLED_BY_VOICE))["durable"]:
                    self.closed.append(alarm)
            except (VetllaError, OSError, ValueError):  # the receiver is down, or was killed while it answered
                self._stop_asked.wait(REDIAL_S)

    def _ask(self, request: Request[StepDone]) -> StepDone:
        return ask(self._state_dir, request, timeout_s=ANSWER_S)

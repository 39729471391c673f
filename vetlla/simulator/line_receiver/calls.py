"""Invented homes and their calls, as messages of a line receiver."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.signals import AccountId, Phase
from vetlla.protocols.automation.reports import CallerId, ContactId, EventReport, Unwritable
from vetlla.protocols.automation.writers import writer_of
from vetlla.simulator.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.protocols.automation.reports import LineReport
    from vetlla.simulator.line_receiver.plan import ReceiverPlan

HOME_DIGIT: Final = "9"
"""First digit of all invented accounts, so that a journal shows them plainly: 9001, 9002 ..."""
ZONES: Final = 1_000
"""Numbers of a zone. Each report of a home has the next one, so that no two of its next million reports are alike."""
AREAS: Final = 100
FIRST_NUMBER: Final = 600_000_001
NUMBERS: Final = 999
"""Telephone numbers 600000001 to 600000999 are reserved for tests by this project."""


class _Telling(NamedTuple):
    weight: int
    code: str
    has_end: bool = False


_ALARMS: Final = (_Telling(80, "101"), _Telling(12, "103"), _Telling(8, "111", has_end=True))
_TECHNICAL: Final = (
    _Telling(2, "301", has_end=True),
    _Telling(1, "302", has_end=True),
    _Telling(2, "384", has_end=True),
)
_TESTS: Final = (_Telling(1, "602"),)


def invented_accounts(count: int, width: int) -> tuple[str, ...]:
    """Return accounts of this width. Raises UsageError if it has not that many."""
    most = 10 ** (width - 1) - 1
    if count > most:
        raise UsageError(f"accounts of {width} digits are enough for {most} homes", remedy="give a larger width")
    return tuple(HOME_DIGIT + str(number).rjust(width - 1, "0") for number in range(1, count + 1))


class Calls:
    """Makes the messages of one call after the other. The same seed makes the same ones."""

    def __init__(self, plan: ReceiverPlan) -> None:
        """Take the plan. Raises UsageError if the receiver cannot write one of the accounts."""
        self._plan = plan
        self._writer = writer_of(plan.protocol, plan.form)
        self._random = Random(plan.seed)  # noqa: S311 - a simulation, not a secret
        self._reports = [plan.first_serial] * len(plan.accounts)
        alarms, technical, tests, heartbeats = plan.mix.weights()
        self._kinds = (_ALARMS, _TECHNICAL, _TESTS)
        self._weights = (alarms, technical, tests + heartbeats)  # an analog home's sign of life is its periodic test
        self._open: dict[tuple[int, str], bool] = {}
        """Conditions of homes that have begun and not ended."""
        for index in range(len(plan.accounts)):
            self._event(index, "602", Phase.NEW)
        if plan.faults.caller:
            self._caller(0)

    def __iter__(self) -> Iterator[list[Message]]:
        while True:
            yield self.next()

    def next(self) -> list[Message]:
        """Return the messages of the next call: an event, with the caller's number before it if the plan says so."""
        index = self._random.randrange(len(self._plan.accounts))
        (kinds,) = self._random.choices(self._kinds, self._weights)
        (telling,) = self._random.choices(kinds, [one.weight for one in kinds])
        self._reports[index] += 1
        phase = Phase.NEW
        if telling.has_end:
            key = (index, telling.code)
            self._open[key] = not self._open.get(key, False)
            phase = Phase.NEW if self._open[key] else Phase.RESTORE
        event = self._event(index, telling.code, phase)
        if self._random.random() >= self._plan.faults.caller:
            return [event]
        return [self._caller(index), event]

    def _caller(self, index: int) -> Message:
        plan = self._plan
        line = f"{1 + index % plan.lines:X}"
        return self._message(index, CallerId(plan.receiver, line, plan.accounts[index], _number(index)), "caller ID")

    def _event(self, index: int, code: str, phase: Phase) -> Message:
        plan = self._plan
        serial = self._reports[index]
        event = ContactId(phase, code, f"{serial // ZONES % AREAS:02d}", f"{serial % ZONES:03d}")
        line = f"{1 + index % plan.lines:X}"
        return self._message(index, EventReport(plan.receiver, line, plan.accounts[index], event), "Contact ID")

    def _message(self, index: int, report: LineReport, token: str) -> Message:
        frame = self._writer.write(report)
        if isinstance(frame, Unwritable):
            account = self._plan.accounts[index]
            raise UsageError(f"{self._plan.protocol} cannot send {account!r}: {frame.why}", remedy="change the widths")
        home = AccountId(self._plan.receiver, f"{1 + index % self._plan.lines:X}", self._plan.accounts[index])
        shown = bytes(byte for byte in frame if 0x20 <= byte <= 0x7E)
        return Message(home=home, token=token, sequence="", data=shown, frame=frame)


def _number(index: int) -> str:
    return str(FIRST_NUMBER + index % NUMBERS)

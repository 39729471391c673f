"""Puts the alarms of emergencies that have no unit before a supervisor, in the queue of the running receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.control import ask
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.errors import AccessError, LinkError, UsageError
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.receiver.control.messages.queue import EscalateAlarm
from vetlla.service.dispatch.order import minutes, needs_unit
from vetlla.store.registry.transaction import roll_back, transaction
from vetlla.tasks.dispatch import looking
from vetlla.tasks.dispatch.work import Told, Work
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.order import Line, StreetMarks
    from vetlla.service.duties.terms import DutyRules

ANSWER_S: Final = 2.0
"""How long the receiver may take: other commands cannot write into the registry meanwhile."""
COMMAND: Final = "vetlla dispatch check"


def escalate(rules: DutyRules, state_dir: Path, lines: Iterable[Line], marks: StreetMarks) -> list[Finding]:
    """Escalate each emergency on the board that is late for a unit, once; return what could not be escalated.

    Raises what ``transaction`` raises.
    """
    reason = f"emergency without a unit for {minutes(marks.escalate_us)}"
    found = []
    for line in lines:
        if line.is_escalated and not line.emergency.was_escalated:
            found += _escalate(rules, state_dir, line.emergency, reason)
    return found


def _escalate(rules: DutyRules, state_dir: Path, one: StreetEmergency, reason: str) -> list[Finding]:
    """Escalate the last alarm of an emergency that is open, and record it. If that is refused, nothing is recorded."""
    for number in (int(alarm) for alarm in reversed(one.alarms) if alarm.isdecimal()):
        try:
            if _is_done(rules, state_dir, one, number, reason):
                return []
        except (AccessError, LinkError) as error:
            return [of_error("escalation", error)]
    why = "its alarms are closed, so that none can be escalated" if one.alarms else "it has no alarm to escalate"
    text = f"emergency of type {one.type}, home {one.home}: {why}"
    return [Finding(check="escalation", level=Level.CRITICAL, text=text, remedy="tell a supervisor", home=one.home)]


def _is_done(rules: DutyRules, state_dir: Path, one: StreetEmergency, number: int, reason: str) -> bool:
    """Return True if the alarm was escalated, or another command has done it or sent a unit; False if it is closed."""
    now_us = CLOCK.now().utc_us
    with transaction(state_dir, CLOCK) as connection:
        (now,) = (other for other in looking.of_home(connection, rules, one.home, now_us) if other.id == one.id)
        if now.was_escalated or not needs_unit(now):
            return True
        work = Work(connection, rules, Recording(now_us, COMMAND))
        work.record(one.id, Told(now_us, actor()).event("escalated", alarm=str(number)))
        try:
            ask(state_dir, EscalateAlarm(alarm=number, why=reason), timeout_s=ANSWER_S)
        except UsageError:  # it is not in the queue
            roll_back(connection)
            return False
    return True

"""Corrective actions: how each one stands, which events are possible, and which are overdue.

17: a sanction weighs "les accions adoptades per l'adjudicatària per tal d'evitar-les o esmenar-les".
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.findings import Finding, Level
from vetlla.service.sanctions.catalogue import fault_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from vetlla.domain.sanctions import ActionEvent, ContractFault


class ActionState(StrEnum):
    """What became of an action."""

    OPEN = "open"
    OVERDUE = "overdue"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class Action(NamedTuple):
    """A corrective action and the event that ended it."""

    planned: ActionEvent
    ended: ActionEvent | None
    state: ActionState


def actions(events: Iterable[ActionEvent], day: date) -> list[Action]:
    """Return the actions by number, as they stand on a day. On its due day an action is not overdue yet."""
    planned: dict[int, ActionEvent] = {}
    ended: dict[int, ActionEvent] = {}
    for one in events:
        if one.action:
            ended[one.action] = one
        else:
            planned[one.id] = one
    return [Action(one, ended.get(number), _state(one, ended.get(number), day)) for number, one in planned.items()]


def _state(planned: ActionEvent, ended: ActionEvent | None, day: date) -> ActionState:
    if ended is not None:
        return ActionState(ended.event)
    is_late = planned.due is not None and day > planned.due
    return ActionState.OVERDUE if is_late else ActionState.OPEN


def about(text: str, levels: int) -> str:
    """Return the fault or the level that a person names, as the ledger writes it. Raises UsageError."""
    word = "".join(text.upper().split())
    number = word.removeprefix("ANS")
    if number.isdecimal() and 1 <= int(number) <= levels:
        return f"ANS {int(number)}"
    return fault_kind(text).fault


def refuse_ended(found: Iterable[Action], number: int, at_us: int) -> None:
    """Raise UsageError if there is no action with this number, if it has ended, or if it was planned later."""
    one = next((one for one in found if one.planned.id == number), None)
    remedy = "vetlla sanctions action list has all numbers"
    if one is None:
        raise UsageError(f"there is no corrective action {number}", remedy=remedy)
    if one.ended is not None:
        raise UsageError(f"action {number} is {one.state} already", remedy=remedy)
    if at_us < one.planned.at_us:
        raise UsageError(f"action {number} was planned later than that", remedy="correct --at")


def against(found: Sequence[Action], fault: ContractFault) -> list[Action]:
    """Return the actions against a fault: those that name its number or its level, without withdrawn ones."""
    names = {fault.fault, fault.about}
    return [one for one in found if one.planned.about in names and one.state is not ActionState.WITHDRAWN]


def overdue(found: Iterable[Action]) -> list[Finding]:
    """Return a finding for each action whose day has passed."""
    return [
        Finding(
            check="corrective_action",
            level=Level.WARNING,
            text=f"corrective action {one.planned.id} against {one.planned.about} was due on {one.planned.due}",
            remedy=f"vetlla sanctions action done {one.planned.id} --ref EVIDENCE",
            figures={"action": one.planned.id},
        )
        for one in found
        if one.state is ActionState.OVERDUE
    ]

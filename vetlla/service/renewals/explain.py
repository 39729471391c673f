"""Why a visit is on its day, in sentences that a planner can read to the family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.visits import Rank, Visit, Work

if TYPE_CHECKING:
    from collections.abc import Mapping


def why(visit: Visit, names: Mapping[int, str]) -> list[str]:
    """Return the reasons, the one that binds most first. ``names``: devices by their number."""
    reason = visit.why
    said = []
    if visit.agreed:
        said.append(f"Agreed with the people of the home: it stays on {visit.day} whatever is planned anew.")
    renewals = [task for task in visit.tasks if task.work is Work.RENEWAL]
    if renewals:
        first = min(renewals, key=lambda task: task.due)
        end = "ended" if reason.overdue else "ends"
        said.append(
            f"{names.get(first.device, first.type)}: its useful life {end} on {first.due}, so the visit is"
            f" {'as soon as possible' if reason.overdue else 'before that'}: from {reason.earliest} to {reason.latest}."
        )
        if len(visit.tasks) > 1:
            others = ", ".join(
                f"{task.work} of {names.get(task.device, task.type)} (due {task.due})"
                for task in visit.tasks
                if task is not first
            )
            said.append(f"In the same visit: {others}.")
    elif any(task.work is Work.INSTALLATION for task in visit.tasks):
        said.append("Expected growth: homes join evenly over the year, and this is one of them.")
    if reason.stretch_minutes:
        said.append(
            f"Whatever the plan, base {visit.base} has {reason.stretch_minutes} minutes of visits that fall between"
            f" {reason.stretch_first} and {reason.stretch_last}, {reason.stretch_days} working days counted:"
            f" {reason.stretch_minutes / reason.stretch_days:.1f} minutes a day, and the day is filled to that."
        )
    if reason.instead_of is not None and reason.instead_of > visit.day:
        said.append(f"Brought forward from {reason.instead_of} ({reason.rank}).")
    elif reason.instead_of is not None:
        said.append(f"Gave {reason.instead_of} to a home that comes first; still within its own days.")
    elif reason.rank is not Rank.NONE:
        said.append(f"Comes first among its days: {reason.rank}.")
    if visit.digital is not None:
        said.append(f"Brings {'a digital (GSM-IP)' if visit.digital else 'an analog'} terminal.")
    return said

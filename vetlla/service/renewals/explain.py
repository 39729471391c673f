"""Explains why a visit is on its day, in sentences that a planner can read to the family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.visits import Rank, Visit, Work

if TYPE_CHECKING:
    from collections.abc import Mapping


def why(visit: Visit, names: Mapping[int, str]) -> list[str]:
    """Return the reasons, the most restrictive first. ``names``: the names of devices by their number."""
    reason = visit.why
    sentences = []
    if visit.agreed:
        sentences.append(f"Agreed with the people of the home: a new plan leaves it on {visit.day}.")
    renewals = [task for task in visit.tasks if task.work is Work.RENEWAL]
    if renewals:
        first = min(renewals, key=lambda task: task.due)
        end = "ended" if reason.overdue else "ends"
        sentences.append(
            f"{names.get(first.device, first.type)}: its useful life {end} on {first.due}, so the visit is"
            f" {'as soon as possible' if reason.overdue else 'before that'}: from {reason.earliest} to {reason.latest}."
        )
        if len(visit.tasks) > 1:
            others = ", ".join(
                f"{task.work} of {names.get(task.device, task.type)} (due {task.due})"
                for task in visit.tasks
                if task is not first
            )
            sentences.append(f"In the same visit: {others}.")
    elif any(task.work is Work.INSTALLATION for task in visit.tasks):
        sentences.append("Expected growth: homes join evenly over the year, and this visit is for one of them.")
    if reason.stretch_minutes:
        sentences.append(
            f"In any plan, base {visit.base} has {reason.stretch_minutes} minutes of visits between"
            f" {reason.stretch_first} and {reason.stretch_last}, in {reason.stretch_days} working days:"
            f" {reason.stretch_minutes / reason.stretch_days:.1f} minutes a day, and the day is filled to that."
        )
    if reason.instead_of is not None and reason.instead_of > visit.day:
        sentences.append(f"Brought forward from {reason.instead_of} ({reason.rank}).")
    elif reason.instead_of is not None:
        sentences.append(
            f"A home with a higher rank took its day {reason.instead_of}; the new day is within its limits."
        )
    elif reason.rank is not Rank.NONE:
        sentences.append(f"Has a higher rank than other homes: {reason.rank}.")
    if visit.digital is not None:
        sentences.append(f"The visit brings {'a digital (GSM-IP)' if visit.digital else 'an analog'} terminal.")
    return sentences

"""The ledger as the fields of JSON, which are fixed, and service levels as the fields of ``sla report`` give them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.clock import iso
from vetlla.domain.sanctions import LevelMonth
from vetlla.domain.service_levels import LevelVerdict
from vetlla.service.sanctions.catalogue import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vetlla.domain.sanctions import ContractFault, FaultCase
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.sanctions.corrective import Action
    from vetlla.service.sanctions.ledger import Outlook

NOTHING: Final[Mapping[date, int]] = {}
COLUMNS = (
    "fault",
    "class",
    "clause",
    "about",
    "day",
    "months",
    "cases",
    "faults",
    "ceiling",
    "amount",
    "assumed",
    "actions",
    "closed",
)
"""Columns of a file of the ledger: the fields of JSON, with lists as texts."""


def fault_fields(
    one: ContractFault, actions: Iterable[Action] = (), closed: Mapping[date, int] = NOTHING
) -> dict[str, Any]:
    """Return a fault of the ledger. Days are of the service's calendar, the ceiling is euros as text.

    ``closed`` has the version of each month whose levels were taken from a closed month.
    """
    kind = FAULTS[one.fault]
    return {
        "fault": one.fault,
        "class": one.fault_class.value,
        "clause": kind.clause,
        "words": kind.words,
        "about": one.about,
        "day": one.day.isoformat(),
        "months": [f"{month:%Y-%m}" for month in one.months],
        "cases": [_case(case) for case in one.cases],
        "faults": list(one.faults),
        "ceiling": None if one.ceiling is None else f"{one.ceiling:f}",
        "amount": None if one.amount is None else f"{one.amount:f}",
        "assumed": list(one.assumed),
        "actions": [action_fields(action) for action in actions],
        "closed": {f"{month:%Y-%m}": closed[month] for month in one.months if month in closed},
    }


def file_row(fields: Mapping[str, Any]) -> list[str]:
    """Return the fields of a fault as cells of a file."""
    texts = {
        "months": " ".join(fields["months"]),
        "cases": " ".join(case["number"] for case in fields["cases"]),
        "faults": "; ".join(fields["faults"]),
        "assumed": " ".join(fields["assumed"]),
        "actions": " ".join(f"{action['action']}:{action['state']}" for action in fields["actions"]),
        "ceiling": fields["ceiling"] or "",
        "closed": " ".join(f"{month}:{version}" for month, version in fields["closed"].items()),
        "amount": fields["amount"] or "",
    }
    return [texts.get(name, fields[name]) for name in COLUMNS]


def action_fields(one: Action) -> dict[str, Any]:
    """Return a corrective action. Times are UTC."""
    planned, ended = one.planned, one.ended
    return {
        "action": planned.id,
        "about": planned.about,
        "what": planned.what,
        "who": planned.who,
        "due": planned.due.isoformat() if planned.due else None,
        "state": one.state.value,
        "planned": iso(planned.at_us),
        "ended": iso(ended.at_us) if ended else None,
        "ref": ended.ref if ended and ended.ref else planned.ref,
        "note": ended.what if ended else "",
        "by": (ended or planned).by,
    }


def outlook_fields(one: Outlook) -> dict[str, Any]:
    """Return what one more breach would mean."""
    return {
        "about": one.about,
        "verdict": one.verdict.value if one.verdict else None,
        "missed": one.missed,
        "would_add": [fault_fields(fault) for fault in one.would_add],
    }


def level_month(found: LevelFigure) -> LevelMonth:
    """Return what the ledger needs of computed figures."""
    return LevelMonth(
        found.verdict,
        found.breach_count,
        tuple(breach.number for breach in found.breaches if breach.is_worse),
        frozenset(part.name for part in found.parts if part.verdict is LevelVerdict.NOT_KEPT),
    )


def level_of_fields(fields: Mapping[str, Any]) -> tuple[date, int, LevelMonth]:
    """Return month, number and figures of a level from the fields of ``sla report --json``.

    Raises KeyError, ValueError or TypeError for fields that are not of this form.
    """
    month = date.fromisoformat(f"{fields['month']}-01")
    worse = tuple(str(breach["number"]) for breach in fields.get("breached", ()) if breach["grave"])
    missed = frozenset(str(part["name"]) for part in fields.get("parts", ()) if part["verdict"] == "not_kept")
    return (
        month,
        int(fields["ans"]),
        LevelMonth(LevelVerdict(fields["verdict"]), int(fields["breaches"]), worse, missed),
    )


def _case(case: FaultCase) -> dict[str, Any]:
    return {
        "what": case.what,
        "number": case.number,
        "day": case.day.isoformat(),
        "subject": case.subject,
        "note": case.note,
        "ans": case.ans or None,
    }

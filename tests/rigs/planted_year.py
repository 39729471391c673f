"""The planted breaches of a generated year by level and month, from its plan and the times of its duties."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from bench.office.service_year import COMMUNICATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MADRID: Final = ZoneInfo("Europe/Madrid")
ANS_OF_KIND: Final = {
    "visit": 1, "installation": 2, "follow_up": 3, "familiarisation": 4, "contact_call": 4, "call_audit": 8,
    "revaluation": 9, "follow_up_visit": 10, "umo_1": 11, "umo_2": 12, "fault": 14, "fault_visit": 14, "renewal": 15,
    "removal": 16, "key_return": 16, "maintenance": 17, "complaint": 19, "claim": 19, "suggestion": 19,
    "incident": 22, "document": 23,
}  # fmt: skip
"""The level of each kind of duty, as the tender has it."""
BY_OPENING: Final = {8, 11, 12, 19}
"""Levels whose cases count in the month in which they began."""
SHARES: Final = {"calls", "alarms_urgent", "alarms_technical"}
"""Lines of the plan about the share of a whole month (ANS 6)."""
SHARE: Final = 6
"""The level of that share."""

Cases = dict[tuple[int, str], set[str]]
"""Breaches by level and month: references of duties, numbers of alarms, ids of calls."""


def month_of(moment: str) -> str:
    """Return the month of a moment on the clock of the service."""
    return f"{datetime.fromisoformat(moment).astimezone(MADRID):%Y-%m}"


def planted(plan: Iterable[dict[str, Any]], duties: Mapping[tuple[str, str], dict[str, Any]]) -> Cases:
    """Return the planted breaches. The month of a duty follows from its times, and not from a report."""
    found: Cases = defaultdict(set)
    for one in plan:
        kind = one["kind"]
        if one["verdict"] != "breached" or kind in SHARES:
            continue
        if kind in COMMUNICATIONS:
            found[one["ans"], one["month"]].add(f"{kind} {one['ref']}")
            continue
        ans = ANS_OF_KIND.get(kind)
        if ans is not None:
            duty = duties[kind, one["ref"]]
            moment = duty["opened"] if ans in BY_OPENING else duty["due"] or duty["ended"]
            found[ans, month_of(moment)].add(f"{kind} {one['ref']}")
    return found


def short_shares(plan: Iterable[dict[str, Any]]) -> set[tuple[int, str]]:
    """Return the months in which an answer in time is missing for the share of ANS 6."""
    return {(SHARE, one["month"]) for one in plan if one["kind"] in SHARES and one["verdict"] == "breached"}

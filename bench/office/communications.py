"""Compares the calls and the alarms of a generated year with the plan of what was planted.

The limits are written here as the tender has them, because the generator reads them from the parameters.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ZONE = ZoneInfo("Europe/Madrid")
T2_MAX_S, T3_S, T3_MAX_S = 20, 15, 30
SHORT, EXACT = "one answer in time too few", "exactly the share in time"
Plan = list[dict[str, Any]]


def judge_calls(plan: Plan, reports: Iterable[dict[str, Any]], lacking: Iterable[dict[str, Any]]) -> list[str]:
    """Return each difference between the plan and what `calls report` of each month and `calls list --lacks` found."""
    not_kept, over = set[tuple[str, str]](), set[tuple[str, str]]()
    ways = _ways(plan, "calls")
    differences: list[str] = []
    for report in reports:
        month, ans6 = report["month"], report["ans6"]
        if ans6["kept"] is False:
            not_kept.add((month, month))
        over |= {(one["external_id"], month) for one in ans6["breaches"]}
        differences += _share_differences("calls", month, ways.get(month, ""), ans6["within"]["count"], ans6["with_t3"])
    differences += _compared("calls", _planted(plan, "calls"), not_kept)
    differences += _compared("call", _planted(plan, "call", 6), over)
    unproved = {(one["external_id"], _month(one["started"])) for one in lacking}
    return [*differences, *_compared("call", _planted(plan, "call", 7), unproved)]


def judge_alarms(plan: Plan, signals: Iterable[dict[str, Any]]) -> list[str]:
    """Return each difference between the plan and the stamps that `signals export` printed."""
    slow, over = set[tuple[str, str]](), set[tuple[str, str]]()
    waits: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for one in signals:
        month, number = _month(one["established"]), str(one["alarm"])
        group = "alarms_technical" if one["priority"] == "TECHNICAL" else "alarms_urgent"
        waits[group, month].append(one["t3_s"])
        if one["t2_s"] > T2_MAX_S:
            slow.add((number, month))
        if one["t3_s"] > T3_MAX_S:
            over.add((number, month))
    differences = [
        *_compared("alarm", _planted(plan, "alarm", 5), slow), *_compared("alarm", _planted(plan, "alarm", 6), over)
    ]  # fmt: skip
    late: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for (group, month), times in waits.items():
        within = sum(time <= T3_S for time in times)
        if within * 10 < len(times) * 9 or max(times) > T3_MAX_S:
            late[group].add((month, month))
        differences += _share_differences(group, month, _ways(plan, group).get(month, ""), within, len(times))
    for group in ("alarms_urgent", "alarms_technical"):
        differences += _compared(group, _planted(plan, group), late[group])
    return differences


def _share_differences(kind: str, month: str, way: str, within: int, total: int) -> Iterator[str]:
    """Yield a difference if the share of a month is not as close to its limit as planned."""
    needed = -(-9 * total // 10)
    planned = {SHORT: needed - 1, EXACT: needed}.get(way)
    if planned is not None and within != planned:
        yield f"{kind} {month} ({way}): {within} of {total} in time, and {planned} were planned"


def _planted(plan: Plan, kind: str, ans: int = 6) -> set[tuple[str, str]]:
    chosen = (one for one in plan if one["kind"] == kind and one["ans"] == ans and one["verdict"] == "breached")
    return {(one["ref"], one["month"]) for one in chosen}


def _ways(plan: Plan, kind: str) -> dict[str, str]:
    return {one["month"]: one["way"] for one in plan if one["kind"] == kind}


def _compared(kind: str, planted: set[tuple[str, str]], found: set[tuple[str, str]]) -> Iterator[str]:
    yield from (f"{kind} {' '.join(one)}: planted as breached" for one in sorted(planted - found))
    yield from (f"{kind} {' '.join(one)}: not planted" for one in sorted(found - planted))


def _month(moment: str) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(ZONE):%Y-%m}"

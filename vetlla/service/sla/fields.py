"""The figures of a service level as the fields of JSON. They are fixed; a closed month keeps exactly these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.domain.clock import SECOND_US, iso
from vetlla.service.sla.levels import LEVELS

if TYPE_CHECKING:
    from decimal import Decimal

    from vetlla.domain.service_levels import LevelBreach, LevelFigure, LevelPart, Spread


def fields(found: LevelFigure) -> dict[str, Any]:
    """Return the figures of a level; times are UTC in ISO 8601, durations in seconds, numbers with decimals text."""
    main = found.parts[0] if found.parts else None
    level = LEVELS[found.ans - 1]
    return {
        "ans": found.ans,
        "clause": level.clause,
        "month": f"{found.month:%Y-%m}",
        "subject": level.subject,
        "numerator": main.numerator if main else None,
        "denominator": main.denominator if main else None,
        "threshold": _text(main.threshold) if main else None,
        "value": _text(main.value) if main else None,
        "unit": main.unit if main else None,
        "verdict": found.verdict.value,
        "breaches": found.breach_count,
        "undecided": found.undecided,
        "unmeasured": found.unmeasured,
        "assumed": list(found.assumed),
        "parts": [_part(part) for part in found.parts],
        "breached": [_breach(breach) for breach in found.breaches],
        "groups": [group._asdict() for group in found.groups],
        "spreads": [_spread(spread) for spread in found.spreads],
        "notes": list(found.notes),
    }


def _part(part: LevelPart) -> dict[str, Any]:
    return part._asdict() | {
        "threshold": _text(part.threshold),
        "value": _text(part.value),
        "verdict": part.verdict.value,
    }


def _breach(breach: LevelBreach) -> dict[str, Any]:
    return {
        "what": breach.what,
        "number": breach.number,
        "home": breach.home,
        "subject": breach.subject,
        "reason": breach.reason.value,
        "begun": iso(breach.begun_us),
        "due": iso(breach.due_us),
        "at": iso(breach.at_us),
        "limit_s": _seconds(breach.limit_us),
        "measured_s": _seconds(breach.measured_us),
        "grave": breach.is_worse,
    }


def _spread(spread: Spread) -> dict[str, Any]:
    return {
        "name": spread.name,
        "cases": spread.cases,
        "p90_s": _seconds(spread.p90_us),
        "longest_s": _seconds(spread.longest_us),
        "step_s": _seconds(spread.step_us),
        "counts": list(spread.counts),
        "limits_s": [_seconds(limit) for limit in spread.limits_us],
    }


def _seconds(duration_us: int | None) -> float | None:
    return None if duration_us is None else duration_us / SECOND_US


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"

"""The parameters of emergencies in the street, as they hold at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import SECOND_US
from vetlla.service.dispatch.order import MINUTE_US, Marks

if TYPE_CHECKING:
    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.parameters import Reading

BASE_ORDER: Final = "umo.base_order."
"""Begin of the names of parameters that say for a base which others are near, such as ``umo.base_order.NORD``."""


def reading(rules: DutyRules, at_us: int) -> Reading:
    """Return the parameters in force at a moment."""
    return rules.parameters.on(rules.calendar.date_of(at_us))


def marks(rules: DutyRules, at_us: int) -> Marks:
    """Return the marks in force at a moment. Raises ConfigError or UsageError for a parameter that cannot be used."""
    found = reading(rules, at_us)
    minutes = (found.integer(f"umo.{name}_minutes", least=1) for name in ("share", "escalate", "warn"))
    return Marks(*(number * MINUTE_US for number in minutes))


def chaining_us(rules: DutyRules, at_us: int) -> int:
    """Return the chaining time in force at a moment, in microseconds. Raises ConfigError or UsageError."""
    return reading(rules, at_us).integer("umo.chaining_minutes") * 60 * SECOND_US


def base_order(rules: DutyRules, base: str, at_us: int) -> str:
    """Return the bases by their distance from one, separated by commas; "" if no parameter says it."""
    name = BASE_ORDER + base
    return reading(rules, at_us).text(name) if base and rules.parameters.all(name) else ""

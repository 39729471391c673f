"""The parameters of emergencies in the street, as they hold at a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from vetlla.domain.clock import MINUTE_US, to_datetime
from vetlla.domain.codes import code_key
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.service.dispatch.order import StreetMarks
from vetlla.settings.shipped import parameters_file
from vetlla.tasks.parameters import read_parameters

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.parameters import Parameters, Reading

BASE_ORDER: Final = "umo.base_order."
"""Begin of the names of parameters that say for a base which others are near, such as ``umo.base_order.NORD``."""


def reading(rules: DutyRules, at_us: int) -> Reading:
    """Return the parameters in force at a moment."""
    return rules.parameters.on(rules.calendar.date_of(at_us))


def marks(rules: DutyRules, at_us: int) -> StreetMarks:
    """Return the marks in force at a moment. Raises ConfigError or UsageError for a parameter that cannot be used."""
    return _marks(reading(rules, at_us))


def _marks(found: Reading) -> StreetMarks:
    minutes = (found.integer(f"umo.{name}_minutes", least=1) for name in ("share", "escalate", "warn"))
    return StreetMarks(*(number * MINUTE_US for number in minutes))


def chaining_us(rules: DutyRules, at_us: int) -> int:
    """Return the chaining time in force at a moment, in microseconds. Raises ConfigError or UsageError."""
    return reading(rules, at_us).integer("umo.chaining_minutes") * MINUTE_US


def base_order(rules: DutyRules, base: str, at_us: int) -> str:
    """Return the bases by their distance from one, separated by commas; "" if no parameter says it."""
    wanted = code_key(BASE_ORDER + base)
    name = next((name for name in rules.parameters.names() if code_key(name) == wanted), "")
    return reading(rules, at_us).text(name) if base and name else ""


class MarksFile:
    """The marks for the receiver, from a file of parameters that it reads again when the file has changed."""

    def __init__(self, path: Path | None) -> None:
        """Take the file; None is the installed one."""
        self._path = path or parameters_file()
        self._read: tuple[tuple[int, int], Parameters] | None = None

    def at(self, at_us: int) -> StreetMarks:
        """Return the marks in force at a moment. Raises ConfigError for a file that cannot be used. Blocks."""
        try:
            status = self._path.stat()
            state = status.st_mtime_ns, status.st_size
            if self._read is None or self._read[0] != state:
                self._read = state, read_parameters(self._path, "--parameters")
            found = self._read[1].on(to_datetime(at_us).date())
            zone = ZoneInfo(found.text("zone"))
            return _marks(self._read[1].on(to_datetime(at_us).astimezone(zone).date()))
        except (OSError, ValueError, KeyError, UsageError) as error:
            raise ConfigError(f"{self._path}: {error}", remedy="correct the parameters, or name a file") from error

"""Days and hours as the city hall writes them.

Catalan: ``dimarts 24 de novembre a les 10.30 h``, with ``d'`` before a vowel (``d'abril``, ``d'agost``, ``d'octubre``)
and a point in the hour (Institut d'Estudis Catalans, Ortografia catalana, 2017). Spanish: ``martes 24 de noviembre a
las 10:30 h`` (Real Academia Española, Ortografía de la lengua española, 2010). Both use 24 hours and two digits of
minutes, and only the hour of one is singular: ``a la 1.30 h``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vetlla.domain.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime

Language = Literal["ca", "es"]
LANGUAGES: Final[tuple[Language, ...]] = ("ca", "es")
"""Catalan first: it is used if the citizen's language is not known."""

_DAYS: Final = {
    "ca": ("dilluns", "dimarts", "dimecres", "dijous", "divendres", "dissabte", "diumenge"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_MONTHS: Final = {
    "ca": (
        "gener", "febrer", "març", "abril", "maig", "juny",
        "juliol", "agost", "setembre", "octubre", "novembre", "desembre",
    ),
    "es": (
        "enero", "febrero", "marzo", "abril", "mayo", "junio",
        "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    ),
}  # fmt: skip
_AT: Final = {"ca": ("a la", "a les"), "es": ("a la", "a las")}
_POINT: Final = {"ca": ".", "es": ":"}


def local(at: datetime, zone: str) -> datetime:
    """Return a moment in an office's zone. Raises ConfigError if there is no such zone."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f"there is no time zone {zone!r}", remedy="give the office a zone such as Europe/Madrid"
        ) from error


def day(at: datetime, language: Language) -> str:
    """Return the day of a local moment, without the year."""
    month = _MONTHS[language][at.month - 1]
    of = "d'" if language == "ca" and month[0] in "ao" else "de "
    return f"{_DAYS[language][at.weekday()]} {at.day} {of}{month}"


def short_day(at: datetime, language: Language) -> str:
    """Return the day of a local moment with the number of the month."""
    return f"{_DAYS[language][at.weekday()]} {at.day}/{at.month}"


def hour(at: datetime, language: Language) -> str:
    """Return the hour of a local moment."""
    return f"{at.hour}{_POINT[language]}{at.minute:02} h"


def day_and_hour(at: datetime, language: Language) -> str:
    """Return day and hour of a local moment."""
    return f"{day(at, language)} {_at_hour(at, language)}"


def short_day_and_hour(at: datetime, language: Language) -> str:
    """Return day and hour of a local moment with the number of the month."""
    return f"{short_day(at, language)} {_at_hour(at, language)}"


def _at_hour(at: datetime, language: Language) -> str:
    one, more = _AT[language]
    return f"{one if at.hour == 1 else more} {hour(at, language)}"

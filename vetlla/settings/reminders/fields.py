"""Types of values that several tables of the reminder service share."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from vetlla.domain.telephones import e164

HOURS_MAX = 24 * 366
"""A year in hours."""
LIST_MAX = 10_000
"""Most entries of a list: a city has some hundred offices and procedures, and a century has 1,400 holidays."""
RATE_MAX = 10_000
"""Most messages in a second: no provider takes more from one account."""


def _phone(text: str) -> str:
    number = e164(text)
    if not number:
        raise ValueError('should be a telephone number such as "+34600000000"')
    return number


Phone: TypeAlias = Annotated[str, AfterValidator(_phone)]
Hours: TypeAlias = Annotated[float, Field(ge=0, le=HOURS_MAX)]
Rate: TypeAlias = Annotated[float, Field(gt=0, le=RATE_MAX)]
"""Messages in a second."""

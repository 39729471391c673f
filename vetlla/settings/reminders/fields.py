"""Types of values that several tables of the reminder service share."""

from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from vetlla.domain.telephones import e164
from vetlla.settings.section import LONGEST_PATH, AbsolutePath

HOURS_MAX = 24 * 366
"""A year in hours."""
LIST_MAX = 10_000
"""Most entries of a list: a city has some hundred offices and procedures, and a century has 1,400 holidays."""
RATE_MAX = 10_000
"""Most messages in a second: no provider takes more from one account."""


def _url(text: str) -> str:
    wanted = 'should be an address such as "https://qmatic.example.cat"'
    if any(character.isspace() for character in text):
        raise ValueError(wanted)
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for one that is no port
    except ValueError as error:
        raise ValueError(f"{wanted}: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(wanted)
    if "@" in parts.netloc:
        raise ValueError("should hold neither a user nor a password: they have settings of their own")
    return text.rstrip("/")


def _phone(text: str) -> str:
    number = e164(text)
    if not number:
        raise ValueError('should be a telephone number such as "+34600000000"')
    return number


Url: TypeAlias = Annotated[str, Field(max_length=LONGEST_PATH), AfterValidator(_url)]
Phone: TypeAlias = Annotated[str, AfterValidator(_phone)]
Secret: TypeAlias = AbsolutePath | Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,254}$")]
"""File whose first line is a secret; or the name of a credential that systemd hands over (``LoadCredential=``)."""
Hours: TypeAlias = Annotated[float, Field(ge=0, le=HOURS_MAX)]
Rate: TypeAlias = Annotated[float, Field(gt=0, le=RATE_MAX)]
"""Messages in a second."""

"""Types of columns that files of several subjects have."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from vetlla.domain.columns import Cell, Holds, Matches, ReadBy

MAX_TEXT: Final = 64
"""Longest accepted code, serial, model or language in characters; labels have at most some 30."""
NUMBER_MAX: Final = (1 << 63) - 1
"""Largest number of a row or an alarm: the largest that SQLite keeps. It refuses to compare with a larger one."""


def is_short(text: str) -> bool:
    """Return True if a text is short enough for a code or a name, and a terminal shows it as it is (``printable``)."""
    return len(text) <= MAX_TEXT and text.isprintable()


def _home_code(text: str) -> str:
    if not is_short(text):
        raise ValueError(f"should be at most {MAX_TEXT} printable characters")
    return text


def _short_text(text: str) -> str:
    if not is_short(text):
        raise ValueError("has unprintable characters")
    return text


AccountNumber = Annotated[
    str,
    Matches(r"(?:[^#][\s\S]*)?", "should be written without the #"),
    Matches("[0-9A-Za-z+][0-9A-Za-z:+_-]{0,63}", "should be letters, digits, ':', '+', '_' and '-', at most 64"),
    Cell(Holds.CODE),
]
"""Hexadecimal digits in DC-09, a name in SCAIP and MQTT, a telephone number on dialled lines."""
HomeCode = Annotated[str, ReadBy(_home_code), Cell(Holds.CODE)]
ShortText = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_short_text)]

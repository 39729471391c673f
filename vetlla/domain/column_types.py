"""Types of columns that files of several subjects have."""

from typing import Annotated, Final

from vetlla.domain.columns import Cell, Holds, Matches

MAX_TEXT: Final = 64
"""Longest accepted code, serial, model or language in characters; labels have at most some 30."""
PRINTABLE: Final = r"(?:[^\p{C}\p{Z}]| )*"
"""Text without control characters and without other blanks than the space."""

AccountNumber = Annotated[
    str,
    Matches(r"(?:[^#][\s\S]*)?", "should be written without the #"),
    Matches("[0-9A-Za-z+][0-9A-Za-z:+_-]{0,63}", "should be letters, digits, ':', '+', '_' and '-', at most 64"),
    Cell(Holds.CODE),
]
"""Hexadecimal digits in DC-09, a name in SCAIP and MQTT, a telephone number on dialled lines."""
HomeCode = Annotated[
    str,
    Matches(PRINTABLE, f"should be at most {MAX_TEXT} printable characters", longest=MAX_TEXT),
    Cell(Holds.CODE),
]

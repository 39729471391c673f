"""Text as a terminal may show it: answers, errors, the board and the log go through here."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return text without what a terminal obeys: each such character is shown as its escape.

    What a peer sent must not move a cursor, colour or turn round a line, nor look like a line of its own.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)

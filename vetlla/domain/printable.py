"""Text as a terminal may show it: answers, errors, the board and the log go through here."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return text in which each character that would control a terminal is shown as its escape.

    Text from a peer must not move the cursor, change colours, reverse a line or look like a line of its own.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)

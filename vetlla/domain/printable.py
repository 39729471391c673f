"""Makes text safe for a terminal. Answers, errors, the board and the log go through here."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return the text with each character that could control a terminal replaced by its escape.

    Text from a peer must not move the cursor, change colours, reverse a line or look like a separate line.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)

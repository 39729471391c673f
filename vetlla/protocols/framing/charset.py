"""Text as devices send it: nobody says which character set, and no byte of it may be lost."""

from __future__ import annotations


def readable(data: bytes) -> str:
    """Return the text of ``data``: UTF-8 if it is that, else Windows-1252 (DC-09 up to 2021), else latin-1."""
    for charset in ("utf-8", "cp1252"):
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def join_texts(*texts: str) -> str:
    """Return what several parts of a message say, in one line."""
    return " / ".join(filter(None, texts))

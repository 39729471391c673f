"""Reads text that devices send. A device does not name its character set, and no byte may be lost."""

from __future__ import annotations


def readable(data: bytes) -> str:
    """Return the text of ``data``, read as UTF-8 if valid, else as Windows-1252 (DC-09 up to 2021), else as latin-1."""
    for charset in ("utf-8", "cp1252"):
        try:
            return data.decode(charset)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def join_texts(*texts: str) -> str:
    """Return the texts that are not empty, in one line."""
    return " / ".join(filter(None, texts))

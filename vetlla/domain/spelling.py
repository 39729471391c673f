"""Codes that people type, and other systems write in their own way."""

from __future__ import annotations


def code_key(code: str) -> str:
    """Return what all spellings of a base, unit or technician have in common: they may differ in case and in spaces."""
    return "".join(code.split()).casefold()

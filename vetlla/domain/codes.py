"""Codes that people write by hand: on keys, for units, bases and people."""

from __future__ import annotations


def code_key(code: str) -> str:
    """Return what the spellings of one code have in common: they may differ in case and in spaces."""
    return "".join(code.split()).casefold()

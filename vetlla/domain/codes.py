"""Codes that people write by hand: on keys, for units, bases and people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def code_key(code: str) -> str:
    """Return what the spellings of one code have in common: they may differ in case and in spaces."""
    return "".join(code.split()).casefold()


def bases_as_written(bases: Iterable[str]) -> dict[str, str]:
    """Return the bases of homes by ``code_key``: files of other programs may spell them in another way."""
    return {code_key(base): base for base in bases if base}

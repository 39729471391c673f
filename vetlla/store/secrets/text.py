"""Reads a key that a person wrote as hex digits or as characters. No message ever contains the key."""

from __future__ import annotations

import re
from enum import StrEnum

from vetlla.domain.errors import UsageError

KEY_BYTES = (16, 24, 32)
"""AES with 128, 192 or 256 bits."""
HEX_KEY = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{48}|[0-9A-Fa-f]{64}")


class Form(StrEnum):
    """How the source of a key writes it."""

    HEX = "hex"
    TEXT = "text"


def parse_secret(text: str, form: Form | None) -> bytes:
    """Return the bytes of a key as a person gave it. Raises UsageError, without the text, if it cannot be a key.

    32 characters that are all hex digits are either AES-128 in hex or AES-256 in text; only ``form`` can decide.
    """
    if (form or _only_form(text)) is Form.HEX:
        compact = "".join(text.split())
        if not HEX_KEY.fullmatch(compact):
            raise UsageError(
                f"the key is not 32, 48 or 64 hex digits (it has {len(compact)} characters)",
                remedy="check that all of it was copied; a key written as 16, 24 or 32 characters is given with --text",
            )
        return bytes.fromhex(compact)
    if len(text) not in KEY_BYTES or not text.isascii() or not text.isprintable():
        raise UsageError(
            f"the key is not 16, 24 or 32 plain characters (it has {len(text)})",
            remedy="check that all of it was copied; a key written as hex digits is given with --hex",
        )
    return text.encode("ascii")


def _only_form(text: str) -> Form:
    if len(text) == 32 and HEX_KEY.fullmatch(text):
        raise UsageError(
            "a key of 32 hex digits is ambiguous: 128 bits written as hex, or 256 bits written as text",
            remedy="say which the device means: --hex (most makers) or --text (Ajax and others)",
        )
    return Form.TEXT if len(text) in KEY_BYTES else Form.HEX

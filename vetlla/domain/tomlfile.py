"""Reads TOML files (settings, keys, parameters, mappings). A file that is too large is refused before it fills memory.

Each caller catches OSError and ValueError, and writes its own message about what is wrong with the file.
"""

from __future__ import annotations

import errno
import os
import re
import tomllib
from typing import TYPE_CHECKING, Any

from vetlla.domain.plainfile import open_file, open_input

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

MAX_BYTES = 64 << 20
"""Largest file in bytes. A keys file with one key for each of 250,000 homes has 40 MiB."""
MAX_DEPTH = 32
"""Most tables and lists within each other; the deepest of our files has four."""
_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+"""
_DOTTED = re.compile(rf"""(?<![\w"'.-])(?:{_PART}){{{MAX_DEPTH}}}""")
"""Matches a key of more than ``MAX_DEPTH`` parts, for which tomllib would need quadratic time."""


def read(path: Path, *, at_most: int = MAX_BYTES) -> bytes:
    """Return the content of a file. Raises OSError if it is not plain or has more than ``at_most`` bytes (EFBIG)."""
    with open_file(path) as file:
        return read_open(file, path, at_most=at_most)


def read_input(path: Path) -> bytes:
    """Return the content of a file that a user named for one command, as ``read``; a shell's pipe is also read."""
    with open_input(path) as file:
        return read_open(file, path)


def read_open(file: BinaryIO, path: Path, *, at_most: int = MAX_BYTES) -> bytes:
    """Return the content of an open file, as ``read`` does."""
    content = file.read(at_most + 1)
    if len(content) > at_most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def document(content: bytes, *, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Return the document in a file's bytes. Raises ValueError: TOMLDecodeError or UnicodeDecodeError."""
    text = content.decode("utf-8-sig")
    if _DOTTED.search(text):
        raise _too_deep()
    try:
        found = tomllib.loads(text, parse_float=parse_float)
    except RecursionError:
        raise _too_deep() from None
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, ArithmeticError) as error:  # a number that Python refuses to read
        raise tomllib.TOMLDecodeError(str(error) or "a number has too many digits") from None
    if is_deep(found, MAX_DEPTH):
        raise _too_deep()
    return found


def is_deep(value: object, left: int) -> bool:
    """Return True if lists and objects are nested more than ``left`` levels deep."""
    if not isinstance(value, list | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return left == 0 or any(is_deep(one, left - 1) for one in inner)


def _too_deep() -> tomllib.TOMLDecodeError:
    return tomllib.TOMLDecodeError(f"more than {MAX_DEPTH} tables and lists within each other")
